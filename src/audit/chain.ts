/**
 * The arithmetic of the trail: the hash chain over lines and the RFC 6962 Merkle trees over a segment and a chain.
 * Both hash the exact bytes of a line without its newline; docs/audit-format.md is the specification.
 */
import { hash } from 'node:crypto';

/** A SHA-256 in hexadecimal, as it stands in the trail. */
export type Digest = string;

/** The head before the first line of a chain. */
export const genesis: Digest = '0'.repeat(64);

export interface LineHashes {
  /** SHA-256(0x01 ‖ head ‖ line): the chain's head after this line. */
  readonly head: Digest;
  /** SHA-256(0x00 ‖ line): the line's leaf in its segment's tree. */
  readonly leaf: Digest;
}

let scratch = Buffer.allocUnsafe(1 << 16);

/** Both hashes from one copy of the line: its leaf prefix takes the place of the head's last byte. */
export function hashLine(head: Digest, line: Uint8Array): LineHashes {
  const length = 33 + line.length;
  if (scratch.length < length) scratch = Buffer.allocUnsafe(length * 2);
  scratch[0] = 0x01;
  scratch.write(head, 1, 'hex');
  scratch.set(line, 33);
  const next = hash('sha256', scratch.subarray(0, length));
  scratch[32] = 0x00;
  return { head: next, leaf: hash('sha256', scratch.subarray(32, length)) };
}

/** SHA-256(0x00 ‖ line), for who needs no head. */
export function hashLeaf(line: Uint8Array): Digest {
  const length = 1 + line.length;
  if (scratch.length < length) scratch = Buffer.allocUnsafe(length * 2);
  scratch[0] = 0x00;
  scratch.set(line, 1);
  return hash('sha256', scratch.subarray(0, length));
}

const pair = Buffer.alloc(65, 0x01);

export function hashPair(left: Digest, right: Digest): Digest {
  pair.write(left, 1, 'hex');
  pair.write(right, 33, 'hex');
  return hash('sha256', pair);
}

/** RFC 6962 §2.1, kept as the roots of its complete subtrees, so that memory grows with log(n). */
export class MerkleTree {
  #peaks: Digest[] = [];
  #size = 0;

  /** Goes on from a tree's peaks; undefined when a tree of this size has another number of them. */
  static from(size: number, peaks: readonly Digest[]): MerkleTree | undefined {
    let complete = 0;
    for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) complete += rest % 2;
    if (peaks.length !== complete) return undefined;
    const tree = new MerkleTree();
    tree.#peaks = [...peaks];
    tree.#size = size;
    return tree;
  }

  get size(): number {
    return this.#size;
  }

  /** The roots of the complete subtrees, the largest (leftmost) first. */
  get peaks(): readonly Digest[] {
    return this.#peaks;
  }

  add(leaf: Digest): void {
    let node = leaf;
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2)
      node = hashPair(this.#peaks.pop() ?? node, node);
    this.#peaks.push(node);
    this.#size += 1;
  }

  root(): Digest {
    const [last, ...before] = this.#peaks.toReversed();
    return before.reduce((right, left) => hashPair(left, right), last ?? hash('sha256', ''));
  }

  /** A batch is hashed on a copy, so that a refused batch leaves no trace. */
  copy(): MerkleTree {
    const copy = new MerkleTree();
    copy.#peaks = [...this.#peaks];
    copy.#size = this.#size;
    return copy;
  }
}
