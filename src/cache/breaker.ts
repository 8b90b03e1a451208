/**
 * Keeps a store that does not answer from costing every call its budget: after some failures in a row nobody
 * asks it until a probe has succeeded. Pure but for the clock.
 */
export interface BreakerOptions {
  readonly failures: number;
  readonly pauseMs: number;
  readonly now: () => number;
}

export class Breaker {
  readonly #options: BreakerOptions;
  #failuresInARow = 0;
  #probeAt = Number.POSITIVE_INFINITY;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#failuresInARow >= this.#options.failures;
  }

  succeeded(): void {
    this.#failuresInARow = 0;
  }

  failed(): void {
    this.#failuresInARow += 1;
    if (this.isOpen) this.#probeAt = this.#options.now() + this.#options.pauseMs;
  }

  /** True once per pause: whoever gets it makes the probe and reports how it ended. */
  takeProbe(): boolean {
    if (!this.isOpen || this.#options.now() < this.#probeAt) return false;
    this.#probeAt = this.#options.now() + this.#options.pauseMs;
    return true;
  }
}
