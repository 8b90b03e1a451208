/** The tenants' quota: replicas that share a Redis draw there on one budget. */
import { RedisPools } from '../pace/redis-pool.ts';
import type { Config } from './config.ts';
import { Pacers } from './pacers.ts';
import type { Sharing } from './sharing.ts';

/** @param quietMs for how long nothing of this instance has gone up */
export function openPacers(
  { replicas }: Pick<Config, 'replicas'>,
  sharing: Sharing,
  quietMs: number,
): Pacers {
  if (replicas === 1) return new Pacers(quietMs);
  const pools = sharing.open(
    {
      what: 'what replicas share of the quota',
      on: 'quota.recovered',
      off: 'quota.degraded',
      isKeyless: true,
    },
    (connection) => new RedisPools(connection),
  );
  return new Pacers(quietMs, pools && ((tenant) => pools.of(tenant)));
}
