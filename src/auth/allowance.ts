/**
 * The arithmetic of an allowance: so many at once, then one more each interval (GCRA). An account is one number, the
 * instant at which all that was charged to it is forgotten; nothing here keeps it.
 */
export interface Allowance {
  readonly atOnce: number;
  readonly everyMs: number;
}

/** What an attempt to log on is charged to. */
export const allowances = {
  pair: { atOnce: 5, everyMs: 30_000 },
  source: { atOnce: 30, everyMs: 2000 },
  secret: { atOnce: 21, everyMs: 30_000 },
  /** Fewer at once than may wait for a comparison, so that strangers leave room for whom they do not stop. */
  all: { atOnce: 50, everyMs: 100 },
} as const satisfies Record<string, Allowance>;

/** How long until one more may be charged; 0 is now. */
export function waitOf(clearAt: number, now: number, { atOnce, everyMs }: Allowance): number {
  return Math.max(0, clearAt - (atOnce - 1) * everyMs - now);
}

export function charge(clearAt: number, now: number, { everyMs }: Allowance): number {
  return Math.max(clearAt, now) + everyMs;
}
