/**
 * What this replica has seen of the common account: how far it is spent, until when it has members, and what time it is
 * there. Invariant: what cannot be is not believed, and nothing that was seen before it either.
 */
import { PoolClock } from './pool-clock.ts';
import type { PoolPace } from './pool-pace.ts';
import type { PoolReply } from './pool.ts';

export class SeenAccount {
  readonly clock = new PoolClock();
  /** The furthest end that was seen; by the pool's clock. */
  #spentUntil = 0;
  /** By our clock and rather too early, the longest first. */
  #membersUntil: readonly number[] = [];
  #mustBeginAnew = false;

  get spentUntil(): number {
    return this.#spentUntil;
  }

  get hasMembers(): boolean {
    return this.#membersUntil.length > 0;
  }

  /** How many members there are for certain. */
  membersAt(now: number): number {
    return this.#membersUntil.filter((until) => until >= now).length;
  }

  /** When it has its next turn. */
  nextFrom({ earlyUs }: PoolPace): number {
    return this.clock.isRead ? this.#spentUntil - earlyUs - this.clock.least : 0;
  }

  /** @param pausedUntil by our clock; until then nobody has a turn */
  spentAtLeast(now: number, pausedUntil: number, { startUs, earlyUs, maxAheadUs }: PoolPace): number {
    if (!this.clock.isRead) return 0;
    const { least, most } = this.clock;
    if (this.#mustBeginAnew) return now + most + startUs;
    const paused = pausedUntil > now ? pausedUntil + most + earlyUs : 0;
    return Math.min(Math.max(this.#spentUntil, paused), now + least + maxAheadUs);
  }

  /**
   * Whether what the pool said can be, and its clock goes on as it did; how far it is spent is seen by `spend`.
   * @param asked by our clock, between which instants the answer was written
   */
  learn(
    { now, spentUntil, membersUntil }: PoolReply,
    asked: { readonly sentAt: number; readonly readAt: number },
    { leaseUs, maxAheadUs, replicas }: PoolPace,
  ): 'sound' | 'stepped' | 'impossible' {
    const isStepped = this.clock.read(now, asked.sentAt, asked.readAt);
    this.#mustBeginAnew = isStepped;
    const isBelievable = spentUntil <= now + maxAheadUs;
    if (isStepped || !isBelievable) {
      [this.#spentUntil, this.#membersUntil] = [0, []];
      return isBelievable ? 'stepped' : 'impossible';
    }
    this.#membersUntil = membersUntil
      .filter((until) => until <= now + 2 * leaseUs)
      .map((until) => until - this.clock.most)
      .toSorted((some, other) => other - some)
      .slice(0, replicas);
    return 'sound';
  }

  spend(until: number): void {
    this.#spentUntil = Math.max(this.#spentUntil, until);
  }
}
