/**
 * What of a trail may leave the host: the lines that a checkpoint covers, because those are on stable storage. A line
 * behind it may still be taken back, and its number given to another one.
 */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { checkpointFile } from '../audit/checkpoints.ts';
import { Entry } from '../audit/entry.ts';
import { readLine } from '../audit/line.ts';
import { firstLineOf, linesOf } from '../audit/lines.ts';
import { originOf, parseCheckpoint } from '../audit/note.ts';
import { headerOf, limitOf } from '../audit/read.ts';
import { listSegments } from '../audit/recover.ts';
import { codeOf } from '../audit/report.ts';
import { fileOf, type SegmentName } from '../audit/segment-name.ts';
import { headerEvent } from '../audit/segment-shape.ts';
import { CheckpointEntry } from './checkpoint-entry.ts';
import type { Place } from './place.ts';

/** A checkpoint, and the segments that were there when it had been read. */
export interface Confirmed {
  readonly chain: string;
  readonly size: number;
  readonly note: string;
  /** When it was put down, in ms. */
  readonly at: number;
  readonly segments: readonly SegmentName[];
}

/** Host and version of the process that wrote, as its segment's header says. */
export interface Author {
  readonly host: string | undefined;
  readonly version: string | undefined;
}

export interface Step {
  /** Undefined when all that is left cannot be read. */
  readonly entry: Entry | undefined;
  readonly author: Author;
  /** Lines before it that are not there any more or not as they were written. */
  readonly missing: number;
  /** Behind it. */
  readonly place: Place;
}

export class Source {
  readonly #directory: string;
  readonly #instance: string;
  #author: Author & { readonly segment: number } = { segment: 0, host: undefined, version: undefined };

  /** @param directory the instance's, where its segments are */
  constructor(directory: string, instance: string) {
    this.#directory = directory;
    this.#instance = instance;
  }

  /** Undefined when there is nothing behind the given place. */
  async look(place: Place | undefined): Promise<Confirmed | undefined> {
    const path = join(this.#directory, checkpointFile);
    const note = await ifThere(readFile(path, 'utf8'));
    const checkpoint = note === undefined ? undefined : parseCheckpoint(note);
    if (note === undefined || !checkpoint) return undefined;
    const { origin, size } = checkpoint;
    if (place && origin === originOf(place.chain) && size <= place.seq && size <= place.checkpoint)
      return undefined;
    const at = (await ifThere(stat(path)))?.mtimeMs ?? Date.now();
    // Listed after the checkpoint was read: if its last line is in a later segment, that is in the list.
    const segments = (await listSegments(this.#directory)).filter(({ chain }) => originOf(chain) === origin);
    const chain = segments[0]?.chain;
    return chain === undefined ? undefined : { chain, size, note, at, segments };
  }

  /** What is confirmed behind the place, one by one, and at the end the checkpoint itself. */
  async *read(confirmed: Confirmed, from: Place): AsyncGenerator<Step> {
    let place = from;
    for await (const step of this.#lines(confirmed, from)) {
      ({ place } = step);
      yield step;
    }
    const { size, chain, note, at, segments } = confirmed;
    const author = this.#author;
    if (place.seq < size) {
      yield { entry: undefined, author, missing: size - place.seq, place: { ...place, seq: size } };
      place = { ...place, seq: size };
    }
    const segment = segments.at(-1) ?? { chain, number: 1, firstSeq: 1 };
    const entry = new CheckpointEntry(this.#instance, segment, { size, note, at });
    yield { entry, author, missing: 0, place: { ...place, checkpoint: size } };
  }

  async *#lines({ chain, size, segments }: Confirmed, from: Place): AsyncGenerator<Step> {
    let { seq } = from;
    for (const [at, name] of segments.entries()) {
      if (name.number < from.segment) continue;
      if (seq >= size) return;
      const path = this.#pathOf(name);
      const next = segments[at + 1];
      const limit = next && limitOf(name, await headerOf({ path: this.#pathOf(next) }));
      let position = name.number === from.segment ? from.position : 0;
      if (position > 0) await this.#learnAuthor(name);
      for await (const { lines } of linesOf(path, { from: position, limit }))
        for (const line of lines) {
          position += line.length + 1;
          const prefix = readLine(line);
          if (!prefix || prefix.seq <= seq) continue;
          if (prefix.seq > size) return;
          const missing = prefix.seq - seq - 1;
          ({ seq } = prefix);
          const entry = new Entry(this.#instance, name, prefix, line);
          if (entry.event === headerEvent) this.#author = authorIn(entry);
          const place = { chain, segment: name.number, position, seq, checkpoint: from.checkpoint };
          yield { entry, author: this.#author, missing, place };
        }
    }
  }

  /** A reader that begins within a segment has not seen its header. */
  async #learnAuthor(name: SegmentName): Promise<void> {
    if (this.#author.segment === name.number) return;
    const line = await firstLineOf(this.#pathOf(name));
    const prefix = line && readLine(line);
    if (prefix) this.#author = authorIn(new Entry(this.#instance, name, prefix, line));
  }

  #pathOf(name: SegmentName): string {
    return join(this.#directory, fileOf(name));
  }
}

function authorIn(header: Entry): Author & { readonly segment: number } {
  const { number: segment } = header.segment;
  return { segment, host: header.text('inst', 'host'), version: header.text('inst', 'version') };
}

async function ifThere<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
