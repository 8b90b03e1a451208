/**
 * The arithmetic of an allowance: so many at once, then one more each interval (GCRA). An account is one number, the
 * instant at which all that was charged to it is forgotten; nothing here keeps it.
 */
export interface Allowance {
  readonly atOnce: number;
  readonly everyMs: number;
}

/** How long until one more may be charged; 0 is now. */
export function waitOf(clearAt: number, now: number, { atOnce, everyMs }: Allowance): number {
  return Math.max(0, clearAt - (atOnce - 1) * everyMs - now);
}

export function charge(clearAt: number, now: number, { everyMs }: Allowance): number {
  return Math.max(clearAt, now) + everyMs;
}
