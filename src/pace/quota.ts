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
  readonly perMinute: number;
  readonly burst: number;
  readonly minuteMs: number;
}): Quota {
  const intervalUs = Math.ceil((minuteMs * 1000) / perMinute);
  return { intervalUs, toleranceUs: Math.max(0, burst - 1) * intervalUs };
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

const maxRetryAfterMs = 120_000;
/** IPS names no time with its 429 (facts: IPS rate limits); a sixth of its minute is free again after this. */
const defaultRetryAfterMs = 10_000;

/** Reads `Retry-After` (RFC 9110 §10.2.3): seconds or an HTTP date; what is neither counts as not said. */
export function retryAfterMs(value: string | undefined, wallNow: number): number {
  const text = value?.trim() ?? '';
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : httpDate(text) - wallNow;
  return Number.isNaN(ms) ? defaultRetryAfterMs : Math.min(Math.max(ms, 1000), maxRetryAfterMs);
}

/** Only the one form that may be sent today (IMF-fixdate); Date.parse alone would read almost anything. */
function httpDate(text: string): number {
  return /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
}
