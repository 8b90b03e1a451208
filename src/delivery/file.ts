/**
 * Lines at the end of a file, or into a pipe, for a collector on this machine. Somebody else rotates the file, so before
 * each batch it is looked at; a pipe that nobody reads is never waited for in a system call.
 */
import { constants } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { codeOf } from '../audit/report.ts';
import { NotTaken, type Destination } from './destination.ts';
import type { Message } from './message.ts';

const { O_APPEND, O_CREAT, O_NONBLOCK, O_WRONLY } = constants;
const mode = 0o640;
/** How often a full pipe is looked at. */
const fullMs = 20;

export class FileDestination implements Destination {
  readonly enveloped = true;
  readonly #path: string;
  #file: { readonly handle: FileHandle; readonly inode: number; readonly isRegular: boolean } | undefined;
  /** A write broke off within a line. */
  #isTorn = false;

  constructor(path: string) {
    this.#path = path;
  }

  async send(messages: readonly Message[], signal: AbortSignal): Promise<void> {
    try {
      const { handle, isRegular } = await this.#opened();
      const text = messages.flatMap(({ bodies }) => bodies.map((body) => `${body}\n`)).join('');
      await this.#write(handle, Buffer.from(this.#isTorn ? `\n${text}` : text), signal);
      // The place that is kept afterwards must not be ahead of the file after a power cut.
      if (isRegular) await handle.datasync();
    } catch (error) {
      if (error instanceof NotTaken) throw error;
      await this.#close();
      throw new NotTaken(codeOf(error), { cause: error });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  async #write(handle: FileHandle, bytes: Buffer, signal: AbortSignal): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      if (signal.aborted) throw new NotTaken('deadline');
      try {
        done += (await handle.write(bytes, done)).bytesWritten;
        this.#isTorn = done < bytes.length;
      } catch (error) {
        if (codeOf(error) !== 'EAGAIN') throw error;
        await sleep(fullMs);
      }
    }
  }

  async #opened() {
    if (this.#file && !(await this.#isStillThere(this.#file.inode))) await this.#close();
    if (this.#file) return this.#file;
    // Without O_NONBLOCK a pipe without a reader would hold a thread that the trail needs.
    const handle = await open(this.#path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, mode);
    const status = await handle.stat();
    this.#file = { handle, inode: status.ino, isRegular: status.isFile() };
    return this.#file;
  }

  async #isStillThere(inode: number): Promise<boolean> {
    try {
      return (await stat(this.#path)).ino === inode;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false;
      throw error;
    }
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.handle.close();
  }
}
