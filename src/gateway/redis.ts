/**
 * A connection to Redis for help that nobody waits long for: a command is tried once, now, or not at all, so that a Redis
 * that is away fails at once.
 */
import type { ConnectionOptions } from 'node:tls';

import { Redis } from 'ioredis';

export interface OpenRedis extends Disposable {
  readonly redis: Redis;
}

export function openRedis(url: string, tls?: ConnectionOptions): OpenRedis {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    // It would need INFO, which the user in Redis may not use.
    enableReadyCheck: false,
    disableClientInfo: true,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: 500,
    disconnectTimeout: 50,
    commandTimeout: 1000,
    socketTimeout: 1000,
    retryStrategy: (attempt) => Math.min(50 * 2 ** attempt, 2000) * (0.75 + Math.random() / 4),
    // Behind a name that moved to another server in a fail-over, only a new connection finds the new primary.
    reconnectOnError: ({ message }) => message.startsWith('READONLY'),
    replyMapping: 'legacy',
    ...(tls && { tls }),
  });
  return { redis, [Symbol.dispose]: () => redis.disconnect() };
}
