/**
 * The last checkpoint of a chain that a witness has cosigned: asked of the witness, which cannot be made to forget; where it
 * does not answer, the copy beside the segments, whose cosignature says how old it is.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { ChainFiles } from './chain-files.ts';
import { maxNoteBytes, originOf } from './note.ts';
import { codeOf } from './report.ts';
import { witnessedFile } from './witness-client.ts';

const answerTimeMs = 5000;

/** @param url what `/<origin>/checkpoint` follows, without a slash at its end */
export async function lastWitnessed(url: string, chain: ChainFiles): Promise<string | undefined> {
  return (await askWitness(url, chain)) ?? (await besideSegments(chain));
}

async function askWitness(url: string, { chain }: ChainFiles): Promise<string | undefined> {
  if (chain === undefined) return undefined;
  try {
    const response = await fetch(`${url}/${originOf(chain)}/checkpoint`, {
      redirect: 'error',
      signal: AbortSignal.timeout(answerTimeMs),
    });
    const text = response.status === 200 ? await response.text() : '';
    return text !== '' && text.length <= maxNoteBytes ? text : undefined;
  } catch {
    return undefined; // it is away, of which the trail tells already
  }
}

async function besideSegments({ directories }: ChainFiles): Promise<string | undefined> {
  for (const directory of directories)
    try {
      return await readFile(join(directory, witnessedFile), 'utf8');
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  return undefined;
}
