/** Consistency proofs between all pairs of small trees, and none that is wrong. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';

import { hashLeaf, MerkleTree } from '../../src/audit/chain.ts';
import { CompactRange, isConsistent, proveConsistency } from '../../src/audit/consistency.ts';

const leaves = Array.from({ length: 70 }, (_, at) => hashLeaf(Buffer.from(`line ${at}`)));

function treeOf(size: number): MerkleTree {
  const tree = new MerkleTree();
  for (const leaf of leaves.slice(0, size)) tree.add(leaf);
  return tree;
}

function rangeOf(from: number, to: number): CompactRange {
  const range = new CompactRange(from);
  for (const leaf of leaves.slice(from, to)) range.add(leaf);
  return range;
}

const headOf = (tree: MerkleTree) => ({ size: tree.size, root: tree.root() });

test('every growth from 0 to 70 leaves is proven', () => {
  for (let to = 0; to <= leaves.length; to += 1)
    for (let from = 0; from <= to; from += 1) {
      const proof = proveConsistency(treeOf(from), rangeOf(from, to));
      assert.ok(isConsistent(headOf(treeOf(from)), headOf(treeOf(to)), proof), `${from} to ${to}`);
      assert.ok(proof.length <= 13);
    }
});

test('a proof with another, a missing or an additional hash proves nothing', () => {
  for (const [from, to] of [
    [1, 2],
    [3, 7],
    [4, 8],
    [6, 8],
    [33, 70],
    [64, 70],
  ] as const) {
    const proof = proveConsistency(treeOf(from), rangeOf(from, to));
    const other = hash('sha256', 'other');
    const wrong = proof.flatMap((_, at) => [proof.with(at, other), proof.toSpliced(at, 1)]);
    for (const forged of [...wrong, [...proof, other], []])
      assert.ok(!isConsistent(headOf(treeOf(from)), headOf(treeOf(to)), forged), `${from} to ${to}`);
  }
});

test('a tree whose past was changed is not consistent with the earlier one, whatever is shown', () => {
  const changed = new MerkleTree();
  const range = new CompactRange(7);
  for (const [at, leaf] of leaves.slice(0, 20).entries()) {
    changed.add(at === 3 ? hash('sha256', 'other') : leaf);
    if (at >= 7) range.add(leaf);
  }
  assert.ok(!isConsistent(headOf(treeOf(7)), headOf(changed), proveConsistency(treeOf(7), range)));
  assert.ok(!isConsistent(headOf(treeOf(7)), headOf(treeOf(3)), []));
  assert.ok(!isConsistent(headOf(treeOf(7)), { size: 7, root: changed.root() }, []));
});

test('the proofs are those that RFC 6962 gives as its examples', () => {
  const [a, b, c, d, e, f, g] = leaves;
  const pair = (left = '', right = ''): string => {
    const tree = new MerkleTree();
    tree.add(left);
    tree.add(right);
    return tree.root();
  };
  const [leftHalf, ef] = [pair(pair(a, b), pair(c, d)), pair(e, f)];
  // §2.1.3 names the nodes: hash3 to hash6 with tree sizes 3, 4 and 6 against 7.
  assert.deepEqual(proveConsistency(treeOf(3), rangeOf(3, 7)), [c, d, pair(a, b), pair(ef, g)]);
  assert.deepEqual(proveConsistency(treeOf(4), rangeOf(4, 7)), [pair(ef, g)]);
  assert.deepEqual(proveConsistency(treeOf(6), rangeOf(6, 7)), [ef, g, leftHalf]);
});
