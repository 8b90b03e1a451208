/**
 * Two gateways with one Redis at work while something happens to it: no caller sees an error, an answer from before a write
 * that was answered, or anything from memory while Redis is away. What a fault costs in time is `npm run bench:redis-faults`.
 */
import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';

import { Secret } from '../../src/gateway/secret.ts';
import type { Reply } from '../../src/scim/call.ts';
import { operation } from '../cache/operations.ts';
import { Directory } from '../pages/directory.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { type Answer, sendScim, startUpstream } from '../support/upstream.ts';

const names = ['ada', 'bob', 'cyd', 'dan'];
const random = (below: number): number => Math.floor(Math.random() * below);

/** Users whose every answer tells how often it has changed; each way to them and back takes its own time. */
class Tenant {
  readonly directory = new Directory(names.slice(0, 3));
  /** What each write has changed, by the request's id. */
  readonly #changes = new Map<string, ReadonlyMap<string, number>>();

  changesOf(request: string | null): ReadonlyMap<string, number> {
    return this.#changes.get(request ?? '') ?? new Map();
  }

  readonly answer: Answer = ({ method, url, body, headers }, response) => {
    const asked = operation(method, url.slice(url.search(/\/(Users|Groups)/) + 1));
    setTimeout(() => {
      const before = new Map(this.directory.changes);
      const { id = '' } = asked;
      const { userName = '' } = body === '' ? {} : JSON.parse(body);
      const acts: Readonly<Record<string, () => Reply>> = {
        GET: () => this.directory.answer(asked),
        POST: () => this.directory.create(userName),
        PUT: () => this.directory.change(id, { userName }),
        DELETE: () => this.directory.remove(id),
      };
      const reply = acts[method]?.() ?? assert.fail(method);
      const made = this.directory.changes.entries().filter(([what, count]) => before.get(what) !== count);
      this.#changes.set(String(headers['x-request-id']), new Map(made));
      setTimeout(() => response.writeHead(reply.status, { ...reply.headers }).end(reply.body), random(8));
    }, random(8));
  };
}

/** Whether Redis is there for the callers, as a test has just made it. */
type Condition = 'there' | 'away' | 'coming back';

/** Callers that read and write through both gateways until they are told to stop. */
class Work {
  /** What should not have been. */
  readonly faults: string[] = [];
  redis: Condition = 'there';
  hits = 0;
  calls = 0;
  readonly #gateways: readonly TestGateway[];
  readonly #tenant: Tenant;
  /** How often what writers were told, through each gateway, had changed each answer. */
  readonly #answered: readonly Map<string, number>[];
  readonly #running: Promise<unknown>;
  #isOver = false;

  constructor(gateways: readonly TestGateway[], tenant: Tenant) {
    this.#gateways = gateways;
    this.#tenant = tenant;
    this.#answered = gateways.map(() => new Map<string, number>());
    this.#running = Promise.all([0, 1, 2, 3, 4, 5].map((worker) => this.#run(worker)));
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  async #run(worker: number): Promise<void> {
    for (let turn = worker; !this.#isOver; turn += 1) {
      const through = turn % this.#gateways.length;
      const userName = names[random(names.length)] ?? '';
      const id = this.#tenant.directory.ids.at(-1 - random(3)) ?? '';
      const act = random(20);
      // Every create is another one: two that are equal would be taken for a repeat.
      if (act < 10) await this.#read(through, `/Users/${id}`, id);
      else if (act < 14)
        await this.#read(through, `/Users?filter=userName%20eq%20%22${userName}%22`, userName);
      else if (act < 16) await this.#read(through, '/Users?startIndex=1&count=3', 'list');
      else if (act < 18) await this.#write(through, 'PUT', `/Users/${id}`, { userName });
      else if (act < 19)
        await this.#write(through, 'POST', '/Users', { userName, nickName: `${worker} ${turn}` });
      else await this.#write(through, 'DELETE', `/Users/${id}`);
      this.calls += 1;
      await sleep(random(20));
    }
  }

  async #read(through: number, path: string, what: string): Promise<void> {
    const { redis } = this;
    const own = this.#answered[through]?.get(what) ?? 0;
    const oldest = Math.max(...this.#answered.map((each) => each.get(what) ?? 0));
    const answer = await this.#call(through, 'GET', path, undefined, [200, 404]);
    const isHit = /hit/.test(answer.headers.get('cache-status') ?? '');
    const { changes = Infinity } = JSON.parse(await answer.text());
    if (isHit) this.hits += 1;
    if (isHit && redis === 'away' && this.redis === 'away') this.faults.push(`${path} came from memory`);
    // What a gateway could not have forgotten, the other may tell until it is: a moment behind Redis's return.
    const least = redis === 'coming back' || this.redis === 'coming back' ? own : oldest;
    if (changes < least) this.faults.push(`${path} is ${changes} after ${least} (${redis}, hit: ${isHit})`);
  }

  async #write(through: number, method: string, path: string, body?: object): Promise<void> {
    const answer = await this.#call(through, method, path, body, [200, 201, 204, 404]);
    await answer.arrayBuffer();
    const answered = this.#answered[through];
    for (const [what, count] of this.#tenant.changesOf(answer.headers.get('x-request-id')))
      answered?.set(what, Math.max(answered.get(what) ?? 0, count));
  }

  async #call(
    through: number,
    method: string,
    path: string,
    body: object | undefined,
    expected: readonly number[],
  ): Promise<Response> {
    const answer = await this.#gateways[through]?.call(method, path, body);
    assert.ok(answer);
    if (!expected.includes(answer.status)) this.faults.push(`${method} ${path}: ${answer.status}`);
    return answer;
  }
}

interface Stage extends AsyncDisposable {
  readonly redis: RedisServer;
  readonly work: Work;
  readonly gateways: readonly TestGateway[];
}

async function openStage(): Promise<Stage> {
  await using opening = new AsyncDisposableStack();
  const directory = opening.use(await mkdtempDisposable(join(tmpdir(), 'gatehouse-redis-faults-')));
  const redis = opening.use(await startRedis());
  const tenant = new Tenant();
  const upstream = opening.use(await startUpstream({ answer: tenant.answer, remembers: false }));
  const gateways: TestGateway[] = [];
  for (const name of ['one', 'other'])
    gateways.push(
      opening.use(
        await startGateway({
          upstream: upstream.url,
          tenant: { pace: { perMinute: 90_000, burst: 10_000, tenantLimit: 100_000, minute: '1s' } },
          system: { cache: { writeReplies: true, absenceLifetime: '30s' }, pages: { blocks: 'on' } },
          config: {
            replicas: 2,
            cache: { store: 'redis', redis: { url: new Secret(redis.url) } },
            // The key of names and values, which replicas share.
            audit: {
              directory: join(directory.path, name),
              instance: 'test',
              keyFile: join(directory.path, 'key'),
              ballast: '0B',
            },
          },
        }),
      ),
    );
  const work = new Work(gateways, tenant);
  opening.defer(() => work.end());
  const parts = opening.move();
  return { redis, work, gateways, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

async function command(server: RedisServer, ...words: [string, ...string[]]): Promise<void> {
  await withClient(server, (client) => client.call(...words));
}

async function withClient<T>(
  server: RedisServer,
  use: (client: Redis) => Promise<T>,
  password?: string,
): Promise<T> {
  const client = new Redis(server.url, password === undefined ? {} : { password });
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}

/** It is used again: somebody gets an answer that somebody else has brought. */
async function isUsed({ work }: Stage): Promise<void> {
  const { hits } = work;
  await eventually(async () => work.hits > hits + 10, 30_000);
}

const faults: readonly {
  readonly what: string;
  readonly strike: (redis: RedisServer) => unknown;
  readonly heal: (redis: RedisServer) => unknown;
}[] = [
  { what: 'is frozen', strike: (redis) => redis.freeze(), heal: (redis) => redis.thaw() },
  { what: 'is killed', strike: (redis) => redis.kill(), heal: (redis) => redis.restart() },
  {
    what: 'becomes a replica that takes no writes',
    strike: (redis) => command(redis, 'REPLICAOF', '127.0.0.1', '1'),
    heal: (redis) => command(redis, 'REPLICAOF', 'NO', 'ONE'),
  },
  {
    what: 'wants another password',
    strike: async (redis) => {
      await command(redis, 'CONFIG', 'SET', 'requirepass', 'another');
      await withClient(redis, (client) => client.call('CLIENT', 'KILL', 'TYPE', 'normal'), 'another');
    },
    heal: (redis) =>
      withClient(redis, (client) => client.call('CONFIG', 'SET', 'requirepass', ''), 'another'),
  },
];

for (const { what, strike, heal } of faults)
  test(`while Redis ${what}, and when it comes back, no answer is wrong or an error, and none comes from memory`, async () => {
    await using stage = await openStage();
    const { redis, work } = stage;
    await isUsed(stage);
    await strike(redis);
    work.redis = 'away';
    const { calls } = work;
    await sleep(800);
    await eventually(async () => work.calls > calls + 50, 30_000);
    work.redis = 'coming back';
    await heal(redis);
    await isUsed(stage);
    // Longer than it takes to connect again, and to make up what was not forgotten.
    await sleep(2000);
    work.redis = 'there';
    await isUsed(stage);
    await work.end();
    assert.deepEqual(work.faults, []);
  });

/** Damages some of what is remembered. */
async function damage(client: Redis): Promise<void> {
  const keys = await client.keys('gh1:*');
  const values = await Promise.all(keys.map((key) => client.getBuffer(key)));
  // Generations are short; a token that is moved back is one that never went.
  const entries = keys.flatMap((key, at) =>
    (values[at]?.length ?? 0) > 100 ? [{ key, value: values[at] }] : [],
  );
  for (const { key, value } of entries) {
    if (!value) continue;
    const place = random(value.length);
    const other = entries[random(entries.length)]?.value;
    value[place] = (value[place] ?? 0) ^ (1 << random(8));
    await client.set(key, random(2) > 0 && other ? other : value, 'PX', 60_000);
  }
}

test('while values in Redis are flipped and swapped, no answer is wrong or an error, and the trail tells of it', async () => {
  await using stage = await openStage();
  const { redis, work, gateways } = stage;
  await isUsed(stage);
  await withClient(redis, async (client) => {
    for (let time = 0; time < 100; time += 1) {
      await damage(client);
      await sleep(20);
    }
  });
  await isUsed(stage);
  await work.end();
  assert.deepEqual(work.faults, []);
  const told = (await Promise.all(gateways.map((each) => each.records()))).flat();
  const failures = told.filter(({ event }) => event === 'cache.integrity_failure');
  assert.ok(failures.length > 0 && failures.length < 10, `${failures.length} records`);
});

test('a Redis that hangs costs a call one budget, however many parts have to find that out', async () => {
  const budgetMs = 400;
  const answer: Answer = ({ url }, response) => sendScim(response, 200, { schemas: [], id: url });
  await using upstream = await startUpstream({ answer });
  await using redis = await startRedis();
  await using gateway = await startGateway({
    upstream: upstream.url,
    config: { cache: { store: 'redis', redis: { url: new Secret(redis.url), budget: `${budgetMs}ms` } } },
  });
  const timed = async (...asked: Parameters<TestGateway['call']>): Promise<number> => {
    const began = performance.now();
    assert.equal((await gateway.call(...asked)).status, 200);
    return performance.now() - began;
  };
  const inAnOutage = async (): Promise<number> => {
    redis.freeze();
    const members = [{ value: String(Math.random()) }];
    // They ask several parts each, and begin at once, so that none of them has found out before.
    const times = await Promise.all([
      timed('GET', '/Groups/g1'),
      timed('PUT', '/Groups/g2', { schemas: [], displayName: 'g2', members }),
    ]);
    redis.thaw();
    return Math.max(...times);
  };
  // A machine that is busy with something else is slow once, and the gateway would be each time.
  await eventually(async () => {
    await sleep(2500);
    await timed('GET', '/Groups/g1');
    const took = await inAnOutage();
    assert.ok(took >= budgetMs, `${took} ms: nobody has waited for Redis`);
    return took < 1.75 * budgetMs;
  }, 20_000);
});
