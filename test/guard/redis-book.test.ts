/** The book in Redis, where values are swapped, flipped and made up: what no gateway has written there is not believed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openRedis } from '../../src/gateway/redis.ts';
import { RedisBook } from '../../src/guard/redis-book.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis } from '../support/redis.ts';

const prefix = 'gw1:{guard}:';
const windowMs = 3_600_000;
const chargeOf = (name: string, amount: number) => ({ name, amount, windowMs });

async function stage() {
  const redis = await startRedis();
  const opened = new DisposableStack();
  const { redis: attacker } = opened.use(openRedis(redis.url));
  await eventually(async () => attacker.status === 'ready');
  return {
    redis,
    attacker,
    open: async (): Promise<RedisBook> => {
      const { redis: connection } = opened.use(openRedis(redis.url));
      const book = opened.use(new RedisBook({ redis: connection, key: Buffer.alloc(32, 7), budgetMs: 2000 }));
      await eventually(async () => (await book.recall('any')) === null);
      return book;
    },
    keys: async () => (await attacker.keys(`${prefix}*`)).filter((key) => key !== `${prefix}probe`),
    async [Symbol.asyncDispose](): Promise<void> {
      opened.dispose();
      await redis[Symbol.asyncDispose]();
    },
  };
}

type Stage = Awaited<ReturnType<typeof stage>>;

/** Somebody who is held, with a release, beside `idm`, who has lost five. */
async function fill({ open }: Stage): Promise<RedisBook> {
  const [book, other] = [await open(), await open()];
  await book.add(chargeOf('idm', 2));
  await other.add(chargeOf('idm', 3));
  await other.add(chargeOf('held', 1000));
  assert.equal(await other.open('held', 'hold-1'), 'hold-1');
  await other.permit('hold-1', 100, windowMs);
  assert.equal(await other.take('hold-1', 40), 60);
  await other.close('gone', 'hold-0');
  await other.remember('group', 7, windowMs);
  return book;
}

test('whatever value stands under whatever key, nobody is charged for others or held for nothing', async () => {
  await using set = await stage();
  const book = await fill(set);
  const { attacker } = set;
  const all = await set.keys();
  assert.deepEqual(new Set(all.map((key) => key.split(':')[2])).size, 6);
  const targets = [...all, `${prefix}hold:idm`, `${prefix}closed:hold-9`, `${prefix}size:other`];
  for (const from of all)
    for (const to of targets) {
      const types = await Promise.all([attacker.type(from), attacker.type(to)]);
      // A value of another type is an error of Redis, which is then not used.
      if (from === to || (types[1] !== 'none' && types[0] !== types[1])) continue;
      const before = await attacker.dumpBuffer(to);
      await attacker.copy(from, to, 'REPLACE');
      const now = await book.add(chargeOf('idm', 0), 'hold-9');
      assert.ok(now && now.count <= 5, `${from} at ${to}: ${now?.count}`);
      assert.deepEqual([now.hold, now.isClosed], [undefined, false], `${from} at ${to}`);
      assert.equal(await book.recall('other'), null, `${from} at ${to}`);
      if (before) await attacker.restore(to, 0, before, 'REPLACE');
      else await attacker.del(to);
    }
  assert.equal((await book.add(chargeOf('idm', 1)))?.count, 6);
});

test('a value in which a bit was flipped is as none', async () => {
  await using set = await stage();
  const book = await fill(set);
  const { attacker } = set;
  for (const name of ['hold:held', 'permission:hold-1', 'size:group', 'closed:hold-0']) {
    const value = (await attacker.getBuffer(prefix + name)) ?? Buffer.alloc(0);
    value[value.length >> 1] = (value[value.length >> 1] ?? 0) ^ 1;
    await attacker.set(prefix + name, value);
  }
  const standing = await book.add(chargeOf('held', 0), 'hold-0');
  assert.deepEqual([standing?.count, standing?.hold, standing?.isClosed], [1000, undefined, false]);
  assert.deepEqual([await book.leftOf('hold-1'), await book.recall('group')], [0, null]);
});

test('a made-up hold gives way to that of the first gateway which opens one', async () => {
  await using set = await stage();
  const [one, other] = [await set.open(), await set.open()];
  await set.attacker.set(`${prefix}hold:idm`, 'made-up');
  assert.equal(await one.open('idm', 'hold-1'), 'hold-1');
  assert.equal(await other.open('idm', 'hold-2'), 'hold-1');
  await set.attacker.del(`${prefix}hold:idm`);
  await set.attacker.lpush(`${prefix}hold:idm`, 'made-up');
  assert.equal(await other.open('idm', 'hold-2'), 'hold-2');
});

test('made-up parts of a count do not hide those of others', async () => {
  await using set = await stage();
  const book = await fill(set);
  const key = (await set.keys()).find((each) => each.includes(':part:idm:')) ?? '';
  await set.attacker.zadd(key, 0, 'x', 1, 'x:1000.mac', Number.MAX_SAFE_INTEGER, '1000', -1, '.');
  assert.equal((await book.add(chargeOf('idm', 1)))?.count, 6);
});

test('a number of what was taken that cannot be lets nothing pass', async () => {
  await using set = await stage();
  const book = await fill(set);
  for (const taken of ['-1000', '1000', 'x', '']) {
    await set.attacker.set(`${prefix}taken:hold-1`, taken);
    assert.deepEqual([await book.leftOf('hold-1'), await book.take('hold-1', 1)], [0, undefined], taken);
  }
});

test('what a process took back is not counted, and a process that comes after it has a part of its own', async () => {
  await using set = await stage();
  const [one, other] = [await set.open(), await set.open()];
  const added = await one.add(chargeOf('idm', 5));
  await one.takeBack(chargeOf('idm', 3), added?.at ?? 0);
  assert.equal((await other.add(chargeOf('idm', 1)))?.count, 3);
  one[Symbol.dispose]();
  assert.equal((await (await set.open()).add(chargeOf('idm', 1)))?.count, 4);
});

test('what was taken back while Redis was away is not counted afterwards', async () => {
  await using set = await stage();
  const book = await set.open();
  const added = await book.add(chargeOf('idm', 5));
  await set.redis.kill();
  await eventually(async () => (await book.recall('any')) === undefined);
  await book.takeBack(chargeOf('idm', 3), added?.at ?? 0);
  assert.equal(await book.add(chargeOf('idm', 7)), undefined);
  await set.redis.restart();
  await eventually(async () => (await book.recall('any')) === null);
  assert.equal((await book.add(chargeOf('idm', 1)))?.count, 3);
});
