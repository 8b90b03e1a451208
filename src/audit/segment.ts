/**
 * One file of the trail that is being written: header line, records, footer line, under a key of its own.
 * Its position moves only when a whole batch is on stable storage; a batch that failed has not happened.
 */
import { join } from 'node:path';

import { hashLine, MerkleTree, type Digest } from './chain.ts';
import { writeAll, type Files, type OpenFile } from './files.ts';
import { draft, encodeLine, type Draft } from './line.ts';
import { codeOf } from './report.ts';
import { fileOf, type SegmentName } from './segment-name.ts';
import {
  expiredEvent,
  footerEvent,
  headerEvent,
  type CloseReason,
  type OpenIntent,
  type Predecessor,
} from './segment-shape.ts';
import type { SigningKey } from './signing-key.ts';

/** Lines that the segment's own key signs; the header is signed by the key before it. */
const ownSigned: ReadonlySet<string> = new Set([footerEvent, expiredEvent]);

export interface HeaderFacts {
  readonly boot: string;
  readonly inst: Readonly<Record<string, unknown>>;
  readonly previous: Predecessor | null;
  readonly open: readonly OpenIntent[];
}

export interface SegmentKeys {
  readonly own: SigningKey;
  /** Signs the header: the key of the segment before, the root key of the chain, or its own where that was lost. */
  readonly signer: SigningKey;
}

/** Where a segment ends: enough to go on from it. */
export interface Position {
  readonly seq: number;
  readonly head: Digest;
  /** Over the segment's lines without its footer. */
  readonly tree: MerkleTree;
  /** Over all lines of the chain up to here; a checkpoint's size and root are this tree's. */
  readonly chainTree: MerkleTree;
  readonly bytes: number;
  readonly firstTs: string;
  readonly lastTs: string;
}

/** The footer is not in the tree, so the root is the same before and after it. */
export function predecessorOf(
  segment: number,
  { seq, head, tree, bytes }: Position,
  closed: boolean,
): Predecessor {
  return { segment, seq, head, root: tree.root(), bytes, closed };
}

/** The file may not be what its descriptor says any more, so nothing may be written to it again. */
export class SegmentLost extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'SegmentLost';
  }
}

export class Segment {
  readonly name: SegmentName;
  readonly path: string;
  readonly openedAt = performance.now();
  readonly #files: Files;
  readonly #file: OpenFile;
  readonly #inode: number;
  readonly #keys: SegmentKeys;
  #position: Position;

  private constructor(
    files: Files,
    { file, path, inode }: { readonly file: OpenFile; readonly path: string; readonly inode: number },
    name: SegmentName,
    keys: SegmentKeys,
    at: Position,
  ) {
    this.#files = files;
    this.#file = file;
    this.#inode = inode;
    this.#keys = keys;
    this.path = path;
    this.name = name;
    this.#position = at;
  }

  /** When this resolves, the file, its header and its directory entry are on stable storage. */
  static async create(
    files: Files,
    directory: string,
    name: SegmentName,
    keys: SegmentKeys,
    { head, chainTree }: Pick<Position, 'head' | 'chainTree'>,
    facts: HeaderFacts,
  ): Promise<Segment> {
    const path = join(directory, fileOf(name));
    const file = await files.create(path);
    try {
      const { inode } = await files.look(path);
      const header = draft(headerEvent, {
        chain: name.chain,
        segment: name.number,
        ...facts,
        peaks: chainTree.peaks,
        key: keys.own.publicKey,
        signer: keys.signer.publicKey,
      });
      const at = {
        seq: name.firstSeq - 1,
        head,
        tree: new MerkleTree(),
        chainTree,
        bytes: 0,
        firstTs: header.ts,
        lastTs: header.ts,
      };
      const segment = new Segment(files, { file, path, inode }, name, keys, at);
      await segment.append([header]);
      await files.syncDirectory(directory);
      return segment;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Continues a file that a crashed process left behind; its bytes up to the position are already durable. */
  static async resume(
    files: Files,
    path: string,
    name: SegmentName,
    key: SigningKey,
    at: Position,
  ): Promise<Segment> {
    const { inode } = await files.look(path);
    const file = await files.open(path);
    return new Segment(files, { file, path, inode }, name, { own: key, signer: key }, at);
  }

  get key(): SigningKey {
    return this.#keys.own;
  }

  get bytes(): number {
    return this.#position.bytes;
  }

  get position(): Position {
    return this.#position;
  }

  /** Resolves with the first record's seq when all of them are on stable storage. */
  async append(drafts: readonly Draft[]): Promise<number> {
    const firstSeq = this.#position.seq + 1;
    const { bytes, next } = encode(this.#position, drafts, this.#keys);
    await this.#write(bytes);
    await this.#sync(next.bytes);
    this.#position = next;
    return firstSeq;
  }

  /** Writes the footer. The file is still open afterwards: `release` it. */
  async seal(reason: CloseReason): Promise<Predecessor> {
    const { tree, head, firstTs, lastTs } = this.#position;
    const root = tree.root();
    const facts = { reason, count: tree.size, firstTs, lastTs, root, head };
    await this.append([draft(footerEvent, facts)]);
    return this.predecessor(true);
  }

  predecessor(closed: boolean): Predecessor {
    return predecessorOf(this.name.number, this.#position, closed);
  }

  /** Gives the descriptor back; a sealed file becomes read-only first. */
  async release(sealed: boolean): Promise<void> {
    try {
      if (sealed) await this.#files.protect(this.path);
    } finally {
      await this.#file.close();
    }
  }

  async #write(bytes: Buffer): Promise<void> {
    const offset = this.#position.bytes;
    try {
      await writeAll(this.#file, bytes, offset);
    } catch (error) {
      await this.#cutTo(offset);
      // This file has reached the largest size it may have; only another one can go on.
      if (codeOf(error) === 'EFBIG') throw new SegmentLost('The file may not grow any more.', error);
      throw error;
    }
  }

  async #cutTo(offset: number): Promise<void> {
    try {
      await this.#file.truncate(offset);
    } catch (error) {
      throw new SegmentLost('The remains of a failed write could not be cut off.', error);
    }
  }

  async #sync(expectedBytes: number): Promise<void> {
    const [synced, looked] = await Promise.allSettled([this.#file.dataSync(), this.#files.look(this.path)]);
    // After a failed fsync Linux drops the dirty pages and the next fsync of the file succeeds: facts 1.6.
    if (synced.status === 'rejected')
      throw new SegmentLost('The disk did not confirm a write.', synced.reason);
    if (looked.status === 'rejected') throw new SegmentLost('The file is not at its path.', looked.reason);
    const { inode, bytes } = looked.value;
    if (inode !== this.#inode || bytes !== expectedBytes)
      throw new SegmentLost('Somebody else replaced or changed the file.');
  }
}

function encode(
  at: Position,
  drafts: readonly Draft[],
  { own, signer }: SegmentKeys,
): { bytes: Buffer; next: Position } {
  const lines: Buffer[] = [];
  const tree = at.tree.copy();
  const chainTree = at.chainTree.copy();
  let { seq, head, lastTs } = at;
  for (const record of drafts) {
    seq += 1;
    const key = record.event === headerEvent ? signer : ownSigned.has(record.event) ? own : undefined;
    const line = encodeLine(seq, head, record, key);
    const hashes = hashLine(head, line.subarray(0, -1));
    // The root in a footer covers the lines before it.
    if (record.event !== footerEvent) tree.add(hashes.leaf);
    chainTree.add(hashes.leaf);
    head = hashes.head;
    lastTs = record.ts;
    lines.push(line);
  }
  const bytes = Buffer.concat(lines);
  return { bytes, next: { ...at, seq, head, tree, chainTree, bytes: at.bytes + bytes.length, lastTs } };
}
