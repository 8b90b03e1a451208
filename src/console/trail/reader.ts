/**
 * The console's way to the thread that reads the trails. Invariant: few questions are under way at a time, and one whose
 * asker has gone is given up, so that looking at the trail never costs the line more than its share.
 */
import { Worker } from 'node:worker_threads';

import { post } from '../../thread.ts';
import { Refusal } from '../refusal.ts';
import type { TrailDesk, TrailDeskOptions } from './trail-desk.ts';

type Questions = Pick<TrailDesk, 'histogram' | 'records' | 'record' | 'proof' | 'states'>;
export type Question = keyof Questions;

export type Message =
  | { readonly id: number; readonly question: Question; readonly ask: unknown }
  | { readonly cancel: number };

export type Answer =
  | { readonly id: number; readonly reply: unknown }
  | {
      readonly id: number;
      readonly failure: 'not-found' | 'not-provable' | 'failed';
      readonly detail: string;
    };

const mostAtOnce = 8;
/** Of what a thread allocates itself; columns of numbers lie outside and have a budget of their own. */
const heapMegabytes = 256;

export class TrailReader implements AsyncDisposable {
  readonly #options: TrailDeskOptions;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #worker: Worker | undefined;
  #next = 0;

  constructor(options: TrailDeskOptions) {
    this.#options = options;
    // Begins with the indexes before somebody asks.
    this.#worker = this.#start();
  }

  async ask<Name extends Question>(
    question: Name,
    ask: Parameters<Questions[Name]>[0],
    signal: AbortSignal,
  ): Promise<Awaited<ReturnType<Questions[Name]>>> {
    signal.throwIfAborted();
    if (this.#waiting.size >= mostAtOnce)
      throw new Refusal(429, 'too-many', 'Too many searches run at the same time.', { retryAfter: 2 });
    const id = (this.#next += 1);
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    this.#worker ??= this.#start();
    const cancel = (): void => {
      this.#post({ cancel: id });
      waiting.reject(signal.reason);
    };
    signal.addEventListener('abort', cancel, { once: true });
    this.#post({ id, question, ask });
    try {
      return (await waiting.promise) as Awaited<ReturnType<Questions[Name]>>;
    } finally {
      signal.removeEventListener('abort', cancel);
      this.#waiting.delete(id);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.terminate();
  }

  #post(message: Message): void {
    post(this.#worker, message);
  }

  #start(): Worker {
    const worker = new Worker(new URL('reader-worker.ts', import.meta.url), {
      workerData: this.#options,
      resourceLimits: { maxOldGenerationSizeMb: heapMegabytes },
    });
    worker.unref();
    worker.on('message', (answer: Answer) => this.#take(answer));
    worker.on('error', (error: unknown) => this.#lose(worker, error));
    return worker;
  }

  #take(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    if ('reply' in answer) waiting?.resolve(answer.reply);
    else waiting?.reject(refusalOf(answer));
  }

  /** The next question starts another thread. */
  #lose(worker: Worker, cause: unknown): void {
    if (this.#worker === worker) this.#worker = undefined;
    for (const { reject } of this.#waiting.values())
      reject(new Refusal(503, 'unavailable', 'The trail could not be read.', { cause }));
  }
}

function refusalOf({ failure, detail }: Extract<Answer, { readonly failure: string }>): Refusal {
  if (failure === 'not-found') return new Refusal(404, 'not-found', detail);
  if (failure === 'not-provable') return new Refusal(409, 'conflict', detail);
  return new Refusal(503, 'unavailable', 'The trail could not be read.', { cause: new Error(detail) });
}
