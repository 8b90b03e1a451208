/**
 * The cache as the configuration wants it: in the process for a gateway that runs alone, in Redis for several, and there
 * encrypted; for several without a Redis there is none. Whether Redis helps is told in log and trail, never to a caller.
 */
import type { Cache } from '../cache/cache.ts';
import { createMemoryStore } from '../cache/memory-store.ts';
import { createNoStore } from '../cache/no-store.ts';
import { createCache } from '../cache/read-through.ts';
import { createRedisStore } from '../cache/redis-store.ts';
import { Sealer } from '../cache/seal.ts';
import { log } from '../log.ts';
import { sealingKeys } from './config-cache.ts';
import type { Config } from './config.ts';
import type { Note } from './own-trail.ts';
import type { Sharing } from './sharing.ts';
import { Unreadable } from './unreadable.ts';

export interface OpenCache extends AsyncDisposable {
  readonly cache: Cache;
  /** Encrypts with the keys that the configuration names from now on. */
  keepTo(config: Pick<Config, 'cache'>): void;
}

/**
 * @param key the same on all replicas
 * @param onUse is told whether Redis is written and read
 */
export function openCache(
  { cache: settings, replicas }: Pick<Config, 'cache' | 'replicas'>,
  sharing: Sharing,
  key: Buffer,
  note: Note,
  onUse: (isUsed: boolean) => void,
): OpenCache {
  const place = sharing.connect();
  if (!place) {
    const isAlone = replicas === 1;
    onUse(isAlone);
    const store = isAlone ? createMemoryStore({ maxBytes: settings.memory.size }) : createNoStore();
    const cache = createCache({ store, key });
    return { cache, keepTo: () => {}, [Symbol.asyncDispose]: () => cache[Symbol.asyncDispose]() };
  }
  const store = createRedisStore({
    ...place,
    onState: ({ state, reason }) => {
      log.warn('the cache changed its state', { state, reason });
      onUse(state === 'on');
      note(state === 'on' ? 'cache.recovered' : 'cache.degraded', { state, reason });
    },
  });
  const seal = new Sealer(sealingKeys(settings, key));
  const unreadable = new Unreadable((facts) => note('cache.integrity_failure', { ...facts }));
  const cache = createCache({ store, key, seal, onUnreadable: () => unreadable.report() });
  return {
    cache,
    keepTo: (next) => seal.adopt(sealingKeys(next.cache, key)),
    async [Symbol.asyncDispose]() {
      await cache[Symbol.asyncDispose]();
      unreadable[Symbol.dispose]();
    },
  };
}
