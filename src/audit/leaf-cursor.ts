/**
 * Reads the leaves of a chain from its segments, from where it stopped before. Only lines that a checkpoint covers may
 * be asked for: those do not change any more.
 */
import { join } from 'node:path';

import { hashLeaf, MerkleTree } from './chain.ts';
import { CompactRange } from './consistency.ts';
import { linesOf } from './lines.ts';
import { listSegments } from './recover.ts';
import { readHeader } from './scan.ts';
import { fileOf, type SegmentName } from './segment-name.ts';

interface Place {
  readonly segment: number;
  readonly offset: number;
  readonly tree: MerkleTree;
}

export class LeafCursor {
  readonly #directory: string;
  #place: Place;

  private constructor(directory: string, place: Place) {
    this.#directory = directory;
    this.#place = place;
  }

  /** Undefined when the lines up to this size are not there any more. */
  static async at(directory: string, size: number): Promise<LeafCursor | undefined> {
    const name = (await listSegments(directory)).findLast(({ firstSeq }) => firstSeq <= size + 1);
    const header = name && (await readHeader(join(directory, fileOf(name)), name));
    const tree = header && MerkleTree.from(name.firstSeq - 1, header.peaks);
    if (!tree) return undefined;
    const cursor = new LeafCursor(directory, { segment: name.number, offset: 0, tree });
    cursor.#place = (await cursor.#read(size)).place;
    return cursor;
  }

  get tree(): MerkleTree {
    return this.#place.tree;
  }

  /** The leaves up to this size, and the cursor that stands there; this one stays where it is. */
  async advance(size: number): Promise<{ readonly range: CompactRange; readonly cursor: LeafCursor }> {
    const { range, place } = await this.#read(size);
    return { range, cursor: new LeafCursor(this.#directory, place) };
  }

  async #read(size: number): Promise<{ range: CompactRange; place: Place }> {
    let { segment, offset } = this.#place;
    const tree = this.#place.tree.copy();
    const range = new CompactRange(tree.size);
    const names = (await listSegments(this.#directory)).filter(({ number }) => number >= segment);
    for (const [at, name] of names.entries()) {
      if (tree.size === size) break;
      if (name.number !== segment) [segment, offset] = [name.number, 0];
      // What stands behind the successor's first line was refused, and is no part of the chain.
      const end = Math.min(size, (names[at + 1]?.firstSeq ?? Infinity) - 1);
      if (tree.size === end) continue;
      offset = await this.#readSegment(name, offset, end, (line) => {
        const leaf = hashLeaf(line);
        tree.add(leaf);
        range.add(leaf);
        return tree.size;
      });
    }
    if (tree.size !== size) throw new Error(`The lines up to ${size} are not there.`);
    return { range, place: { segment, offset, tree } };
  }

  /** Returns where the next line begins. */
  async #readSegment(
    name: SegmentName,
    from: number,
    end: number,
    take: (line: Buffer) => number,
  ): Promise<number> {
    let offset = from;
    for await (const { lines } of linesOf(join(this.#directory, fileOf(name)), { from })) {
      for (const line of lines) {
        offset += line.length + 1;
        if (take(line) === end) return offset;
      }
    }
    return offset;
  }
}
