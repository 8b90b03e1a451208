/** Opens the trail as the configuration wants it. */
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { parseKey } from '../audit/note.ts';
import { readOrCreatePeriodKey } from '../audit/period-file.ts';
import { parseRevealKey, Sealer } from '../audit/seal.ts';
import { createTrail, type Trail, type TrailOptions } from '../audit/trail.ts';
import { log } from '../log.ts';
import { configHash } from './config-changes.ts';
import type { Config } from './config.ts';
import { networkOf } from './noise.ts';

/** Tells the trail of an event beside the line, and waits for nothing. */
export type Note = (event: string, facts?: Readonly<Record<string, unknown>>) => void;

export type OwnTrailOptions = Pick<TrailOptions, 'key' | 'version' | 'onRecord' | 'acceptDamaged' | 'files'>;

export async function openOwnTrail(config: Config, options: OwnTrailOptions): Promise<Trail> {
  const { directory, instance, mode, ballast, keepDays, revealKeys } = config.audit;
  const witness = witnessOf(config.audit);
  const periodKey = await readOrCreatePeriodKey(periodKeyFileOf(config.audit));
  const sealFor = revealKeys?.map(parseRevealKey).filter((each) => each !== undefined);
  return createTrail({
    ...options,
    directory,
    instance,
    mode,
    periodKey,
    networkOf,
    configHash: configHash(config),
    report: (event, facts) => {
      log.warn(event, { ...facts });
      // The trail writes these records itself, and nobody else would learn of them.
      if (ownRecords.has(event)) options.onRecord?.(event, { facts });
    },
    ...(witness && { witness }),
    ...(sealFor && { sealer: new Sealer(sealFor) }),
    limits: {
      ballastBytes: ballast,
      ...(keepDays !== undefined && { keepMs: keepDays * 86_400_000 }),
    },
  });
}

/**
 * For how long nothing has gone up, in milliseconds: no call goes up without a record on disk. To be asked before the trail is
 * opened; Infinity where there is none yet.
 */
export async function quietForMs({ audit }: Pick<Config, 'audit'>): Promise<number> {
  const directory = join(audit.directory, audit.instance);
  const entries = await readdir(directory, { withFileTypes: true }).catch(unlessMissing);
  const files = entries.filter((entry) => entry.isFile()).map(({ name }) => join(directory, name));
  const written = await Promise.all(files.map((file) => stat(file).then(({ mtimeMs }) => mtimeMs)));
  return Date.now() - Math.max(-Infinity, ...written);
}

function unlessMissing(error: NodeJS.ErrnoException): [] {
  if (error.code === 'ENOENT') return [];
  throw error;
}

/** What is reported and is a record as well. */
const ownRecords: ReadonlySet<string> = new Set([
  'audit.failed',
  'audit.recovered',
  'audit.witness_lost',
  'audit.witness_refused',
  'audit.witness_back',
]);

/** Where the key stands of which pseudonyms are made. */
export function periodKeyFileOf({ periodKeyFile, keyFile }: Config['audit']): string {
  return periodKeyFile ?? join(dirname(keyFile), 'periods.key');
}

function witnessOf({ witness }: Config['audit']): TrailOptions['witness'] {
  const key = witness && parseKey(witness.publicKey);
  return witness && key && { url: witness.url, key };
}
