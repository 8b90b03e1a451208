/** Pages with a sense of running loads: replicas that share a Redis tell each other there where loads stand, encrypted. */
import { noLoads } from '../pages/loads.ts';
import { Pages } from '../pages/pages.ts';
import { RedisLoads } from '../pages/redis-loads.ts';
import { RecordSeal } from '../writes/record-seal.ts';
import type { Config } from './config.ts';
import type { Note } from './own-trail.ts';
import type { Sharing } from './sharing.ts';

/** @param key the same on all replicas */
export function openPages(
  { replicas }: Pick<Config, 'replicas'>,
  sharing: Sharing,
  key: Buffer,
  note: Note,
): Pages {
  const onDifference: ConstructorParameters<typeof Pages>[0]['onDifference'] = (facts) =>
    note('cache.probe_differs', { ...facts });
  if (replicas === 1) return new Pages({ onDifference });
  const shared = sharing.open(
    { what: 'what replicas share of running loads', on: 'loads.recovered', off: 'loads.degraded' },
    (connection) => new RedisLoads({ ...connection, key, seal: new RecordSeal(key) }),
  );
  return new Pages({ onDifference, loads: shared ?? noLoads });
}
