/**
 * How often a caller may have brought anew what the cache would have answered. Without it one caller that sends `no-cache`
 * with every call would spend the quota that all share.
 */
const windowMs = 60_000;

export class Refreshes {
  readonly #now: () => number;
  /** When all that was taken is forgotten; as many as there are callers and systems. */
  readonly #clearAt = new Map<string, number>();

  /** @param now monotonic ms */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** @param perMinute that many at once, and then evenly; 0 means never */
  take(name: string, perMinute: number): boolean {
    if (perMinute <= 0) return false;
    const everyMs = windowMs / perMinute;
    const clearAt = Math.max(this.#now(), this.#clearAt.get(name) ?? 0) + everyMs;
    if (clearAt - this.#now() > Math.max(windowMs, everyMs) + 1e-6) return false;
    this.#clearAt.set(name, clearAt);
    return true;
  }
}
