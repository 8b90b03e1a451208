/**
 * Proof that one line is in a chain without showing the others: the path of RFC 6962 §2.1.1 from the line's leaf to the
 * root of the chain's tree. Whoever checks it must have the root from a checkpoint whose signature they believe.
 */
import { hash } from 'node:crypto';

import type { Digest } from './chain.ts';

export function leafOf(line: Uint8Array): Digest {
  return hash('sha256', Buffer.concat([Buffer.of(0), line]));
}

function nodeOf(left: Digest, right: Digest): Digest {
  return hash('sha256', Buffer.concat([Buffer.of(1), Buffer.from(left, 'hex'), Buffer.from(right, 'hex')]));
}

/** A tree whose beginning is known by its peaks alone, as a segment's header states them. */
export class PartialTree {
  /** `<first leaf> <leaves>` → the root of that complete subtree. */
  readonly #peaks = new Map<string, Digest>();
  readonly #before: number;
  readonly #leaves: readonly Digest[];

  /**
   * @param before how many leaves the peaks stand for
   * @param peaks roots of their complete subtrees, the largest first
   */
  constructor(before: number, peaks: readonly Digest[], leaves: readonly Digest[]) {
    this.#before = before;
    this.#leaves = leaves;
    let start = 0;
    for (const peak of peaks) {
      const size = largestPowerIn(before - start);
      this.#peaks.set(`${start} ${size}`, peak);
      start += size;
    }
    if (start !== before) throw new RangeError('A tree of this size has other peaks.');
  }

  get size(): number {
    return this.#before + this.#leaves.length;
  }

  root(): Digest {
    return this.size === 0 ? hash('sha256', '') : this.#node(0, this.size);
  }

  /** Siblings from the leaf up. */
  path(index: number): Digest[] {
    if (index < this.#before || index >= this.size) throw new RangeError('That leaf is not known.');
    const path: Digest[] = [];
    for (let start = 0, count = this.size; count > 1;) {
      const left = splitOf(count);
      const goesLeft = index < start + left;
      path.push(goesLeft ? this.#node(start + left, count - left) : this.#node(start, left));
      start += goesLeft ? 0 : left;
      count = goesLeft ? left : count - left;
    }
    return path.toReversed();
  }

  #node(start: number, count: number): Digest {
    const known =
      this.#peaks.get(`${start} ${count}`) ?? (count === 1 ? this.#leaves[start - this.#before] : undefined);
    if (known !== undefined) return known;
    if (count === 1) throw new RangeError('That leaf is not known.');
    const left = splitOf(count);
    return nodeOf(this.#node(start, left), this.#node(start + left, count - left));
  }
}

function largestPowerIn(count: number): number {
  return count < 1 ? 0 : 2 ** Math.floor(Math.log2(count));
}

/** The largest power of two below the count: RFC 6962 §2.1. */
function splitOf(count: number): number {
  return largestPowerIn(count - 1);
}

/** The root that the path leads to, or undefined when it is no path of a tree of that size: RFC 9162 §2.1.3.2. */
export function rootFrom(
  leaf: Digest,
  index: number,
  size: number,
  path: readonly Digest[],
): Digest | undefined {
  if (index < 0 || index >= size) return undefined;
  let node = leaf;
  let at = index;
  let last = size - 1;
  for (const sibling of path) {
    if (last === 0) return undefined;
    if (at % 2 === 1 || at === last) {
      node = nodeOf(sibling, node);
      // Levels where this node had no partner have no sibling in the path.
      for (; at % 2 === 0 && at !== 0; at = Math.floor(at / 2)) last = Math.floor(last / 2);
    } else node = nodeOf(node, sibling);
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? node : undefined;
}
