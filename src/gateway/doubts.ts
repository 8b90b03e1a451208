/**
 * Writes whose outcome is unknown: the tenant may carry them out later still, while callers already look. What they
 * read must not stay in the cache, so it is forgotten again and again until the tenant must be done.
 */
import type { Cache } from '../cache/cache.ts';
import type { Operation } from '../scim/operation.ts';

/** How long a read that came too early may be served. */
const everyMs = 5000;

export class Doubts implements Disposable {
  readonly #cache: Pick<Cache, 'forget'>;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(cache: Pick<Cache, 'forget'>) {
    this.#cache = cache;
  }

  /** @param forMs how long the tenant may still be at it */
  raise(operation: Operation, forMs: number): void {
    const until = performance.now() + forMs;
    const timer = setInterval(() => {
      void this.#cache.forget(operation);
      if (performance.now() < until) return;
      clearInterval(timer);
      this.#timers.delete(timer);
    }, everyMs).unref();
    this.#timers.add(timer);
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearInterval(timer);
  }
}
