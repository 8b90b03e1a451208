/**
 * What the cache adds to a read when it cannot help. Reads begin at a fixed rate on a
 * cache whose tenant answers at once, before a fault of Redis, in the first second of it, and after that.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';

import { createMemoryStore } from '../src/cache/memory-store.ts';
import { createCache } from '../src/cache/read-through.ts';
import { createRedisStore } from '../src/cache/redis-store.ts';
import { Sealer } from '../src/cache/seal.ts';
import type { Store } from '../src/cache/store.ts';
import { openRedis } from '../src/gateway/redis.ts';
import { defaults, operation } from '../test/cache/operations.ts';
import { startRedis, type RedisServer } from '../test/support/redis.ts';

const perSecond = 200;
const users = Array.from({ length: 500 }, (_, number) => operation('GET', `Users/${number}`));
const body = Buffer.from(JSON.stringify({ filler: 'x'.repeat(4000) }));
const answer = { status: 200, headers: { 'content-type': 'application/scim+json' }, body };
const key = Buffer.alloc(32, 7);

type Read = (number: number) => Promise<string>;

function readOf(store: Store, seal: boolean): Read {
  const cache = createCache({ store, key, ...(seal && { seal: new Sealer([key]) }) });
  return async (number) => {
    const user = users[number % users.length];
    if (!user) throw new RangeError('there are no users');
    return (await cache.read(user, defaults, async () => answer)).result;
  };
}

interface Figures {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly hits: number;
}

async function measure(read: Read, seconds: number): Promise<Figures> {
  const startedAt = performance.now();
  const times: number[] = [];
  let hits = 0;
  const one = async (number: number): Promise<void> => {
    const begunAt = performance.now();
    if ((await read(number)) === 'hit') hits += 1;
    times.push(performance.now() - begunAt);
  };
  const all: Promise<void>[] = [];
  for (let number = 0; number < seconds * perSecond; number += 1) {
    await sleep(Math.max(0, startedAt + (number * 1000) / perSecond - performance.now()));
    all.push(one(number));
  }
  await Promise.all(all);
  times.sort((a, b) => a - b);
  const at = (part: number): number => times[Math.floor(times.length * part)] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: times.at(-1) ?? 0, hits: hits / times.length };
}

const tell = (name: string, { p50, p99, max, hits }: Figures): void =>
  console.log(
    name.padEnd(32) +
      [p50, p99, max].map((ms) => ms.toFixed(2).padStart(9)).join('') +
      `${(hits * 100).toFixed(0)} %`.padStart(9),
  );

async function command(server: RedisServer, ...words: [string, ...string[]]): Promise<void> {
  const redis = new Redis(server.url);
  await redis.call(...words);
  redis.disconnect();
}

const faults: readonly (readonly [string, (server: RedisServer) => unknown])[] = [
  ['frozen', (server) => server.freeze()],
  ['killed', (server) => server.kill()],
  ['read-only', (server) => command(server, 'REPLICAOF', '127.0.0.1', '1')],
  [
    'password changed',
    async (server) => {
      await command(server, 'CONFIG', 'SET', 'requirepass', 'another');
      const redis = new Redis(server.url, { password: 'another' });
      await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      redis.disconnect();
    },
  ],
];

console.log(
  `${'milliseconds'.padEnd(32)}${['p50', 'p99', 'max', 'hits'].map((name) => name.padStart(9)).join('')}`,
);
const memory = readOf(createMemoryStore({ maxBytes: 64 * 1024 * 1024 }), false);
await measure(memory, 3);
tell('memory', await measure(memory, 5));
for (const [name, strike] of faults) {
  await using server = await startRedis();
  using opened = openRedis(server.url);
  await using store = createRedisStore({ redis: opened.redis });
  const read = readOf(store, true);
  await measure(read, 4);
  tell('Redis', await measure(read, 5));
  await strike(server);
  tell(`${name}: first second`, await measure(read, 1));
  tell(`${name}: afterwards`, await measure(read, 8));
  server.thaw();
}
