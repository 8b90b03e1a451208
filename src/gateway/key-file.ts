/**
 * The installation's own key: 32 random bytes in a private file, made at the first start. Every use derives its
 * own key from it, so that what one part shows can never help against another.
 */
import { hkdfSync, randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';

import { createOnce } from '../audit/create-once.ts';

const keyBytes = 32;

export async function readOrCreateKey(file: string): Promise<Buffer> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const key = await readFile(file).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    await createOnce(file, randomBytes(keyBytes), 0o600);
    return readFile(file);
  });
  if (key.length !== keyBytes)
    throw new Error(`${file} does not hold ${keyBytes} bytes; restore it from a backup.`);
  return key;
}

export function deriveKey(
  key: Buffer,
  purpose:
    | 'audit'
    | 'cache'
    | 'kinship'
    | 'token'
    | 'throttle'
    | 'updates'
    | 'guard'
    | 'repeats'
    | 'snapshots'
    | 'profiles'
    | 'loads'
    | 'console',
): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', `gatehouse ${purpose} v1`, keyBytes));
}
