/**
 * The indexes of all segments: those lately used in memory, all of them also on disk. Invariant: however long
 * the trail is, memory holds no more than the budget and what is being written now.
 */
import { stat } from 'node:fs/promises';

import type { SegmentFile } from '../../audit/chain-files.ts';
import { headerOf, limitOf, type Chain } from '../../audit/read.ts';
import type { SegmentName } from '../../audit/segment-name.ts';
import { footerEvent } from '../../audit/segment-shape.ts';
import { GrowingIndexes, readOn } from './growing.ts';
import { IndexFiles, sweepFiles } from './index-files.ts';
import { IndexBuilder, type SegmentIndex } from './segment-index.ts';
import { WordFilter } from './word-filter.ts';

export interface IndexStoreOptions {
  readonly directory: string;
  readonly key: Buffer;
  readonly budgetBytes?: number;
}

type Known = Pick<SegmentIndex, 'damages' | 'siblings'>;

const defaultBudgetBytes = 96 * 1024 * 1024;

interface Held {
  readonly state: string;
  readonly index: SegmentIndex;
}

export class IndexStore {
  readonly #directory: string;
  readonly #files: IndexFiles;
  readonly #growing: GrowingIndexes;
  readonly #budgetBytes: number;
  /** By path, the one that was not used for longest first. */
  readonly #held = new Map<string, Held>();
  readonly #running = new Map<string, Promise<SegmentIndex>>();
  /** What is said of each segment with every answer, whether its index is in memory or not. */
  readonly #known = new Map<string, Known>();
  /** What each header says of the segment before it, which it will always say. */
  readonly #limits = new Map<string, number | undefined>();
  #heldBytes = 0;

  constructor({ budgetBytes = defaultBudgetBytes, ...place }: IndexStoreOptions) {
    this.#directory = place.directory;
    this.#files = new IndexFiles('closed', place);
    this.#growing = new GrowingIndexes(new IndexFiles('growing', place));
    this.#budgetBytes = budgetBytes;
  }

  /** Of a segment of the chain as it is now. */
  async of(chain: Chain, at: number): Promise<SegmentIndex> {
    const { segment, isLast, inode, size, state, limit } = await this.#look(chain, at);
    const held = this.#held.get(segment.path);
    if (held?.state === state) return this.#touch(segment.path, held);
    // One that was closed a moment ago, or as the gateway ended, is known but for its words: nobody waits for those.
    const grown = isLast
      ? await this.#growing.of(segment, inode, size)
      : limit === undefined && (await this.#growing.ofGrown(segment, inode, size));
    if (grown) return this.#know(segment.path, grown);
    return this.#running.getOrInsertComputed(`${segment.path} ${state}`, () =>
      this.#load(segment, state, limit).finally(() => this.#running.delete(`${segment.path} ${state}`)),
    );
  }

  /**
   * Reads a closed segment whose index is still that of its growth from its beginning, words and all.
   * @param pause resolves when nobody waits for an answer
   */
  async settle(chain: Chain, at: number, pause: () => Promise<void>): Promise<void> {
    const { segment, isLast, state, limit } = await this.#look(chain, at);
    if (!isLast && this.#held.get(segment.path)?.state !== state)
      await this.#load(segment, state, limit, pause);
  }

  /** Writes down what is known of segments that grow. */
  keep(): Promise<void> {
    return this.#growing.keep();
  }

  /** Undefined where the segment was not indexed yet. */
  knownOf(path: string): Known | undefined {
    return this.#known.get(path);
  }

  /** Removes what is left of segments that are gone. */
  async sweep(chains: readonly Chain[]): Promise<void> {
    const segments = chains.flatMap((chain) => chain.segments);
    const paths = new Set(segments.map(({ path }) => path));
    for (const map of [this.#known, this.#limits])
      for (const path of map.keys()) if (!paths.has(path)) map.delete(path);
    this.#growing.sweep(paths);
    await sweepFiles(
      this.#directory,
      segments.map(({ name }) => name),
    );
  }

  async #limit(name: SegmentName, next: SegmentFile): Promise<number | undefined> {
    if (this.#limits.has(next.path)) return this.#limits.get(next.path);
    const header = await headerOf(next);
    const limit = limitOf(name, header);
    // A segment that was just made has no header yet.
    if (header) this.#limits.set(next.path, limit);
    return limit;
  }

  async #look({ segments }: Chain, at: number) {
    const [segment, next] = segments.slice(at, at + 2);
    if (!segment) throw new RangeError('The chain has no such segment.');
    const limit = next && (await this.#limit(segment.name, next));
    const { size, mtimeMs, ino: inode } = await stat(segment.path);
    const state = [inode, size, mtimeMs, limit ?? ''].join(' ');
    return { segment, isLast: !next, inode, size, state, limit };
  }

  async #load(
    segment: SegmentFile,
    state: string,
    limit: number | undefined,
    pause?: () => Promise<void>,
  ): Promise<SegmentIndex> {
    const kept = await this.#files.read(segment.name, state);
    const index = kept ?? (await readSegment(segment, limit, pause));
    if (!kept) await this.#files.write(index, state);
    await this.#growing.forget(segment);
    this.#hold(segment.path, { state, index });
    return index;
  }

  #know(path: string, index: SegmentIndex): SegmentIndex {
    this.#known.set(path, { damages: index.damages, siblings: index.siblings });
    return index;
  }

  #touch(path: string, held: Held): SegmentIndex {
    this.#held.delete(path);
    this.#held.set(path, held);
    return held.index;
  }

  #hold(path: string, held: Held): void {
    this.#know(path, held.index);
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
  pause?: () => Promise<void>,
): Promise<SegmentIndex> {
  const builder = new IndexBuilder(name, WordFilter.for(bytes));
  await readOn(builder, path, { limit, pause });
  const index = builder.index();
  const isWhole = index.lastEvent === footerEvent || limit !== undefined;
  return isWhole ? index : { ...index, damages: [...index.damages, 'its end is missing: it has no footer'] };
}

function bytesOf({ count, shapeTexts, words }: SegmentIndex): number {
  const texts = shapeTexts.reduce((sum, text) => sum + 2 * text.length, 0);
  return 20 * count + texts + (words?.bits.length ?? 0);
}
