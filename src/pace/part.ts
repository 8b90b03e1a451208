/**
 * How a configured pace is parted among replicas: what each may use whoever else is there, and how many turns may lie in
 * the pool through which they lend each other what they do not use. Invariant: all that can be saved up, at every replica
 * and in the pool, is at most `burst`, and all that comes in a minute at most `perMinute`.
 */
import type { Pace } from './budget.ts';

const mostBits = 6;
/** So much of the burst is for calls that come later to the tenant than they left. */
const lateOnes = 10;

export interface Part extends Pace {
  /** Turns that may lie in the pool. */
  readonly room: number;
  /** Calls that may be between their turn and their departure; they are part of `burst`. */
  readonly departing: number;
  /** What may be borrowed: no more than the parts of the others. */
  readonly borrowed: Pace;
}

/** Whether so many replicas can keep to it: each has at least one turn that may fall together with all others. */
export function isEnoughFor(pace: Pace, replicas: number): boolean {
  return missingOf(pace.burst, replicas, replicas > 1 ? roomOf(pace.burst) : 0) <= pace.perMinute / 2;
}

/** Without lending each keeps to its part, so that the sum stays within the whole. */
export function partOf({ perMinute, burst }: Pace, replicas: number, isLending: boolean): Part {
  const room = isLending && replicas > 1 ? roomOf(burst) : 0;
  const late = Math.floor(burst / lateOnes);
  const own = Math.max(1, (burst - room - late) / replicas);
  // What a small burst does not give must come out of the pace itself.
  const kept = Math.max(perMinute - missingOf(burst, replicas, room), perMinute / 2);
  return {
    perMinute: kept / replicas,
    burst: own,
    room,
    departing: Math.floor(own),
    borrowed: { perMinute: (kept * Math.max(1, replicas - 1)) / replicas, burst: Math.max(1, room) },
  };
}

/** A span that is open at its end has one turn less than can be saved up and comes in it. */
function missingOf(burst: number, replicas: number, room: number): number {
  return Math.max(0, replicas + room - 1 - burst);
}

/** What a counter of a few bits in Redis can hold at most (see redis-pool.ts). */
function roomOf(burst: number): number {
  const bits = Math.floor(Math.log2(Math.max(2, burst / 3 + 1)));
  return 2 ** Math.min(bits, mostBits) - 1;
}
