/** How long to wait before the next try: longer each time, never the same for two gateways, and never very long. */
const firstMs = 500;
const longestMs = 30_000;
/** What a destination may ask for beyond that. */
const longestAskedMs = 300_000;

export class BackOff {
  #tries = 0;

  reset(): void {
    this.#tries = 0;
  }

  /** @param askedMs how long the destination wants to be left alone */
  next(askedMs: number): number {
    const full = Math.min(firstMs * 2 ** this.#tries, longestMs);
    this.#tries = Math.min(this.#tries + 1, 10);
    return Math.max(full * (0.5 + Math.random() / 2), Math.min(askedMs, longestAskedMs));
  }
}
