/**
 * Callers that ask for a whole collection without paging get its first 25 resources and take the others for deleted
 * (facts: Omada). They get as much as one answer can hold, and never a part of a collection as if it were the whole.
 */
import { ScimError } from '../scim/error.ts';
import type { Operation } from '../scim/operation.ts';
import type { Query } from '../scim/target.ts';
import { withValues } from './query.ts';

/** The most that IPS gives at once (facts: IPS 3.1). */
const maxCount = 100;
/** The largest that is taken for a number; a snapshot gives whatever is asked for. */
const everything = 999_999_999;

/** @param hasSnapshot whether the system's collections are kept whole */
export function repairUnpagedList({ query }: Pick<Operation, 'query'>, hasSnapshot: boolean): Query {
  const isPart = ['count', 'startIndex', 'cursor', 'filter'].some((name) => query.has(name));
  return isPart ? query : withValues(query, { count: hasSnapshot ? everything : maxCount });
}

export interface ListFigures {
  readonly itemsPerPage: number;
  readonly totalResults: number;
}

/**
 * Throws `too-many` unless the page is all that there is: as long as the total, or shorter than it might have been where
 * the total is IPS's own estimate of a page that is not empty (facts: IPS 3.2).
 */
export function checkWhole(page: ListFigures | undefined): void {
  if (page) {
    const { itemsPerPage, totalResults } = page;
    const isEstimate = totalResults === maxCount || totalResults === maxCount + 1;
    if (totalResults <= itemsPerPage || (isEstimate && itemsPerPage < maxCount)) return;
  }
  throw new ScimError(
    'too-many',
    'The collection has more resources than one answer holds. Ask for it in pages, by startIndex and count.',
  );
}
