/**
 * What is left of segments whose time is over: for each its header, which carries the chain of keys on, and the signed
 * record of its removal. A gap at the beginning of a chain is accepted only where these account for every segment of it.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import { z } from 'zod';

import { genesis } from './chain.ts';
import type { Find, Part } from './evidence.ts';
import { isSignedBy, readLine, type LinePrefix } from './line.ts';
import type { SegmentName } from './segment-name.ts';
import {
  expiredEvent,
  headerEvent,
  headerSchema,
  parse,
  type Header,
  type Predecessor,
} from './segment-shape.ts';
import type { PublicKey } from './signing-key.ts';

export function expiredFile(chain: string): string {
  return `expired-${chain}.jsonl`;
}

export const tombstoneSchema = z.object({
  segment: z.int(),
  firstSeq: z.int(),
  lastSeq: z.int(),
  head: z.string(),
  root: z.string(),
  bytes: z.int(),
  closed: z.boolean(),
  count: z.int(),
  firstTs: z.string(),
  lastTs: z.string(),
});
export type Tombstone = z.infer<typeof tombstoneSchema>;

/** What a segment that was read or removed hands on to the next one. */
export interface Link {
  readonly name: SegmentName;
  readonly key: PublicKey | undefined;
  /** Undefined behind a fault: then the next segment is judged by its own beginning. */
  readonly end: { readonly predecessor: Predecessor; readonly peaks?: readonly string[] } | undefined;
}

interface Line {
  readonly prefix: LinePrefix;
  readonly line: Buffer;
}

export interface ExpiredSegment {
  readonly header: Header & Line;
  readonly tombstone: Tombstone & Line;
}

/** In order from segment 1; ends before the first pair that is not whole. */
export function parseExpired(content: Buffer): { segments: ExpiredSegment[]; bytes: number } {
  const segments: ExpiredSegment[] = [];
  let bytes = 0;
  for (;;) {
    const middle = content.indexOf(0x0a, bytes);
    const end = middle === -1 ? -1 : content.indexOf(0x0a, middle + 1);
    if (end === -1) break;
    const header = read(content.subarray(bytes, middle), headerEvent, headerSchema);
    const tombstone = read(content.subarray(middle + 1, end), expiredEvent, tombstoneSchema);
    if (!header || !tombstone) break;
    segments.push({ header, tombstone });
    bytes = end + 1;
  }
  return { segments, bytes };
}

function read<T extends object>(line: Buffer, event: string, schema: z.ZodType<T>): (T & Line) | undefined {
  const prefix = readLine(line);
  const members = prefix?.event === event ? parse(schema, line) : undefined;
  return prefix && members && { ...members, prefix, line };
}

/** From the first directory that has some. */
export async function readExpired(directories: readonly string[], chain: string): Promise<ExpiredSegment[]> {
  for (const directory of directories) {
    try {
      return parseExpired(await readFile(join(directory, expiredFile(chain)))).segments;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return [];
}

/** Holds each removed segment against the one before it, and tells where the first that is left must go on. */
export function linkExpired(chain: string, expired: readonly ExpiredSegment[], find: Find): Link | undefined {
  let before: Link | undefined;
  for (const { header, tombstone } of expired) {
    const name = { chain, number: header.segment, firstSeq: header.prefix.seq };
    const reason = misfit(header, tombstone, before, chain);
    if (reason) {
      find('tampered', name, reason, { seq: name.firstSeq });
      return { name, key: header.key, end: undefined };
    }
    const { segment, lastSeq: seq, head, root, bytes, closed } = tombstone;
    before = { name, key: header.key, end: { predecessor: { segment, seq, head, root, bytes, closed } } };
  }
  return before;
}

function misfit(
  header: ExpiredSegment['header'],
  tombstone: Tombstone,
  before: Link | undefined,
  chain: string,
): string | undefined {
  const { segment, prefix, previous, signer } = header;
  const last = before?.end?.predecessor ?? null;
  if (header.chain !== chain || segment !== (last?.segment ?? 0) + 1)
    return 'A removed segment is of another place.';
  if (!isSignedBy(signer, header.line) || (before && signer !== before.key))
    return 'The header of a removed segment is not signed by the key of the segment before it.';
  if (prefix.seq !== (last?.seq ?? 0) + 1 || prefix.prev !== (last?.head ?? genesis))
    return 'The header of a removed segment does not follow from the segment before it.';
  if (!isDeepStrictEqual(previous, last))
    return 'The header of a removed segment is wrong about its predecessor.';
  if (tombstone.segment !== segment || tombstone.firstSeq !== prefix.seq)
    return 'The tombstone is not that of this segment.';
  if (tombstone.count !== tombstone.lastSeq - tombstone.firstSeq + 1)
    return 'The tombstone does not count right.';
  return undefined;
}

/** A tombstone must be a record of the trail, or, where that part of it is removed as well, be signed by its key. */
export function checkTombstones(
  expired: readonly ExpiredSegment[],
  parts: readonly Part[],
  find: Find,
): void {
  const first = parts[0]?.name.firstSeq ?? Number.POSITIVE_INFINITY;
  const kept = new Map(parts.flatMap(({ scan }) => scan.kept.map(({ seq, text }) => [seq, text] as const)));
  for (const { header, tombstone } of expired) {
    const { seq } = tombstone.prefix;
    const home = expired.findLast((other) => other.header.prefix.seq <= seq);
    const isOurs =
      seq >= first
        ? kept.get(seq) === tombstone.line.toString()
        : home !== undefined &&
          home.header.segment > header.segment &&
          isSignedBy(home.header.key, tombstone.line);
    const reason = `Segment ${header.segment} was removed, and its tombstone is not a record of this trail.`;
    if (!isOurs) find('tampered', undefined, reason, { seq });
  }
}
