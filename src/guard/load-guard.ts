/** Follows loads page by page to their end, and keeps back the end of one that misses too much. */
import { randomUUID } from 'node:crypto';

import { ScimError } from '../scim/error.ts';
import type { LoadCeiling } from './ceiling.ts';
import type { EndedLoad, LoadReport, LoadReports } from './load-reports.ts';
import { RunningLoad, type LoadPage, type Pseudonyms } from './running-load.ts';

export interface LoadGuardOptions {
  readonly reports: LoadReports;
  readonly pseudonyms: () => Pseudonyms;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

interface Followed {
  readonly load: RunningLoad;
  /** Once it has ended. */
  report?: LoadReport;
}

const restsMs = 30 * 60_000;
const mostLoads = 64;
const mostIds = 2_000_000;

export class LoadGuard {
  readonly #reports: LoadReports;
  readonly #pseudonyms: () => Pseudonyms;
  readonly #now: () => number;
  /** Those of one caller, system, type and size of page; the oldest first. */
  readonly #followed = new Map<Followed, string>();
  /** First pages out of the cache, by the load that may go on behind them. Most are looked at and nothing more. */
  readonly #glances = new Map<string, () => LoadPage | undefined>();

  constructor({ reports, pseudonyms, now = () => performance.now() }: LoadGuardOptions) {
    this.#reports = reports;
    this.#pseudonyms = pseudonyms;
    this.#now = now;
  }

  /** Throws `load-held` in place of the page with which a load would end that must be released first. */
  async see(page: LoadPage, ceiling: LoadCeiling): Promise<void> {
    const key = keyOf(page);
    const first = this.#glances.get(key);
    this.#glances.delete(key);
    const begun = page.startIndex === 1 ? undefined : first?.();
    if (begun) await this.see(begun, ceiling);
    const followed =
      this.#find(key, page) ?? (page.startIndex === 1 ? await this.#begin(key, page) : undefined);
    if (!followed) return;
    const { load } = followed;
    // A page that is asked for again: the end is judged again, the rest was counted.
    const isRepeated = load.lastStart === page.startIndex;
    if (isRepeated && !followed.report) return;
    if (!isRepeated && !load.add(page)) return this.#bound(followed);
    if (!load.isFresh || (await this.#mayEnd(followed, page, ceiling))) this.#followed.delete(followed);
    else throw heldBack();
  }

  /**
   * The first page came out of the cache.
   * @param read it, which is not done before the page behind it is asked for
   */
  glance(page: Pick<LoadPage, KeyPart>, read: () => LoadPage | undefined): void {
    const key = keyOf(page);
    this.#glances.delete(key);
    this.#glances.set(key, read);
    const [oldest] = this.#glances.keys();
    if (this.#glances.size > mostLoads && oldest !== undefined) this.#glances.delete(oldest);
  }

  /** Reports it at the first time that it is asked. */
  async #mayEnd(followed: Followed, page: LoadPage, ceiling: LoadCeiling): Promise<boolean> {
    const load = endOf(followed.load, page);
    followed.report ??= await this.#reports.complete(load, ceiling);
    const { isAccepted, missing } = followed.report;
    if (isAccepted || ceiling.above !== 'refuse') return true;
    return this.#reports.acceptReleased(load, missing);
  }

  #find(key: string, { startIndex }: LoadPage): Followed | undefined {
    const now = this.#now();
    for (const [followed] of this.#followed)
      if (followed.load.touchedAt < now - restsMs) this.#followed.delete(followed);
    const found = [...this.#followed].flatMap(([followed, each]) => (each === key ? [followed] : []));
    // At index 1 a load begins anew.
    const isRepeated = ({ load }: Followed): boolean => load.lastStart === startIndex && startIndex > 1;
    return found.find(({ load }) => load.goesOnAt(startIndex)) ?? found.find(isRepeated);
  }

  async #begin(key: string, page: LoadPage): Promise<Followed> {
    // Whoever begins again, or looks at the first page alone, has one load.
    for (const [followed, each] of this.#followed)
      if (each === key && followed.load.lastStart === page.startIndex) this.#followed.delete(followed);
    const last = await this.#reports.lastOf(page);
    const followed = { load: new RunningLoad(randomUUID().slice(0, 8), this.#pseudonyms(), last) };
    this.#followed.set(followed, key);
    this.#bound(followed);
    return followed;
  }

  #bound({ load }: Followed): void {
    load.touchedAt = this.#now();
    while (this.#followed.size > mostLoads || this.#total() > mostIds) {
      const [oldest] = this.#followed.keys();
      if (!oldest) return;
      this.#followed.delete(oldest);
    }
  }

  #total(): number {
    return [...this.#followed.keys()].reduce((sum, { load }) => sum + load.given, 0);
  }
}

type KeyPart = 'caller' | 'system' | 'resourceType' | 'count';

function keyOf({ caller, system, resourceType, count }: Pick<LoadPage, KeyPart>): string {
  return [caller, system, resourceType, count].join('\n');
}

function endOf(load: RunningLoad, { system, resourceType, caller }: LoadPage): EndedLoad {
  const { id, pages, emptyPages, given, period, hasTotal, ids } = load;
  return { id, system, resourceType, caller, pages, emptyPages, given, period, hasTotal, ids };
}

function heldBack(): ScimError {
  const detail =
    'The guard on loads holds this back: the load misses more of what the last one had than is allowed. ' +
    'It ends once an operator has released it, or when it is whole again.';
  return new ScimError('load-held', detail, { retryAfter: 60 });
}
