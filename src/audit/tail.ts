/**
 * The end of a trail and what is added to it: from segment to segment, restarts and new instances included. A line is
 * given when it is whole in the file, which may be a moment before it is confirmed.
 */
import { join } from 'node:path';

import { Entry } from './entry.ts';
import { readLine } from './line.ts';
import { linesOf } from './lines.ts';
import { limitOf, readHeader, type Chain } from './read.ts';
import { listSegments } from './recover.ts';
import { fileOf, type SegmentName } from './segment.ts';

export interface Place {
  readonly segment: SegmentName;
  readonly position: number;
}

export interface ChainEnd {
  readonly entries: readonly Entry[];
  /** Where to read on. */
  readonly place: Place | undefined;
}

type Matches = (entry: Entry) => boolean;

/** The last `count` entries that match, from as few segments as hold them. */
export async function endOf(
  { instance, directory, segments }: Chain,
  count: number,
  matches: Matches,
): Promise<ChainEnd> {
  let entries: Entry[] = [];
  let place: Place | undefined;
  for (let at = segments.length - 1; at >= 0 && entries.length < count; at -= 1) {
    const segment = segments[at];
    if (!segment) break;
    const next = segments[at + 1];
    const limit = limitOf(segment, next && (await readHeader(directory, next)));
    const found: Entry[] = [];
    let position = 0;
    for await (const batch of linesOf(join(directory, fileOf(segment)), { limit })) {
      found.push(...entriesIn(instance, segment, batch.lines, matches));
      found.splice(0, found.length - count);
      position = batch.position;
    }
    place ??= { segment, position };
    entries = [...found, ...entries].slice(-count);
  }
  return { entries, place };
}

function entriesIn(
  instance: string,
  segment: SegmentName,
  lines: readonly Buffer[],
  matches: Matches,
): Entry[] {
  return lines.flatMap((line) => {
    const prefix = readLine(line);
    const entry = prefix && new Entry(instance, segment, prefix, line);
    return entry && matches(entry) ? [entry.kept()] : [];
  });
}

/** Follows one chain; each call gives what has come since the last one. */
export class Follower {
  readonly #directory: string;
  readonly #instance: string;
  readonly #matches: Matches;
  #place: Place | undefined;

  constructor(
    { directory, instance }: Pick<Chain, 'directory' | 'instance'>,
    place: Place | undefined,
    matches: Matches,
  ) {
    this.#directory = directory;
    this.#instance = instance;
    this.#place = place;
    this.#matches = matches;
  }

  async read(): Promise<Entry[]> {
    const names = await listSegments(this.#directory);
    const entries: Entry[] = [];
    for (const [at, name] of names.entries()) {
      if (this.#place && name.number < this.#place.segment.number) continue;
      const next = names[at + 1];
      const limit = limitOf(name, next && (await readHeader(this.#directory, next)));
      entries.push(...(await this.#readOn(name, limit)));
    }
    return entries;
  }

  async #readOn(segment: SegmentName, limit: number | undefined): Promise<Entry[]> {
    const entries: Entry[] = [];
    const from = this.#place?.segment.number === segment.number ? this.#place.position : 0;
    this.#place = { segment, position: from };
    for await (const { lines, position } of linesOf(join(this.#directory, fileOf(segment)), {
      from,
      limit,
    })) {
      entries.push(...entriesIn(this.#instance, segment, lines, this.#matches));
      this.#place = { segment, position };
    }
    return entries;
  }
}
