/**
 * Judges loads that have ended beside the last one, and leaves a report of each. Invariant: the load that later ones are
 * compared with is a whole one, or one that an operator has released.
 */
import type { LoadCeiling } from './ceiling.ts';
import type { Holds } from './holds.ts';
import { isWorse, judgeLoad, type LoadVerdict } from './judge-load.ts';
import type { LastLoad, LastLoads, LoadedIds } from './last-loads.ts';
import type { Matter } from './matter.ts';

export interface LoadReportsOptions {
  readonly holds: Holds;
  readonly last: LastLoads;
  /** Into the trail, of what has happened already. */
  readonly tell: (event: string, facts: Readonly<Record<string, unknown>>) => void;
}

/** Whose members are loaded. */
export type Loaded = Pick<Matter, 'system' | 'resourceType'>;

export interface EndedLoad extends Loaded {
  readonly id: string;
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
  /** How many ids the last load had that this one has not. */
  readonly missing: number;
  /** Whether it is the last one now. */
  readonly isAccepted: boolean;
}

/** Of one record, and of all that tell of one load. */
const mostTold = 200;
const mostToldOfAll = 10_000;

export class LoadReports {
  readonly #options: LoadReportsOptions;

  constructor(options: LoadReportsOptions) {
    this.#options = options;
  }

  /** Judges a load, reports it, and takes it for the last one if it is whole or was released. */
  async complete(load: EndedLoad, ceiling: LoadCeiling): Promise<LoadReport> {
    const { holds, last } = this.#options;
    const matter = matterOf(load);
    const before = await last.read(holds.nameOf(matter));
    const count = ownIds(load).size;
    const verdict = judgeLoad(before?.last, { count }, ceiling.share);
    const { missing, fresh } = difference(before, load);
    const isBad = isWorse(verdict) && ceiling.above !== 'off';
    const isAccepted = !isBad || (await holds.useRelease(matter, missing.length));
    this.#report(load, { count, verdict, missing, fresh, before, isAccepted });
    if (isAccepted) {
      await this.#accept(load);
      await holds.end(matter, 'a load was whole again');
    } else {
      const limit = Math.floor(((before?.last.count ?? 0) * ceiling.share) / 100);
      await holds.open(matter, missing.length, limit, { action: ceiling.above, load: load.id, verdict });
    }
    return { missing: missing.length, isAccepted };
  }

  /** Takes a load that was held for the last one, if it has been released since. */
  async acceptReleased(load: EndedLoad, missing: number): Promise<boolean> {
    const isReleased = await this.#options.holds.useRelease(matterOf(load), missing);
    if (isReleased) await this.#accept(load);
    return isReleased;
  }

  /** The last whole load. */
  lastOf(loaded: Loaded): Promise<LastLoad | undefined> {
    const { holds, last } = this.#options;
    return last.head(holds.nameOf(matterOf(loaded)));
  }

  async #accept(load: EndedLoad): Promise<void> {
    const { holds, last } = this.#options;
    const ids = ownIds(load);
    const { period, hasTotal } = load;
    const head = { count: ids.size, at: new Date().toISOString(), period, hasTotal };
    await last.write(holds.nameOf(matterOf(load)), head, ids);
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
function matterOf({ system, resourceType }: Loaded): Matter {
  return { kind: 'load', caller: '', system, resourceType };
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
