/** Redis, with exactly what the gateway does there: its connection, its user, its commands and its time budget. */
import type { TLSSocket } from 'node:tls';

import type { Cluster, Redis } from 'ioredis';

import type { Config } from '../gateway/config.ts';
import { openRedis, securedTo } from '../gateway/redis.ts';
import { brokenBy, codeOf } from './causes.ts';
import { skewOf } from './clock.ts';
import { Broken, walk, type Report } from './finding.ts';
import { soundness } from './way.ts';

/** Of the keys of each part that shares something; an older list of rights lacks those that came since. */
const prefixes = ['gh1', 'gk1', 'gt1', 'gq1', 'gs1', 'gr1', 'gw1', 'gu1', 'gp1', 'gl1'] as const;
const keyBelow = (prefix: string): string => `${prefix}:{doctor}`;
const key = keyBelow(prefixes[0]);
const place = { host: 'Redis', key: 'cache.redis', trust: 'cache.redis.tls.ca' };
const connectMs = 5000;

export async function walkRedis(report: Report, { cache }: Pick<Config, 'cache'>): Promise<boolean> {
  if (cache.store !== 'redis' || !cache.redis) return true;
  const { budget, ...where } = cache.redis;
  const of = 'cache.redis';
  const opened = openRedis(where);
  using _ = opened;
  const { redis } = opened;
  const held = await walk(report, { leg: 'redis', of }, async () => {
    await ready(redis);
    const { ms, secured, now } = await tryOut(redis);
    const slow = ms > budget;
    return [
      {
        found: `stores and reads in ${ms.toFixed(1)} ms`,
        ...(slow && {
          outcome: 'warning' as const,
          remedy: `The budget is ${budget} ms (cache.redis.budget): nearer to the gateway, or a larger budget.`,
        }),
      },
      { ahead: now - Date.now(), secured },
    ] as const;
  });
  if (!held) return false;
  for (const each of held.secured) report({ leg: 'tls', of, outcome: 'ok', ...soundness(each) });
  return (await walk(report, { leg: 'clock', of }, async () => [skewOf(held.ahead), true])) ?? false;
}

/** Its own errors say why; a connection that is only tried again and again would not. */
async function ready(redis: Redis | Cluster): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new DOMException('no answer', 'TimeoutError')), connectMs);
  redis.on('error', reject);
  redis.once('ready', resolve);
  if (redis.status === 'ready') resolve();
  try {
    await promise;
  } catch (error) {
    throw faultOf(error);
  } finally {
    clearTimeout(timer);
  }
}

async function tryOut(
  redis: Redis | Cluster,
): Promise<{ readonly ms: number; readonly secured: readonly TLSSocket[]; readonly now: number }> {
  try {
    const [seconds, micros] = await redis.time();
    const begunAt = performance.now();
    await redis.set(key, '1', 'PX', 60_000);
    await redis.pexpire(key, 60_000);
    await redis.mget(key);
    await redis.del(key);
    const ms = (performance.now() - begunAt) / 4;
    for (const prefix of prefixes)
      await redis.mget(keyBelow(prefix)).catch((cause: unknown) => refuse(prefix, cause));
    const secured = await securedTo(redis);
    return { ms, secured, now: Number(seconds) * 1000 + Number(micros) / 1000 };
  } catch (error) {
    throw faultOf(error);
  }
}

function refuse(prefix: string, cause: unknown): never {
  const { message } = cause instanceof Error ? cause : { message: '' };
  if (!message.startsWith('NOPERM')) throw cause;
  throw new Broken(
    `The user in Redis may not use the keys ${prefix}:*, so replicas do without what they share there.`,
    'Give it what deploy/redis/users.acl of this release names, commands and keys.',
    { cause },
  );
}

function faultOf(error: unknown): Broken {
  if (error instanceof Broken) return error;
  const message = error instanceof Error ? error.message : '';
  const [word = ''] = message.split(' ');
  switch (word) {
    case 'WRONGPASS':
    case 'NOAUTH':
      return new Broken(
        'Redis refuses user or password.',
        'Correct cache.redis.user and cache.redis.password.',
      );
    case 'NOPERM':
      return new Broken(
        'The user in Redis lacks a right.',
        'Give it what deploy/redis/users.acl names, commands and keys.',
      );
    case 'READONLY':
      return new Broken(
        'This Redis is a replica and takes no writes.',
        'Name the primary, or Sentinels (cache.redis.sentinels) that know it.',
      );
    case 'MISCONF':
    case 'OOM':
      return new Broken('Redis takes no writes now.', 'Its disk or its memory is full: look at its log.');
    default:
      return brokenBy(named(error), place);
  }
}

/** What ioredis says of a connection that went before it stood. */
function named(error: unknown): unknown {
  return codeOf(error) === 'Error' ? Object.assign(new Error('closed'), { code: 'ECONNRESET' }) : error;
}
