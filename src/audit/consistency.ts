/**
 * Consistency proofs of RFC 6962 §2.1.2: that a tree has grown from an earlier one by additions alone. Made from the
 * subtrees that a compact range keeps, so neither side needs all leaves.
 */
import { hashPair, MerkleTree, type Digest } from './chain.ts';

/** A complete subtree: the leaves from `start` on, `size` of them, a power of two that divides `start`. */
interface Subtree {
  readonly start: number;
  readonly size: number;
  readonly root: Digest;
}

/** The fewest complete subtrees over the leaves from `begin` to `end`; it grows at its end. */
export class CompactRange {
  readonly #subtrees: Subtree[] = [];
  #end: number;

  constructor(begin: number) {
    this.#end = begin;
  }

  get end(): number {
    return this.#end;
  }

  get subtrees(): readonly Subtree[] {
    return this.#subtrees;
  }

  add(leaf: Digest): void {
    let node: Subtree = { start: this.#end, size: 1, root: leaf };
    this.#end += 1;
    for (let last; (last = this.#subtrees.at(-1)); this.#subtrees.pop()) {
      if (last.size !== node.size || last.start % (2 * last.size) !== 0) break;
      node = { start: last.start, size: 2 * last.size, root: hashPair(last.root, node.root) };
    }
    this.#subtrees.push(node);
  }
}

/** @param range the leaves that came behind the tree */
export function proveConsistency(tree: MerkleTree, range: CompactRange): Digest[] {
  if (tree.size === 0 || tree.size === range.end) return [];
  const subtrees = [...subtreesOf(tree), ...range.subtrees];
  return prove(subtrees, { size: tree.size, from: 0, to: range.end, known: true });
}

interface Step {
  /** Of the earlier tree, within these leaves. */
  readonly size: number;
  readonly from: number;
  readonly to: number;
  /** Whether the other side knows the root of the earlier tree here. */
  readonly known: boolean;
}

/** SUBPROOF of RFC 6962 §2.1.2. */
function prove(subtrees: readonly Subtree[], { size, from, to, known }: Step): Digest[] {
  if (size === to - from) return known ? [] : [rootOf(subtrees, from, to)];
  const half = largestPowerBelow(to - from);
  const middle = from + half;
  if (size <= half)
    return [...prove(subtrees, { size, from, to: middle, known }), rootOf(subtrees, middle, to)];
  const right = prove(subtrees, { size: size - half, from: middle, to, known: false });
  return [...right, rootOf(subtrees, from, middle)];
}

function rootOf(subtrees: readonly Subtree[], from: number, to: number): Digest {
  const roots = subtrees
    .filter(({ start, size }) => start >= from && start + size <= to)
    .map(({ root }) => root);
  return roots.reduceRight((right, left) => hashPair(left, right));
}

function subtreesOf({ size, peaks }: MerkleTree): Subtree[] {
  let start = 0;
  return peaks.map((root) => {
    const subtree = { start, size: largestPowerBelow(size - start + 1), root };
    start += subtree.size;
    return subtree;
  });
}

function largestPowerBelow(n: number): number {
  let power = 1;
  while (power * 2 < n) power *= 2;
  return power;
}

export interface TreeHead {
  readonly size: number;
  readonly root: Digest;
}

/** RFC 9162 §2.1.4.2: whether the proof links both trees. */
export function isConsistent(before: TreeHead, after: TreeHead, proof: readonly Digest[]): boolean {
  if (before.size > after.size) return false;
  if (before.size === 0) return proof.length === 0;
  if (before.size === after.size) return proof.length === 0 && before.root === after.root;
  const path = Number.isInteger(Math.log2(before.size)) ? [before.root, ...proof] : [...proof];
  const first = path.shift();
  if (first === undefined) return false;
  let [old, now] = [before.size - 1, after.size - 1];
  while (old % 2 === 1) [old, now] = [half(old), half(now)];
  let [oldRoot, newRoot] = [first, first];
  for (const node of path) {
    if (now === 0) return false;
    if (old % 2 === 1 || old === now) {
      oldRoot = hashPair(node, oldRoot);
      newRoot = hashPair(node, newRoot);
      while (old % 2 === 0 && old !== 0) [old, now] = [half(old), half(now)];
    } else {
      newRoot = hashPair(newRoot, node);
    }
    [old, now] = [half(old), half(now)];
  }
  return now === 0 && oldRoot === before.root && newRoot === after.root;
}

function half(n: number): number {
  return Math.floor(n / 2);
}
