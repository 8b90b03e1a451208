/**
 * How fast turns come while calls wait, by those of the last seconds. It begins anew with each time of waiting: what was
 * so minutes ago says nothing.
 */
export class Rate {
  readonly #memoryUs: number;
  #at: number | undefined;
  /** Both fade alike, so that their ratio is the gap of late. */
  #waitedUs = 0;
  #turns = 0;

  /** @param memoryUs what is older counts less and less */
  constructor(memoryUs: number) {
    this.#memoryUs = memoryUs;
  }

  get isRunning(): boolean {
    return this.#at !== undefined;
  }

  /** @param gapUs what is believed until turns have come */
  begin(now: number, gapUs: number): void {
    [this.#at, this.#waitedUs, this.#turns] = [now, this.#memoryUs, this.#memoryUs / gapUs];
  }

  end(): void {
    this.#at = undefined;
  }

  count(now: number): void {
    if (this.#at === undefined) return;
    this.#fade(now, this.#at);
    this.#turns += 1;
  }

  /** From one turn to the next, in microseconds. */
  gapUs(now: number): number | undefined {
    if (this.#at === undefined) return undefined;
    this.#fade(now, this.#at);
    return this.#waitedUs / this.#turns;
  }

  #fade(now: number, since: number): void {
    const kept = Math.exp((since - now) / this.#memoryUs);
    this.#waitedUs = this.#waitedUs * kept + this.#memoryUs * (1 - kept);
    this.#turns *= kept;
    this.#at = now;
  }
}
