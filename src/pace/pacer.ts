/**
 * Keeps to a tenant's quota: a call waits for its turn here, or is refused at once when waiting would be in
 * vain. A turn is spent when work starts, never earlier, so a call that is given up costs nothing.
 */
import { ScimError } from '../scim/error.ts';
import type { Priority } from '../scim/operation.ts';
import { Queue } from './queue.ts';
import { createQuota, type Quota, spendTurn, spendUntil, turnAt } from './quota.ts';

export interface Pacer extends Disposable {
  /**
   * Waits for a turn, then runs work. Throws `busy` with `retryAfter` as soon as it is known that the wait would
   * outlast `patienceMs`, or when the queue is full; throws `signal.reason` when that aborts while waiting.
   */
  run<T>(turn: Turn, work: (waitedMs: number) => Promise<T>): Promise<T>;
  /** The tenant said 429: nobody goes up before this many ms have passed. */
  pause(ms: number): void;
  readonly state: PacerState;
}

export interface Turn {
  readonly priority: Priority;
  readonly patienceMs: number;
  readonly signal: AbortSignal;
}

export interface PacerState {
  readonly queued: number;
  readonly running: number;
  readonly pausedForMs: number;
  /** What a call of the lowest priority would wait now. */
  readonly longestWaitMs: number;
}

export interface PacerOptions {
  readonly perMinute: number;
  /** Turns that may be taken at once after silence; `perMinute + burst` bounds every sliding minute. */
  readonly burst: number;
  /** 60,000; shorter only for rehearsals. */
  readonly minuteMs: number;
  readonly concurrency: number;
  readonly maxQueue: number;
  /** Monotonic ms. */
  readonly now?: () => number;
}

interface WaitingCall {
  readonly rank: number;
  readonly patientUntil: number;
  readonly start: () => void;
  readonly refuse: (reason: unknown) => void;
}

export function createPacer(options: PacerOptions): Pacer {
  return new TurnPacer(options);
}

/** A call gains one priority for every twelfth of a minute that it waits: lists yield to writes, not for ever. */
const stepsPerMinute = 12;
const lowestPriority: Priority = 3;
const maxRetryAfter = 120;

class TurnPacer implements Pacer {
  readonly #quota: Quota;
  readonly #stepUs: number;
  readonly #concurrency: number;
  readonly #maxQueue: number;
  readonly #now: () => number;
  readonly #queue = new Queue<WaitingCall>();
  #spentUntil = 0;
  #pausedUntil = 0;
  #running = 0;
  /** Moving average of how long work takes. */
  #workUs = 0;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: PacerOptions) {
    const { minuteMs, concurrency, maxQueue, now = () => performance.now() } = options;
    this.#quota = createQuota(options);
    this.#stepUs = (minuteMs * 1000) / stepsPerMinute;
    this.#concurrency = concurrency;
    this.#maxQueue = maxQueue;
    this.#now = () => Math.floor(now() * 1000);
  }

  async run<T>(turn: Turn, work: (waitedMs: number) => Promise<T>): Promise<T> {
    const waitedUs = await this.#wait(turn);
    const startedAt = this.#now();
    try {
      return await work(waitedUs / 1000);
    } finally {
      this.#running -= 1;
      const tookUs = this.#now() - startedAt;
      this.#workUs += (tookUs - this.#workUs) / (this.#workUs === 0 ? 1 : 8);
      this.#advance();
    }
  }

  pause(ms: number): void {
    const until = this.#now() + ms * 1000;
    this.#pausedUntil = Math.max(this.#pausedUntil, until);
    this.#spentUntil = spendUntil(this.#quota, this.#spentUntil, until);
    this.#refuseHopeless();
    this.#advance();
  }

  get state(): PacerState {
    const now = this.#now();
    const rank = now + lowestPriority * this.#stepUs;
    return {
      queued: this.#queue.length,
      running: this.#running,
      pausedForMs: Math.max(0, this.#pausedUntil - now) / 1000,
      longestWaitMs: (this.#turnAt(this.#queue.ahead(rank), now) - now) / 1000,
    };
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (let call = this.#queue.takeFirst(); call; call = this.#queue.takeFirst()) call.refuse(drained());
  }

  /** Resolves with the time waited, when the turn has been spent. */
  async #wait({ priority, patienceMs, signal }: Turn): Promise<number> {
    signal.throwIfAborted();
    if (this.#isClosed) throw drained();
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const since = this.#now();
    const call: WaitingCall = {
      rank: since + priority * this.#stepUs,
      patientUntil: since + patienceMs * 1000,
      start: () => resolve(this.#now() - since),
      refuse: reject,
    };
    const giveUp = (): void => {
      this.#queue.remove(call);
      reject(signal.reason);
      this.#advance();
    };
    signal.addEventListener('abort', giveUp, { once: true });
    this.#queue.add(call);
    this.#advance();
    if (this.#queue.length > this.#maxQueue) this.#refuseLast();
    this.#refuseHopeless();
    return promise.finally(() => signal.removeEventListener('abort', giveUp));
  }

  /** Starts whoever may start now, and wakes up again when the next one may. */
  #advance(): void {
    clearTimeout(this.#timer);
    while (this.#queue.length > 0 && this.#running < this.#concurrency) {
      const now = this.#now();
      const waitUs = turnAt(this.#quota, this.#spentUntil, now) - now;
      if (waitUs > 0) {
        this.#timer = setTimeout(() => this.#advance(), Math.ceil(waitUs / 1000));
        return;
      }
      this.#spentUntil = spendTurn(this.#quota, this.#spentUntil, now);
      this.#running += 1;
      this.#queue.takeFirst()?.start();
    }
  }

  /** When a call with so many ahead of it will start, by the quota and by what the tenant manages at a time. */
  #turnAt(ahead: number, now: number): number {
    const endingsBefore = Math.max(0, this.#running + ahead + 1 - this.#concurrency);
    const freeAt = now + (endingsBefore * this.#workUs) / this.#concurrency;
    return Math.max(turnAt(this.#quota, this.#spentUntil, now, ahead), freeAt);
  }

  /** Who came before others, or a pause, may have made somebody's wait longer than his patience. */
  #refuseHopeless(): void {
    const now = this.#now();
    this.#queue.keepWhere((call, ahead) => {
      const lateUs = this.#turnAt(ahead, now) - call.patientUntil;
      if (lateUs > 0)
        call.refuse(busy('Waiting for the tenant would take longer than the caller waits.', lateUs));
      return lateUs <= 0;
    });
  }

  #refuseLast(): void {
    const now = this.#now();
    const waitUs = this.#turnAt(this.#queue.length, now) - now;
    this.#queue.takeLast()?.refuse(busy('Too many calls are waiting for the tenant.', waitUs));
  }
}

function busy(detail: string, untilUs: number): ScimError {
  const seconds = Math.ceil(untilUs / 1_000_000);
  return new ScimError('busy', detail, { retryAfter: Math.min(Math.max(seconds, 1), maxRetryAfter) });
}

function drained(): ScimError {
  return new ScimError('draining', 'The gateway is shutting down.', { retryAfter: 5 });
}
