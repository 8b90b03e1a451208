/**
 * How many calls of one caller may be at work, and how many may begin in a minute, whatever they ask for. Who is over
 * his limit waits, as loads must not fail; who would wait in vain is refused. A call passes here before its body is
 * read, and whether or not its answer is known already.
 */
import { createPacer } from './pacer.ts';
import type { RefusalDetails } from './refusal.ts';
import type { Pacer, PacerLimits, Turn } from './turn.ts';

export interface CallerLimit {
  /** Calls at work in this gateway at the same time. */
  readonly concurrency: number;
  /** Calls in a minute over all replicas; absent means as many as come. */
  readonly perMinute?: number | undefined;
}

export interface CallerLimitsOptions {
  readonly limits: ReadonlyMap<string, CallerLimit>;
  readonly replicas: number;
  /** Monotonic ms. */
  readonly now?: () => number;
}

/** What waits costs a connection and a head; without a bound one caller could take all the connections. */
const waitingRoom = 200;
const details: RefusalDetails = {
  of: 'caller',
  tooLate: 'The technical user has more calls at work than it may have, and this one would wait too long.',
  tooMany: 'The technical user has more calls at work than it may have, and too many are waiting.',
};

export class CallerLimits implements Disposable {
  readonly #now: (() => number) | undefined;
  readonly #pacers = new Map<string, Pacer>();
  #limits: ReadonlyMap<string, CallerLimit>;
  #replicas: number;

  constructor({ limits, replicas, now }: CallerLimitsOptions) {
    this.#limits = limits;
    this.#replicas = replicas;
    this.#now = now;
  }

  /** Runs work within the limits of its caller; throws `busy`, or the signal's reason, while it waits for that. */
  run<T>(turn: Turn, work: (waitedMs: number) => Promise<T>): Promise<T> {
    return this.#pacers
      .getOrInsertComputed(turn.caller, () => this.#createPacer(turn.caller))
      .run(turn, work);
  }

  /** For calls that come from now on, and for those that wait; what is at work is not interrupted. */
  adjust({ limits, replicas }: Pick<CallerLimitsOptions, 'limits' | 'replicas'>): void {
    this.#limits = limits;
    this.#replicas = replicas;
    for (const [caller, pacer] of this.#pacers) pacer.adjust(this.#limitsOf(caller));
  }

  [Symbol.dispose](): void {
    for (const pacer of this.#pacers.values()) pacer[Symbol.dispose]();
  }

  #createPacer(caller: string): Pacer {
    const clock = this.#now && { now: this.#now };
    return createPacer({ ...this.#limitsOf(caller), minuteMs: 60_000, details, ...clock });
  }

  /** Who is not listed any more has calls from before alone, and they end by themselves. */
  #limitsOf(caller: string): PacerLimits {
    const { concurrency = Infinity, perMinute } = this.#limits.get(caller) ?? {};
    // Replicas do not tell each other, so each keeps to its part, as with the tenant's quota.
    const share = perMinute === undefined ? Infinity : Math.max(1, Math.floor(perMinute / this.#replicas));
    const burst = perMinute === undefined ? 1 : Math.max(1, Math.floor(share / 10));
    return { perMinute: share, burst, concurrency, maxQueue: waitingRoom };
  }
}
