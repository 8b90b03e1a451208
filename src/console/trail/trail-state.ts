/** How each trail is: how far it goes, whether its replica still says something, and what nobody can say of it. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { checkpointFile } from '../../audit/checkpoints.ts';
import { originOf, parseCheckpoint } from '../../audit/note.ts';
import { headerOf, type Chain } from '../../audit/read.ts';
import { fileOf } from '../../audit/segment-name.ts';
import type { AuditHealth, Damage, TrailState } from '../api/trail.ts';
import type { IndexStore } from './index-store.ts';
import { given } from './rows.ts';

export type TrailStates = Omit<AuditHealth, 'pulse'>;

/** Heartbeats come every minute. */
const silentMs = 3 * 60_000;
const mostDamages = 20;

/** Of what was found nobody can say that it is all. */
export async function doubtsOf(
  chains: readonly Chain[],
  store: IndexStore,
): Promise<{ readonly silent: readonly string[]; readonly damages: readonly Damage[] }> {
  const silences = await Promise.all(chains.map((chain) => silenceOf(chain, store)));
  const damages: Damage[] = [];
  for (const chain of chains)
    for (const { name, path } of chain.segments) {
      const reasons = store.knownOf(path)?.damages ?? [];
      const file = fileOf(name);
      damages.push(...reasons.map((reason) => ({ instance: chain.instance, file, reason })));
    }
  return { silent: silences.filter((name) => name !== undefined), damages: damages.slice(0, mostDamages) };
}

export async function stateOf(chain: Chain, store: IndexStore): Promise<TrailState> {
  const { instance, running, segments, bytes } = chain;
  const [first] = segments;
  const last = await store.of(chain, segments.length - 1);
  const firstAt = first && (await headerOf(first))?.ts;
  return {
    instance,
    chain: chain.chain ?? '',
    running,
    silent: (await silenceOf(chain, store)) !== undefined,
    ...given({ firstAt }),
    ...(Number.isFinite(last.lastMs) && { lastAt: new Date(last.lastMs).toISOString() }),
    records: last.name.firstSeq - (first?.name.firstSeq ?? 1) + last.count,
    segments: segments.length,
    bytes,
    ...given({ checkpoint: await checkpointOf(chain) }),
  };
}

/** The name of a chain that says nothing any more, although nothing ended it in order. */
async function silenceOf(chain: Chain, store: IndexStore): Promise<string | undefined> {
  const { lastMs, reason } = await store.of(chain, chain.segments.length - 1);
  const hasEnded = reason === 'stopped' && !chain.running;
  return hasEnded || Date.now() - lastMs <= silentMs ? undefined : chain.instance;
}

/** Named by another trail, and nowhere here. */
export function missingOf(chains: readonly Chain[], store: IndexStore): TrailStates['missing'] {
  const here = new Set(chains.map(({ chain }) => originOf(chain ?? '')));
  const found = new Map<string, TrailStates['missing'][number]>();
  for (const chain of chains)
    for (const { path } of chain.segments)
      for (const { origin, size } of store.knownOf(path)?.siblings ?? [])
        if (!here.has(origin) && size > (found.get(origin)?.size ?? -1))
          found.set(origin, { origin, namedBy: chain.instance, size });
  return [...found.values()];
}

async function checkpointOf({ directories }: Chain): Promise<TrailState['checkpoint']> {
  const path = join(directories[0] ?? '', checkpointFile);
  try {
    const size = parseCheckpoint(await readFile(path, 'utf8'))?.size;
    return size === undefined ? undefined : { size, at: (await stat(path)).mtime.toISOString() };
  } catch (error) {
    if (Error.isError(error) && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
