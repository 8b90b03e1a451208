/** Counts over time in bounded memory: when there are too many intervals, all of them become longer. */
const minute = 60_000;
const minutes = [1, 5, 15, 60, 180, 360, 720, 1440, 7 * 1440, 30 * 1440, 90 * 1440, 365 * 1440, 3650 * 1440];

export type Counts<Name extends string> = Readonly<Record<Name, number>>;

export interface Interval<Name extends string> {
  readonly at: number;
  readonly counts: Counts<Name>;
}

export class TimeSeries<Name extends string> {
  readonly #zeros: Counts<Name>;
  readonly #most: number;
  #counts = new Map<number, Counts<Name>>();
  #step = 0;

  /** @param zeros the names of what is counted */
  constructor(zeros: Counts<Name>, most = 96) {
    this.#zeros = zeros;
    this.#most = most;
  }

  get stepMs(): number {
    return (minutes[this.#step] ?? 1) * minute;
  }

  add(at: number, name: Name): void {
    const start = this.#startOf(at);
    const counts = this.#counts.get(start);
    if (counts) this.#counts.set(start, { ...counts, [name]: counts[name] + 1 });
    else {
      this.#counts.set(start, { ...this.#zeros, [name]: 1 });
      while (this.#length() > this.#most && this.#step < minutes.length - 1) this.#coarsen();
    }
  }

  /** Also those in which nothing was counted, from the first to the last. */
  intervals(): Interval<Name>[] {
    const first = Math.min(...this.#counts.keys());
    return Array.from({ length: this.#length() }, (_, index) => {
      const at = first + index * this.stepMs;
      return { at, counts: this.#counts.get(at) ?? this.#zeros };
    });
  }

  #startOf(at: number): number {
    return Math.floor(at / this.stepMs) * this.stepMs;
  }

  #length(): number {
    if (this.#counts.size === 0) return 0;
    return (Math.max(...this.#counts.keys()) - Math.min(...this.#counts.keys())) / this.stepMs + 1;
  }

  #coarsen(): void {
    const before = this.#counts;
    this.#step += 1;
    this.#counts = new Map();
    for (const [at, counts] of before) {
      const start = this.#startOf(at);
      this.#counts.set(start, sum(this.#counts.get(start) ?? this.#zeros, counts));
    }
  }
}

export function sum<Name extends string>(a: Counts<Name>, b: Counts<Name>): Counts<Name> {
  const names = Object.keys(a) as Name[];
  return Object.fromEntries(names.map((name) => [name, a[name] + b[name]])) as Record<Name, number>;
}
