/** Inclusion proofs: every leaf of trees of many sizes, known from the beginning or from the peaks on. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';

import { MerkleTree } from '../../src/audit/chain.ts';
import { leafOf, PartialTree, rootFrom } from '../../src/audit/inclusion.ts';

const leaves = Array.from({ length: 70 }, (_, at) => leafOf(Buffer.from(`line ${at}`)));

function rootOf(size: number): string {
  const tree = new MerkleTree();
  for (const leaf of leaves.slice(0, size)) tree.add(leaf);
  return tree.root();
}

/** Roots of the complete subtrees that the first `count` leaves make up. */
function peaksOf(count: number): string[] {
  const peaks: string[] = [];
  for (let start = 0; start < count;) {
    const size = 2 ** Math.floor(Math.log2(count - start));
    const tree = new MerkleTree();
    for (const leaf of leaves.slice(start, start + size)) tree.add(leaf);
    peaks.push(tree.root());
    start += size;
  }
  return peaks;
}

test('the path of every leaf leads to the root, whatever part of the tree is known by its peaks alone', () => {
  for (let size = 1; size <= leaves.length; size += 1) {
    const root = rootOf(size);
    for (const before of [0, 1, 2, 3, 7, 8, 33, 64].filter((count) => count < size)) {
      const tree = new PartialTree(before, peaksOf(before), leaves.slice(before, size));
      assert.equal(tree.root(), root);
      for (let index = before; index < size; index += 1)
        assert.equal(rootFrom(leaves[index] ?? '', index, size, tree.path(index)), root);
    }
  }
});

test('another line, place, size or path does not lead to the root', () => {
  const size = 21;
  const tree = new PartialTree(0, [], leaves.slice(0, size));
  for (let index = 0; index < size; index += 1) {
    const path = tree.path(index);
    const leaf = leaves[index] ?? '';
    const others = [
      rootFrom(leaves[(index + 1) % size] ?? '', index, size, path),
      rootFrom(leaf, (index + 1) % size, size, path),
      rootFrom(leaf, index, size, path.slice(1)),
      rootFrom(leaf, index, size, [...path, hash('sha256', '')]),
      rootFrom(leaf, index, size, path.toReversed().with(0, hash('sha256', 'x'))),
      rootFrom(leaf, index, size * 2, path),
      rootFrom(leaf, size, size, path),
      rootFrom(leaf, -1, size, path),
    ];
    assert.ok(others.every((root) => root !== tree.root()));
  }
});
