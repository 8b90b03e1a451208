/**
 * The chains of the other replicas, as the witness and the audit directory know them. Each trail names the others, so
 * that whoever takes one away must take it out of all of them; a name is a hint to look, and proves nothing by itself.
 */
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { z } from 'zod';

import { checkpointFile } from './checkpoints.ts';
import { parseCheckpoint, verifyNote, type Checkpoint } from './note.ts';
import { codeOf } from './report.ts';
import type { WitnessOptions } from './witness-client.ts';

export const siblingEvent = 'audit.sibling';

/** How far another chain of the same installation had come. */
export interface Sibling {
  readonly origin: string;
  readonly size: number;
  readonly root: string;
}

const answerTimeMs = 10_000;
const factsSchema = z.object({
  facts: z.object({ origin: z.string(), size: z.int(), root: z.string() }),
});

/** Of the instances below the same audit directory: on one host, or on a file system that replicas share. */
export async function siblingsBeside(directory: string, own: string): Promise<Sibling[]> {
  const place = dirname(directory);
  const entries = await readdir(place, { withFileTypes: true });
  const others = entries.filter((entry) => entry.isDirectory() && entry.name !== basename(directory));
  const notes = await Promise.all(others.map(({ name }) => checkpointIn(join(place, name))));
  return notes
    .filter((found) => found !== undefined)
    .filter(({ origin }) => origin !== own)
    .map(asSibling);
}

async function checkpointIn(directory: string): Promise<Checkpoint | undefined> {
  try {
    return parseCheckpoint(await readFile(join(directory, checkpointFile), 'utf8'));
  } catch (error) {
    // No trail, or one that only its own user may read.
    if (['ENOENT', 'EACCES'].includes(codeOf(error))) return undefined;
    throw error;
  }
}

/** Of the logs that the witness keeps together with this one. */
export async function siblingsAtWitness(
  { url, key }: WitnessOptions,
  own: string,
  ending: AbortSignal,
): Promise<Sibling[]> {
  const response = await fetch(`${url}/${own}/siblings`, {
    redirect: 'error',
    signal: AbortSignal.any([AbortSignal.timeout(answerTimeMs), ending]),
  });
  // A witness of another make, or one that does not know this log yet.
  if (response.status === 404) return [];
  if (response.status !== 200) throw new Error(`The witness does not tell siblings: ${response.status}`);
  const notes = z.array(z.string()).parse(await response.json());
  return notes.map((note) => {
    const checkpoint = parseCheckpoint(note);
    if (!checkpoint || !verifyNote(checkpoint, key))
      throw new Error('The witness told of a sibling that it has not cosigned.');
    return asSibling(checkpoint);
  });
}

function asSibling({ origin, size, root }: Sibling): Sibling {
  return { origin, size, root };
}

/** What a record says, its whole line given. */
export function readSibling(line: string): Sibling | undefined {
  return factsSchema.safeParse(JSON.parse(line)).data?.facts;
}
