/**
 * One large page of the tenant as the small ones that a caller asks for. Pure. The invariant: whoever has read all
 * pages of a block up to a position has every resource that the tenant keeps before that position, so a load that
 * must leave a block and asks the tenant at its own index misses nothing (docs/decisions/0013-blocks.md).
 */
import type { Reply } from '../scim/call.ts';
import type { Figures, ListPage } from './list-page.ts';

/** What IPS gives at most (facts: IPS 3.1). */
const mostPerBlock = 100;
/** Every page of a block is kept by itself, so a block of single resources would be many. */
const mostPages = 20;

export function blockSize(count: number): number {
  return Math.min(mostPerBlock, count * mostPages);
}

/**
 * How far an estimated `totalResults` lies from `startIndex + count`: 0, or −1 by the rule of 2025 (facts: IPS 3.2).
 * A real total is none; nothing is known before a first page.
 */
export type Estimate = 0 | -1 | 'none' | 'unknown';

export function estimateOf({ startIndex, totalResults }: Figures, count: number): Estimate {
  const off = totalResults - (startIndex + count);
  return off === 0 || off === -1 ? off : 'none';
}

export interface CutPage extends Figures {
  readonly reply: Reply;
}

export interface Cut {
  /** In order; the first begins where the block does. */
  readonly pages: readonly [CutPage, ...CutPage[]];
  /** Where the next block begins. */
  readonly end: number;
  /** Conditions dropped entities, and nobody but the tenant knows at which positions. */
  readonly drops: boolean;
  readonly estimate: Estimate;
}

/**
 * @param before what an earlier page of the same load said of totals
 * @returns undefined when the block is not what was asked for, and cannot be cut
 */
export function cutBlock(
  block: ListPage,
  startIndex: number,
  count: number,
  before: Estimate,
): Cut | undefined {
  const { itemsPerPage, resources } = block;
  const size = blockSize(count);
  if (block.startIndex !== startIndex || itemsPerPage > size || resources.length > itemsPerPage)
    return undefined;
  const end = startIndex + itemsPerPage;
  const drops = resources.length < itemsPerPage;
  const estimate = estimateFor(block, size, before);
  const cutFrom = (at: number, given: number): CutPage => {
    const chosen = resources.slice(given, given + count);
    // Behind the last resource stand only positions of dropped entities: an empty page would end careless loads.
    const isLast = drops && given + chosen.length === resources.length;
    const items = isLast ? end - at : Math.min(count, end - at);
    const totalResults =
      typeof estimate === 'number' ? at + Math.max(count, items) + estimate : block.totalResults;
    const figures = { startIndex: at, itemsPerPage: items, totalResults };
    return { ...figures, reply: block.write(figures, chosen) };
  };
  const first = cutFrom(startIndex, 0);
  const others: CutPage[] = [];
  for (let at = first.startIndex + first.itemsPerPage, given = count; at < end; given += count) {
    const page = cutFrom(at, given);
    others.push(page);
    at += page.itemsPerPage;
  }
  return { pages: [first, ...others], end, drops, estimate };
}

/** Whether its total may be real or an estimate: the one end of a collection, or of this block alone. */
export function isUnclear(block: ListPage, count: number): boolean {
  return block.itemsPerPage > 0 && estimateOf(block, blockSize(count)) !== 'none';
}

/** What the tenant would have estimated for a small page; `none` for a real total, which is passed on. */
function estimateFor(block: ListPage, size: number, before: Estimate): Estimate {
  const off = estimateOf(block, size);
  // Nothing stands at or behind the index of an empty page, so what points behind it is no real total.
  if (block.itemsPerPage === 0) return off;
  // One figure alone may be a real total, and an estimate in its place would end a load too early.
  return before === off ? off : 'none';
}
