/** What a pacer is to those who use it: a call waits for its turn, with as much patience as its caller has. */
import type { Priority } from '../scim/operation.ts';
import type { RefusalDetails } from './refusal.ts';

export interface Pacer extends Disposable {
  /**
   * Waits for a turn, then runs work. Throws `busy` with `retryAfter` as soon as it is known that the wait would
   * outlast `patienceMs`, or when the queue is full and the caller has the most calls there; throws `signal.reason`
   * when that aborts while waiting.
   */
  run<T>(turn: Turn, work: Work<T>): Promise<T>;
  /** Nobody goes up before this many ms have passed. */
  pause(ms: number): void;
  /** The tenant said 429: a pause, and then more slowly. */
  refused(ms: number): void;
  /** Nobody goes up before this many ms have passed, or for as long as it is said anew; 0 ends it. It spends nothing. */
  hold(ms: number): void;
  /** Changes the limits while calls run and wait; what was spent stays spent. */
  adjust(limits: PacerLimits): void;
  readonly state: PacerState;
}

/** @param departed says that the call is on its way now; without it the end of the work does */
export type Work<T> = (waitedMs: number, departed: () => void) => Promise<T>;

export interface Turn {
  /** The technical user who gets it; `gateway` for what no caller asked for. */
  readonly caller: string;
  readonly priority: Priority;
  /** A name for all that usually takes equally long; what is not named teaches nothing. */
  readonly alike?: string;
  readonly patienceMs: number;
  readonly signal: AbortSignal;
}

export interface PacerState {
  readonly queued: number;
  readonly running: number;
  readonly pausedForMs: number;
  /** What whoever comes last would wait now. */
  readonly longestWaitMs: number;
  /** How much of the configured pace is kept to: 1, or less when the tenant bears less. */
  readonly tempo: number;
  /** False while each replica keeps to its own part. */
  readonly isShared: boolean;
}

export interface PacerLimits {
  readonly perMinute: number;
  /** Turns that may be taken at once after silence; `perMinute + burst` bounds every sliding minute. */
  readonly burst: number;
  readonly concurrency: number;
  readonly maxQueue: number;
  /**
   * Calls that may be between their turn and their departure. What holds them up there, such as a slow disk, lets them go
   * together afterwards, so they are part of `burst`. Without it a call departs with its turn.
   */
  readonly departing?: number;
}

export interface PacerOptions extends PacerLimits {
  /** 60,000; shorter only for rehearsals. */
  readonly minuteMs: number;
  /** Whether the pace follows what the one who is asked bears. */
  readonly learns?: boolean;
  /** Whom a refused caller waited for, and what it is told. */
  readonly details?: RefusalDetails;
  /** Monotonic ms. */
  readonly now?: () => number;
}
