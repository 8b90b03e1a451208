/**
 * The index of a closed segment as a file, so that a start need not read the whole trail. Invariant: a file that this
 * installation's key did not sign, or that speaks of another state of the segment, is none; the segment is read instead.
 */
import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

import { z } from 'zod';

import type { SegmentName } from '../../audit/segment-name.ts';
import type { SegmentIndex } from './segment-index.ts';
import { WordFilter } from './word-filter.ts';

const format = 'gatehouse-console-index-2';
const macBytes = 32;
const headLengthBytes = 8;

const headSchema = z.object({
  format: z.literal(format),
  state: z.string(),
  count: z.int(),
  shapeTexts: z.array(z.string()),
  words: z.int(),
  position: z.int(),
  firstMs: z.number().nullable(),
  lastMs: z.number().nullable(),
  lastEvent: z.string(),
  reason: z.string().optional(),
  siblings: z.array(z.object({ origin: z.string(), size: z.int() })),
  damages: z.array(z.string()),
});

/** @param state what the segment was when it was read: another one makes the file worthless */
export async function writeSidecar(
  path: string,
  index: SegmentIndex,
  state: string,
  key: Buffer,
): Promise<void> {
  const { times, offsets, lengths, shapes, words, name, ...facts } = index;
  const bits = words?.bits ?? new Uint8Array();
  const head = Buffer.from(
    JSON.stringify({
      format,
      state,
      ...facts,
      firstMs: finite(facts.firstMs),
      lastMs: finite(facts.lastMs),
      words: bits.length,
    }),
  );
  // Columns of numbers lie at multiples of eight.
  const padding = Buffer.alloc((8 - ((headLengthBytes + head.length) % 8)) % 8, ' ');
  const headLength = Buffer.alloc(headLengthBytes);
  headLength.writeUInt32LE(head.length + padding.length);
  const content = Buffer.concat([
    headLength,
    head,
    padding,
    ...[times, offsets, lengths, shapes, bits].map(bytesOf),
  ]);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}`;
  try {
    await writeFile(draft, [content, macOf(content, name, key)], { mode: 0o600, flag: 'wx' });
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}

/** Undefined when there is none that can be trusted. */
export async function readSidecar(
  path: string,
  name: SegmentName,
  state: string,
  key: Buffer,
): Promise<SegmentIndex | undefined> {
  const file = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!file || file.length < headLengthBytes + macBytes) return undefined;
  const content = file.subarray(0, -macBytes);
  if (!timingSafeEqual(macOf(content, name, key), file.subarray(-macBytes))) return undefined;
  const columnsAt = headLengthBytes + content.readUInt32LE();
  const head = headSchema.safeParse(JSON.parse(content.toString('utf8', headLengthBytes, columnsAt))).data;
  if (!head || head.state !== state) return undefined;
  return indexOf(name, head, new Uint8Array(content.subarray(columnsAt)).buffer);
}

function indexOf(name: SegmentName, head: z.infer<typeof headSchema>, columns: ArrayBuffer): SegmentIndex {
  const { count, words, firstMs, lastMs, reason } = head;
  return {
    ...head,
    name,
    reason,
    firstMs: firstMs ?? Infinity,
    lastMs: lastMs ?? -Infinity,
    times: new Float64Array(columns, 0, count),
    offsets: new Uint32Array(columns, 8 * count, count),
    lengths: new Uint32Array(columns, 12 * count, count),
    shapes: new Uint32Array(columns, 16 * count, count),
    words: words === 0 ? undefined : new WordFilter(new Uint8Array(columns, 20 * count, words)),
  };
}

/** Also over the segment's name: an index must not stand for another segment. */
function macOf(content: Buffer, { chain, number }: SegmentName, key: Buffer): Buffer {
  return createHmac('sha256', key).update(`${chain} ${number}\n`).update(content).digest();
}

function bytesOf(column: Float64Array | Uint32Array | Uint8Array): Uint8Array {
  return new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
}

/** JSON has no infinity, which an empty segment has. */
function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
