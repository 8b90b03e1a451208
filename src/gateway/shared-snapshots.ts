/**
 * Snapshots as the configuration wants them: in the process for a gateway that runs alone, in Redis for several, and there
 * encrypted. They have a connection of their own, because their values are large.
 */
import { Sealer } from '../cache/seal.ts';
import { log } from '../log.ts';
import { MemorySlate } from '../snapshot/memory-slate.ts';
import { prefixOf, RedisSlates } from '../snapshot/redis-slate.ts';
import { Snapshots } from '../snapshot/snapshots.ts';
import { keysIn } from './config-cache.ts';
import type { Config } from './config.ts';
import { openRedis } from './redis.ts';

export interface OpenSnapshots extends Disposable {
  readonly snapshots: Snapshots;
  /** Encrypts with the keys that the configuration names from now on. */
  keepTo(config: Pick<Config, 'cache'>): void;
}

/** @param key the same on all replicas */
export function openSnapshots(
  { cache: settings }: Pick<Config, 'cache'>,
  key: Buffer,
  note: (event: string, facts?: Record<string, unknown>) => void,
): OpenSnapshots {
  using starting = new DisposableStack();
  const told = (event: string, facts: Record<string, unknown>): void => {
    log.warn('a snapshot has news', { event, ...facts });
    note(event, facts);
  };
  if (settings.store === 'memory' || !settings.redis) {
    const slateOf = (_: string, name: string) => new MemorySlate(name);
    const snapshots = starting.use(new Snapshots({ slateOf, key, note: told }));
    const parts = starting.move();
    return { snapshots, keepTo: () => {}, [Symbol.dispose]: () => parts.dispose() };
  }
  const { budget, ...place } = settings.redis;
  const { redis } = starting.use(openRedis(place));
  const slates = starting.use(
    new RedisSlates({
      redis,
      budgetMs: budget,
      onState: ({ state, reason }) => {
        log.warn('what replicas share of snapshots changed its state', { state, reason });
        note(state === 'on' ? 'snapshot.reachable' : 'snapshot.unreachable', { state, reason });
      },
    }),
  );
  const mastersOf = ({ keys }: Config['cache']): Buffer[] => (keys ? keysIn(keys) : [key]);
  const seal = new Sealer(mastersOf(settings));
  const slateOf = (system: string, name: string) => slates.of(`${prefixOf(system)}${name}`);
  const snapshots = starting.use(new Snapshots({ slateOf, key, seal, note: told }));
  const parts = starting.move();
  return {
    snapshots,
    keepTo: (next) => seal.adopt(mastersOf(next.cache)),
    [Symbol.dispose]: () => parts.dispose(),
  };
}
