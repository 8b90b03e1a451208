/**
 * What runs now, and how it ends: at a shutdown no call is taken any more, those that run may finish, and a
 * write whose caller has gone counts as running. At the end of the grace what still runs is told to give up.
 */
import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export class Running {
  readonly #calls = new Set<Promise<unknown>>();
  readonly #ending = new AbortController();
  #draining = false;

  get count(): number {
    return this.#calls.size;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Aborts like a deadline when the grace is over, so that a running write is recorded as unknown. */
  get ending(): AbortSignal {
    return this.#ending.signal;
  }

  track<T>(call: Promise<T>): Promise<T> {
    this.#calls.add(call);
    const forget = (): void => void this.#calls.delete(call);
    call.then(forget, forget);
    return call;
  }

  async drain(servers: readonly Server[], graceMs: number): Promise<void> {
    this.#draining = true;
    const closed = Promise.all(
      servers.map((server) => new Promise<void>((resolve) => void server.close(() => resolve()))),
    );
    // A kept-alive connection becomes idle only when its answer has left.
    const sweep = setInterval(() => servers.forEach((server) => server.closeIdleConnections()), 50);
    const finished = this.#finish(closed);
    using grace = new Grace(graceMs);
    await Promise.race([finished, grace.over]);
    this.#ending.abort(new DOMException('The gateway stops.', 'TimeoutError'));
    await this.#settle();
    clearInterval(sweep);
    for (const server of servers) server.closeAllConnections();
    await closed;
  }

  async #finish(closed: Promise<unknown>): Promise<void> {
    await this.#settle();
    await closed;
  }

  async #settle(): Promise<void> {
    while (this.#calls.size > 0) await Promise.allSettled(this.#calls);
    // The last answers are on their way to their sockets.
    await sleep(10);
  }
}

class Grace implements Disposable {
  readonly over: Promise<void>;
  readonly #timer: NodeJS.Timeout;

  constructor(ms: number) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.over = promise;
    this.#timer = setTimeout(resolve, ms);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
