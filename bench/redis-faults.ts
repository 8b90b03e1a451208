/**
 * What a fault of Redis adds to a call through the whole gateway, with authentication and durable audit: a caller's times
 * before the fault, in its first second and afterwards, in pairs. It reads groups that it may write, which are asked of the
 * tenant each time, and the tenant answers at once: Redis can only cost.
 *
 *   node bench/redis-faults.ts [pairs, default 5]
 */
import http from 'node:http';

import { Redis } from 'ioredis';

import { Secret } from '../src/gateway/secret.ts';
import { startGateway } from '../test/support/gateway.ts';
import { startRedis, type RedisServer } from '../test/support/redis.ts';
import { sendScim, startUpstream } from '../test/support/upstream.ts';
import { measure, median, type Caller, type Figures } from './pairs.ts';

const pairs = Number(process.argv[2] ?? 5);
const callsPerSecond = 100;

interface Times {
  readonly before: Figures;
  readonly first: Figures;
  readonly afterwards: Figures;
}

async function timesOf(strike: (redis: RedisServer) => unknown): Promise<Times> {
  await using redis = await startRedis();
  await using upstream = await startUpstream({
    remembers: false,
    answer: ({ url }, response) => sendScim(response, 200, { schemas: [], id: url }),
  });
  await using gateway = await startGateway({
    upstream: upstream.url,
    tenant: { pace: { perMinute: 90_000, burst: 10_000, tenantLimit: 100_000, minute: '1s' } },
    config: { cache: { store: 'redis', redis: { url: new Secret(redis.url) } } },
  });
  const agent = new http.Agent({ keepAlive: true });
  const caller: Caller = { url: `${gateway.base}/Groups`, authorization: gateway.logOn(), agent };
  const timed = (seconds: number): Promise<Figures> => measure(caller, { seconds, callsPerSecond });
  await timed(3); // what is slow only at the first time belongs to none
  const before = await timed(4);
  await strike(redis);
  const first = await timed(1);
  const afterwards = await timed(4);
  redis.thaw();
  agent.destroy();
  return { before, first, afterwards };
}

async function withClient(url: string, password: string | undefined, ...words: [string, ...string[]]) {
  const client = new Redis(url, password === undefined ? {} : { password });
  await client.call(...words);
  client.disconnect();
}

const faults: readonly (readonly [string, (redis: RedisServer) => unknown])[] = [
  ['none', () => undefined],
  ['frozen', (redis) => redis.freeze()],
  ['killed', (redis) => redis.kill()],
  ['read-only', ({ url }) => withClient(url, undefined, 'REPLICAOF', '127.0.0.1', '1')],
  [
    'password',
    async ({ url }) => {
      await withClient(url, undefined, 'CONFIG', 'SET', 'requirepass', 'another');
      await withClient(url, 'another', 'CLIENT', 'KILL', 'TYPE', 'normal');
    },
  ],
];

const columns = ['p50 before', 'p99 before', 'p99 first', 'added', 'p99 after', 'added', 'p50 after'];
const rows: string[] = [];
for (const [name, strike] of faults) {
  const found: Times[] = [];
  for (let pair = 1; pair <= pairs; pair += 1) {
    process.stderr.write(`\r\u001b[K${name}: pair ${pair} of ${pairs}`);
    found.push(await timesOf(strike));
  }
  const of = (value: (times: Times) => number): string => median(found.map(value)).toFixed(1).padStart(11);
  rows.push(
    name.padEnd(12) +
      of(({ before }) => before.p50) +
      of(({ before }) => before.p99) +
      of(({ first }) => first.p99) +
      of(({ before, first }) => first.p99 - before.p99) +
      of(({ afterwards }) => afterwards.p99) +
      of(({ before, afterwards }) => afterwards.p99 - before.p99) +
      of(({ afterwards }) => afterwards.p50),
  );
}
process.stderr.write('\r\u001b[K');
console.log(
  `${callsPerSecond} reads a second, medians of ${pairs} pairs, milliseconds; the target is 60 added in the first second and 1 afterwards\n`,
);
console.log('fault'.padEnd(12) + columns.map((name) => name.padStart(11)).join(''));
console.log(rows.join('\n'));
