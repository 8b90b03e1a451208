/**
 * Space that is kept for the day on which the disk is full: a file that goes then, so that the trail can still say what
 * happened. While it is gone no new promise is made, however much there seems to be free.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import type { Files, OpenFile } from './files.ts';
import { codeOf } from './report.ts';

export const ballastFile = 'ballast';
/** Small portions, because the trail waits for the same disk. */
const portion = 1024 * 1024;
/** What must be free beside it, or filling it would itself be what fills the disk. */
const spare = 1024 * 1024;
/** Quotas are not seen beforehand, so an attempt that failed is not repeated at once. */
const pauseMs = 2000;

export class Ballast {
  readonly #files: Files;
  readonly #directory: string;
  readonly #path: string;
  readonly #bytes: number;
  /** What was given free, and must be put aside again before anything is promised. */
  #given = 0;
  #filling: Promise<void> | undefined;
  #released = false;
  #notBefore = 0;

  /** @param bytes 0: there is none */
  constructor(files: Files, directory: string, bytes: number) {
    this.#files = files;
    this.#directory = directory;
    this.#path = join(directory, ballastFile);
    this.#bytes = bytes;
  }

  /** Whether the disk was full, and what was kept for that has not been put aside again. */
  get released(): boolean {
    return this.#released;
  }

  /** Rejects where there is no space for it; what it took is then given back. */
  async fill(): Promise<void> {
    if (this.#bytes === 0) return this.#files.remove(this.#path);
    this.#filling ??= this.#fill(this.#bytes).finally(() => (this.#filling = undefined));
    return this.#filling;
  }

  /** Gives the space free; false when there is none to give. */
  async release(): Promise<boolean> {
    if (this.#bytes === 0 || this.#released) return false;
    this.#released = true;
    await this.#filling?.catch(() => undefined); // whoever began it is told
    this.#given = await this.#kept();
    this.#released = this.#given > 0;
    await this.#files.remove(this.#path);
    return this.#released;
  }

  /** Whether there is space again: as soon as what was given free could be put aside anew. */
  async isBack(): Promise<boolean> {
    if (!this.#released) return true;
    if (performance.now() < this.#notBefore) return false;
    const { freeBytes } = await this.#files.space(this.#directory);
    if (freeBytes < this.#given + spare) return false;
    this.#released = false;
    try {
      await this.#fill(this.#given);
      return true;
    } catch (error) {
      this.#released = true;
      this.#notBefore = performance.now() + pauseMs;
      if (!isFull(error)) throw error;
      return false;
    }
  }

  async #fill(goal: number): Promise<void> {
    let done = await this.#kept();
    if (done >= goal) return;
    const { freeBytes } = await this.#files.space(this.#directory);
    if (freeBytes < goal - done + spare)
      throw Object.assign(new Error('There is no space for the ballast.'), { code: 'ENOSPC' });
    const file = await this.#open();
    try {
      // Not zeros: some file systems keep no blocks for them.
      const bytes = randomBytes(portion);
      while (done < goal && !this.#released) {
        done += await file.write(bytes.subarray(0, goal - done), done);
        await file.dataSync();
      }
    } catch (error) {
      await this.#files.remove(this.#path);
      throw error;
    } finally {
      await file.close();
    }
  }

  async #open(): Promise<OpenFile> {
    try {
      return await this.#files.open(this.#path);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      return this.#files.create(this.#path);
    }
  }

  /** What a former process has put aside counts. */
  async #kept(): Promise<number> {
    try {
      return (await this.#files.look(this.#path)).bytes;
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      return 0;
    }
  }
}

/** No space, or none that this user may have. */
export function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(codeOf(error));
}
