/**
 * Indexes of segments that are being written, each read on from where it ended; also after a restart, because what was read
 * is kept on disk. Invariant: a kept index is gone on with only where its last record stands as it stood; else the segment
 * is read from its beginning.
 */
import type { SegmentFile } from '../../audit/chain-files.ts';
import { linesOf } from '../../audit/lines.ts';
import type { IndexFiles } from './index-files.ts';
import { readRecords } from './matches.ts';
import { IndexBuilder, type SegmentIndex } from './segment-index.ts';

interface Growing {
  readonly inode: number;
  readonly builder: IndexBuilder;
  /** One reading at a time. */
  reading: Promise<void>;
  /** How far the file goes. */
  keptTo: number;
}

/** What a restart reads again at most, beside what was written after the last keeping; some hundredths of a second. */
const keepBytes = 1 << 20;

export class GrowingIndexes {
  readonly #files: IndexFiles;
  /** By path. */
  readonly #growing = new Map<string, Promise<Growing>>();

  constructor(files: IndexFiles) {
    this.#files = files;
  }

  /** Up to where the segment ends now. */
  async of(segment: SegmentFile, inode: number, size: number): Promise<SegmentIndex> {
    const growing = await this.#open(segment, inode, size);
    return this.#readOn(segment.path, growing);
  }

  /** The same of a segment that does not grow any more; undefined where nothing of it was read while it did. */
  async ofGrown(segment: SegmentFile, inode: number, size: number): Promise<SegmentIndex | undefined> {
    const growing = await this.#open(segment, inode, size);
    if (growing.builder.position > 0) return this.#readOn(segment.path, growing);
    this.#growing.delete(segment.path);
    return undefined;
  }

  async forget({ path, name }: SegmentFile): Promise<void> {
    this.#growing.delete(path);
    await this.#files.remove(name);
  }

  /** Writes down what a restart would have to read again. */
  async keep(): Promise<void> {
    for (const opening of this.#growing.values()) {
      const growing = await opening;
      const index = growing.builder.index();
      if (index.position < growing.keptTo + keepBytes) continue;
      await this.#files.write(index, stateOf(growing.inode));
      growing.keptTo = index.position;
    }
  }

  /** Forgets segments that are gone. */
  sweep(paths: ReadonlySet<string>): void {
    for (const path of this.#growing.keys()) if (!paths.has(path)) this.#growing.delete(path);
  }

  async #open(segment: SegmentFile, inode: number, size: number): Promise<Growing> {
    const known = this.#growing.get(segment.path);
    if (known) {
      const growing = await known;
      if (growing.inode === inode && growing.builder.position <= size) return growing;
    }
    const begun = this.#begin(segment, inode, size);
    this.#growing.set(segment.path, begun);
    return begun;
  }

  async #begin({ path, name }: SegmentFile, inode: number, size: number): Promise<Growing> {
    const kept = await this.#files.read(name, stateOf(inode));
    const seq = kept && kept.position <= size ? await lastSeqOf(kept, path) : undefined;
    const builder = kept && seq !== undefined ? IndexBuilder.from(kept, seq) : new IndexBuilder(name);
    return { inode, builder, reading: Promise.resolve(), keptTo: builder.position };
  }

  async #readOn(path: string, growing: Growing): Promise<SegmentIndex> {
    growing.reading = growing.reading.then(() => readOn(growing.builder, path));
    try {
      await growing.reading;
    } catch (error) {
      this.#growing.delete(path); // whoever asks next begins anew
      throw error;
    }
    return growing.builder.index();
  }
}

interface ReadOn {
  readonly limit?: number | undefined;
  readonly pause?: (() => Promise<void>) | undefined;
}

export async function readOn(
  builder: IndexBuilder,
  path: string,
  { limit, pause }: ReadOn = {},
): Promise<void> {
  let offset = builder.position;
  for await (const { lines } of linesOf(path, { from: offset, limit })) {
    for (const line of lines) {
      builder.take(line, offset);
      offset += line.length + 1;
    }
    await pause?.();
  }
}

/** Undefined where the index does not end with the record that stands there now. */
async function lastSeqOf(index: SegmentIndex, path: string): Promise<number | undefined> {
  const last = index.count - 1;
  const end = (index.offsets[last] ?? 0) + (index.lengths[last] ?? 0) + 1;
  if (last < 0 || end !== index.position) return undefined;
  const entry = (await readRecords({ instance: '', path, index }, [last])).get(last);
  return entry && Date.parse(entry.ts) === index.times[last] ? entry.seq : undefined;
}

function stateOf(inode: number): string {
  return `growing ${inode}`;
}
