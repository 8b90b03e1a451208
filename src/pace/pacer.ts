/**
 * Keeps to a quota: a call waits for its turn here, or is refused at once when waiting would be in vain. A turn is
 * spent when work starts, never earlier, so a call that is given up costs nothing.
 */
import type { Why } from '../scim/error.ts';
import { OwnBudget, type Budget } from './budget.ts';
import { Places } from './places.ts';
import { Queue, type Waiting } from './queue.ts';
import { aboutTheTenant, busy, drained, type RefusalDetails } from './refusal.ts';
import { Tempo } from './tempo.ts';
import type { Pacer, PacerLimits, PacerOptions, PacerState, Turn, Work } from './turn.ts';

/** @param onChange to be called when turns came or went without anybody asking; `now` is monotonic, in microseconds */
export type CreateBudget = (parts: { readonly now: () => number; readonly onChange: () => void }) => Budget;

interface WaitingCall extends Waiting {
  readonly patientUntil: number;
  /** Once it has been let in it is sent away only when nothing can help it any more. */
  isAdmitted: boolean;
  readonly start: () => void;
  readonly refuse: (reason: unknown) => void;
}

/** @param createBudget what the turns are drawn from; by default all that the options allow */
export function createPacer(
  options: PacerOptions,
  createBudget: CreateBudget = () => new OwnBudget(options, options.minuteMs),
): Pacer {
  return new TurnPacer(options, createBudget);
}

/** A priority gains on the next one for every twelfth of a minute without a turn: lists yield, not for ever. */
const stepsPerMinute = 12;

class TurnPacer implements Pacer {
  readonly #details: RefusalDetails;
  readonly #now: () => number;
  readonly #queue: Queue<WaitingCall>;
  readonly #budget: Budget;
  readonly #tempo: Tempo;
  readonly #places: Places;
  readonly #learns: boolean;
  readonly #countsDepartures: boolean;
  #limits: PacerLimits;
  #heldUntil = 0;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: PacerOptions, createBudget: CreateBudget) {
    const { minuteMs, learns = false, details, now = () => performance.now() } = options;
    this.#details = details ?? aboutTheTenant;
    this.#now = () => Math.floor(now() * 1000);
    this.#queue = new Queue((minuteMs * 1000) / stepsPerMinute);
    this.#tempo = new Tempo(minuteMs);
    this.#learns = learns;
    this.#countsDepartures = options.departing !== undefined;
    this.#limits = options;
    this.#places = new Places(options);
    this.#budget = createBudget({ now: this.#now, onChange: () => this.#settle() });
  }

  async run<T>(turn: Turn, work: Work<T>): Promise<T> {
    const waitedUs = await this.#wait(turn);
    const startedAt = this.#now();
    let isDeparting = this.#countsDepartures;
    const departed = (): void => {
      if (!isDeparting) return;
      isDeparting = false;
      this.#depart();
      this.#settle();
    };
    try {
      return await work(waitedUs / 1000, departed);
    } finally {
      const now = this.#now();
      const tookUs = now - startedAt;
      this.#places.ended(tookUs);
      departed();
      if (turn.alike !== undefined) this.#learn(() => this.#tempo.observe(turn.alike ?? '', tookUs, now));
      this.#settle();
    }
  }

  pause(ms: number): void {
    this.#budget.spendUntil(this.#now() + ms * 1000);
    this.#settle();
  }

  refused(ms: number): void {
    const now = this.#now();
    this.#learn(() => this.#tempo.refused(now));
    this.pause(ms);
  }

  hold(ms: number): void {
    this.#heldUntil = ms === 0 ? 0 : this.#now() + ms * 1000;
    this.#settle();
  }

  adjust(limits: PacerLimits): void {
    this.#limits = limits;
    this.#places.limits = limits;
    this.#keepToTempo();
    this.#settle();
  }

  get state(): PacerState {
    const now = this.#now();
    return {
      queued: this.#queue.length,
      running: this.#places.running,
      pausedForMs: Math.max(0, this.#budget.pausedUntil - now) / 1000,
      longestWaitMs: (this.#turnAt(this.#queue.length, now) - now) / 1000,
      tempo: this.#tempo.share,
      isShared: this.#budget.isShared,
    };
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const call of this.#queue.copy()) this.#refuse(call, drained());
  }

  #learn(lesson: () => void): void {
    if (!this.#learns) return;
    const before = this.#tempo.share;
    lesson();
    if (this.#tempo.share !== before) this.#keepToTempo();
  }

  #keepToTempo(): void {
    const { perMinute, burst } = this.#limits;
    this.#budget.adjust({ perMinute: perMinute * this.#tempo.share, burst }, this.#now());
  }

  /** Resolves with the time waited, when the turn has been spent. */
  async #wait({ caller, priority, patienceMs, signal }: Turn): Promise<number> {
    signal.throwIfAborted();
    if (this.#isClosed) throw drained();
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const since = this.#now();
    const call: WaitingCall = {
      caller,
      priority,
      patientUntil: since + patienceMs * 1000,
      isAdmitted: false,
      start: () => resolve(this.#now() - since),
      refuse: reject,
    };
    const giveUp = (): void => {
      this.#refuse(call, signal.reason);
      this.#settle();
    };
    signal.addEventListener('abort', giveUp, { once: true });
    this.#queue.add(call, since);
    this.#settle();
    return promise.finally(() => signal.removeEventListener('abort', giveUp));
  }

  /** After whatever happened: starts and refuses whom it concerns, and wakes up again when time alone will. */
  #settle(): void {
    this.#startDue();
    this.#refuseTooMany();
    this.#refuseHopeless();
    clearTimeout(this.#timer);
    if (this.#queue.length === 0) return this.#budget.want(0, 0);
    const now = this.#now();
    const isHeld = this.#heldUntil > now;
    const couldStart = isHeld ? 0 : Math.min(this.#queue.length, this.#places.free);
    this.#budget.want(this.#queue.length, couldStart, this.#queue.mostUrgent);
    // While all places are taken nobody can say when one gets free, and patience may end before.
    const next = this.#places.free > 0 ? this.#allowedAt(now) : this.#firstPatienceEnd() + 1;
    this.#timer = setTimeout(() => this.#settle(), Math.ceil((next - now) / 1000));
  }

  #firstPatienceEnd(): number {
    let first = Infinity;
    for (const { patientUntil } of this.#queue) first = Math.min(first, patientUntil);
    return first;
  }

  #depart(): void {
    this.#places.departed();
    this.#budget.departed(this.#now());
  }

  #startDue(): void {
    while (this.#queue.length > 0 && this.#places.free > 0) {
      const now = this.#now();
      if (this.#allowedAt(now) > now) return;
      const elsewhere = this.#budget.neededElsewhere;
      if (elsewhere && this.#queue.passTo(elsewhere.priority, now) && this.#budget.lendTurn(now)) continue;
      this.#budget.spendTurn(now);
      this.#places.takeIn();
      if (!this.#countsDepartures) this.#depart();
      this.#queue.takeFirst(now)?.start();
    }
  }

  /** When a call with so many ahead of it will start, or at best can, by the quota and by what the tenant manages at a time. */
  #turnAt(ahead: number, now: number, atBest = false): number {
    const turnAt = atBest ? this.#budget.earliestAt(now, ahead) : this.#budget.turnAt(now, ahead);
    return Math.max(turnAt, this.#heldUntil, this.#places.freeAt(now, ahead));
  }

  #allowedAt(now: number): number {
    return Math.max(this.#budget.turnAt(now), this.#heldUntil);
  }

  /** Who came before others, a pause or a lower limit may have made somebody's wait longer than his patience. */
  #refuseHopeless(): void {
    if (this.#queue.length === 0) return;
    const now = this.#now();
    const rehearsal = this.#queue.copy();
    const elsewhere = this.#budget.neededElsewhere;
    let [ahead, passed] = [0, 0];
    for (let call = rehearsal.first(); call; call = rehearsal.first()) {
      const at = this.#turnAt(ahead, now, call.isAdmitted);
      // At best the others are done with theirs now.
      const mayPass = elsewhere && passed < elsewhere.calls && !call.isAdmitted;
      if (mayPass && rehearsal.passTo(elsewhere.priority, at)) {
        ahead += 1;
        passed += 1;
      } else if (at > call.patientUntil) {
        rehearsal.remove(call);
        this.#refuse(call, busy(this.#details.tooLate, at - call.patientUntil, this.#whyLate(call)));
      } else {
        call.isAdmitted = true;
        rehearsal.takeFirst(at);
        ahead += 1;
      }
    }
  }

  /** What lasts longer than the patience already without the others. */
  #whyLate({ patientUntil }: WaitingCall): Why {
    const { of } = this.#details;
    if (of !== 'tenant') return `${of}-turn`;
    if (this.#heldUntil > patientUntil) return 'tenant-held';
    return this.#budget.pausedUntil > patientUntil ? 'tenant-refusing' : 'tenant-turn';
  }

  #refuseTooMany(): void {
    const now = this.#now();
    while (this.#queue.length > this.#limits.maxQueue) {
      const waitUs = this.#turnAt(this.#queue.length, now) - now;
      const call = this.#queue.lastOfMost();
      if (call) this.#refuse(call, busy(this.#details.tooMany, waitUs, `${this.#details.of}-queue`));
    }
  }

  #refuse(call: WaitingCall, reason: unknown): void {
    this.#queue.remove(call);
    call.refuse(reason);
  }
}
