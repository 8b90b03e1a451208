/**
 * One budget of several replicas, drawn on by booking stretches of a common account ahead of their time
 * (docs/decisions/0015-a-pool-of-shares.md). Invariant: whoever may be counted as a member by another draws on the
 * account alone, and the account is drawn on at the rate of its members' shares alone; so the sum holds whoever loses
 * sight of whom.
 */
import { type Budget, OwnBudget, type Pace } from './budget.ts';
import { type PoolPace, poolPaceOf, shareOf } from './pool-pace.ts';
import type { Pool, PoolReply } from './pool.ts';
import { SeenAccount } from './seen-account.ts';

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

/** What was asked for. */
interface Booking {
  readonly booked: number;
  readonly intervalUs: number;
  readonly members: number;
  readonly sentAt: number;
}

const beatsPerMinute = 60;
/** How much of the budget all replicas together book ahead, if they are not too many for that, and one of them at most. */
const bookingsPerMinute = 30;
const maxBooked = 32;
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
  /** Others may count us until then, so our own share is not ours. */
  #countedUntil = 0;
  #isMember = false;
  #isAsking = false;
  #hasSpentOwn = false;
  #sentAt = -Infinity;
  readonly #account = new SeenAccount();
  #pausedUntil = 0;
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
    if (replicas > 1) this.#keepOffOwnShare(now() + this.#pace.leaseUs);
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
    const next = last === undefined ? this.#account.nextFrom(this.#pace) : last + this.#gapUs;
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
      this.isShared && this.#account.hasMembers && !this.#isAsking && this.#now() >= this.#booksAgainAt;
    if (missing > 0 && mayBook) void this.#exchange(missing);
  }

  /** Renews our membership; to be called `beatMs` apart, whether or not anybody wants a turn. */
  beat(): void {
    const isFresh = this.#now() - this.#sentAt < (this.beatMs * 1000) / 2;
    const isDue = this.#isMember ? !isFresh : this.#now() >= this.#triesAgainAt;
    if (this.#replicas > 1 && isDue && !this.#isAsking) void this.#exchange(0);
  }

  #keepOffOwnShare(until: number): void {
    this.#countedUntil = Math.max(this.#countedUntil, until);
    // And then it begins with nothing saved up.
    this.#own.spendUntil(this.#countedUntil + this.#own.intervalUs);
  }

  #usable(now: number): readonly Slot[] {
    this.#slots = this.#slots.filter(
      ({ lapsesAt, members }) => lapsesAt >= now && this.#account.membersAt(now) >= members,
    );
    return this.#slots;
  }

  async #exchange(turns: number): Promise<void> {
    if (!this.#pool.isOpen) {
      this.#isMember = false;
      return;
    }
    const sentAt = this.#now();
    const { leaseUs, startUs } = this.#pace;
    const members = this.#account.membersAt(sentAt);
    const booked = members === 0 ? 0 : turns;
    const intervalUs = this.#pace.intervalOf(Math.max(1, members));
    // What was saved up alone is not saved up once more in the pool.
    const broughtUs = this.#hasSpentOwn ? this.#pace.ownBurst * this.#pace.intervalOf(this.#replicas) : 0;
    this.#isAsking = true;
    this.#sentAt = sentAt;
    this.#keepOffOwnShare(sentAt + leaseUs);
    const reply = await this.#pool.exchange({
      leaseUs,
      startUs,
      spentAtLeast: this.#account.spentAtLeast(sentAt, this.#pausedUntil, this.#pace),
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
    const lease = this.#pace.leaseUs * 2 ** Math.min(this.#failures, 6);
    this.#triesAgainAt = this.#failures === 1 ? 0 : this.#countedUntil + lease;
  }

  /** False: what the pool said is of no use, and what was booked on it neither. */
  #learn(reply: PoolReply, sentAt: number): boolean {
    const finding = this.#account.learn(reply, { sentAt, readAt: this.#now() }, this.#pace);
    if (finding === 'impossible') void this.#pool.forget();
    if (finding !== 'sound') this.#slots = [];
    return finding === 'sound';
  }

  #take({ spentUntil }: PoolReply, { booked, intervalUs, members, sentAt }: Booking): void {
    const { least, most } = this.#account.clock;
    const sinceOurs = spentUntil - this.#account.spentUntil;
    const wasBusy = this.#account.spentUntil - least > sentAt;
    if (booked > 0)
      this.#gapUs = wasBusy
        ? Math.min(Math.max(sinceOurs / booked, intervalUs), intervalUs * this.#replicas)
        : intervalUs;
    this.#account.spend(spentUntil);
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
