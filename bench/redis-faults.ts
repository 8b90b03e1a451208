/**
 * What a fault of Redis adds to a call through the whole gateway, with authentication and durable audit. Two gateways, each
 * with its own Redis, are called at the same instants, and something happens to one Redis: what else the machine does slows
 * both. Groups are read that their caller may write, and groups are written: both are asked of the tenant each time, so that
 * Redis can only cost, and ask as many parts of Redis as a call can. `shared` are reads of one of three replicas, which goes on
 * with its own part of the quota.
 *
 *   node bench/redis-faults.ts [pairs, default 5] [fault …]
 */
import { randomUUID } from 'node:crypto';
import http from 'node:http';

import { Redis } from 'ioredis';

import { Secret } from '../src/gateway/secret.ts';
import { startGateway } from '../test/support/gateway.ts';
import { startRedis, type RedisServer } from '../test/support/redis.ts';
import { sendScim, startUpstream } from '../test/support/upstream.ts';
import { measure, median, type Figures } from './pairs.ts';

const pairs = Number(process.argv[2] ?? 5);
const callsPerSecond = 40;
const works = ['reads', 'writes', 'shared'] as const;
type Work = (typeof works)[number];

interface Side extends AsyncDisposable {
  readonly redis: RedisServer;
  times(seconds: number): Promise<Figures>;
}

/** Other members each time, or it would be a repeat. */
function groupWith(number: number): string {
  return JSON.stringify({
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
    displayName: `Group ${number}`,
    members: [{ value: randomUUID() }],
  });
}

async function openSide(upstream: string, work: Work): Promise<Side> {
  await using opening = new AsyncDisposableStack();
  const redis = opening.use(await startRedis());
  const gateway = opening.use(
    await startGateway({
      upstream,
      tenant: { pace: { perMinute: 90_000, burst: 10_000, tenantLimit: 100_000 } },
      config: {
        replicas: work === 'shared' ? 3 : 1,
        cache: { store: 'redis', redis: { url: new Secret(redis.url) } },
      },
    }),
  );
  const agent = new http.Agent({ keepAlive: true });
  opening.defer(() => agent.destroy());
  const caller = {
    url: `${gateway.base}/Groups`,
    authorization: gateway.logOn(),
    agent,
    ...(work === 'writes' && { bodyOf: groupWith }),
  };
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

async function addedBy(work: Work, strike: (redis: RedisServer) => unknown): Promise<Added> {
  await using upstream = await startUpstream({
    remembers: false,
    answer: ({ url }, response) => sendScim(response, 200, { schemas: [], id: url }),
  });
  await using struck = await openSide(upstream.url, work);
  await using other = await openSide(upstream.url, work);
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

const chosen = process.argv.slice(3);
const isChosen = ([name]: (typeof faults)[number]): boolean => chosen.length === 0 || chosen.includes(name);
const columns = ['before', 'first second', 'afterwards', 'p50 after', 'p99 without'];
const rows: string[] = [];
for (const [name, strike] of faults.filter(isChosen)) {
  for (const work of works) {
    const found: Added[] = [];
    for (let pair = 1; pair <= pairs; pair += 1) {
      process.stderr.write(`\r\u001b[K${name}, ${work}: pair ${pair} of ${pairs}`);
      found.push(await addedBy(work, strike));
    }
    const cells = (['before', 'first', 'afterwards', 'middle', 'p99'] as const).map((column) =>
      median(found.map((each) => each[column]))
        .toFixed(1)
        .padStart(14),
    );
    rows.push(name.padEnd(12) + work.padEnd(8) + cells.join(''));
  }
}
process.stderr.write('\r\u001b[K');
console.log(
  `${callsPerSecond} calls a second; what is added to p99, medians of ${pairs} pairs, milliseconds; the target is 60 in the first second and 1 afterwards\n`,
);
console.log('fault'.padEnd(20) + columns.map((name) => name.padStart(14)).join(''));
console.log(rows.join('\n'));
