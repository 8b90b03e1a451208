/**
 * Calls that the gateway makes for itself: they take a turn only where nobody waits for one, have records of their own,
 * and nothing is told to a caller.
 */
import type { RequestEntry, Trail } from '../audit/trail.ts';
import type { PacerState } from '../pace/turn.ts';
import type { Patience } from './ask.ts';

/** A replica that shares the quota asks the others for a turn, which takes so long at most. */
const atOnceMs = 100;

/** Nobody waits, and whoever comes now would not wait either. */
export function isIdle({ queued, pausedForMs, longestWaitMs }: PacerState): boolean {
  return queued === 0 && pausedForMs === 0 && longestWaitMs <= atOnceMs;
}

export function patienceFor(ms: number): Patience {
  return { until: performance.now() + ms, signal: AbortSignal.timeout(Math.max(ms, 1000)) };
}

/** For a turn that is to be had at once, or not at all. */
export function sparePatience(): Patience {
  return patienceFor(2 * atOnceMs);
}

export function ownEntry(trail: Trail, purpose: 'prefetch' | 'probe' | 'snapshot'): RequestEntry {
  return {
    add: () => undefined,
    remark: () => Promise.resolve(),
    intend: (upstream) => trail.intend({ ...upstream, purpose }),
    close: () => Promise.resolve(true),
  };
}
