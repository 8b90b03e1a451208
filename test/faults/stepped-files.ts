/** The real files, each of whose operations is a step that may be made to fail. */
import { realFiles, type Files, type OpenFile } from '../../src/audit/files.ts';

/** What of an operation can happen although it fails. */
export interface Remains<T> {
  /** Half of a write. */
  readonly half?: () => Promise<T>;
  /** A descriptor is gone even if close reports an error. */
  readonly always?: () => Promise<unknown>;
}

export abstract class SteppedFiles implements Files {
  steps = 0;

  /** Does the work of step `this.steps`, or fails it. */
  protected abstract carryOut<T>(work: () => Promise<T>, remains: Remains<T>): Promise<T>;

  makeDirectory = (path: string): Promise<void> => this.#step(() => realFiles.makeDirectory(path));
  create = (path: string, mode?: number): Promise<OpenFile> =>
    this.#step(async () => this.#wrap(await realFiles.create(path, mode)));
  open = (path: string): Promise<OpenFile> => this.#step(async () => this.#wrap(await realFiles.open(path)));
  look = (path: string): ReturnType<Files['look']> => this.#step(() => realFiles.look(path));
  space = (path: string): ReturnType<Files['space']> => this.#step(() => realFiles.space(path));
  rename = (from: string, to: string): Promise<void> => this.#step(() => realFiles.rename(from, to));
  remove = (path: string): Promise<void> => this.#step(() => realFiles.remove(path));
  protect = (path: string): Promise<void> => this.#step(() => realFiles.protect(path));
  syncDirectory = (path: string): Promise<void> => this.#step(() => realFiles.syncDirectory(path));

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
