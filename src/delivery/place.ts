/**
 * How far a destination has got in a chain, kept in a file beside the segments. What the file says has arrived, as far as
 * anybody can know; a process that begins anew goes on from there, and so may send things twice but leaves nothing out.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import { replaceFile } from '../audit/checkpoints.ts';
import { realFiles } from '../audit/files.ts';
import { codeOf } from '../audit/report.ts';

const placeSchema = z.object({
  chain: z.string(),
  /** The segment's number, and the byte in it where the next line begins. */
  segment: z.int().min(0),
  position: z.int().min(0),
  /** The last line that is behind; 0 at the beginning. */
  seq: z.int().min(0),
  /** The size of the last checkpoint that is behind. */
  checkpoint: z.int().min(0),
});

export type Place = Readonly<z.infer<typeof placeSchema>>;

export function beginningOf(chain: string): Place {
  return { chain, segment: 0, position: 0, seq: 0, checkpoint: 0 };
}

/** A file of somebody else's that cannot be read: nobody may guess what has arrived. */
export class PlaceUnreadable extends Error {
  constructor(path: string) {
    super(`${path} does not say how far the delivery has got; remove it to deliver everything again.`);
    this.name = 'PlaceUnreadable';
  }
}

export class PlaceFile {
  readonly #directory: string;
  readonly #file: string;

  /** @param directory the instance's, where its segments are */
  constructor(directory: string, destination: string) {
    this.#directory = directory;
    this.#file = `delivery-${destination}.json`;
  }

  /** Undefined when nothing was delivered yet. */
  async read(): Promise<Place | undefined> {
    const path = join(this.#directory, this.#file);
    try {
      return placeSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw new PlaceUnreadable(path);
    }
  }

  /** When this resolves, the place is on stable storage. */
  write(place: Place): Promise<void> {
    const text = `${JSON.stringify(place)}\n`;
    return replaceFile(realFiles, this.#directory, this.#file, `${this.#file}.new`, text);
  }
}
