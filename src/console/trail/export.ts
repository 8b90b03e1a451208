/** An export as a stream of text; whoever stops reading ends the thread that writes it. */
import { on } from 'node:events';
import { Worker } from 'node:worker_threads';

import { post } from '../../thread.ts';
import type { ExportFormat } from '../api/record.ts';
import type { AuditQuery } from '../api/trail.ts';
import { Refusal } from '../refusal.ts';
import type { ExportJob, ExportMessage } from './export-worker.ts';

const mostAtOnce = 2;

export class Exports implements AsyncDisposable {
  readonly #trails: string;
  readonly #running = new Set<Worker>();

  constructor(trails: string) {
    this.#trails = trails;
  }

  requireRoom(): void {
    if (this.#running.size >= mostAtOnce)
      throw new Refusal(429, 'too-many', 'Too many exports run at the same time.', { retryAfter: 30 });
  }

  async *pieces(query: AuditQuery, format: ExportFormat): AsyncGenerator<string> {
    this.requireRoom();
    const workerData: ExportJob = { trails: this.#trails, query, format };
    const worker = new Worker(new URL('export-worker.ts', import.meta.url), { workerData });
    worker.unref();
    this.#running.add(worker);
    try {
      yield* piecesOf(worker);
    } finally {
      this.#running.delete(worker);
      await worker.terminate();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running].map((worker) => worker.terminate()));
  }
}

async function* piecesOf(worker: Worker): AsyncGenerator<string> {
  const messages = on(worker, 'message', { close: ['exit'] }) as AsyncIterable<[ExportMessage]>;
  for await (const [message] of messages) {
    if (message === null) return;
    yield message;
    post(worker, 'taken');
  }
  throw new Error('The export ended before its end.');
}
