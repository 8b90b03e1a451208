/**
 * A private file with the guard's state: whole at every moment, also when the process is killed. Whoever awaits `save` has
 * its change in the file; changes that come together are written together.
 */
import { readFile } from 'node:fs/promises';

import { writePrivate } from '../file-desk.ts';
import { describeError, log } from '../log.ts';

export class StateFile {
  readonly #file: string;
  #saving: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /** Undefined when there is none; one that is damaged is told of, and counts as none. */
  async read(): Promise<unknown> {
    try {
      return JSON.parse(await readFile(this.#file, 'utf8'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      log.error('the guard’s state cannot be read; counting begins anew', describeError(error));
      return undefined;
    }
  }

  /** Never rejects: what cannot be written is still counted in memory. */
  save(content: () => unknown): Promise<void> {
    if (!this.#saving) {
      this.#saving = this.#write(content).finally(() => (this.#saving = undefined));
      return this.#saving;
    }
    this.#next ??= this.#saving.then(() => {
      this.#next = undefined;
      return this.save(content);
    });
    return this.#next;
  }

  async #write(content: () => unknown): Promise<void> {
    try {
      await writePrivate(this.#file, JSON.stringify(content()));
    } catch (error) {
      log.warn('the guard’s state cannot be kept; a restart would forget it', describeError(error));
    }
  }
}
