/**
 * A replica's own part of a budget, the turns that it does not need lent to the other replicas and theirs borrowed
 * (docs/decisions/0022-lent-turns.md). Invariant: a turn is in one place alone, saved up here or lying in the pool or used;
 * whatever may have been lost on its way counts as gone. So the sum holds whatever becomes of the pool, and without it each
 * goes on with its own part.
 */
import { type Budget, OwnBudget, type Pace } from './budget.ts';
import { Lending } from './lending.ts';
import { partOf, type Part } from './part.ts';
import type { Pool, PoolRequest } from './pool.ts';
import type { Need } from './queue.ts';
import { longestPauseMs } from './quota.ts';
import { Rate } from './rate.ts';

export interface SharedBudgetOptions extends Pace {
  readonly pool: Pool;
  /** As many as there can be; each has a part, and none of them is used by two. */
  readonly replicas: number;
  readonly minuteMs: number;
  /** Monotonic microseconds. */
  readonly now: () => number;
  /** Called when turns came or went without anybody asking. */
  readonly onChange: () => void;
}

const beatsPerMinute = 240;
/** After so many beats without a question the pool is asked whether the tenant has refused another replica. */
const quietBeats = 4;
const mostTaken = 8;
/** How fast turns come is known by those of the last sixth of a minute. */
const rememberedPerMinute = 6;

export class SharedBudget implements Budget {
  readonly #pool: Pool;
  readonly #minuteMs: number;
  readonly #now: () => number;
  readonly #onChange: () => void;
  #replicas: number;
  #part: Part;
  readonly #own: OwnBudget;
  readonly #lending: Lending;
  /** How much may be borrowed: whoever has become slower than the others takes less of theirs, too. */
  readonly #borrowing: OwnBudget;
  /** Turns that have just come, for calls that wait now. */
  #borrowed = 0;
  /** How many calls could start, and which of those that wait are the most urgent. */
  #wanted = 0;
  #mostUrgent: Need | undefined;
  /** The same at the other replicas. */
  #elsewhere: Need | undefined;
  #isAsking = false;
  #isAnswered = false;
  #askedAt = -Infinity;
  /** Until when the tenant has told us to wait, and until when the others know. */
  #toldUntil = 0;
  #knownUntil = 0;
  readonly #rate: Rate;

  constructor(options: SharedBudgetOptions) {
    const { pool, replicas, minuteMs, now, onChange } = options;
    this.#pool = pool;
    this.#replicas = replicas;
    this.#minuteMs = minuteMs;
    this.#now = now;
    this.#onChange = onChange;
    this.#part = partOf(options, replicas, true);
    this.#own = new OwnBudget(this.#part, minuteMs);
    this.#lending = new Lending(this.#own);
    this.#borrowing = new OwnBudget(this.#part.borrowed, minuteMs);
    this.#rate = new Rate((minuteMs * 1000) / rememberedPerMinute);
  }

  get isShared(): boolean {
    return this.#isAnswered && this.#pool.isOpen;
  }

  turnAt(now: number, ahead = 0): number {
    if (ahead < this.#borrowed) return now;
    return this.#turnAt(now, ahead - this.#borrowed, this.#rate.gapUs(now) ?? this.#gapsUs.atBest);
  }

  earliestAt(now: number, ahead = 0): number {
    return this.#turnAt(now, Math.max(0, ahead - this.#borrowed), this.#gapsUs.atBest);
  }

  spendTurn(now: number): void {
    this.#rate.count(now);
    if (this.#borrowed === 0) return this.#own.spendTurn(now);
    this.#borrowed -= 1;
    this.#own.spendOther(now);
  }

  departed(now: number): void {
    this.#own.departed(now);
  }

  get pausedUntil(): number {
    return this.#own.pausedUntil;
  }

  saveNothing(now: number): void {
    this.#own.saveNothing(now);
  }

  spendUntil(until: number): void {
    this.#toldUntil = Math.max(this.#toldUntil, until);
    this.#borrowed = 0;
    this.#own.spendUntil(until);
    void this.#exchange();
  }

  adjust(pace: Pace, now: number): void {
    const { room } = this.#part;
    this.#part = partOf(pace, this.#replicas, true);
    if (this.#part.room !== room) this.#leavePool(room, now);
    this.#own.adjust(this.#part, now);
    this.#borrowing.adjust(this.#part.borrowed, now);
  }

  /** How many there can be from now on; to be followed by `adjust`. */
  resize(replicas: number): void {
    this.#replicas = replicas;
    this.#isAnswered &&= replicas > 1;
  }

  want(waiting: number, turns: number, mostUrgent?: Need): void {
    this.#wanted = turns;
    this.#mostUrgent = mostUrgent;
    if (waiting === 0) this.#rate.end();
    else if (!this.#rate.isRunning)
      this.#rate.begin(this.#now(), this.#gapsUs[this.isShared ? 'atBest' : 'alone']);
    if (turns > 0 && this.#now() - this.#askedAt >= this.#beatUs) void this.#exchange();
  }

  get neededElsewhere(): Need | undefined {
    return this.isShared ? this.#elsewhere : undefined;
  }

  lendTurn(now: number): boolean {
    // Where what is lent finds no room, those who wait take no more.
    if (!this.isShared || this.#borrowed > 0 || now < this.#lending.againAt) return false;
    // It counts as one that has come: who waits here waits for those whose turn it is elsewhere, too.
    this.#rate.count(now);
    this.#lending.giveAway(now);
    void this.#exchange();
    return true;
  }

  /**
   * To be called again and again, whether or not anybody wants a turn.
   * @returns after how many milliseconds at the latest
   */
  beat(): number {
    const now = this.#now();
    const isQuiet = now - this.#askedAt >= quietBeats * this.#beatUs;
    if (isQuiet || this.#wanted > 0 || this.#mayLend(now) || this.#untoldMs(now) > 0) void this.#exchange();
    const fullInUs = Math.max(this.#own.fullAt, this.#lending.againAt) - now;
    return (fullInUs > 0 ? Math.min(fullInUs, this.#beatUs) : this.#beatUs) / 1000;
  }

  get #beatUs(): number {
    return (this.#minuteMs * 1000) / beatsPerMinute;
  }

  /** What comes from now on would be lost. */
  #mayLend(now: number): boolean {
    return this.#wanted === 0 && now >= Math.max(this.#lending.againAt, this.#own.fullAt);
  }

  #mayTake(now: number): number {
    // What is lent now is for calls that are more urgent than ours.
    if (this.#elsewhere && this.#elsewhere.priority < (this.#mostUrgent?.priority ?? Infinity)) return 0;
    let turns = 0;
    while (turns < Math.min(this.#wanted, mostTaken) && this.#borrowing.turnAt(now, turns) <= now) turns += 1;
    return turns;
  }

  #untoldMs(now: number): number {
    const isKnown = this.#toldUntil <= this.#knownUntil + this.#beatUs;
    return isKnown ? 0 : Math.max(0, Math.ceil((this.#toldUntil - now) / 1000));
  }

  async #exchange(): Promise<void> {
    if (this.#isAsking) return;
    const askedAt = this.#now();
    if (this.#replicas === 1 || !this.#pool.isOpen) return this.#lending.takeBack(askedAt);
    if (!this.#lending.isAny && this.#mayLend(askedAt)) this.#lending.giveAway(askedAt);
    const lends = this.#lending.send();
    this.#isAsking = true;
    this.#askedAt = askedAt;
    const reply = await this.#pool.exchange({
      room: this.#part.room,
      lends,
      takes: this.#mayTake(askedAt),
      pauseMs: this.#untoldMs(askedAt),
      begins: !this.#isAnswered,
      waits: this.#waits,
    });
    this.#isAsking = false;
    // Meanwhile a reload may have left one alone, who asks no more.
    const isAnswered = reply !== undefined && this.#replicas > 1;
    const hasChanged = this.#isAnswered !== isAnswered;
    this.#isAnswered = isAnswered;
    this.#elsewhere = reply?.elsewhere;
    if (reply && lends) this.#lending.sent(lends - reply.lent, this.#now(), this.#beatUs);
    if (reply?.pauseMs) this.#wait(reply.pauseMs);
    if (reply?.taken) this.#use(reply.taken);
    const isBack = this.#wanted > 0 && reply !== undefined && reply.lent < lends;
    if (reply?.pauseMs || hasChanged || isBack) this.#onChange();
    if (this.#lending.isAny) void this.#exchange();
  }

  get #waits(): PoolRequest['waits'] {
    if (this.#wanted === 0 || !this.#mostUrgent) return undefined;
    return { ...this.#mostUrgent, ms: (quietBeats * this.#beatUs) / 1000 };
  }

  /** What was taken is for those who wait now; nothing is saved up by it beyond our part. */
  #use(turns: number): void {
    const now = this.#now();
    for (let turn = 0; turn < turns; turn += 1) this.#borrowing.spendNow(now);
    if (now < this.pausedUntil) return;
    this.#borrowed = turns;
    this.#onChange();
    for (; this.#borrowed > 0; this.#borrowed -= 1) this.#own.addTurn(this.#now());
  }

  /** What was borrowed there lately counts as ours, and what lies in the next one is from before. */
  #leavePool(room: number, now: number): void {
    for (let turn = 0; turn < Math.ceil(room / this.#replicas); turn += 1) this.#own.spendNow(now);
    this.#isAnswered = false;
  }

  /** The tenant has refused another replica. */
  #wait(ms: number): void {
    if (ms > longestPauseMs) return; // no replica has said so
    this.#knownUntil = this.#now() + ms * 1000;
    this.#own.spendUntil(this.#knownUntil);
  }

  /** From one turn to the next: while all others lend, and while none does. */
  get #gapsUs(): { readonly atBest: number; readonly alone: number } {
    const { intervalUs } = this.#own;
    return { atBest: intervalUs / this.#replicas, alone: intervalUs };
  }

  #turnAt(now: number, ahead: number, gapUs: number): number {
    const { atBest } = this.#gapsUs;
    const next = this.#own.turnAt(now);
    return Math.min(this.#own.turnAt(now, ahead), next + Math.ceil(ahead * Math.max(gapUs, atBest)));
  }
}
