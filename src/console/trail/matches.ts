/**
 * Which records of a segment a query means, by its index and, where shapes do not tell, by its lines. Invariant: the answer
 * is that of `matches` for every line, whatever the index suggests.
 */
import { open } from 'node:fs/promises';

import { Entry } from '../../audit/entry.ts';
import { readLine } from '../../audit/line.ts';
import type { SegmentIndex } from './segment-index.ts';
import { entryOfShape, type Asked } from './shape.ts';

export interface Range {
  /** Instants in ms; both ends belong to the range. */
  readonly from: number;
  readonly to: number;
}

/** Where the records of a segment are. */
export interface Place {
  readonly instance: string;
  readonly path: string;
  readonly index: SegmentIndex;
}

/** The ordinals of the records, ascending. */
export async function matchesIn(place: Place, asked: Asked, range: Range): Promise<Uint32Array> {
  const { index } = place;
  const none = new Uint32Array();
  if (index.lastMs < range.from || index.firstMs > range.to) return none;
  const fits = Uint8Array.from(index.shapeTexts, (text) => Number(asked.matchesShape(entryOfShape(text))));
  if (!fits.includes(1)) return none;
  if (asked.words.length === 0) return select(index, fits, range);
  const { words } = index;
  if (words && !asked.words.every((list) => list.some((word) => words.mayHave(word)))) return none;
  return matchLines(place, asked, select(index, fits, range));
}

function select({ count, times, shapes }: SegmentIndex, fits: Uint8Array, { from, to }: Range): Uint32Array {
  const found = new Uint32Array(count);
  let length = 0;
  for (let at = 0; at < count; at += 1) {
    const ms = times[at] ?? 0;
    if (ms >= from && ms <= to && fits[shapes[at] ?? 0] === 1) {
      found[length] = at;
      length += 1;
    }
  }
  return found.subarray(0, length);
}

/** Finds the words in the bytes first: few lines have one. */
async function matchLines(place: Place, asked: Asked, candidates: Uint32Array): Promise<Uint32Array> {
  const bytes = await contentOf(place);
  const { offsets, lengths } = place.index;
  const [rarest = []] = asked.words;
  const found: number[] = [];
  let at = 0;
  for (const position of positionsOf(bytes, rarest)) {
    while (at < candidates.length && endOf(place.index, candidates[at]) <= position) at += 1;
    const ordinal = candidates[at];
    if (ordinal === undefined) break;
    const offset = offsets[ordinal] ?? 0;
    if (position < offset) continue;
    at += 1;
    const entry = asEntry(place, bytes.subarray(offset, offset + (lengths[ordinal] ?? 0)));
    if (entry && asked.matches(entry)) found.push(ordinal);
  }
  return Uint32Array.from(found);
}

function endOf({ offsets, lengths }: SegmentIndex, ordinal = 0): number {
  return (offsets[ordinal] ?? 0) + (lengths[ordinal] ?? 0);
}

async function contentOf({ path, index }: Place): Promise<Buffer> {
  await using file = await open(path, 'r');
  const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(index.position), 0, index.position, 0);
  return buffer.subarray(0, bytesRead);
}

/** Ascending, of any of the words. */
function positionsOf(bytes: Buffer, words: readonly string[]): number[] {
  const found: number[] = [];
  for (const word of words) {
    const wanted = Buffer.from(JSON.stringify(word));
    for (let at = -1; (at = bytes.indexOf(wanted, at + 1)) !== -1;) found.push(at);
  }
  return found.toSorted((some, other) => some - other);
}

/** Undefined when the line is not what was indexed any more. */
function asEntry({ instance, index }: Place, line: Buffer): Entry | undefined {
  const prefix = readLine(line);
  return prefix && new Entry(instance, index.name, prefix, line);
}

/** The records at these ordinals, as they stand in the trail now. */
export async function readRecords(place: Place, ordinals: Iterable<number>): Promise<Map<number, Entry>> {
  const { offsets, lengths } = place.index;
  const found = new Map<number, Entry>();
  await using file = await open(place.path, 'r');
  for (const ordinal of ordinals) {
    const length = lengths[ordinal] ?? 0;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offsets[ordinal] ?? 0);
    const entry = asEntry(place, buffer.subarray(0, bytesRead));
    if (entry) found.set(ordinal, entry);
  }
  return found;
}
