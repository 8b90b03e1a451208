/**
 * How a configured pace is parted among replicas: what each keeps to alone, and what a turn costs in an account that
 * all of them draw on.
 */
import type { Pace } from './budget.ts';

/** A replica keeps its hands off its own share for so long after it was last counted. */
const leasesPerMinute = 20;
const maxPauseUs = 120_000_000;

/** Lengths in microseconds. */
export interface PoolPace {
  readonly perMinute: number;
  readonly replicas: number;
  /** How long a member counts after its last word. */
  readonly leaseUs: number;
  /** An account begins so far ahead, when all that anybody booked on an older one has lapsed. */
  readonly startUs: number;
  /** Further ahead nobody can have booked. */
  readonly maxAheadUs: number;
  /** How long before its time in the account a turn may be used, and how long after. */
  readonly earlyUs: number;
  readonly lateUs: number;
  /** How many turns a replica can have saved up alone. */
  readonly ownBurst: number;
  /** The stretch of the account that is worth one turn when so many shares are in the pool. */
  readonly intervalOf: (members: number) => number;
}

/** A third of the burst is for turns that are late, some for departures, and the rest for turns before their time. */
export function poolPaceOf({ perMinute, burst }: Pace, replicas: number, minuteUs: number): PoolPace {
  const late = Math.max(1, Math.floor(burst / 3));
  const early = burst - late - departingOf(burst, replicas) * replicas;
  // What a small burst does not give must come out of the pace itself.
  const kept = Math.max(perMinute + Math.min(0, early), perMinute / 2);
  const intervalOf = (members: number): number => Math.ceil((minuteUs * replicas) / (kept * members));
  const leaseUs = minuteUs / leasesPerMinute;
  const earlyUs = Math.max(0, early - 1) * intervalOf(replicas);
  const startUs = leaseUs + earlyUs;
  return {
    perMinute: kept,
    replicas,
    leaseUs,
    startUs,
    maxAheadUs: maxPauseUs + minuteUs + startUs + 2 * replicas * intervalOf(1),
    earlyUs,
    lateUs: late * intervalOf(replicas),
    ownBurst: shareOf({ perMinute, burst }, replicas).burst,
    intervalOf,
  };
}

/** How many calls of one replica may be between turn and departure, so that `burst` bounds them too. */
export function departingOf(burst: number, replicas: number): number {
  return Math.max(1, Math.floor(burst / 4 / replicas));
}

/** Without a word from the others each keeps to its part, so that the sum stays within the whole. */
export function shareOf({ perMinute, burst }: Pace, replicas: number): Pace {
  const share = perMinute / replicas;
  return { perMinute: share < 1 ? share : Math.floor(share), burst: Math.floor(burst / replicas) };
}
