/**
 * Callers that send 1, 2, 3 … as `startIndex`: pages would overlap, and the last resources never be read (facts: midPoint).
 * A number that could be an index as well is repaired only from a caller that has sent one that could not.
 */
import { ScimError } from '../scim/error.ts';
import type { Operation } from '../scim/operation.ts';
import type { Query } from '../scim/target.ts';
import { noNotes, type Notes } from './notes.ts';
import { withValues } from './query.ts';

/** What IPS gives to those who do not say how many they want, and the most that it gives (facts: IPS 3.1). */
const defaultCount = 25;
const maxCount = 100;

/** How long a caller is believed to go on as it began. */
const believedMs = 10 * 60_000;
const maxLists = 10_000;

export interface PageNumbersOptions {
  readonly notes?: Notes;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

/** Which lists somebody reads by page numbers just now. */
export class PageNumbers {
  readonly #notes: Notes;
  readonly #now: () => number;
  /** By list, since when nobody has seen it; the one that was seen longest ago first. */
  readonly #seen = new Map<string, number>();

  constructor({ notes = noNotes, now = () => performance.now() }: PageNumbersOptions = {}) {
    this.#notes = notes;
    this.#now = now;
  }

  /** The query that the caller means. Rejects with `invalid-value` where nobody can tell what it means. */
  async repair(caller: string, { system, resourceType, query }: Operation): Promise<Query> {
    const page = numberOf(query.get('startIndex'));
    const asked = numberOf(query.get('count') ?? `${defaultCount}`);
    if (page === undefined || asked === undefined || query.has('cursor')) return query;
    const count = Math.min(asked, maxCount);
    const list = JSON.stringify([caller, system, resourceType, count]);
    // No walk by `count` comes by this number, so it is a page's.
    if (page % count !== 1 % count) await this.#see(list);
    else if (page > 1 && count > 1 && !(await this.#knows(list))) throw undecided();
    const startIndex = (page - 1) * count + 1;
    if (startIndex > 999_999_999) return query;
    const isMeant = startIndex === page && query.get('count') === `${count}`;
    return isMeant ? query : withValues(query, { startIndex, count });
  }

  /** Told to the other replicas before the caller can ask one of them for the next page. */
  async #see(list: string): Promise<void> {
    this.#seen.delete(list);
    this.#seen.set(list, this.#now());
    const [oldest] = this.#seen.keys();
    if (this.#seen.size > maxLists && oldest !== undefined) this.#seen.delete(oldest);
    await this.#notes.add([{ name: list, value: 'page numbers' }], believedMs);
  }

  async #knows(list: string): Promise<boolean> {
    const seenAt = this.#seen.get(list) ?? -Infinity;
    if (this.#now() - seenAt > believedMs && !(await this.#isNoted(list))) return false;
    await this.#see(list);
    return true;
  }

  async #isNoted(list: string): Promise<boolean> {
    const [found = []] = (await this.#notes.read([list])) ?? [];
    return found.length > 0;
  }
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
}

function undecided(): ScimError {
  return new ScimError(
    'invalid-value',
    'The startIndex could be the number of a page or an index. Begin the list again at 1; a caller that goes on by ' +
      'index needs a profile without page-numbers.',
  );
}
