/**
 * One load under way: what its pages have given so far. Ids are kept as their pseudonyms alone, and as long as all pages
 * came out of the cache not even these are made, because such a load says nothing new.
 */
import type { LastLoad } from './last-loads.ts';

export interface LoadPage {
  readonly caller: string;
  readonly system: string;
  readonly resourceType: string;
  readonly startIndex: number;
  /** As the caller asked for it, or what the tenant gives without it. */
  readonly count: number;
  readonly itemsPerPage: number;
  readonly totalResults: number;
  readonly ids: readonly string[];
  /** Whether it came out of the cache as a whole. */
  readonly isHit: boolean;
}

/** The trail's, of the period that is asked for; undefined where its key was erased. */
export interface Pseudonyms {
  readonly period: string;
  of(id: string, period: string): string | undefined;
}

export class RunningLoad {
  readonly id: string;
  /** In which it began. */
  readonly period: string;
  readonly #pseudonyms: Pseudonyms;
  /** By the period of now, and that of the load which this one will be compared with. */
  readonly #ids: Map<string, Set<string>>;
  #waiting: (readonly string[])[] = [];
  #isFresh = false;
  #lastTotal: number | undefined;
  readonly #trustsTotals: boolean;
  #hasTotal = true;
  pages = 0;
  emptyPages = 0;
  /** Resources, repeated ones included. */
  given = 0;
  lastStart = 0;
  /** The furthest index at which it may go on. */
  #reach = 1;
  /** By the clock of who began it. */
  touchedAt = 0;

  constructor(id: string, pseudonyms: Pseudonyms, last: Pick<LastLoad, 'period' | 'hasTotal'> | undefined) {
    this.id = id;
    this.#trustsTotals = last?.hasTotal ?? false;
    this.#pseudonyms = pseudonyms;
    this.period = pseudonyms.period;
    const periods = [this.period, ...(last ? [last.period] : [])];
    const readable = periods.filter((period) => pseudonyms.of('', period) !== undefined);
    this.#ids = new Map(readable.map((period) => [period, new Set()]));
  }

  /** Whether it has anything that the cache did not have. */
  get isFresh(): boolean {
    return this.#isFresh;
  }

  /** Whether more than one page told the same total, and none another. */
  get hasTotal(): boolean {
    return this.#hasTotal && (this.pages > 1 || this.#trustsTotals);
  }

  /** Of each period. */
  get ids(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#ids;
  }

  /** Some callers go on by what they asked for, some by what was read, some by what they got. */
  goesOnAt(startIndex: number): boolean {
    return startIndex > this.lastStart && startIndex <= this.#reach;
  }

  /** Whether it has ended with this page. */
  add({ startIndex, count, itemsPerPage, totalResults, ids, isHit }: LoadPage): boolean {
    this.pages += 1;
    this.given += ids.length;
    if (ids.length === 0) this.emptyPages += 1;
    this.#isFresh ||= !isHit;
    this.#waiting.push(ids);
    if (this.#isFresh) this.#name();
    const next = startIndex + itemsPerPage;
    const isEnd =
      itemsPerPage === 0 ||
      // The total of a full page may be the estimate of 2025, its own end (facts: IPS 3.2), unless it was told before.
      (next > totalResults &&
        (itemsPerPage < count || totalResults === this.#lastTotal || this.#trustsTotals));
    this.#hasTotal &&= totalResults === (this.#lastTotal ?? totalResults);
    this.lastStart = startIndex;
    this.#reach = startIndex + Math.max(itemsPerPage, count);
    this.#lastTotal = totalResults;
    return isEnd;
  }

  #name(): void {
    for (const id of this.#waiting.flat())
      for (const [period, ids] of this.#ids) {
        const pseudonym = this.#pseudonyms.of(id, period);
        if (pseudonym !== undefined) ids.add(pseudonym.slice(pseudonym.indexOf(':') + 1));
      }
    this.#waiting = [];
  }
}
