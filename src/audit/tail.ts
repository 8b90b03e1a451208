/**
 * The end of a trail and what is added to it: from segment to segment, restarts and new instances included. A line is
 * given when it is whole in the file, which may be a moment before it is confirmed.
 */
import type { SegmentFile } from './chain-files.ts';
import { Entry } from './entry.ts';
import { readLine } from './line.ts';
import { linesOf } from './lines.ts';
import { headerOf, limitOf, type Chain } from './read.ts';
import type { SegmentName } from './segment-name.ts';

export interface Place {
  /** The segment's number. */
  readonly segment: number;
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
  { instance, segments }: Chain,
  count: number,
  matches: Matches,
): Promise<ChainEnd> {
  let entries: Entry[] = [];
  let place: Place | undefined;
  for (let at = segments.length - 1; at >= 0 && (entries.length < count || !place); at -= 1) {
    const segment = segments[at];
    if (!segment) break;
    const found: Entry[] = [];
    let position = 0;
    for await (const batch of linesOf(segment.path, { limit: await limitAt(segments, at) })) {
      found.push(...entriesIn(instance, segment.name, batch.lines, matches));
      found.splice(0, found.length - count);
      position = batch.position;
    }
    place ??= { segment: segment.name.number, position };
    entries = [...found, ...entries].slice(-count);
  }
  return { entries, place };
}

async function limitAt(segments: readonly SegmentFile[], at: number): Promise<number | undefined> {
  const [segment, next] = segments.slice(at, at + 2);
  return segment && next && limitOf(segment.name, await headerOf(next));
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
  readonly #matches: Matches;
  #place: Place | undefined;

  constructor(place: Place | undefined, matches: Matches) {
    this.#place = place;
    this.#matches = matches;
  }

  /** @param chain as its files are now */
  async read({ instance, segments }: Chain): Promise<Entry[]> {
    const entries: Entry[] = [];
    for (const [at, segment] of segments.entries()) {
      if (this.#place && segment.name.number < this.#place.segment) continue;
      entries.push(...(await this.#readOn(instance, segment, await limitAt(segments, at))));
    }
    return entries;
  }

  async #readOn(instance: string, { name, path }: SegmentFile, limit: number | undefined): Promise<Entry[]> {
    const entries: Entry[] = [];
    const from = this.#place?.segment === name.number ? this.#place.position : 0;
    this.#place = { segment: name.number, position: from };
    for await (const { lines, position } of linesOf(path, { from, limit })) {
      entries.push(...entriesIn(instance, name, lines, this.#matches));
      this.#place = { segment: name.number, position };
    }
    return entries;
  }
}
