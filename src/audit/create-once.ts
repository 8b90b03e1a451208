/**
 * Makes a file that processes share, whoever comes first. Invariant: nobody ever reads half of it, so it gets its name
 * only when its content is on stable storage.
 */
import { randomUUID } from 'node:crypto';
import { link, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

import { realFiles, writeFile } from './files.ts';

/** Does nothing when the file is there already. */
export async function createOnce(file: string, content: Buffer, mode: number): Promise<void> {
  const draft = `${file}.${randomUUID()}.new`;
  await writeFile(realFiles, draft, content, mode);
  try {
    await link(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(draft);
  }
  await realFiles.syncDirectory(dirname(file));
}
