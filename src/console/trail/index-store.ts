/**
 * The indexes of all segments: those lately used in memory, those of closed segments also on disk. Invariant: however long
 * the trail is, memory holds no more than the budget and what is being written now.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import type { SegmentFile } from '../../audit/chain-files.ts';
import { linesOf } from '../../audit/lines.ts';
import { headerOf, limitOf, type Chain } from '../../audit/read.ts';
import { fileOf, type SegmentName } from '../../audit/segment-name.ts';
import { footerEvent } from '../../audit/segment.ts';
import { describeError, log } from '../../log.ts';
import { IndexBuilder, type SegmentIndex } from './segment-index.ts';
import { readSidecar, writeSidecar } from './sidecar.ts';
import { WordFilter } from './word-filter.ts';

export interface IndexStoreOptions {
  readonly directory: string;
  readonly key: Buffer;
  readonly budgetBytes?: number;
}

type Known = Pick<SegmentIndex, 'damages' | 'siblings'>;

const defaultBudgetBytes = 96 * 1024 * 1024;
const suffix = '.index';

interface Held {
  readonly state: string;
  readonly index: SegmentIndex;
}

interface Growing {
  readonly inode: number;
  readonly builder: IndexBuilder;
  /** One reading at a time. */
  reading: Promise<void>;
}

export class IndexStore {
  readonly #directory: string;
  readonly #key: Buffer;
  readonly #budgetBytes: number;
  /** By path, the one that was not used for longest first. */
  readonly #held = new Map<string, Held>();
  readonly #running = new Map<string, Promise<SegmentIndex>>();
  readonly #growing = new Map<string, Growing>();
  /** What is said of each segment with every answer, whether its index is in memory or not. */
  readonly #known = new Map<string, Known>();
  /** What each header says of the segment before it, which it will always say. */
  readonly #limits = new Map<string, number | undefined>();
  #heldBytes = 0;

  constructor({ directory, key, budgetBytes = defaultBudgetBytes }: IndexStoreOptions) {
    this.#directory = directory;
    this.#key = key;
    this.#budgetBytes = budgetBytes;
  }

  /** Of a segment of the chain as it is now. */
  async of({ segments }: Chain, at: number): Promise<SegmentIndex> {
    const [segment, next] = segments.slice(at, at + 2);
    if (!segment) throw new RangeError('The chain has no such segment.');
    const limit = next && (await this.#limit(segment.name, next));
    const { size, mtimeMs, ino } = await stat(segment.path);
    const state = [ino, size, mtimeMs, limit ?? ''].join(' ');
    const held = this.#held.get(segment.path);
    if (held?.state === state) return this.#touch(segment.path, held);
    if (!next) return this.#grow(segment, ino, size);
    const loading = this.#running.getOrInsertComputed(`${segment.path} ${state}`, () =>
      this.#load(segment, state, limit).finally(() => this.#running.delete(`${segment.path} ${state}`)),
    );
    if (limit !== undefined || this.#growing.get(segment.path)?.inode !== ino) return loading;
    // It was closed a moment ago, and is known but for its words: nobody has to wait for those.
    loading.catch((error: unknown) => log.warn('a segment cannot be indexed', describeError(error)));
    return this.#grow(segment, ino, size);
  }

  /** Undefined where the segment was not indexed yet. */
  knownOf(path: string): Known | undefined {
    return this.#known.get(path);
  }

  /** Removes what is left of segments that are gone. */
  async sweep(chains: readonly Chain[]): Promise<void> {
    const files = await readdir(this.#directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    const paths = new Set(chains.flatMap(({ segments }) => segments.map(({ path }) => path)));
    for (const map of [this.#known, this.#growing, this.#limits])
      for (const path of map.keys()) if (!paths.has(path)) map.delete(path);
    const known = new Set(chains.flatMap(({ segments }) => segments.map(({ name }) => fileOf(name))));
    for (const file of files.filter((name) => name.includes(suffix))) {
      const segment = file.slice(0, file.indexOf(suffix));
      if (!known.has(segment)) await rm(join(this.#directory, file), { force: true });
    }
  }

  async #limit(name: SegmentName, next: SegmentFile): Promise<number | undefined> {
    if (this.#limits.has(next.path)) return this.#limits.get(next.path);
    const header = await headerOf(next);
    const limit = limitOf(name, header);
    // A segment that was just made has no header yet.
    if (header) this.#limits.set(next.path, limit);
    return limit;
  }

  async #load(segment: SegmentFile, state: string, limit: number | undefined): Promise<SegmentIndex> {
    const path = join(this.#directory, `${fileOf(segment.name)}${suffix}`);
    const kept = await this.#attempt(() => readSidecar(path, segment.name, state, this.#key));
    const index = kept ?? (await readSegment(segment, limit));
    if (!kept) await this.#attempt(() => writeSidecar(path, index, state, this.#key));
    this.#growing.delete(segment.path);
    this.#hold(segment.path, { state, index });
    return index;
  }

  /** Without the files everything works, only slower. */
  async #attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      log.warn('an index of the console cannot be read or written', describeError(error));
      return undefined;
    }
  }

  async #grow({ path, name }: SegmentFile, inode: number, size: number): Promise<SegmentIndex> {
    const known = this.#growing.get(path);
    const growing: Growing =
      known?.inode === inode && known.builder.position <= size
        ? known
        : { inode, builder: new IndexBuilder(name), reading: Promise.resolve() };
    this.#growing.set(path, growing);
    growing.reading = growing.reading.then(() => readOn(growing.builder, path));
    await growing.reading;
    const index = growing.builder.index();
    this.#known.set(path, { damages: index.damages, siblings: index.siblings });
    return index;
  }

  #touch(path: string, held: Held): SegmentIndex {
    this.#held.delete(path);
    this.#held.set(path, held);
    return held.index;
  }

  #hold(path: string, held: Held): void {
    const { damages, siblings } = held.index;
    this.#known.set(path, { damages, siblings });
    const before = this.#held.get(path);
    if (before) this.#drop(path, before);
    this.#held.set(path, held);
    this.#heldBytes += bytesOf(held.index);
    for (const [oldest, each] of this.#held) {
      if (this.#heldBytes <= this.#budgetBytes) return;
      if (oldest !== path) this.#drop(oldest, each);
    }
  }

  #drop(path: string, { index }: Held): void {
    this.#held.delete(path);
    this.#heldBytes -= bytesOf(index);
  }
}

async function readSegment(
  { path, name, bytes }: SegmentFile,
  limit: number | undefined,
): Promise<SegmentIndex> {
  const builder = new IndexBuilder(name, WordFilter.for(bytes));
  await readOn(builder, path, limit);
  const index = builder.index();
  const isWhole = index.lastEvent === footerEvent || limit !== undefined;
  return isWhole ? index : { ...index, damages: [...index.damages, 'its end is missing: it has no footer'] };
}

async function readOn(builder: IndexBuilder, path: string, limit?: number): Promise<void> {
  let offset = builder.position;
  for await (const { lines } of linesOf(path, { from: offset, limit }))
    for (const line of lines) {
      builder.take(line, offset);
      offset += line.length + 1;
    }
}

function bytesOf({ count, shapeTexts, words }: SegmentIndex): number {
  const texts = shapeTexts.reduce((sum, text) => sum + 2 * text.length, 0);
  return 20 * count + texts + (words?.bits.length ?? 0);
}
