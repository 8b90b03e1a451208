/**
 * Remembered values that are not what a gateway wrote. The first is told at once, and how many follow it within ten seconds
 * in one record, so that whoever can write to Redis cannot fill the trail's disk.
 */
export interface UnreadableFacts {
  readonly count: number;
  readonly firstAt: string;
  readonly lastAt: string;
}

const windowMs = 10_000;

export class Unreadable implements Disposable {
  readonly #tell: (facts: UnreadableFacts) => void;
  #count = 0;
  #firstAt = 0;
  #lastAt = 0;
  #window: NodeJS.Timeout | undefined;

  /** @param tell must not throw; it is called twice in ten seconds at most */
  constructor(tell: (facts: UnreadableFacts) => void) {
    this.#tell = tell;
  }

  report(): void {
    this.#lastAt = Date.now();
    if (this.#count === 0) this.#firstAt = this.#lastAt;
    this.#count += 1;
    if (this.#window) return;
    this.#flush();
    this.#window = setTimeout(() => this.#end(), windowMs).unref();
  }

  [Symbol.dispose](): void {
    this.#end();
  }

  #end(): void {
    clearTimeout(this.#window);
    this.#window = undefined;
    this.#flush();
  }

  #flush(): void {
    if (this.#count === 0) return;
    this.#tell({ count: this.#count, firstAt: iso(this.#firstAt), lastAt: iso(this.#lastAt) });
    this.#count = 0;
  }
}

const iso = (at: number): string => new Date(at).toISOString();
