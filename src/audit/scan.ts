/**
 * Reads one segment from disk and checks every line of it, in constant memory.
 * Recovery at start and the verifier run this same code; neither trusts a line that it has not passed.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';

import { genesis, hashLine, MerkleTree, type Digest } from './chain.ts';
import { isIntact, isSignedBy, maxLineBytes, readLine, type LinePrefix } from './line.ts';
import type { SegmentName } from './segment-name.ts';
import {
  expiredEvent,
  footerEvent,
  footerSchema,
  headerEvent,
  headerSchema,
  parse,
  type Footer,
  type Header,
} from './segment-shape.ts';
import type { Position } from './segment.ts';

export interface Fault {
  /** torn: the end of a write that a crash cut off. changed: nothing but interference explains it. */
  readonly kind: 'torn' | 'changed';
  readonly reason: string;
  readonly line: number;
  readonly offset: number;
  /** The sequence number that was expected there. */
  readonly seq: number;
}

export interface Scan {
  readonly header?: Header;
  /** `prev` of the header. */
  readonly begin?: Digest;
  readonly footer?: Footer;
  readonly fault?: Fault;
  /** The end of what is good. */
  readonly end: Position;
  readonly lines: number;
  /** Roots of the chain's tree at the sizes that were asked for and are reached in this segment. */
  readonly roots: ReadonlyMap<number, Digest>;
  /** The lines of the events that were asked for. */
  readonly kept: readonly KeptLine[];
}

export interface KeptLine {
  readonly seq: number;
  readonly event: string;
  readonly text: string;
}

export interface ScanOptions {
  /** Where the segment before ended; without it the first line's own word is taken. */
  readonly from?: { readonly seq: number; readonly head: Digest };
  /** Only so much of the file counts, because its successor says that the rest was refused. */
  readonly limit?: number;
  readonly firstLineOnly?: boolean;
  /** Sizes of the chain's tree at which its root is wanted. */
  readonly rootsAt?: readonly number[];
  /** Events whose lines are wanted. */
  readonly keep?: readonly string[];
  readonly onLine?: (prefix: LinePrefix, line: Buffer) => void;
}

const chunkBytes = 1 << 20;
const smallestChunk = 1 << 12;
const newline = 0x0a;

export async function scanSegment(path: string, name: SegmentName, options: ScanOptions = {}): Promise<Scan> {
  await using file = await open(path, 'r');
  const scanner = new Scanner(name, options);
  const rest = await eachLine(file, options, (line) => scanner.take(line));
  return scanner.finish(rest);
}

/** Calls for every line without its newline, and returns what follows the last newline. */
async function eachLine(
  file: FileHandle,
  { limit = Number.POSITIVE_INFINITY, firstLineOnly = false }: ScanOptions,
  take: (line: Buffer) => void,
): Promise<Buffer> {
  let pending = Buffer.alloc(0);
  let position = 0;
  const { size } = await file.stat();
  while (position < limit) {
    // A file that is being written may be longer by now; a small one needs no large buffer.
    const most = firstLineOnly ? smallestChunk : chunkBytes;
    const length = Math.min(most, limit - position, Math.max(size - position, smallestChunk));
    const chunk = Buffer.allocUnsafe(length);
    const { bytesRead } = await file.read(chunk, 0, length, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    const fresh = chunk.subarray(0, bytesRead);
    const bytes = pending.length === 0 ? fresh : Buffer.concat([pending, fresh]);
    let start = 0;
    for (let end; (end = bytes.indexOf(newline, start)) !== -1; start = end + 1) {
      take(bytes.subarray(start, end));
      if (firstLineOnly) return Buffer.alloc(0);
    }
    pending = bytes.subarray(start);
    // No line is this long: only its length still matters, not its content.
    if (pending.length > maxLineBytes) pending = pending.subarray(0, maxLineBytes);
  }
  return pending;
}

class Scanner {
  readonly #name: SegmentName;
  readonly #options: ScanOptions;
  readonly #tree = new MerkleTree();
  readonly #rootsAt: ReadonlySet<number>;
  readonly #roots = new Map<number, Digest>();
  readonly #kept: KeptLine[] = [];
  #chainTree = new MerkleTree();
  #seq: number;
  #head: Digest;
  #known: boolean;
  #bytes = 0;
  #lines = 0;
  #firstTs = '';
  #lastTs = '';
  #header: Header | undefined;
  #begin: Digest | undefined;
  #footer: Footer | undefined;
  #fault: Fault | undefined;

  constructor(name: SegmentName, options: ScanOptions) {
    this.#name = name;
    this.#options = options;
    this.#rootsAt = new Set(options.rootsAt);
    this.#known = options.from !== undefined;
    this.#seq = options.from?.seq ?? name.firstSeq - 1;
    this.#head = options.from?.head ?? genesis;
  }

  take(line: Buffer): void {
    if (this.#fault) return this.#lookBehindFault(line);
    const prefix = readLine(line);
    if (!prefix) return this.#refuse(line);
    if (!this.#known) this.#trustFirst(prefix);
    const reason = this.#misplaced(prefix) ?? this.#misfit(prefix, line);
    if (reason) {
      this.#fault = this.#faultHere('changed', reason);
      return;
    }
    this.#accept(prefix, line);
  }

  finish(rest: Buffer): Scan {
    if (!this.#fault && (rest.length > 0 || this.#lines === 0)) {
      const reason = this.#footer ? 'Bytes follow the footer.' : 'The last line is incomplete.';
      this.#fault = this.#faultHere(this.#footer ? 'changed' : 'torn', reason);
    }
    const { limit } = this.#options;
    if (!this.#fault && limit !== undefined && this.#bytes !== limit)
      this.#fault = this.#faultHere('changed', `${limit - this.#bytes} bytes are missing at the end.`);
    return {
      ...(this.#header && { header: this.#header }),
      ...(this.#begin && { begin: this.#begin }),
      ...(this.#footer && { footer: this.#footer }),
      ...(this.#fault && { fault: this.#fault }),
      end: {
        seq: this.#seq,
        head: this.#head,
        tree: this.#tree,
        chainTree: this.#chainTree,
        bytes: this.#bytes,
        firstTs: this.#firstTs,
        lastTs: this.#lastTs,
      },
      lines: this.#lines,
      roots: this.#roots,
      kept: this.#kept,
    };
  }

  #accept(prefix: LinePrefix, line: Buffer): void {
    const { head, leaf } = hashLine(this.#head, line);
    if (prefix.event !== footerEvent) this.#tree.add(leaf);
    this.#chainTree.add(leaf);
    if (this.#rootsAt.has(prefix.seq)) this.#roots.set(prefix.seq, this.#chainTree.root());
    if (this.#options.keep?.includes(prefix.event))
      this.#kept.push({ seq: prefix.seq, event: prefix.event, text: line.toString() });
    this.#seq = prefix.seq;
    this.#head = head;
    this.#bytes += line.length + 1;
    this.#lines += 1;
    this.#firstTs ||= prefix.ts;
    if (prefix.event !== footerEvent) this.#lastTs = prefix.ts;
    this.#options.onLine?.(prefix, line);
  }

  /** A whole line with holes of NULs is what a power cut leaves; other bad bytes were put there. */
  #refuse(line: Buffer): void {
    const kind = line.includes(0) && !this.#footer ? 'torn' : 'changed';
    this.#fault = this.#faultHere(kind, 'The line is not as it was written (checksum).');
  }

  /** A crash tears the end only: an intact line behind the fault is proof of interference. */
  #lookBehindFault(line: Buffer): void {
    if (this.#fault?.kind === 'torn' && isIntact(line)) this.#fault = { ...this.#fault, kind: 'changed' };
  }

  #trustFirst({ prev }: LinePrefix): void {
    this.#known = true;
    this.#head = prev;
  }

  #misplaced({ seq, prev }: LinePrefix): string | undefined {
    const expected = this.#seq + 1;
    if (seq > expected) return `Lines are missing or out of order: ${expected} was expected, ${seq} found.`;
    if (seq < expected) return `A line is repeated or out of order: ${expected} was expected, ${seq} found.`;
    if (prev !== this.#head) return 'The line does not follow from the line before it.';
    return undefined;
  }

  #misfit(prefix: LinePrefix, line: Buffer): string | undefined {
    if (this.#footer) return 'A line follows the footer.';
    if (this.#lines === 0) return this.#readHeader(prefix, line);
    if (prefix.event === headerEvent) return 'A second header.';
    if (prefix.event === footerEvent) return this.#readFooter(line);
    if (prefix.event === expiredEvent && !this.#isOwnSigned(line)) return 'The tombstone is not signed.';
    return undefined;
  }

  #isOwnSigned(line: Buffer): boolean {
    return this.#header !== undefined && isSignedBy(this.#header.key, line);
  }

  #readHeader({ event, seq, prev }: LinePrefix, line: Buffer): string | undefined {
    if (event !== headerEvent) return 'The first line is not a header.';
    const header = parse(headerSchema, line);
    const { chain, number, firstSeq } = this.#name;
    if (!header || header.chain !== chain || header.segment !== number || seq !== firstSeq)
      return 'The header does not belong to a file of this name.';
    if (!isSignedBy(header.signer, line)) return 'The header is not signed by the key that it names.';
    const chainTree = MerkleTree.from(firstSeq - 1, header.peaks);
    if (!chainTree) return 'The header does not have the peaks of a tree of this size.';
    this.#chainTree = chainTree;
    this.#header = header;
    this.#begin = prev;
    return undefined;
  }

  #readFooter(line: Buffer): string | undefined {
    const footer = parse(footerSchema, line);
    const mine = {
      count: this.#lines,
      firstTs: this.#firstTs,
      lastTs: this.#lastTs,
      root: this.#tree.root(),
      head: this.#head,
    };
    if (!footer) return 'The footer is not complete.';
    const { reason: _, ...theirs } = footer;
    if (!isDeepStrictEqual(mine, theirs)) return 'The footer does not fit the lines before it.';
    if (!this.#isOwnSigned(line)) return "The footer is not signed by the segment's key.";
    this.#footer = footer;
    return undefined;
  }

  #faultHere(kind: Fault['kind'], reason: string): Fault {
    return { kind, reason, line: this.#lines + 1, offset: this.#bytes, seq: this.#seq + 1 };
  }
}

/** The header alone; what it says of the segment before it still has to be compared with that. */
export async function readHeader(path: string, name: SegmentName): Promise<Header | undefined> {
  const { header } = await scanSegment(path, name, { firstLineOnly: true });
  return header;
}
