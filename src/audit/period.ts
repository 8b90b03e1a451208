/**
 * Keys for pseudonyms and seals, one for each calendar quarter, of which a period can be erased: every key is made of the
 * one before by a one-way function, so whoever keeps a later key alone can never come back to an earlier one. Replicas
 * that start from the same key have the same ones without asking each other.
 */
import { createHmac, randomBytes } from 'node:crypto';

export const periodBytes = 32;

export interface PeriodKey {
  /** Such as `2026q4`, in UTC. */
  readonly period: string;
  readonly secret: Buffer;
}

export function periodOf(at: Date): string {
  return `${at.getUTCFullYear()}q${Math.floor(at.getUTCMonth() / 3) + 1}`;
}

export function isPeriod(text: string): boolean {
  return /^\d{4}q[1-4]$/.test(text);
}

export function createPeriodKey(at = new Date()): PeriodKey {
  return { period: periodOf(at), secret: randomBytes(periodBytes) };
}

export function keyAfter({ period, secret }: PeriodKey): PeriodKey {
  const [year = 0, quarter = 0] = period.split('q').map(Number);
  return {
    period: quarter < 4 ? `${year}q${quarter + 1}` : `${year + 1}q1`,
    secret: derive(secret, 'next period'),
  };
}

/** From an earlier key, or the same; undefined for a period before it, whose key nobody can make any more. */
export function keyOf(first: PeriodKey, period: string): PeriodKey | undefined {
  // Texts of periods are in the order of time.
  if (period < first.period) return undefined;
  let key = first;
  while (key.period < period) key = keyAfter(key);
  return key;
}

/** The keys of all periods from the first one up to this instant. */
export function keysUntil(first: PeriodKey, at: Date): PeriodKey[] {
  const keys = [first];
  for (let key = first; key.period < periodOf(at); keys.push(key)) key = keyAfter(key);
  return keys;
}

/** What a key of a period is used for has a key of its own. */
export function derive(secret: Buffer, purpose: 'next period' | 'pseudonyms' | 'seals'): Buffer {
  return createHmac('sha256', secret).update(`gatehouse audit ${purpose} v1`).digest();
}

/** The key of the period that runs. It goes forward alone, so a clock that is set back brings no older one into use. */
export class RunningPeriod {
  #key: PeriodKey;

  constructor(first: PeriodKey) {
    this.#key = first;
  }

  at(now: Date): PeriodKey {
    const period = periodOf(now);
    if (period > this.#key.period) this.#key = keyOf(this.#key, period) ?? this.#key;
    return this.#key;
  }
}
