/** The thread that reads the trails for the console: one question in, one answer out, and a word that stops it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

import { NotProvable } from '../../audit/proof.ts';
import { describeError, log } from '../../log.ts';
import { post } from '../../thread.ts';
import { NoSuchRecord } from './calls.ts';
import type { Answer, Message } from './reader.ts';
import { TrailDesk, type TrailDeskOptions } from './trail-desk.ts';

// The key comes as plain bytes: a Buffer does not pass between threads as one.
const { key, ...options } = workerData as TrailDeskOptions;
const desk = new TrailDesk({ ...options, key: Buffer.from(key) });
const restMs = 20;
/** Segments close by the hour; whoever asks then finds them indexed. */
const againMs = 30_000;
const running = new Map<number, AbortController>();

parentPort?.on('message', (message: Message) => {
  if ('cancel' in message) running.get(message.cancel)?.abort();
  else void answer(message);
});
void keepPrepared();

async function keepPrepared(): Promise<never> {
  for (;;) {
    await desk
      .prepare(pause)
      .catch((error: unknown) => log.warn('the console could not index the trails', describeError(error)));
    await sleep(againMs);
  }
}

/** Who asks comes first. */
async function pause(): Promise<void> {
  while (running.size > 0) await sleep(restMs);
}

async function answer({ id, question, ask }: Exclude<Message, { readonly cancel: number }>): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  try {
    // Question and ask belong together by the type of whoever sent them.
    const work = desk[question] as (ask: unknown, signal: AbortSignal) => Promise<unknown>;
    tell({ id, reply: await work.call(desk, ask, controller.signal) });
  } catch (error) {
    tell({ id, failure: failureOf(error), detail: Error.isError(error) ? error.message : '' });
  } finally {
    running.delete(id);
  }
}

function failureOf(error: unknown): 'not-found' | 'not-provable' | 'failed' {
  if (error instanceof NoSuchRecord) return 'not-found';
  return error instanceof NotProvable ? 'not-provable' : 'failed';
}

function tell(message: Answer): void {
  post(parentPort, message);
}
