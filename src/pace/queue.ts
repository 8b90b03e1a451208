/**
 * Waiting calls in the order of their turns: by priority, and within one priority by arrival. A call gains one
 * priority per step of waiting, which keeps the order of any two calls fixed, so nothing is ever sorted again.
 */
export interface Waiting {
  /** Arrival plus its priority's steps; lower is earlier. */
  readonly rank: number;
}

export class Queue<T extends Waiting> {
  readonly #calls: T[] = [];

  get length(): number {
    return this.#calls.length;
  }

  /** How many would be served before a call of this rank. */
  ahead(rank: number): number {
    return this.#calls.findLastIndex((call) => call.rank <= rank) + 1;
  }

  add(call: T): void {
    this.#calls.splice(this.ahead(call.rank), 0, call);
  }

  remove(call: T): void {
    const at = this.#calls.indexOf(call);
    if (at >= 0) this.#calls.splice(at, 1);
  }

  takeFirst(): T | undefined {
    return this.#calls.shift();
  }

  takeLast(): T | undefined {
    return this.#calls.pop();
  }

  /** Keeps those that the test finds fit; each is tested with the number still ahead of it. */
  keepWhere(isFit: (call: T, ahead: number) => boolean): void {
    const kept: T[] = [];
    for (const call of this.#calls) if (isFit(call, kept.length)) kept.push(call);
    this.#calls.splice(0, this.#calls.length, ...kept);
  }
}
