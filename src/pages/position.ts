/**
 * How far a load has come: which page it will ask for next, and what it must not be given twice. Pure. The invariant:
 * what counts as given was given to that load.
 */
import { estimateOf, type Estimate } from './block.ts';
import type { Mark } from './blocks.ts';
import { idOf, type ListPage } from './list-page.ts';
import type { Answer } from './memory.ts';
import type { Wanted } from './wanted.ts';

/** What is known of the load that will ask for a page. */
export interface Position {
  /** Where the page before began. */
  readonly from: number;
  /** The block that the page before was cut from, where only this block goes on; else undefined. */
  readonly tag: string | undefined;
  /** Where the block of the page before ends. */
  readonly blockEnd: number;
  /** Ids that blocks with dropped entities gave early; the tenant has them before `givenEnd`. */
  readonly given: ReadonlySet<string>;
  readonly givenEnd: number;
  readonly estimate: Estimate;
  /** Pages in a row that should have been kept, and were not. */
  readonly losses: number;
  /** Whether the page before was given here, so that the next may be expected here too. */
  readonly isHere: boolean;
}

export const atFirst: Position = {
  from: 0,
  tag: undefined,
  blockEnd: 0,
  given: new Set(),
  givenEnd: 0,
  estimate: 'unknown',
  losses: 0,
  isHere: true,
};

/** What a page was that a load was given. */
export interface Given {
  readonly wanted: Wanted;
  readonly page: ListPage;
  readonly mark: Mark | undefined;
  readonly result: Answer['result'];
}

/** Whether a page gives early what the tenant has behind it, so that whoever goes on must be known. */
export function givesEarly(page: ListPage, mark: Mark | undefined): mark is Mark {
  return mark?.drops === true && nextOf(page) < mark.end;
}

export function nextOf({ startIndex, itemsPerPage }: ListPage): number {
  return startIndex + itemsPerPage;
}

export function positionAfter(before: Position, { wanted, page, mark, result }: Given): Position {
  const { startIndex, count } = wanted;
  const next = nextOf(page);
  const blockEnd = mark?.end ?? next;
  const isInside = givesEarly(page, mark);
  const givenEnd = Math.max(before.givenEnd, isInside ? blockEnd : 0);
  const ids = isInside ? page.resources.flatMap((resource) => idOf(resource) ?? []) : [];
  const isLost = result === 'miss' && startIndex < before.blockEnd;
  return {
    from: startIndex,
    tag: isInside ? mark.tag : undefined,
    blockEnd,
    given: next < givenEnd ? before.given.union(new Set(ids)) : new Set(),
    givenEnd,
    estimate: mark?.estimate ?? estimateOf(page, count),
    losses: isLost ? before.losses + 1 : result === 'miss' ? before.losses : 0,
    isHere: true,
  };
}
