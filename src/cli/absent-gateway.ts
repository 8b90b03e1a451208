/**
 * What to say where the gateway does not run that a command speaks to by its files. An operator's shell may name another
 * instance than the service does, so what is not there must never pass for a gateway that has nothing to tell.
 */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { readOwners } from '../audit/owner.ts';
import type { Config } from '../gateway/config.ts';
import { operatorPlace } from '../gateway/operator-desk.ts';

/** Undefined where it runs. */
export async function absenceOf({ audit }: Pick<Config, 'audit'>): Promise<string | undefined> {
  const { directory, instance } = audit;
  const owners = await readOwners(join(directory, instance)).catch(unlessMissing);
  if (owners.some(({ alive }) => alive)) return undefined;
  const others = (await readdir(directory).catch(unlessMissing)).filter(
    (name) => name !== instance && existsSync(operatorPlace({ audit: { ...audit, instance: name } })),
  );
  const said = `no gateway ${instance} runs below ${directory}`;
  if (others.length === 0) return `${said}.`;
  return `${said}; there are ${others.join(', ')}: GATEHOUSE_AUDIT__INSTANCE says which one is meant.`;
}

function unlessMissing(error: NodeJS.ErrnoException): [] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
