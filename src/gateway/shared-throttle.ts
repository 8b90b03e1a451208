/**
 * The throttle of failed log-ons as the configuration wants it: replicas that share a Redis for what they remember share
 * there also who has failed. It has a connection of its own, so that large replies never stand in its way.
 */
import { RedisLedger } from '../auth/redis-ledger.ts';
import { Throttle } from '../auth/throttle.ts';
import { log } from '../log.ts';
import type { Config } from './config.ts';
import { openRedis } from './redis.ts';

export interface OpenThrottle extends Disposable {
  readonly throttle: Throttle;
}

/** @param key the same on all replicas */
export function openThrottle(
  { cache }: Config,
  key: Buffer,
  note: (event: string, facts?: Record<string, unknown>) => void,
): OpenThrottle {
  using starting = new DisposableStack();
  if (cache.store === 'memory' || !cache.redis)
    return { throttle: new Throttle({ report: note, key }), [Symbol.dispose]: () => {} };
  const { budget, ...place } = cache.redis;
  const { redis } = starting.use(openRedis(place));
  const ledger = starting.use(
    new RedisLedger({
      redis,
      budgetMs: budget,
      onState: ({ state, reason }) => {
        log.warn('what replicas share of failed log-ons changed its state', { state, reason });
        note(state === 'on' ? 'throttle.recovered' : 'throttle.degraded', { state, reason });
      },
    }),
  );
  const parts = starting.move();
  return { throttle: new Throttle({ report: note, ledger, key }), [Symbol.dispose]: () => parts.dispose() };
}
