/**
 * Live figures as server-sent events, once a second. Invariant: the figures are made once for all who look, whoever does
 * not take them is cut off, and looking on does not keep a session alive.
 */
import type { ServerResponse } from 'node:http';

import { describeError, log } from '../log.ts';
import { Refusal } from './refusal.ts';

export interface Watcher {
  readonly response: ServerResponse;
  /** Whether the session and its role are still there. */
  readonly mayLook: () => boolean;
}

const everyMs = 1000;
const mostWatchers = 20;
const mostPerPerson = 4;
/** What may wait for one who reads slowly: some seconds. */
const mostBytesWaiting = 256 * 1024;

export class Live implements Disposable {
  readonly #overview: () => Promise<unknown>;
  readonly #watchers = new Map<Watcher, string>();
  #timer: NodeJS.Timeout | undefined;
  #isBusy = false;

  constructor(overview: () => Promise<unknown>) {
    this.#overview = overview;
  }

  /** @param name who looks */
  add(name: string, watcher: Watcher): void {
    const own = [...this.#watchers.values()].filter((each) => each === name);
    if (own.length >= mostPerPerson || this.#watchers.size >= mostWatchers)
      throw new Refusal(503, 'too-many', 'Too many look on already.', { retryAfter: 10 });
    const { response } = watcher;
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
    this.#watchers.set(watcher, name);
    response.once('close', () => this.#remove(watcher));
    this.#timer ??= setInterval(() => void this.#tell(), everyMs).unref();
    void this.#tell();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    for (const { response } of this.#watchers.keys()) response.destroy();
  }

  #remove(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    if (this.#watchers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #tell(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      const event = `event: overview\ndata: ${JSON.stringify(await this.#overview())}\n\n`;
      for (const watcher of this.#watchers.keys()) send(watcher, event);
    } catch (error) {
      log.error('the live figures of the console failed', describeError(error));
    } finally {
      this.#isBusy = false;
    }
  }
}

function send({ response, mayLook }: Watcher, event: string): void {
  if (!mayLook()) response.end('event: end\ndata: {}\n\n');
  else if (response.writableLength > mostBytesWaiting) response.destroy();
  else response.write(event);
}
