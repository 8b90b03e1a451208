/**
 * Removes the oldest segments when their time is over. The record of it is on stable storage before anything is
 * removed, and nothing that does not verify is removed: it may be evidence.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { closingCheckpointFile } from './checkpoints.ts';
import { expiredFile, parseExpired, type Tombstone } from './expired.ts';
import { writeAll, type Files, type OpenFile } from './files.ts';
import { readLine } from './line.ts';
import { firstLineOf, linesOf } from './lines.ts';
import { listSegments } from './recover.ts';
import { codeOf } from './report.ts';
import { readHeader, scanSegment } from './scan.ts';
import { fileOf, type SegmentName } from './segment-name.ts';
import { expiredEvent } from './segment-shape.ts';

export interface Expiry {
  readonly files: Files;
  readonly directory: string;
  /** Resolves with the record's seq when it is on stable storage. */
  readonly append: (event: string, members: Tombstone) => Promise<number>;
}

export class SegmentUnsound extends Error {
  constructor(file: string, reason: string) {
    super(`${file} is not removed, because it does not verify: ${reason}`);
    this.name = 'SegmentUnsound';
  }
}

/** Removes the segments that were followed by another before this time; returns how many. */
export async function expireSegments(expiry: Expiry, before: Date): Promise<number> {
  const names = await listSegments(expiry.directory);
  let removed = 0;
  for (const [at, name] of names.entries()) {
    const next = names[at + 1];
    const beganAt = next && (await firstTime(join(expiry.directory, fileOf(next))));
    if (!next || beganAt === undefined || beganAt >= before.getTime()) break;
    const tombstone = await judge(expiry.directory, name, next);
    const seq = await expiry.append(expiredEvent, tombstone);
    await keepRemains(expiry, name, seq);
    await expiry.files.remove(join(expiry.directory, closingCheckpointFile(name.number)));
    await expiry.files.remove(join(expiry.directory, fileOf(name)));
    await expiry.files.syncDirectory(expiry.directory);
    removed += 1;
  }
  return removed;
}

async function firstTime(path: string): Promise<number | undefined> {
  const line = await firstLineOf(path);
  const prefix = line && readLine(line);
  return prefix && Date.parse(prefix.ts);
}

async function judge(directory: string, name: SegmentName, next: SegmentName): Promise<Tombstone> {
  const previous = (await readHeader(join(directory, fileOf(next)), next))?.previous;
  if (!previous) throw new SegmentUnsound(fileOf(name), 'the segment behind it has no readable header');
  const limit = previous.closed ? {} : { limit: previous.bytes };
  const { fault, end, lines } = await scanSegment(join(directory, fileOf(name)), name, limit);
  if (fault) throw new SegmentUnsound(fileOf(name), fault.reason);
  const fits = previous.head === end.head && previous.seq === end.seq && previous.root === end.tree.root();
  if (!fits) throw new SegmentUnsound(fileOf(name), 'the segment behind it tells something else of it');
  // `seq` is the place of the line that says this.
  const { seq: lastSeq, ...told } = previous;
  const { firstTs, lastTs } = end;
  return { ...told, firstSeq: name.firstSeq, lastSeq, count: lines, firstTs, lastTs };
}

/** The header and the tombstone, on stable storage behind those of the segments before. */
async function keepRemains({ files, directory }: Expiry, name: SegmentName, seq: number): Promise<void> {
  const header = await firstLineOf(join(directory, fileOf(name)));
  const tombstone = await lineAt(directory, seq);
  if (!header || !tombstone) throw new Error(`The record of the removal of ${fileOf(name)} cannot be read.`);
  const path = join(directory, expiredFile(name.chain));
  const file = await openOrCreate(files, path);
  try {
    const { segments, bytes } = parseExpired(await readFile(path));
    if (segments.at(-1)?.header.segment === name.number) return;
    await file.truncate(bytes);
    const newline = Buffer.from('\n');
    await writeAll(file, Buffer.concat([header, newline, tombstone, newline]), bytes);
    await file.dataSync();
  } finally {
    await file.close();
  }
  await files.syncDirectory(directory);
}

async function openOrCreate(files: Files, path: string): Promise<OpenFile> {
  try {
    return await files.open(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    return files.create(path);
  }
}

async function lineAt(directory: string, seq: number): Promise<Buffer | undefined> {
  const name = (await listSegments(directory)).findLast(({ firstSeq }) => firstSeq <= seq);
  if (!name) return undefined;
  for await (const { lines } of linesOf(join(directory, fileOf(name)))) {
    const found = lines.find((line) => readLine(line)?.seq === seq);
    if (found) return Buffer.from(found);
  }
  return undefined;
}
