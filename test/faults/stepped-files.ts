/**
 * The real files, each of whose operations is a step that may be made to fail. None waits for the disk: what a file system
 * has taken is lost with the power alone, which no test here takes away, and thousands of waits would take minutes.
 */
import { realFiles, type Files, type OpenFile } from '../../src/audit/files.ts';

/** What of an operation can happen although it fails. */
export interface Remains<T> {
  /** Half of a write. */
  readonly half?: () => Promise<T>;
  /** A descriptor is gone even if close reports an error. */
  readonly always?: () => Promise<unknown>;
}

async function written(file: Promise<OpenFile>): Promise<OpenFile> {
  return { ...(await file), dataSync: async () => {} };
}

export const unsyncedFiles: Files = {
  ...realFiles,
  create: (path, mode) => written(realFiles.create(path, mode)),
  open: (path) => written(realFiles.open(path)),
  syncDirectory: async () => {},
};

export abstract class SteppedFiles implements Files {
  steps = 0;

  /** Does the work of step `this.steps`, or fails it. */
  protected abstract carryOut<T>(work: () => Promise<T>, remains: Remains<T>): Promise<T>;

  makeDirectory = (path: string): Promise<void> => this.#step(() => unsyncedFiles.makeDirectory(path));
  create = (path: string, mode?: number): Promise<OpenFile> =>
    this.#step(async () => this.#wrap(await unsyncedFiles.create(path, mode)));
  open = (path: string): Promise<OpenFile> =>
    this.#step(async () => this.#wrap(await unsyncedFiles.open(path)));
  look = (path: string): ReturnType<Files['look']> => this.#step(() => unsyncedFiles.look(path));
  space = (path: string): ReturnType<Files['space']> => this.#step(() => unsyncedFiles.space(path));
  rename = (from: string, to: string): Promise<void> => this.#step(() => unsyncedFiles.rename(from, to));
  remove = (path: string): Promise<void> => this.#step(() => unsyncedFiles.remove(path));
  protect = (path: string): Promise<void> => this.#step(() => unsyncedFiles.protect(path));
  syncDirectory = (path: string): Promise<void> => this.#step(() => unsyncedFiles.syncDirectory(path));

  #wrap(file: OpenFile): OpenFile {
    return {
      write: (bytes, offset) =>
        this.#step(() => file.write(bytes, offset), {
          half: () => file.write(bytes.subarray(0, bytes.length >> 1), offset),
        }),
      dataSync: () => this.#step(() => file.dataSync()),
      truncate: (length) => this.#step(() => file.truncate(length)),
      close: () => this.#step(() => file.close(), { always: () => file.close() }),
    };
  }

  #step<T>(work: () => Promise<T>, remains: Remains<T> = {}): Promise<T> {
    this.steps += 1;
    return this.carryOut(work, remains);
  }
}
