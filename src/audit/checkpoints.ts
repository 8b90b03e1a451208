/**
 * Signs how far the chain has come and puts it beside the segments: the newest checkpoint, and one for the end of each
 * segment. It signs only what is on stable storage, and nobody who records waits for its files.
 */
import { join } from 'node:path';

import { writeFile, type Files } from './files.ts';
import { checkpointText, originOf, signNote } from './note.ts';
import type { Segment } from './segment.ts';
import type { SigningKey } from './signing-key.ts';

export const checkpointFile = 'checkpoint';
const draftFile = 'checkpoint.new';

/** The checkpoint at the end of a segment. */
export function closingCheckpointFile(segment: number): string {
  return `checkpoint-${String(segment).padStart(8, '0')}`;
}

/** A checkpoint that was signed, and the chain's tree at that point. */
export interface Signed {
  readonly note: string;
  readonly tree: Segment['position']['chainTree'];
}

export class Checkpoints implements AsyncDisposable {
  readonly #files: Files;
  readonly #directory: string;
  readonly #logKey: SigningKey;
  readonly #onFailed: (error: unknown) => void;
  /** File name → what it will hold; a newer one takes the place of one that waits. */
  readonly #waiting = new Map<string, string>();
  #writing: Promise<void> | undefined;
  #size = 0;
  #onSigned: ((signed: Signed) => void) | undefined;

  /**
   * @param logKey stays the same for good and signs beside the segment's key, because witnesses know a log by one key
   * @param onFailed told when a checkpoint could not be put down; the next one is tried all the same
   */
  constructor(files: Files, directory: string, logKey: SigningKey, onFailed: (error: unknown) => void) {
    this.#files = files;
    this.#directory = directory;
    this.#logKey = logKey;
    this.#onFailed = onFailed;
  }

  set onSigned(listener: (signed: Signed) => void) {
    this.#onSigned = listener;
  }

  /** @param closing the segment has its footer, and this is its last checkpoint */
  take({ name, position, key }: Segment, closing = false): void {
    if (position.seq === this.#size) return;
    this.#size = position.seq;
    const origin = originOf(name.chain);
    const text = checkpointText(origin, position.chainTree.size, position.chainTree.root());
    const note = `${text}\n${signNote(text, origin, key)}${signNote(text, origin, this.#logKey)}`;
    this.#onSigned?.({ note, tree: position.chainTree });
    if (closing) this.#waiting.set(closingCheckpointFile(name.number), note);
    this.#waiting.set(checkpointFile, note);
    this.#writing ??= this.#write();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    for (let next; (next = this.#waiting.entries().next().value);) {
      const [file, note] = next;
      this.#waiting.delete(file);
      try {
        await replaceFile(this.#files, this.#directory, file, draftFile, note);
      } catch (error) {
        this.#onFailed(error);
      }
    }
    this.#writing = undefined;
  }
}

/** A reader finds the old content or the new one, and nothing in between, also after a power cut. */
export async function replaceFile(
  files: Files,
  directory: string,
  file: string,
  temporary: string,
  content: string,
): Promise<void> {
  const path = join(directory, temporary);
  await files.remove(path);
  await writeFile(files, path, Buffer.from(content));
  await files.rename(path, join(directory, file));
  await files.syncDirectory(directory);
}
