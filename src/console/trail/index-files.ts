/**
 * Where indexes outlive the process: a file for each closed segment, and one for what was read of a segment that still grows.
 * Invariant: without the files everything works, only slower; what goes wrong with them is told and fails no question.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { fileOf, type SegmentName } from '../../audit/segment-name.ts';
import { describeError, log } from '../../log.ts';
import type { SegmentIndex } from './segment-index.ts';
import { readSidecar, writeSidecar } from './sidecar.ts';

const suffixes = { closed: '.index', growing: '.index.growing' } as const;

export class IndexFiles {
  readonly #directory: string;
  readonly #key: Buffer;
  readonly #suffix: string;

  constructor(
    kind: keyof typeof suffixes,
    { directory, key }: { readonly directory: string; readonly key: Buffer },
  ) {
    this.#directory = directory;
    this.#key = key;
    this.#suffix = suffixes[kind];
  }

  /** @param state what the segment must have been when the file was written */
  read(name: SegmentName, state: string): Promise<SegmentIndex | undefined> {
    return attempt(() => readSidecar(this.#pathOf(name), name, state, this.#key));
  }

  async write(index: SegmentIndex, state: string): Promise<void> {
    await attempt(() => writeSidecar(this.#pathOf(index.name), index, state, this.#key));
  }

  async remove(name: SegmentName): Promise<void> {
    await attempt(() => rm(this.#pathOf(name), { force: true }));
  }

  #pathOf(name: SegmentName): string {
    return join(this.#directory, `${fileOf(name)}${this.#suffix}`);
  }
}

/** Removes what is left of segments that are gone. */
export async function sweepFiles(directory: string, segments: readonly SegmentName[]): Promise<void> {
  const known = new Set(segments.map(fileOf));
  const files = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  for (const file of files.filter((name) => name.includes(suffixes.closed)))
    if (!known.has(file.slice(0, file.indexOf(suffixes.closed))))
      await rm(join(directory, file), { force: true });
}

async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    log.warn('an index of the console cannot be read or written', describeError(error));
    return undefined;
  }
}
