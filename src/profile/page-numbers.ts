/**
 * Callers that send 1, 2, 3 … as `startIndex`: pages would overlap, and the last resources never be read (facts: midPoint).
 * A number that could be an index as well is repaired only from a caller that has sent one that could not.
 */
import { ScimError } from '../scim/error.ts';
import type { Operation } from '../scim/operation.ts';
import type { Query } from '../scim/target.ts';
import { withValues } from './query.ts';

/** What IPS gives to those who do not say how many they want, and the most that it gives (facts: IPS 3.1). */
const defaultCount = 25;
const maxCount = 100;

/** How long a caller is believed to go on as it began. */
const believedMs = 10 * 60_000;
const maxLists = 10_000;

/** Which lists somebody reads by page numbers just now. */
export class PageNumbers {
  readonly #now: () => number;
  /** By list, since when nobody has seen it; the one that was seen longest ago first. */
  readonly #seen = new Map<string, number>();

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** The query that the caller means. Throws `invalid-value` where nobody can tell what it means. */
  repair(caller: string, { system, resourceType, query }: Operation): Query {
    const page = numberOf(query.get('startIndex'));
    const asked = numberOf(query.get('count') ?? `${defaultCount}`);
    if (page === undefined || asked === undefined || query.has('cursor')) return query;
    const count = Math.min(asked, maxCount);
    const list = JSON.stringify([caller, system, resourceType, count]);
    // No walk by `count` comes by this number, so it is a page's.
    if (page % count !== 1 % count) this.#see(list);
    else if (page > 1 && count > 1 && !this.#knows(list)) throw undecided();
    const startIndex = (page - 1) * count + 1;
    if (startIndex > 999_999_999) return query;
    const isMeant = startIndex === page && query.get('count') === `${count}`;
    return isMeant ? query : withValues(query, { startIndex, count });
  }

  #see(list: string): void {
    this.#seen.delete(list);
    this.#seen.set(list, this.#now());
    const [oldest] = this.#seen.keys();
    if (this.#seen.size > maxLists && oldest !== undefined) this.#seen.delete(oldest);
  }

  #knows(list: string): boolean {
    const seenAt = this.#seen.get(list);
    if (seenAt === undefined || this.#now() - seenAt > believedMs) return false;
    this.#see(list);
    return true;
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
