/**
 * One budget of several replicas, drawn on by booking stretches of a common account ahead of their time
 * (docs/decisions/0015-a-pool-of-shares.md). Invariant: whoever may be counted as a member by another draws on the
 * account alone, and the account is drawn on at the rate of its members' shares alone; so the sum holds whoever loses
 * sight of whom.
 */
import { type Budget, OwnBudget, type Pace } from './budget.ts';
import { PoolClock } from './pool-clock.ts';
import { type PoolPace, poolPaceOf, shareOf } from './pool-pace.ts';
import type { Pool, PoolReply } from './pool.ts';

export interface SharedBudgetOptions extends Pace {
  readonly pool: Pool;
  /** As many as there can be; each has a share, and none of them is used by two. */
  readonly replicas: number;
  readonly minuteMs: number;
  /** Monotonic microseconds. */
  readonly now: () => number;
  /** Called when turns came or went without anybody asking. */
  readonly onChange: () => void;
}

interface Slot {
  readonly from: number;
  readonly lapsesAt: number;
  /** How many members it was paid for. */
  readonly members: number;
}

/** A replica keeps its hands off its own share for so long after it was last counted. */
const leasesPerMinute = 20;
const beatsPerMinute = 60;
/** How much of the budget all replicas together book ahead, if they are not too many for that, and one of them at most. */
const bookingsPerMinute = 30;
const maxBooked = 32;
const maxPauseUs = 120_000_000;
/** About what an exchange takes at most. */
const answerUs = 20_000;

export class SharedBudget implements Budget {
  readonly #pool: Pool;
  readonly #minuteUs: number;
  readonly #now: () => number;
  readonly #onChange: () => void;
  readonly #own: OwnBudget;
  #replicas: number;
  #pace: PoolPace;
  #slots: Slot[] = [];
  /** By our clock and rather too early, the longest first. */
  #membersUntil: number[] = [];
  /** Others may count us until then, so our own share is not ours. */
  #countedUntil = 0;
  #isMember = false;
  #isAsking = false;
  #hasSpentOwn = false;
  #sentAt = -Infinity;
  readonly #clock = new PoolClock();
  /** The furthest end of the account that we have seen; by the pool's clock. */
  #seenUntil = 0;
  #pausedUntil = 0;
  #mustBeginAnew = false;
  #failures = 0;
  #triesAgainAt = 0;
  #booksAgainAt = 0;
  /** From one turn of ours to the next while we take all that we get. */
  #gapUs: number;

  constructor(options: SharedBudgetOptions) {
    const { pool, replicas, minuteMs, now, onChange } = options;
    this.#pool = pool;
    this.#replicas = replicas;
    this.#minuteUs = minuteMs * 1000;
    this.#now = now;
    this.#onChange = onChange;
    this.#own = new OwnBudget(shareOf(options, replicas), minuteMs);
    this.#pace = poolPaceOf(options, replicas, this.#minuteUs);
    this.#gapUs = this.#pace.intervalOf(replicas);
    // Who ran in our place before may still be counted.
    if (replicas > 1) this.#keepOffOwnShare(now() + this.#leaseUs);
  }

  get isShared(): boolean {
    return this.#isMember && this.#pool.isOpen;
  }

  get beatMs(): number {
    return this.#minuteUs / 1000 / beatsPerMinute;
  }

  turnAt(now: number, ahead = 0): number {
    const slots = this.#usable(now);
    const slot = slots[ahead];
    if (slot) return Math.max(now, slot.from);
    const behind = ahead - slots.length;
    if (!this.isShared) return this.#own.turnAt(Math.max(now, this.#countedUntil), behind);
    const last = slots.at(-1)?.from;
    const next = last === undefined ? this.#nextFrom : last + this.#gapUs;
    return Math.max(now + answerUs, this.#pausedUntil, next) + behind * this.#gapUs;
  }

  spendTurn(now: number): void {
    const slot = this.#usable(now)[0];
    if (slot && slot.from <= now) {
      this.#slots.shift();
      return;
    }
    this.#hasSpentOwn = true;
    this.#own.spendTurn(now);
  }

  spendUntil(until: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, until);
    this.#slots = this.#slots.filter(({ from }) => from >= until);
    this.#own.spendUntil(until);
    // The others hear of it when they next ask.
    if (this.isShared && !this.#isAsking) void this.#exchange(0);
  }

  adjust(pace: Pace, now: number): void {
    this.#pace = poolPaceOf(pace, this.#replicas, this.#minuteUs);
    this.#gapUs = Math.max(this.#gapUs, this.#pace.intervalOf(this.#replicas));
    this.#own.adjust(shareOf(pace, this.#replicas), now);
  }

  /** How many there can be from now on; to be followed by `adjust`. */
  resize(replicas: number): void {
    this.#replicas = replicas;
    this.#isMember &&= replicas > 1;
  }

  want(turns: number): void {
    const fairPart = Math.round(this.#pace.perMinute / bookingsPerMinute / this.#replicas);
    const missing = Math.min(turns, Math.max(1, fairPart), maxBooked) - this.#usable(this.#now()).length;
    const mayBook =
      this.isShared && this.#membersUntil.length > 0 && !this.#isAsking && this.#now() >= this.#booksAgainAt;
    if (missing > 0 && mayBook) void this.#exchange(missing);
  }

  /** Renews our membership; to be called `beatMs` apart, whether or not anybody wants a turn. */
  beat(): void {
    const isFresh = this.#now() - this.#sentAt < (this.beatMs * 1000) / 2;
    const isDue = this.#isMember ? !isFresh : this.#now() >= this.#triesAgainAt;
    if (this.#replicas > 1 && isDue && !this.#isAsking) void this.#exchange(0);
  }

  get #leaseUs(): number {
    return this.#minuteUs / leasesPerMinute;
  }

  /** When the account has its next turn, as far as we have seen. */
  get #nextFrom(): number {
    return this.#clock.isRead ? this.#seenUntil - this.#pace.earlyUs - this.#clock.least : 0;
  }

  #keepOffOwnShare(until: number): void {
    this.#countedUntil = Math.max(this.#countedUntil, until);
    // And then it begins with nothing saved up.
    this.#own.spendUntil(this.#countedUntil + this.#own.intervalUs);
  }

  #usable(now: number): readonly Slot[] {
    this.#slots = this.#slots.filter(
      ({ lapsesAt, members }) => lapsesAt >= now && (this.#membersUntil[members - 1] ?? -Infinity) >= now,
    );
    return this.#slots;
  }

  async #exchange(turns: number): Promise<void> {
    if (!this.#pool.isOpen) {
      this.#isMember = false;
      return;
    }
    const sentAt = this.#now();
    const members = this.#membersUntil.filter((until) => until >= sentAt).length;
    const booked = members === 0 ? 0 : turns;
    const intervalUs = this.#pace.intervalOf(Math.max(1, members));
    // What was saved up alone is not saved up once more in the pool.
    const broughtUs = this.#hasSpentOwn ? this.#pace.ownBurst * this.#pace.intervalOf(this.#replicas) : 0;
    this.#isAsking = true;
    this.#sentAt = sentAt;
    this.#keepOffOwnShare(sentAt + this.#leaseUs);
    const reply = await this.#pool.exchange({
      leaseUs: this.#leaseUs,
      startUs: this.#startUs,
      spentAtLeast: this.#spentAtLeast(sentAt),
      costUs: booked * intervalUs + broughtUs,
    });
    this.#isAsking = false;
    this.#isMember = reply !== undefined && this.#learn(reply, sentAt);
    if (reply && this.#isMember) {
      this.#hasSpentOwn = false;
      this.#failures = 0;
      this.#take(reply, { booked, intervalUs, members, sentAt });
    } else this.#putOff();
    this.#onChange();
  }

  /** Every attempt keeps us off our own share, so a pool that fails again and again is asked ever less often. */
  #putOff(): void {
    this.#failures += 1;
    const lease = this.#leaseUs * 2 ** Math.min(this.#failures, 6);
    this.#triesAgainAt = this.#failures === 1 ? 0 : this.#countedUntil + lease;
  }

  /** An account begins when all that anybody booked on an older one has lapsed. */
  get #startUs(): number {
    return this.#leaseUs + this.#pace.earlyUs;
  }

  #spentAtLeast(now: number): number {
    if (!this.#clock.isRead) return 0;
    const { least, most } = this.#clock;
    if (this.#mustBeginAnew) return now + most + this.#startUs;
    const paused = this.#pausedUntil > now ? this.#pausedUntil + most + this.#pace.earlyUs : 0;
    return Math.min(Math.max(this.#seenUntil, paused), now + least + this.#maxAheadUs);
  }

  /** Further ahead nobody can have booked. */
  get #maxAheadUs(): number {
    return maxPauseUs + this.#minuteUs + this.#startUs + 2 * this.#replicas * this.#pace.intervalOf(1);
  }

  /** Whether what the pool said can be, and what time it is there. */
  #learn({ now, spentUntil, membersUntil }: PoolReply, sentAt: number): boolean {
    const isStepped = this.#clock.read(now, sentAt, this.#now());
    this.#mustBeginAnew = isStepped;
    const isBelievable = spentUntil <= now + this.#maxAheadUs;
    if (!isBelievable) void this.#pool.forget();
    if (isStepped || !isBelievable) {
      [this.#seenUntil, this.#slots, this.#membersUntil] = [0, [], []];
      return false;
    }
    this.#membersUntil = membersUntil
      .filter((until) => until <= now + 2 * this.#leaseUs)
      .map((until) => until - this.#clock.most)
      .toSorted((some, other) => other - some)
      .slice(0, this.#replicas);
    return true;
  }

  #take(
    { spentUntil }: PoolReply,
    {
      booked,
      intervalUs,
      members,
      sentAt,
    }: { booked: number; intervalUs: number; members: number; sentAt: number },
  ): void {
    const { least, most } = this.#clock;
    const sinceOurs = spentUntil - this.#seenUntil;
    const wasBusy = this.#seenUntil - least > sentAt;
    if (booked > 0)
      this.#gapUs = wasBusy
        ? Math.min(Math.max(sinceOurs / booked, intervalUs), intervalUs * this.#replicas)
        : intervalUs;
    this.#seenUntil = Math.max(this.#seenUntil, spentUntil);
    for (let left = booked; left > 0; left -= 1) {
      const begins = spentUntil - left * intervalUs;
      const from = begins - this.#pace.earlyUs - least;
      if (from < this.#pausedUntil) continue;
      this.#slots.push({ from, lapsesAt: begins + this.#pace.lateUs - most, members });
    }
    // What was booked in vain would be booked in vain again, as fast as Redis answers.
    const now = this.#now();
    if (booked > 0 && this.#usable(now).length === 0) this.#booksAgainAt = now + this.beatMs * 1000;
  }
}
