/**
 * Paging as IPS does it, not as RFC 7644 would: 25 by default, 100 at most, and a `totalResults` that is an
 * estimate until a page comes back empty (facts: IPS 3.1, 3.2).
 */
import type { Assumptions } from './assumptions.ts';
import { Refusal } from './refusal.ts';

export interface Window {
  readonly startIndex: number;
  readonly count: number;
}

const defaultCount = 25;
const maxCount = 100;

export function readWindow(
  query: URLSearchParams,
  { countAbove100, countZero }: Pick<Assumptions, 'countAbove100' | 'countZero'>,
): Window {
  const startIndex = Math.max(1, readInteger(query, 'startIndex') ?? 1);
  const asked = readInteger(query, 'count') ?? defaultCount;
  if (asked > maxCount && countAbove100 === 'refuse') throw outOfRange('count');
  if (asked <= 0 && countZero === 'refuse') throw outOfRange('count');
  return { startIndex, count: Math.min(Math.max(0, asked), maxCount) };
}

function readInteger(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (!/^-?\d{1,9}$/.test(text)) throw outOfRange(name);
  return Number(text);
}

function outOfRange(name: string): Refusal {
  return new Refusal(400, `The value of ${name} is not numeric or out of range.`, {
    scimType: 'invalidValue',
  });
}

export interface PageRead {
  readonly window: Window;
  /** Entities that the backend gave for this page, before any condition. */
  readonly read: number;
  /** The backend's own total, if it gives one. */
  readonly total: number | undefined;
  readonly hasCondition: boolean;
  /** Property `ips.proxy.scim.total.results.strategy`. */
  readonly strategy: 'Provided' | 'Calculated';
  /** Counts all entities of the backend that a reader has been given by now. */
  readonly countAll: () => Promise<number>;
}

export async function totalResults(page: PageRead, rule: Assumptions['totals']): Promise<number> {
  const { window, read, total, hasCondition, strategy } = page;
  const provided = total !== undefined && (!hasCondition || (rule === '2026' && strategy === 'Provided'));
  if (provided) return total;
  const { startIndex, count } = window;
  // A short page is not yet the last one: only an empty page is (facts: IPS 3.2, observations).
  if (read > 0) return rule === '2025' ? startIndex + count - 1 : startIndex + count;
  // SAP's example of a condition over a backend with a total ends in 101/50 → 150, which is no number of
  // entities; its example without a total ends in the exact number. Both are kept as documented.
  return total === undefined ? await page.countAll() : startIndex + count - 1;
}
