/**
 * The public keys of a chain beside its segments: the root key for auditors, the log key for witnesses. They are there
 * to be copied to another host; a verifier that takes them from here learns only that the files fit each other.
 */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { replaceFile } from './checkpoints.ts';
import { encodeKey, originOf, parseKey, plainType, rootNameOf, type NoteKey } from './note.ts';
import { listSegments } from './recover.ts';
import { readHeader } from './scan.ts';
import { fileOf } from './segment-name.ts';
import type { SigningKey } from './signing-key.ts';
import type { Place } from './succession.ts';

export const publishedKeysFile = 'keys.pub';

/** Also for a process that ended before it came to this. A chain whose first segment is gone keeps what is there. */
export async function publishKeys({ files, directory }: Place, logKey: SigningKey): Promise<void> {
  const [first] = await listSegments(directory);
  const header = first?.number === 1 && (await readHeader(join(directory, fileOf(first)), first));
  if (!first || !header || (await isThere(join(directory, publishedKeysFile)))) return;
  const root: NoteKey = { name: rootNameOf(first.chain), type: plainType, publicKey: header.signer };
  const log: NoteKey = { name: originOf(first.chain), type: plainType, publicKey: logKey.publicKey };
  const content = `${encodeKey(root)}\n${encodeKey(log)}\n`;
  await replaceFile(files, directory, publishedKeysFile, 'keys.new', content);
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

export async function readPublishedKeys(directory: string): Promise<NoteKey[]> {
  return parseKeys(await readFile(join(directory, publishedKeysFile), 'utf8'));
}

export function parseKeys(text: string): NoteKey[] {
  return text
    .split(/\s+/)
    .map(parseKey)
    .filter((key) => key !== undefined);
}
