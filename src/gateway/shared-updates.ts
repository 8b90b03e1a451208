/** Who has read and written which group: replicas that share a Redis share this there. */
import { RedisBook } from '../writes/updates-redis.ts';
import { GroupUpdates } from '../writes/updates.ts';
import type { Config } from './config.ts';
import type { Sharing } from './sharing.ts';

export interface OpenUpdates {
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
  sharing: Sharing,
  key: Buffer,
): OpenUpdates {
  const book = sharing.open(
    {
      what: 'what replicas share of writes to groups',
      on: 'updates.recovered',
      off: 'updates.degraded',
    },
    (connection) => new RedisBook({ ...connection, budgetMs: budgetOf(config) }),
  );
  return {
    updates: new GroupUpdates({ key, redis: book }),
    keepTo: (next) => {
      if (book) book.circuit.budgetMs = budgetOf(next);
    },
  };
}

function budgetOf({ cache, systems }: Pick<Config, 'cache' | 'systems'>): number {
  const budget = cache.redis?.budget ?? 0;
  const refuses = Object.values(systems).some(({ lostUpdates }) => lostUpdates === 'refuse');
  return refuses ? Math.max(budget, refusingBudgetMs) : budget;
}
