/**
 * Follows loads page by page to their end, leaves a report of each, and keeps back the end of one that misses too much.
 * Invariant: the load that later ones are compared with is a whole one, or one that an operator has released.
 */
import { randomUUID } from 'node:crypto';

import { ScimError } from '../scim/error.ts';
import type { LoadCeiling } from './ceiling.ts';
import type { Guard, Matter } from './guard.ts';
import { isWorse, judgeLoad, type LoadVerdict } from './judge-load.ts';
import type { LastLoads, LoadedIds } from './last-loads.ts';
import { RunningLoad, type LoadPage, type Pseudonyms } from './running-load.ts';

export interface LoadGuardOptions {
  readonly guard: Guard;
  readonly last: LastLoads;
  readonly pseudonyms: () => Pseudonyms;
  /** Into the trail, of what has happened already. */
  readonly tell: (event: string, facts: Readonly<Record<string, unknown>>) => void;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

/** A load that has ended, or what stands for one. */
export interface EndedLoad {
  readonly id: string;
  readonly system: string;
  readonly resourceType: string;
  readonly caller: string;
  readonly pages: number;
  readonly emptyPages: number;
  readonly given: number;
  /** In which it began. */
  readonly period: string;
  /** Whether all its pages told one total. */
  readonly hasTotal: boolean;
  /** Pseudonyms without their period, by period; its own is among them. */
  readonly ids: ReadonlyMap<string, ReadonlySet<string>>;
}

export interface LoadReport {
  readonly verdict: LoadVerdict;
  /** How many ids the last load had that this one has not. */
  readonly missing: number;
  /** Whether it was kept back, or would have been. */
  readonly isAccepted: boolean;
}

interface Followed {
  readonly load: RunningLoad;
  report?: LoadReport;
}

const restsMs = 30 * 60_000;
const mostLoads = 64;
const mostIds = 2_000_000;
/** Of one record, and of all that tell of one load. */
const mostTold = 200;
const mostToldOfAll = 10_000;

export class LoadGuard {
  readonly #options: LoadGuardOptions;
  readonly #now: () => number;
  /** Those of one caller, system, type and size of page; the oldest first. */
  readonly #followed = new Map<Followed, string>();

  /** First pages out of the cache, by the load that may go on behind them. Most are looked at and nothing more. */
  readonly #glances = new Map<string, () => LoadPage | undefined>();

  constructor(options: LoadGuardOptions) {
    this.#options = options;
    this.#now = options.now ?? ((): number => performance.now());
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
    if (!load.isFresh) return void this.#followed.delete(followed);
    followed.report ??= await this.complete(endOf(load, page), ceiling);
    const { verdict, missing } = followed.report;
    const matter = matterOf(page);
    if (!isWorse(verdict) || ceiling.above !== 'refuse') return void this.#followed.delete(followed);
    if (!followed.report.isAccepted && !(await this.#options.guard.useRelease(matter, missing)))
      throw heldBack();
    await this.#accept(endOf(load, page));
    this.#followed.delete(followed);
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

  /**
   * Judges a load, reports it, and takes it for the last one if it is whole or was released.
   * @param load one by pages, or what was read by other means
   */
  async complete(load: EndedLoad, ceiling: LoadCeiling): Promise<LoadReport> {
    const { guard, last } = this.#options;
    const matter = matterOf(load);
    const before = await last.read(guard.nameOf(matter));
    const count = ownIds(load).size;
    const verdict = judgeLoad(before?.last, { count }, ceiling.share);
    const { missing, fresh } = difference(before, load);
    const isBad = isWorse(verdict) && ceiling.above !== 'off';
    const isAccepted = !isBad || (await guard.useRelease(matter, missing.length));
    this.#report(load, { count, verdict, missing, fresh, before, isAccepted });
    if (isAccepted) {
      await this.#accept(load);
      await guard.endHold(matter, 'a load was whole again');
    } else {
      const limit = Math.floor(((before?.last.count ?? 0) * ceiling.share) / 100);
      await guard.hold(matter, missing.length, limit, { action: ceiling.above, load: load.id, verdict });
    }
    return { verdict, missing: missing.length, isAccepted };
  }

  /** How many resources the last whole load had. */
  async sizeOf(system: string, resourceType: string): Promise<number | undefined> {
    const { guard, last } = this.#options;
    return (await last.head(guard.nameOf(matterOf({ system, resourceType }))))?.count;
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

  async #begin(key: string, { system, resourceType, startIndex }: LoadPage): Promise<Followed> {
    const { guard, last, pseudonyms } = this.#options;
    // Whoever begins again, or looks at the first page alone, has one load.
    for (const [followed, each] of this.#followed)
      if (each === key && followed.load.lastStart === startIndex) this.#followed.delete(followed);
    const head = await last.head(guard.nameOf(matterOf({ system, resourceType })));
    const followed = { load: new RunningLoad(randomUUID().slice(0, 8), pseudonyms(), head) };
    this.#followed.set(followed, key);
    this.#bound(followed);
    return followed;
  }

  #bound({ load }: Followed): void {
    load.touchedAt = this.#now();
    for (
      let total = this.#total();
      this.#followed.size > mostLoads || total > mostIds;
      total = this.#total()
    ) {
      const [oldest] = this.#followed.keys();
      if (!oldest) return;
      this.#followed.delete(oldest);
    }
  }

  #total(): number {
    return [...this.#followed.keys()].reduce((sum, { load }) => sum + load.given, 0);
  }

  async #accept(load: EndedLoad): Promise<void> {
    const { guard, last } = this.#options;
    const ids = ownIds(load);
    const { period, hasTotal } = load;
    const head = { count: ids.size, at: new Date().toISOString(), period, hasTotal };
    await last.write(guard.nameOf(matterOf(load)), head, ids);
  }

  #report(load: EndedLoad, { count, verdict, missing, fresh, before, isAccepted }: Findings): void {
    const { tell } = this.#options;
    const { id, caller, system, resourceType, pages, emptyPages, given } = load;
    const last = before && { count: before.last.count, at: before.last.at };
    tell('load.completed', {
      load: id,
      caller,
      system,
      resourceType,
      pages,
      emptyPages,
      ids: count,
      duplicates: given - count,
      ...(last && { last, new: fresh, missing: missing.length }),
      verdict,
      accepted: isAccepted,
    });
    for (let from = 0; from < Math.min(missing.length, mostToldOfAll); from += mostTold)
      tell('load.missing', { load: id, system, resourceType, ids: missing.slice(from, from + mostTold) });
  }
}

type KeyPart = 'caller' | 'system' | 'resourceType' | 'count';

function keyOf({ caller, system, resourceType, count }: Pick<LoadPage, KeyPart>): string {
  return [caller, system, resourceType, count].join('\n');
}

interface Findings {
  readonly count: number;
  readonly verdict: LoadVerdict;
  /** With their period, as the trail has them. */
  readonly missing: readonly string[];
  readonly fresh: number;
  readonly before: LoadedIds | undefined;
  readonly isAccepted: boolean;
}

/** Loads are of a system and a type, whoever runs them. */
function matterOf({ system, resourceType }: Pick<Matter, 'system' | 'resourceType'>): Matter {
  return { kind: 'load', caller: '', system, resourceType };
}

function endOf(load: RunningLoad, { system, resourceType, caller }: LoadPage): EndedLoad {
  const { id, pages, emptyPages, given, period, hasTotal, ids } = load;
  return { id, system, resourceType, caller, pages, emptyPages, given, period, hasTotal, ids };
}

function ownIds({ ids, period }: EndedLoad): ReadonlySet<string> {
  return ids.get(period) ?? new Set();
}

function difference(
  before: LoadedIds | undefined,
  { ids }: EndedLoad,
): { readonly missing: readonly string[]; readonly fresh: number } {
  const comparable = before && ids.get(before.last.period);
  if (!comparable) return { missing: [], fresh: 0 };
  const missing = [...before.ids.difference(comparable)].map((id) => `p${before.last.period}:${id}`);
  return { missing, fresh: comparable.size - (before.ids.size - missing.length) };
}

function heldBack(): ScimError {
  const detail =
    'The guard on loads holds this back: the load misses more of what the last one had than is allowed. ' +
    'It ends once an operator has released it, or when it is whole again.';
  return new ScimError('load-held', detail, { retryAfter: 60 });
}
