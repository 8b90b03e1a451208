/**
 * Calls that the gateway makes of its own accord, and that no caller is told of. Ahead of callers they take a turn only where
 * nobody waits for one, and have records of their own; in the course of a call they belong to its records.
 */
import type { RequestEntry, Trail } from '../audit/trail.ts';
import type { PacerState } from '../pace/turn.ts';
import type { Reply } from '../scim/call.ts';
import type { Operation } from '../scim/operation.ts';
import { ask, type Patience, type Route } from './ask.ts';
import type { Asked } from './place.ts';

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

/** Reads for the sake of a call that is at work. By its purpose it is told from the call in their records. */
export function lookFor(
  purpose: 'guard' | 'reconcile',
  route: Route,
  { call, caller, entry }: Asked,
  operation: Operation,
  patience: Patience,
): Promise<Reply> {
  return ask(route, {
    call: { ...call, method: 'GET' },
    caller,
    operation,
    body: undefined,
    entry: {
      add: () => undefined,
      remark: (event, facts) => entry.remark(event, facts),
      intend: (upstream) => entry.intend({ ...upstream, purpose }),
      close: () => Promise.resolve(true),
    },
    patience,
    onSent: () => undefined,
  });
}

export function ownEntry(trail: Trail, purpose: 'prefetch' | 'probe' | 'snapshot'): RequestEntry {
  return {
    add: () => undefined,
    remark: () => Promise.resolve(),
    intend: (upstream) => trail.intend({ ...upstream, purpose }),
    close: () => Promise.resolve(true),
  };
}
