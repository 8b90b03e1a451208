/** Snapshots that replicas share, with a real Redis that is lost, comes back, and is tampered with. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';

import { Sealer } from '../../src/cache/seal.ts';
import { openRedis } from '../../src/gateway/redis.ts';
import { Lease } from '../../src/snapshot/lease.ts';
import { RedisSlates, type RedisSlatesOptions } from '../../src/snapshot/redis-slate.ts';
import { eventually } from '../support/eventually.ts';
import { inClear } from '../support/in-clear.ts';
import { type RedisServer, startRedis, startSavingRedis } from '../support/redis.ts';
import { Collection, many } from './collection.ts';
import { Replica } from './replica.ts';

const key = 'gs1:{hr}:users';
const master = Buffer.alloc(32, 7);

/** A budget that a busy machine keeps to. */
function connect(
  server: RedisServer,
  tenant: Collection,
  epochTimes?: RedisSlatesOptions['epochTimes'],
): Replica & Disposable {
  const { redis, [Symbol.dispose]: disconnect } = openRedis(server.url);
  const slates = new RedisSlates({
    redis,
    budgetMs: 2000,
    partBudgetMs: 2000,
    ...(epochTimes && { epochTimes }),
  });
  const replica = new Replica(tenant, slates.of(key), new Sealer([master]));
  return Object.assign(replica, {
    [Symbol.dispose]: () => {
      slates[Symbol.dispose]();
      disconnect();
    },
  });
}

async function openStage(server: RedisServer, people = 600, epochTimes?: RedisSlatesOptions['epochTimes']) {
  const tenant = new Collection(many(people));
  const [one, other] = [connect(server, tenant, epochTimes), connect(server, tenant, epochTimes)] as const;
  await eventually(
    async () => (await one.board.read()) !== undefined && (await other.board.read()) !== undefined,
  );
  assert.equal(await one.build(), undefined);
  return {
    tenant,
    one,
    other,
    [Symbol.dispose]: () => {
      one[Symbol.dispose]();
      other[Symbol.dispose]();
    },
  };
}

test('what one replica has built the other shows, with what either has written since', async () => {
  await using server = await startRedis();
  using stage = await openStage(server);
  const { tenant, one, other } = stage;
  assert.deepEqual(await other.ids(), tenant.ids());
  tenant.remove('u17');
  await one.board.append([{ kind: 'gone', id: 'u17' }]);
  assert.deepEqual(await other.ids(), tenant.ids());
  tenant.people.push({ id: 'new', passes: true, version: 0 });
  await other.board.append([{ kind: 'born', id: 'new' }]);
  assert.deepEqual(await one.ids(), tenant.ids());
  tenant.people[5]!.version = 3;
  await other.board.append([{ kind: 'one', id: 'u5' }]);
  assert.equal((await one.page(6, 1))?.Resources[0]?.version, 3);
});

test('only one replica builds at a time', async () => {
  await using server = await startRedis();
  using stage = await openStage(server, 10);
  assert.equal(await stage.other.board.begin(1000), undefined);
});

test('nor does another one while the first waits longer than the lease lasts, until it is done', async () => {
  await using server = await startRedis();
  using stage = await openStage(server, 10);
  const { one, other } = stage;
  assert.equal(await one.board.hold(1500), true);
  {
    using lease = new Lease(one.board, 1500);
    for (const endAt = Date.now() + 3500; Date.now() < endAt; await sleep(100))
      assert.equal(await other.board.begin(1500), undefined);
    await lease.keep();
  }
  await eventually(async () => (await other.board.begin(60_000)) !== undefined);
});

test('who builds goes on while Redis is away, and not once another replica has taken the lease', async () => {
  await using server = await startRedis();
  using stage = await openStage(server, 10);
  const { one, other } = stage;
  using redis = reader(server);
  assert.equal(await one.board.hold(60_000), true);
  using lease = new Lease(one.board, 60_000);
  server.freeze();
  await lease.keep();
  server.thaw();
  await eventually(async () => (await one.board.hold(60_000)) === true);
  await redis.client.del(`${key}:lease`);
  await eventually(() => other.board.hold(60_000).then((isOurs) => isOurs === true));
  await assert.rejects(lease.keep(), { fault: 'overtaken' });
});

test('while Redis is away nothing is shown, and what was written meanwhile is there when it is back', async () => {
  await using server = await startRedis();
  using stage = await openStage(server);
  const { tenant, one, other } = stage;
  assert.ok(await one.ids());
  server.freeze();
  tenant.people[5]!.version = 3;
  await one.board.append([{ kind: 'one', id: 'u5' }]);
  assert.equal(await one.ids(), undefined);
  server.thaw();
  await eventually(async () => (await one.ids()) !== undefined && (await other.ids()) !== undefined);
  assert.equal((await one.page(6, 1))?.Resources[0]?.version, 3);
  assert.equal((await other.page(6, 1))?.Resources[0]?.version, 3);
});

test('a Redis that has lost everything has no snapshot', async () => {
  await using server = await startRedis();
  using stage = await openStage(server, 20);
  await server.kill();
  assert.equal(await stage.one.ids(), undefined);
  await server.restart();
  await eventually(async () => (await stage.one.board.read()) !== undefined);
  assert.equal(await stage.one.ids(), undefined);
});

const short = { lifetimeMs: 1500, prolongEveryMs: 300 };

test('a snapshot from an old dump is not shown, and nobody is missing from the next one unheard', async () => {
  await using server = await startSavingRedis();
  using stage = await openStage(server, 20, short);
  const { tenant, one, other } = stage;
  await server.save();
  await server.kill();
  tenant.people[5]!.version = 3;
  await sleep(short.lifetimeMs + 200);
  await server.restart();
  await eventually(async () => (await one.board.read()) !== undefined);
  assert.equal(await one.ids(), undefined);
  assert.equal(await other.ids(), undefined);
  const people = tenant.people.splice(0, 10);
  assert.equal(await one.build(), 'shrunk');
  tenant.people.unshift(...people);
  assert.equal(await one.build(), undefined);
  await eventually(async () => (await other.ids()) !== undefined);
  assert.equal((await other.page(6, 1))?.Resources[0]?.version, 3);
});

test('what was read before Redis lost everything does not come into force afterwards', async () => {
  await using server = await startRedis();
  using stage = await openStage(server, 20);
  const { one, other } = stage;
  const start = await one.begin();
  await server.kill();
  await server.restart();
  await eventually(async () => (await one.board.read()) !== undefined);
  assert.equal(await one.build({ start }), undefined);
  assert.equal(await one.ids(), undefined);
  assert.equal(await one.build(), undefined);
  await eventually(async () => (await other.ids()) !== undefined);
});

test('nor does what was read before Redis has evicted the board', async () => {
  await using server = await startRedis();
  using stage = await openStage(server, 20);
  const { one } = stage;
  const start = await one.begin();
  using redis = reader(server);
  await redis.client.del(key);
  assert.equal(await one.build({ start }), undefined);
  assert.equal(await one.ids(), undefined);
  assert.equal(await one.build(), undefined);
  assert.ok(await one.ids());
});

test('nor when the board that took its place has come to the same number', async () => {
  await using server = await startRedis();
  using stage = await openStage(server, 20);
  const { tenant, one, other } = stage;
  using redis = reader(server);
  await redis.client.del(key);
  const start = await one.begin();
  const source = new Collection(many(20));
  tenant.people[5]!.version = 3;
  await other.board.append([{ kind: 'one', id: 'u5' }]);
  await redis.client.del(key, `${key}:lease`);
  assert.equal((await other.begin()).number, start.number);
  assert.equal(await one.build({ start, source }), undefined);
  assert.equal(await other.ids(), undefined);
});

test('builds that came to nothing leave no more than one mark of each replica', async () => {
  await using server = await startRedis();
  using stage = await openStage(server, 20);
  using redis = reader(server);
  for (let time = 0; time < 4; time += 1) await stage.one.begin();
  const left = await redis.client.zcard(key);
  assert.equal(await stage.one.build(), undefined);
  assert.ok(left - (await redis.client.zcard(key)) <= 2);
  assert.ok(await stage.other.ids());
});

test('a snapshot that nobody asks for stays', async () => {
  await using server = await startRedis();
  using stage = await openStage(server, 20, { lifetimeMs: 3000, prolongEveryMs: 300 });
  await sleep(4000);
  assert.equal((await stage.other.ids())?.length, 20);
});

test('nothing in Redis tells who is in the collection', async () => {
  await using server = await startRedis();
  using stage = await openStage(server, 20);
  await stage.one.board.append([{ kind: 'one', id: 'u5' }]);
  using redis = reader(server);
  const texts: string[] = [...(await redis.client.keys('*')), ...(await redis.client.zrange(key, '0', '-1'))];
  for (const name of await redis.client.keys(`${key}:*`)) texts.push((await redis.client.get(name)) ?? '');
  assert.ok(texts.length > 3);
  for (const text of texts) assert.doesNotMatch(inClear(text), /"u5"/);
});

test('a part that was damaged, or moved from another, is not shown', async () => {
  await using server = await startRedis();
  using stage = await openStage(server, 1100);
  using redis = reader(server);
  const parts = (await redis.client.keys(`${key}:*.[0-9]`)).toSorted();
  assert.equal(parts.length, 3);
  const [first = '', second = ''] = parts;
  await redis.client.copy(first, second, 'REPLACE');
  assert.ok(await stage.other.page(1, 10));
  assert.equal(await stage.other.page(501, 10), undefined);
  assert.equal(await stage.one.ids(), undefined, 'the whole edition ends');
  assert.equal(await stage.one.build(), undefined);
  assert.equal((await stage.other.ids())?.length, 1100);
});

test('an edition whose ids are lost still keeps a much smaller one from replacing it', async () => {
  await using server = await startRedis();
  using stage = await openStage(server, 100);
  using redis = reader(server);
  await redis.client.del(await redis.client.keys(`${key}:*.ids`));
  stage.tenant.people.splice(0, 50);
  assert.equal(await stage.one.build(), 'shrunk');
});

test('very many changes without a new edition become one', async () => {
  await using server = await startRedis();
  using stage = await openStage(server, 10);
  for (let round = 0; round < 5; round += 1)
    await stage.one.board.append(Array.from({ length: 500 }, () => ({ kind: 'one', id: 'u5' }) as const));
  using redis = reader(server);
  await eventually(async () => {
    assert.equal(await stage.other.ids(), undefined);
    return (await redis.client.zcard(key)) < 10;
  });
  assert.equal(await stage.other.ids(), undefined);
});

test('a server that refuses writes is not believed', async () => {
  await using server = await startRedis();
  using stage = await openStage(server, 20);
  using redis = reader(server);
  await redis.client.replicaof('127.0.0.1', '1');
  assert.equal(await stage.one.ids(), undefined);
});

test('a change that Redis refused is made up before anything is shown again', async () => {
  await using server = await startRedis();
  using stage = await openStage(server, 20);
  const { tenant, one, other } = stage;
  using redis = reader(server);
  await redis.client.replicaof('127.0.0.1', '1');
  tenant.people[5]!.version = 3;
  await one.board.append([{ kind: 'one', id: 'u5' }]);
  assert.equal(await one.ids(), undefined);
  await redis.client.replicaof('NO', 'ONE');
  await eventually(async () => (await one.ids()) !== undefined && (await other.ids()) !== undefined);
  assert.equal((await one.page(6, 1))?.Resources[0]?.version, 3);
  assert.equal((await other.page(6, 1))?.Resources[0]?.version, 3);
});

test('the commands that the delivered user may use are enough', async () => {
  const users = readFileSync(resolve(import.meta.dirname, '../../deploy/redis/users.acl'), 'utf8');
  const directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-test-'));
  await using _ = { [Symbol.asyncDispose]: () => directory.remove() };
  const file = join(directory.path, 'users.acl');
  await writeFile(file, users.replace('PASSWORD_SHA256', hash('sha256', 'password')));
  await using server = await startRedis(['--aclfile', file]);
  using stage = await openStage(
    { ...server, url: `redis://gatehouse:password@127.0.0.1:${server.port}` },
    30,
  );
  await stage.one.board.append([{ kind: 'one', id: 'u5' }]);
  assert.equal(await stage.one.build(), undefined);
  assert.equal((await stage.other.ids())?.length, 30);
  assert.deepEqual((await stage.other.board.read())?.changes, []);
});

function reader(server: RedisServer): Disposable & { readonly client: Redis } {
  const client = new Redis(server.url, { replyMapping: 'legacy' });
  return { client, [Symbol.dispose]: () => client.disconnect() };
}
