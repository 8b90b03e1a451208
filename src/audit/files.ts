/**
 * Every change the trail makes to the file system, as one small object, so that tests can fail each step.
 * It adds nothing to the system calls: who calls decides what a failure means.
 */
import { chmod, mkdir, open, rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface OpenFile {
  /** Returns the bytes written, which may be fewer than asked. */
  write(bytes: Uint8Array, offset: number): Promise<number>;
  /** fdatasync(2): the data and the size are on stable storage. */
  dataSync(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

export interface Files {
  makeDirectory(path: string): Promise<void>;
  /** Fails when the file exists. */
  create(path: string, mode?: number): Promise<OpenFile>;
  open(path: string): Promise<OpenFile>;
  /** What is at the path now, to learn whether it is still the file that was opened. */
  look(path: string): Promise<{ readonly inode: number; readonly bytes: number }>;
  /** What the file system at the path can still take from this user, and its size. */
  space(path: string): Promise<{ readonly freeBytes: number; readonly totalBytes: number }>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  protect(path: string): Promise<void>;
  syncDirectory(path: string): Promise<void>;
}

const directoryMode = 0o750;
const writableMode = 0o640;
const closedMode = 0o440;
/** Of files that nobody but the gateway may read. */
export const privateMode = 0o600;

async function openFile(path: string, flags: string, mode = writableMode): Promise<OpenFile> {
  const handle = await open(path, flags, mode);
  return {
    write: async (bytes, offset) => (await handle.write(bytes, 0, bytes.length, offset)).bytesWritten,
    dataSync: () => handle.datasync(),
    truncate: (length) => handle.truncate(length),
    close: () => handle.close(),
  };
}

/** Level by level: Node's own `recursive` never ends where ENOENT comes although the parent is there, as below /proc. */
async function makeDirectory(path: string): Promise<void> {
  const make = (): Promise<void> => mkdir(path, { mode: directoryMode }).catch(unless('EEXIST'));
  await make().catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeDirectory(dirname(path));
    await make();
  });
}

function unless(code: string): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    if (error.code !== code) throw error;
  };
}

export const realFiles: Files = {
  makeDirectory,
  create: (path, mode) => openFile(path, 'wx', mode),
  open: (path) => openFile(path, 'r+'),
  look: async (path) => {
    const { ino, size } = await stat(path);
    return { inode: ino, bytes: size };
  },
  space: async (path) => {
    const { bavail, blocks, bsize } = await statfs(path);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  },
  rename,
  remove: (path) => rm(path, { force: true }),
  protect: (path) => chmod(path, closedMode),
  syncDirectory: async (path) => {
    await using directory = await open(path, 'r');
    await directory.sync();
  },
};

/** A new file with this content, on stable storage but for its directory entry. */
export async function writeFile(files: Files, path: string, bytes: Uint8Array, mode?: number): Promise<void> {
  const file = await files.create(path, mode);
  try {
    await writeAll(file, bytes, 0);
    await file.dataSync();
  } finally {
    await file.close();
  }
}

/** Writes all of it. A short write says nothing of its reason; the write of what is left does. */
export async function writeAll(file: OpenFile, bytes: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const written = await file.write(bytes.subarray(done), offset + done);
    if (written === 0) throw new Error('Nothing was written.');
    done += written;
  }
}
