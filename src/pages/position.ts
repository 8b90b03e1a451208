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
    tag: isInside ? mark.tag : undefined,
    blockEnd,
    given: next < givenEnd ? before.given.union(new Set(ids)) : new Set(),
    givenEnd,
    estimate: mark?.estimate ?? estimateOf(page, count),
    losses: isLost ? before.losses + 1 : result === 'miss' ? before.losses : 0,
    isHere: true,
  };
}

/** The loads that stand at one place. */
export interface Standing {
  readonly position: Position;
  /** How many have come and not asked for the page yet; a repeated page finds its place after that. */
  readonly waiting: number;
}

export function arrive(before: Standing | undefined, position: Position): Standing {
  const others = before?.waiting ?? 0;
  // Loads that stand here after different blocks: none may have the rest of another's.
  const isDoubtful = before !== undefined && others > 0 && !isSame(before.position, position);
  return { position: isDoubtful ? inDoubt(position) : position, waiting: others + 1 };
}

export function leave({ position, waiting }: Standing): Standing {
  return { position, waiting: Math.max(0, waiting - 1) };
}

export function inDoubt(position: Position): Position {
  return { ...position, tag: undefined, given: new Set() };
}

function isSame(one: Position, other: Position): boolean {
  const { given } = other;
  return one.tag === other.tag && one.given.size === given.size && one.given.isSubsetOf(given);
}
