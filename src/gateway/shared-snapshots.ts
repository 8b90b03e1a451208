/** Snapshots: in the process for a gateway that runs alone, in Redis for several, and there encrypted. */
import { Sealer } from '../cache/seal.ts';
import { log } from '../log.ts';
import { MemorySlate } from '../snapshot/memory-slate.ts';
import { prefixOf, RedisSlates } from '../snapshot/redis-slate.ts';
import { Snapshots } from '../snapshot/snapshots.ts';
import { sealingKeys } from './config-cache.ts';
import type { Config } from './config.ts';
import type { Note } from './own-trail.ts';
import type { Sharing } from './sharing.ts';

export interface OpenSnapshots {
  readonly snapshots: Snapshots;
  /** Encrypts with the keys that the configuration names from now on. */
  keepTo(config: Pick<Config, 'cache'>): void;
}

/** @param key the same on all replicas */
export function openSnapshots(
  { cache }: Pick<Config, 'cache'>,
  sharing: Sharing,
  key: Buffer,
  note: Note,
): OpenSnapshots {
  const slates = sharing.open(
    {
      what: 'what replicas share of snapshots',
      on: 'snapshot.reachable',
      off: 'snapshot.unreachable',
    },
    (connection) => new RedisSlates(connection),
  );
  const seal = slates && new Sealer(sealingKeys(cache, key));
  const snapshots = new Snapshots({
    slateOf: (system, name) => slates?.of(`${prefixOf(system)}${name}`) ?? new MemorySlate(name),
    key,
    ...(seal && { seal }),
    note: (event, facts) => {
      log.warn('a snapshot has news', { event, ...facts });
      note(event, facts);
    },
  });
  return { snapshots, keepTo: (next) => seal?.adopt(sealingKeys(next.cache, key)) };
}
