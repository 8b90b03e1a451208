/**
 * Whose turn it may be at all: what a pacer asks before it lets a call go. A budget never grants what it has not got;
 * all instants are whole microseconds of one monotonic clock.
 */
import { carryOver, createQuota, type Quota, spendTurn, spendUntil, turnAt } from './quota.ts';

export interface Budget {
  /** When the turn comes that has `ahead` others before it, as well as it is known. */
  turnAt(now: number, ahead?: number): number;
  /** Takes the turn that is due. */
  spendTurn(now: number): void;
  /** A call is on its way that has had its turn. */
  departed(now: number): void;
  /** Nobody has a turn before `until`, and what was saved up is gone. */
  spendUntil(until: number): void;
  /** What was spent stays spent. */
  adjust(pace: Pace, now: number): void;
  /** So many calls wait now. */
  want(turns: number): void;
  /** False while a budget that replicas share is not to be had. */
  readonly isShared: boolean;
}

export interface Pace {
  readonly perMinute: number;
  /** Turns that may be taken at once after silence; `perMinute + burst` bounds every sliding minute. */
  readonly burst: number;
}

/**
 * A budget that nobody else draws on. What holds calls up between turn and departure lets them go together afterwards, so
 * until it has departed a call is part of what may be saved up.
 */
export class OwnBudget implements Budget {
  readonly isShared = false;
  readonly #minuteMs: number;
  #quota: Quota;
  #spentUntil = 0;
  #pausedUntil = 0;
  #departing = 0;

  constructor(pace: Pace, minuteMs: number) {
    this.#minuteMs = minuteMs;
    this.#quota = createQuota({ ...pace, minuteMs });
  }

  get intervalUs(): number {
    return this.#quota.intervalUs;
  }

  /** Begins with the next turn, and none beside it. */
  saveNothing(now: number): void {
    this.#spentUntil = spendUntil(this.#quota, this.#spentUntil, now + this.#quota.intervalUs);
  }

  turnAt(now: number, ahead = 0): number {
    return turnAt(this.#quota, this.#spentAt(now), now, ahead);
  }

  spendTurn(now: number): void {
    this.spendNow(now);
    this.#departing += 1;
  }

  departed(now: number): void {
    this.#spentUntil = this.#spentAt(now);
    this.#departing -= 1;
  }

  /** Uses up a turn without a call. */
  spendNow(now: number): void {
    this.#spentUntil = spendTurn(this.#quota, this.#spentAt(now), now);
  }

  /** A turn that came from elsewhere, or back; beyond what may be saved up it is lost. */
  addTurn(now: number): void {
    if (now >= this.#pausedUntil) this.#spentUntil = this.#spentAt(now) - this.#quota.intervalUs;
  }

  /** Whether nothing more can be saved up then. */
  isFullAt(at: number): boolean {
    return this.#spentAt(at) <= at;
  }

  spendUntil(until: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, until);
    this.#spentUntil = spendUntil(this.#quota, this.#spentUntil, until);
  }

  adjust(pace: Pace, now: number): void {
    const old = this.#quota;
    this.#quota = createQuota({ ...pace, minuteMs: this.#minuteMs });
    this.#spentUntil = carryOver(old, this.#quota, this.#spentUntil, Math.max(now, this.#pausedUntil));
  }

  want(): void {
    // It is all here already.
  }

  #spentAt(now: number): number {
    return Math.max(this.#spentUntil, now + this.#departing * this.#quota.intervalUs);
  }
}
