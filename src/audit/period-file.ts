/**
 * The file with the key of the oldest period that can still be read. All replicas have the same; to erase periods is to
 * put the key of a later one in its place.
 */
import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

import { createOnce } from './create-once.ts';
import { realFiles, writeFile } from './files.ts';
import { createPeriodKey, isPeriod, keyOf, periodBytes, type PeriodKey } from './period.ts';

const form = /^gatehouse-period-key (\d{4}q\d) ([A-Za-z0-9+/]{43}=)\n?$/;
const privateMode = 0o600;

export function encodePeriodKey({ period, secret }: PeriodKey): string {
  return `gatehouse-period-key ${period} ${secret.toString('base64')}\n`;
}

export function parsePeriodKey(text: string): PeriodKey | undefined {
  const [, period = '', encoded = ''] = form.exec(text) ?? [];
  const secret = Buffer.from(encoded, 'base64');
  return isPeriod(period) && secret.length === periodBytes ? { period, secret } : undefined;
}

export class NoPeriodKey extends Error {
  constructor(file: string) {
    super(`${file} does not hold the key of a period; restore it from a backup.`);
    this.name = 'NoPeriodKey';
  }
}

export async function readPeriodKey(file: string): Promise<PeriodKey> {
  const key = parsePeriodKey(await readFile(file, 'utf8'));
  if (!key) throw new NoPeriodKey(file);
  return key;
}

/** Made at the first start; of two processes that start together one makes it and both read it. */
export async function readOrCreatePeriodKey(file: string): Promise<PeriodKey> {
  try {
    return await readPeriodKey(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  await createOnce(file, Buffer.from(encodePeriodKey(createPeriodKey())), privateMode);
  return readPeriodKey(file);
}

/** Makes all that was recorded before this period unreadable for good; what backups hold must go there too. */
export async function eraseBefore(file: string, period: string): Promise<PeriodKey> {
  const first = await readPeriodKey(file);
  const kept = keyOf(first, period);
  if (!kept) return first;
  const next = `${file}.next`;
  await realFiles.remove(next);
  await writeFile(realFiles, next, Buffer.from(encodePeriodKey(kept)), privateMode);
  await using old = await open(file, 'r+');
  await rename(next, file);
  await realFiles.syncDirectory(dirname(file));
  // The blocks that the old name led to; what the device keeps beside them is out of our hands.
  await old.write(Buffer.alloc(encodePeriodKey(first).length), 0);
  await old.sync();
  return kept;
}
