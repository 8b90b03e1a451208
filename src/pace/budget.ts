/**
 * Whose turn it may be at all: what a pacer asks before it lets a call go. A budget never grants what it has not got;
 * all instants are whole microseconds of one monotonic clock.
 */
import type { Need } from './queue.ts';
import { carryOver, createQuota, type Quota, spendTurn, spendUntil, turnAt } from './quota.ts';

export interface Budget {
  /** When the turn comes that has `ahead` others before it, as well as it is known. */
  turnAt(now: number, ahead?: number): number;
  /** When it may come at best: whoever has begun to wait is not sent away before that is too late. */
  earliestAt(now: number, ahead?: number): number;
  /** Takes the turn that is due. */
  spendTurn(now: number): void;
  /** A call is on its way that has had its turn. */
  departed(now: number): void;
  /** Nobody has a turn before `until`, and what was saved up is gone. */
  spendUntil(until: number): void;
  /** Until when the tenant wants to be left alone, whoever was told. */
  readonly pausedUntil: number;
  /** What was spent stays spent. */
  adjust(pace: Pace, now: number): void;
  /** So many calls wait now, among them the most urgent, and so many of them could start. */
  want(waiting: number, turns: number, mostUrgent?: Need): void;
  /** The most urgent calls that wait where the budget is shared. */
  readonly neededElsewhere: Need | undefined;
  /** Gives the turn that is due to whoever needs it elsewhere; false: it can have none now. */
  lendTurn(now: number): boolean;
  /** False while a budget that replicas share is not to be had. */
  readonly isShared: boolean;
}

export interface Pace {
  readonly perMinute: number;
  /** Turns that may be taken at once after silence; `perMinute + burst` bounds every sliding minute. */
  readonly burst: number;
}

/** A call departs so soon after its turn that no minute can tell, or it is held up. */
const promptsPerMinute = 3000;

/**
 * A budget that nobody else draws on. What holds calls up between turn and departure lets them go together afterwards, so a
 * call that is held up is part of what may be saved up.
 */
export class OwnBudget implements Budget {
  readonly isShared = false;
  readonly #minuteMs: number;
  #quota: Quota;
  #spentUntil = 0;
  #pausedUntil = 0;
  /** When those calls had their turn that have not departed, in order. */
  readonly #departing: number[] = [];

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

  earliestAt(now: number, ahead = 0): number {
    return this.turnAt(now, ahead);
  }

  spendTurn(now: number): void {
    this.spendNow(now);
    this.#departing.push(now);
  }

  departed(now: number): void {
    this.#spentUntil = this.#spentAt(now);
    // Which of them it is does not matter as long as none seems to wait for less time than it does.
    this.#departing.pop();
  }

  /** Takes a turn that came from elsewhere. */
  spendOther(now: number): void {
    this.#departing.push(now);
  }

  /** Uses up a turn without a call. */
  spendNow(now: number): void {
    this.#spentUntil = spendTurn(this.#quota, this.#spentAt(now), now);
  }

  /** Saves up a turn that came from elsewhere, or back; beyond what may be saved up it is lost. */
  addTurn(now: number): void {
    if (now >= this.#pausedUntil) this.#spentUntil = this.#spentAt(now) - this.#quota.intervalUs;
  }

  /** From when on nothing more can be saved up. */
  get fullAt(): number {
    return this.#spentUntil;
  }

  get pausedUntil(): number {
    return this.#pausedUntil;
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

  get neededElsewhere(): undefined {
    return undefined;
  }

  lendTurn(): boolean {
    return false;
  }

  #spentAt(now: number): number {
    const since = now - (this.#minuteMs * 1000) / promptsPerMinute;
    const heldUp = this.#departing.findIndex((at) => at > since);
    const count = heldUp < 0 ? this.#departing.length : heldUp;
    return Math.max(this.#spentUntil, now + count * this.#quota.intervalUs);
  }
}
