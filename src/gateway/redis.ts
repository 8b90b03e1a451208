/**
 * Connections to Redis for help that nobody waits long for: a command is tried once, now, or not at all, so that a Redis
 * that is away fails at once. The only place that knows of single servers, Sentinels and Clusters.
 */
import { TLSSocket, type ConnectionOptions } from 'node:tls';

import { Cluster, Redis, type ClusterOptions, type RedisOptions } from 'ioredis';

import type { ParsedConfig } from './config-schema.ts';

export interface OpenRedis<Client extends Redis | Cluster = Redis> extends Disposable {
  readonly redis: Client;
}

export type RedisSettings = Omit<NonNullable<ParsedConfig['cache']['redis']>, 'budget'>;

const backOff = (attempt: number): number => Math.min(50 * 2 ** attempt, 2000) * (0.75 + Math.random() / 4);

const careful = {
  // It would need INFO, which the user in Redis may not use.
  enableReadyCheck: false,
  disableClientInfo: true,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  connectTimeout: 500,
  // At the end of the process nobody waits for a server that does not answer.
  disconnectTimeout: 50,
  commandTimeout: 1000,
  socketTimeout: 1000,
  replyMapping: 'legacy',
} as const satisfies RedisOptions;

const single = {
  ...careful,
  enableOfflineQueue: false,
  retryStrategy: backOff,
  // Behind a name that moved to another server in a fail-over, only a new connection finds the new primary.
  reconnectOnError: ({ message }) => message.startsWith('READONLY'),
} as const satisfies RedisOptions;

/** A moved slot is an error, not a detour: after a fail-over nobody reads from the new primary before he knows of it. */
const cluster = {
  enableOfflineQueue: false,
  enableReadyCheck: false,
  maxRedirections: 0,
  retryDelayOnFailover: 0,
  retryDelayOnClusterDown: 0,
  clusterRetryStrategy: backOff,
  slotsRefreshInterval: 5000,
  // Otherwise certificates would have to name addresses instead of hosts.
  dnsLookup: (host, done) => done(null, host),
} as const satisfies ClusterOptions;

export function openRedis(url: string, tls?: ConnectionOptions): OpenRedis;
export function openRedis(settings: RedisSettings): OpenRedis<Redis | Cluster>;
export function openRedis(
  where: string | RedisSettings,
  tls?: ConnectionOptions,
): OpenRedis<Redis | Cluster> {
  const redis = typeof where === 'string' ? openUrl(where, tls) : open(where);
  return { redis, [Symbol.dispose]: () => redis.disconnect() };
}

/** The TLS connections to the servers that take writes. Asks each for the time: a Cluster is connected to only where it is asked. */
export async function securedTo(redis: Redis | Cluster): Promise<TLSSocket[]> {
  const servers = redis instanceof Cluster ? redis.nodes('master') : [redis];
  await Promise.all(servers.map((server) => server.time()));
  return servers.map(({ stream }) => stream).filter((stream) => stream instanceof TLSSocket);
}

function openUrl(url: string, tls: ConnectionOptions | undefined): Redis {
  return new Redis(url, { ...single, ...(tls && { tls }) });
}

function open(settings: RedisSettings): Redis | Cluster {
  const { url, sentinels, master, user, password, sentinelUser, sentinelPassword } = settings;
  const tls = settings.tls && { ...(settings.tls.ca && { ca: settings.tls.ca.text }) };
  if (url) return openUrl(url.reveal(), settings.tls?.ca && tls);
  const account = {
    ...(user !== undefined && { username: user }),
    ...(password && { password: password.reveal() }),
    ...(tls && { tls }),
  };
  if (settings.cluster)
    return new Cluster([...settings.cluster], { ...cluster, redisOptions: { ...careful, ...account } });
  if (!sentinels || master === undefined) throw new TypeError('A Redis without address passed the checks.');
  return new Redis({
    ...single,
    ...account,
    sentinels: [...sentinels],
    name: master,
    ...(sentinelUser !== undefined && { sentinelUsername: sentinelUser }),
    ...(sentinelPassword && { sentinelPassword: sentinelPassword.reveal() }),
    ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: tls }),
    sentinelCommandTimeout: 500,
    sentinelRetryStrategy: backOff,
    // What is configured is asked, and nobody else; it would need one more command at the Sentinels.
    updateSentinels: false,
  });
}
