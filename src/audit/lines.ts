/**
 * The lines of a file, in batches of about a mebibyte: whoever reads a trail of any size needs no more memory than that.
 * What follows the last newline is no line; `rest` says how much that is.
 */
import { open } from 'node:fs/promises';

import { maxLineBytes } from './line.ts';

export interface Batch {
  /** Without their newlines; they share memory with each other, so copy what is kept. */
  readonly lines: readonly Buffer[];
  /** Where the next line begins. */
  readonly position: number;
  /** Bytes behind the last newline, as far as they have been read. */
  readonly rest: number;
}

export interface Span {
  readonly from?: number;
  /** Reads no byte from here on. */
  readonly limit?: number | undefined;
}

const chunkBytes = 1 << 20;
const smallestChunk = 1 << 12;
const newline = 0x0a;

/** Ends where the file ends now; a file that grows is read on by another call from the last position. */
export async function* linesOf(
  path: string,
  { from = 0, limit = Infinity }: Span = {},
): AsyncGenerator<Batch> {
  await using file = await open(path, 'r');
  const { size } = await file.stat();
  let pending: Buffer = Buffer.alloc(0);
  for (let readTo = from; readTo < limit;) {
    const length = Math.min(chunkBytes, limit - readTo, Math.max(size - readTo, smallestChunk));
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, readTo);
    if (bytesRead === 0) return;
    readTo += bytesRead;
    const fresh = buffer.subarray(0, bytesRead);
    const bytes = pending.length === 0 ? fresh : Buffer.concat([pending, fresh]);
    const { lines, used } = split(bytes);
    pending = bytes.subarray(used);
    yield { lines, position: readTo - pending.length, rest: pending.length };
    // No line is this long, so this is no segment any more; the reader learns it from `rest`.
    if (pending.length > maxLineBytes) return;
  }
}

function split(bytes: Buffer): { lines: Buffer[]; used: number } {
  const lines: Buffer[] = [];
  let start = 0;
  for (let end; (end = bytes.indexOf(newline, start)) !== -1; start = end + 1)
    lines.push(bytes.subarray(start, end));
  return { lines, used: start };
}

/** The first line, or undefined where there is none. */
export async function firstLineOf(path: string): Promise<Buffer | undefined> {
  for await (const { lines } of linesOf(path)) if (lines[0]) return lines[0];
  return undefined;
}
