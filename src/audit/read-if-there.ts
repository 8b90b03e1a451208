/** Reads a file that may be missing: that is an answer, and anything else that keeps it from being read is a failure. */
import { readFile } from 'node:fs/promises';

import { codeOf } from './report.ts';

export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
