/**
 * How long a call waits for Redis. What it has waited in vain counts against every later wait of the same call, whichever
 * part asks: a Redis that hangs costs a call about one budget, however many parts have to find that out.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

interface Vain {
  ms: number;
  /** Monotonic milliseconds. */
  endedAt: number;
}

const calls = new AsyncLocalStorage<Vain>();
/** A call that outlives an outage does not go on as if it lasted. */
const forgottenAfterMs = 1000;
/** Enough for a Redis that is well: what one part has waited for in vain may have been that part's own large reply. */
const leastMs = 3;

/** Runs work whose waits for Redis are those of one call. */
export function asOneCall<T>(work: () => T): T {
  return calls.run({ ms: 0, endedAt: -Infinity }, work);
}

/** Runs what no call waits for, though one began it. */
export function besideCalls<T>(work: () => T): T {
  return calls.exit(work);
}

/** How long the call at work waits for an answer that has such a budget. */
export function waitOf(budgetMs: number): number {
  const vain = calls.getStore();
  if (!vain || performance.now() - vain.endedAt > forgottenAfterMs) return budgetMs;
  return Math.max(leastMs, budgetMs - vain.ms);
}

/** The answer of Redis, or an error once it is late. */
export async function within<T>(ms: number, answer: Promise<T>): Promise<T> {
  const beganAt = performance.now();
  const { promise: late, reject } = Promise.withResolvers<never>();
  // One turn later, because after a stall of the event loop timers come before an answer that is already there.
  const timer = setTimeout(() => setImmediate(reject, new Error('BUDGET exceeded')), ms);
  try {
    return await Promise.race([answer, late]);
  } catch (error) {
    addVain(performance.now() - beganAt);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function addVain(ms: number): void {
  const vain = calls.getStore();
  if (!vain) return;
  const now = performance.now();
  if (now - vain.endedAt > forgottenAfterMs) vain.ms = 0;
  vain.ms += ms;
  vain.endedAt = now;
}

/** ECONNREFUSED, NOAUTH, OOM, …; the rest of a message may name keys, users or addresses. */
export function codeOf(error: unknown): string {
  const text = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : '';
  return /^[A-Z][A-Z_]+\b/.exec(text)?.[0] ?? 'unanswered';
}
