/** A forgetting and the replicas of Redis: it is there before the write's caller is answered, if that takes a moment. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Redis } from 'ioredis';

import type { Store } from '../../src/cache/store.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis } from '../support/redis.ts';
import { openSlowWay } from '../support/slow-way.ts';
import { openStore } from './redis-place.ts';

const key = 'gh1:{system}:entry';
const users = 'gh1:{system}:users';

function connectTo(url: string) {
  const redis = new Redis(url);
  return { redis, [Symbol.dispose]: () => redis.disconnect() };
}

/** A primary counts a replica only once it has begun to follow. */
async function keepsUp(replica: Redis): Promise<void> {
  await eventually(async () => (await replica.info('replication')).includes('master_link_status:up'));
}

type Forget = (store: Store, token: string) => Promise<unknown>;
const ways: readonly (readonly [string, Forget])[] = [
  ['forgotten', (store) => store.renew([users])],
  ['ended by a write whose reply is kept', (store, token) => store.advance([users], users, token)],
];

for (const [how, forget] of ways)
  test(`what was ${how} is unknown to a slow replica as well when its caller is answered`, async () => {
    await using primary = await startRedis();
    await using way = await openSlowWay(primary.port, 150);
    await using replica = await startRedis(['--replicaof', '127.0.0.1', `${way.port}`]);
    using promoted = connectTo(replica.url);
    await keepsUp(promoted.redis);
    await using store = openStore(primary.url, { budgetMs: 10_000 });
    const current = async (): Promise<string> => {
      await eventually(async () => (await store.look(key, [users])) !== undefined);
      const { tokens: [token = ''] = [] } = (await store.look(key, [users])) ?? {};
      await eventually(async () => (await promoted.redis.get(users)) === token, 30_000);
      return token;
    };
    const token = await current();
    await forget(store, token);
    assert.notEqual(await promoted.redis.get(users), token);
  });

test('without a replica no forgetting waits', async () => {
  await using primary = await startRedis();
  await using store = openStore(primary.url, { budgetMs: 5000 });
  await eventually(async () => (await store.look(key, [users])) !== undefined);
  const begunAt = performance.now();
  for (let time = 0; time < 5; time += 1) await store.renew([users]);
  assert.ok(performance.now() - begunAt < 900, 'a fifth of the budget');
});

test('a replica that hangs is waited for once a minute', async () => {
  await using primary = await startRedis();
  await using replica = await startRedis(['--replicaof', '127.0.0.1', `${primary.port}`]);
  using follower = connectTo(replica.url);
  await keepsUp(follower.redis);
  let now = 0;
  await using store = openStore(primary.url, { budgetMs: 1500, now: () => now });
  await eventually(async () => (await store.look(key, [users])) !== undefined);
  await store.renew([users]);
  replica.freeze();
  const timed = async (): Promise<number> => {
    const begunAt = performance.now();
    await store.renew([users]);
    return performance.now() - begunAt;
  };
  assert.ok((await timed()) >= 290, 'a fifth of the budget');
  const others = [await timed(), await timed(), await timed()];
  assert.ok(Math.min(...others) < 250, others.join());
  now += 60_001;
  assert.ok((await timed()) >= 290);
  replica.thaw();
});
