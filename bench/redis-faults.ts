/**
 * What a fault of Redis adds to a call through the whole gateway, with authentication and durable audit. Two gateways, each
 * with its own Redis, are called at the same instants, and something happens to one Redis: what else the machine does slows
 * both. They read groups that their caller may write, which are asked of the tenant each time: Redis can only cost.
 *
 *   node bench/redis-faults.ts [pairs, default 5]
 */
import http from 'node:http';

import { Redis } from 'ioredis';

import { Secret } from '../src/gateway/secret.ts';
import { startGateway } from '../test/support/gateway.ts';
import { startRedis, type RedisServer } from '../test/support/redis.ts';
import { sendScim, startUpstream } from '../test/support/upstream.ts';
import { measure, median, type Figures } from './pairs.ts';

const pairs = Number(process.argv[2] ?? 5);
const callsPerSecond = 40;

interface Side extends AsyncDisposable {
  readonly redis: RedisServer;
  times(seconds: number): Promise<Figures>;
}

async function openSide(upstream: string): Promise<Side> {
  await using opening = new AsyncDisposableStack();
  const redis = opening.use(await startRedis());
  const gateway = opening.use(
    await startGateway({
      upstream,
      tenant: { pace: { perMinute: 90_000, burst: 10_000, tenantLimit: 100_000, minute: '1s' } },
      config: { cache: { store: 'redis', redis: { url: new Secret(redis.url) } } },
    }),
  );
  const agent = new http.Agent({ keepAlive: true });
  opening.defer(() => agent.destroy());
  const caller = { url: `${gateway.base}/Groups`, authorization: gateway.logOn(), agent };
  const parts = opening.move();
  return {
    redis,
    times: (seconds) => measure(caller, { seconds, callsPerSecond }),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/** In milliseconds beside the gateway that nothing happens to. */
interface Added {
  readonly before: number;
  readonly first: number;
  readonly afterwards: number;
  readonly middle: number;
  readonly p99: number;
}

async function addedBy(strike: (redis: RedisServer) => unknown): Promise<Added> {
  await using upstream = await startUpstream({
    remembers: false,
    answer: ({ url }, response) => sendScim(response, 200, { schemas: [], id: url }),
  });
  await using struck = await openSide(upstream.url);
  await using other = await openSide(upstream.url);
  const both = (seconds: number) => Promise.all([struck.times(seconds), other.times(seconds)]);
  await both(3); // what is slow only at the first time belongs to none
  const before = await both(5);
  await strike(struck.redis);
  const first = await both(1);
  const afterwards = await both(5);
  struck.redis.thaw();
  const added = ([one, another]: readonly [Figures, Figures]): number => one.p99 - another.p99;
  return {
    before: added(before),
    first: added(first),
    afterwards: added(afterwards),
    middle: afterwards[0].p50 - afterwards[1].p50,
    p99: before[1].p99,
  };
}

async function command(url: string, password: string | undefined, ...words: [string, ...string[]]) {
  const client = new Redis(url, password === undefined ? {} : { password });
  await client.call(...words);
  client.disconnect();
}

const faults: readonly (readonly [string, (redis: RedisServer) => unknown])[] = [
  ['none', () => undefined],
  ['frozen', (redis) => redis.freeze()],
  ['killed', (redis) => redis.kill()],
  ['read-only', ({ url }) => command(url, undefined, 'REPLICAOF', '127.0.0.1', '1')],
  [
    'password',
    async ({ url }) => {
      await command(url, undefined, 'CONFIG', 'SET', 'requirepass', 'another');
      await command(url, 'another', 'CLIENT', 'KILL', 'TYPE', 'normal');
    },
  ],
];

const columns = ['before', 'first second', 'afterwards', 'p50 after', 'p99 without'];
const rows: string[] = [];
for (const [name, strike] of faults) {
  const found: Added[] = [];
  for (let pair = 1; pair <= pairs; pair += 1) {
    process.stderr.write(`\r\u001b[K${name}: pair ${pair} of ${pairs}`);
    found.push(await addedBy(strike));
  }
  const cells = (['before', 'first', 'afterwards', 'middle', 'p99'] as const).map((column) =>
    median(found.map((each) => each[column]))
      .toFixed(1)
      .padStart(14),
  );
  rows.push(name.padEnd(12) + cells.join(''));
}
process.stderr.write('\r\u001b[K');
console.log(
  `${callsPerSecond} reads a second; what is added to p99, medians of ${pairs} pairs, milliseconds; the target is 60 in the first second and 1 afterwards\n`,
);
console.log('fault'.padEnd(12) + columns.map((name) => name.padStart(14)).join(''));
console.log(rows.join('\n'));
