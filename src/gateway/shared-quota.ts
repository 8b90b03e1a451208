/**
 * The tenants' quota as the configuration wants it: replicas that share a Redis for what they remember draw there on one
 * budget. It has a connection of its own, so that large replies never stand in its way.
 */
import { log } from '../log.ts';
import { RedisPools } from '../pace/redis-pool.ts';
import type { Config } from './config.ts';
import { Pacers } from './pacers.ts';
import { openRedis } from './redis.ts';

export interface OpenPacers extends Disposable {
  readonly pacers: Pacers;
}

export function openPacers(
  { cache, replicas }: Pick<Config, 'cache' | 'replicas'>,
  note: (event: string, facts?: Record<string, unknown>) => void,
): OpenPacers {
  using starting = new DisposableStack();
  if (replicas === 1 || cache.store === 'memory' || !cache.redis) {
    const pacers = starting.use(new Pacers());
    const parts = starting.move();
    return { pacers, [Symbol.dispose]: () => parts.dispose() };
  }
  const { budget, ...place } = cache.redis;
  const { redis } = starting.use(openRedis(place));
  const pools = starting.use(
    new RedisPools({
      redis,
      budgetMs: budget,
      onState: ({ state, reason }) => {
        log.warn('what replicas share of the quota changed its state', { state, reason });
        note(state === 'on' ? 'quota.recovered' : 'quota.degraded', { state, reason });
      },
    }),
  );
  const pacers = starting.use(new Pacers((tenant) => pools.of(tenant)));
  const parts = starting.move();
  return { pacers, [Symbol.dispose]: () => parts.dispose() };
}
