/**
 * The arithmetic of a tenant's quota (GCRA), pure. Instants are whole microseconds, so that the promise holds
 * exactly and not up to rounding: any span of time sees at most `burst + span / interval` turns.
 */
export interface Quota {
  readonly intervalUs: number;
  /** How far ahead of the smooth rate turns may run. */
  readonly toleranceUs: number;
}

export function createQuota({
  perMinute,
  burst,
  minuteMs,
}: {
  /** Infinity sets no limit. */
  readonly perMinute: number;
  /** May be a fraction of a turn more than whole ones. */
  readonly burst: number;
  readonly minuteMs: number;
}): Quota {
  const intervalUs = Math.ceil((minuteMs * 1000) / perMinute);
  return { intervalUs, toleranceUs: Math.floor(Math.max(0, burst - 1) * intervalUs) };
}

/**
 * When the turn comes that has `ahead` others before it.
 * @param spentUntil the instant up to which the smooth rate is used up (GCRA: theoretical arrival time)
 */
export function turnAt(quota: Quota, spentUntil: number, now: number, ahead = 0): number {
  const spent = Math.max(spentUntil, now) + ahead * quota.intervalUs;
  return Math.max(now, spent - quota.toleranceUs);
}

export function spendTurn(quota: Quota, spentUntil: number, now: number): number {
  return Math.max(spentUntil, now) + quota.intervalUs;
}

/** Nobody has a turn before `until`, and what was saved up until then is gone: the tenant just said too much. */
export function spendUntil(quota: Quota, spentUntil: number, until: number): number {
  return Math.max(spentUntil, until + quota.toleranceUs);
}

/**
 * `spentUntil` under another quota. In turns, what was spent stays spent and what may be taken at once does not grow:
 * changing the quota to and fro gives nobody a burst, and the most permissive of the quotas bounds every minute.
 * @param from the instant from which turns are counted: now, or the end of a pause
 */
export function carryOver(old: Quota, quota: Quota, spentUntil: number, from: number): number {
  const spentUs = Math.max(0, spentUntil - from);
  // Without a limit nothing is counted, so nothing counts as saved up either.
  const scale = old.intervalUs === 0 ? 0 : quota.intervalUs / old.intervalUs;
  const savedUs = Math.floor((old.toleranceUs - spentUs) * scale);
  return from + Math.max(Math.ceil(spentUs * scale), quota.toleranceUs - savedUs);
}

/** However long a tenant wants to be left alone. */
export const longestPauseMs = 120_000;
/** IPS names no time with its 429 (facts: IPS rate limits); a sixth of its minute is free again after this. */
const defaultRetryAfterMs = 10_000;

/** Reads `Retry-After` (RFC 9110 §10.2.3): seconds or an HTTP date; what is neither counts as not said. */
export function retryAfterMs(value: string | undefined, wallNow: number): number {
  const text = value?.trim() ?? '';
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : httpDate(text) - wallNow;
  return Number.isNaN(ms) ? defaultRetryAfterMs : Math.min(Math.max(ms, 1000), longestPauseMs);
}

const imfDate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
const rfc850Date = /^[A-Z][a-z]+day, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/;
const asctimeDate = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/;

/** The three forms that must be understood (RFC 9110 §5.6.7); Date.parse alone would read almost anything. */
function httpDate(text: string): number {
  if (imfDate.test(text) || rfc850Date.test(text)) return Date.parse(text);
  return asctimeDate.test(text) ? Date.parse(`${text} GMT`) : Number.NaN;
}
