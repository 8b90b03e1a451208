/**
 * A disk of a few MiB that can be filled. Where this user may mount one it is a real file system; elsewhere the real
 * files with what is written counted. A test must hold on both.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { realFiles, type Files, type OpenFile } from '../../src/audit/files.ts';

const run = promisify(execFile);

export interface SmallDisk extends AsyncDisposable {
  /** On the disk; empty. */
  readonly directory: string;
  readonly files: Files;
  readonly isReal: boolean;
  /** Somebody else takes all that is left. */
  fill(): Promise<void>;
  /** … and gives it back. */
  empty(): Promise<void>;
}

export async function createSmallDisk(bytes: number): Promise<SmallDisk> {
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-disk-'));
  const isReal = await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', directory]).then(
    () => true,
    () => false, // not root, or nothing to mount with
  );
  return isReal ? new MountedDisk(directory) : new CountedDisk(directory, bytes);
}

class MountedDisk implements SmallDisk {
  readonly directory: string;
  readonly files = realFiles;
  readonly isReal = true;

  constructor(directory: string) {
    this.directory = directory;
  }

  async fill(): Promise<void> {
    await using filler = await open(join(this.directory, 'filler'), 'w');
    for (let size = 65_536; size >= 1; size = size >> 1) {
      // The last portions are small, so that nothing is left.
      while (await fits(filler.write(Buffer.alloc(size, 1)))) continue;
    }
  }

  empty(): Promise<void> {
    return rm(join(this.directory, 'filler'), { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run('umount', ['-l', this.directory]);
    await rm(this.directory, { recursive: true });
  }
}

async function fits(written: Promise<unknown>): Promise<boolean> {
  try {
    await written;
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    return false;
  }
}

class CountedDisk implements SmallDisk {
  readonly directory: string;
  readonly isReal = false;
  readonly #bytes: number;
  readonly #sizes = new Map<string, number>();
  #filler = 0;

  constructor(directory: string, bytes: number) {
    this.directory = directory;
    this.#bytes = bytes;
  }

  get #free(): number {
    return this.#bytes - this.#filler - this.#sizes.values().reduce((sum, size) => sum + size, 0);
  }

  readonly files: Files = {
    ...realFiles,
    create: async (path, mode) => this.#count(path, await realFiles.create(path, mode)),
    open: async (path) => this.#count(path, await realFiles.open(path)),
    space: () => Promise.resolve({ freeBytes: Math.max(0, this.#free), totalBytes: this.#bytes }),
    remove: async (path) => {
      await realFiles.remove(path);
      this.#sizes.delete(path);
    },
    rename: async (from, to) => {
      await realFiles.rename(from, to);
      this.#sizes.set(to, this.#sizes.get(from) ?? 0);
      this.#sizes.delete(from);
    },
  };

  #count(path: string, file: OpenFile): OpenFile {
    return {
      ...file,
      write: (bytes, offset) => {
        const size = this.#sizes.get(path) ?? 0;
        const grown = Math.max(size, offset + bytes.length);
        if (grown - size > this.#free)
          return Promise.reject(Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' }));
        this.#sizes.set(path, grown);
        return file.write(bytes, offset);
      },
      truncate: (length) => {
        this.#sizes.set(path, length);
        return file.truncate(length);
      },
    };
  }

  async fill(): Promise<void> {
    this.#filler += this.#free;
  }

  async empty(): Promise<void> {
    this.#filler = 0;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return rm(this.directory, { recursive: true });
  }
}
