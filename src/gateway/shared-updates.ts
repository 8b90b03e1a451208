/**
 * Who has read and written which group, as the configuration wants it: replicas that share a Redis for what they remember
 * share this there too, on a connection of its own, so that large replies never stand in its way.
 */
import { log } from '../log.ts';
import { RedisBook } from '../writes/updates-redis.ts';
import { GroupUpdates } from '../writes/updates.ts';
import type { Config } from './config.ts';
import { openRedis } from './redis.ts';

export interface OpenUpdates extends Disposable {
  readonly updates: GroupUpdates;
  keepTo(config: Pick<Config, 'cache' | 'systems'>): void;
}

/**
 * Where a lost update is refused, a budget that ends too early costs more than time: what replicas do not know of each other
 * is overlooked. Those that wait are about to ask the tenant, and after one that has waited in vain nobody does.
 */
const refusingBudgetMs = 500;

/** @param key the same on all replicas */
export function openUpdates(
  config: Pick<Config, 'cache' | 'systems'>,
  key: Buffer,
  note: (event: string, facts?: Record<string, unknown>) => void,
): OpenUpdates {
  const { cache } = config;
  if (cache.store === 'memory' || !cache.redis)
    return { updates: new GroupUpdates({ key }), keepTo: () => {}, [Symbol.dispose]: () => {} };
  using starting = new DisposableStack();
  const { budget: _, ...place } = cache.redis;
  const { redis } = starting.use(openRedis(place));
  const book = starting.use(
    new RedisBook({
      redis,
      budgetMs: budgetOf(config),
      onState: ({ state, reason }) => {
        log.warn('what replicas share of writes to groups changed its state', { state, reason });
        note(state === 'on' ? 'updates.recovered' : 'updates.degraded', { state, reason });
      },
    }),
  );
  const parts = starting.move();
  return {
    updates: new GroupUpdates({ key, redis: book }),
    keepTo: (next) => {
      book.circuit.budgetMs = budgetOf(next);
    },
    [Symbol.dispose]: () => parts.dispose(),
  };
}

function budgetOf({ cache, systems }: Pick<Config, 'cache' | 'systems'>): number {
  const budget = cache.redis?.budget ?? 0;
  const refuses = Object.values(systems).some(({ lostUpdates }) => lostUpdates === 'refuse');
  return refuses ? Math.max(budget, refusingBudgetMs) : budget;
}
