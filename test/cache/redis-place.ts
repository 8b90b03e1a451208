/** Stores in Redis that own their connection, as the gateway opens them, for the tests of the cache. */
import { createRedisStore, type RedisStoreOptions } from '../../src/cache/redis-store.ts';
import type { Store } from '../../src/cache/store.ts';
import { openRedis, type RedisSettings } from '../../src/gateway/redis.ts';

/** @param where an address, or what the configuration says of Sentinels or a Cluster */
export function openStore(where: string | RedisSettings, options: Partial<RedisStoreOptions> = {}): Store {
  const { redis, [Symbol.dispose]: disconnect } =
    typeof where === 'string' ? openRedis(where) : openRedis(where);
  const store = createRedisStore({ redis, ...options });
  return {
    look: (...of) => store.look(...of),
    put: (...what) => store.put(...what),
    drop: (key) => store.drop(key),
    renew: (generations) => store.renew(generations),
    advance: (...of) => store.advance(...of),
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      disconnect();
    },
  };
}
