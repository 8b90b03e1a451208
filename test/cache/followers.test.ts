/** A forgetting and the replicas of Redis: it is there before the write's caller is answered, if that takes a moment. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';

import { Redis } from 'ioredis';

import type { Store } from '../../src/cache/store.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis } from '../support/redis.ts';
import { openStore } from './redis-place.ts';

const key = 'gh1:{system}:entry';
const users = 'gh1:{system}:users';

/** A way to a server on which what it says takes its time. */
async function openSlowWay(port: number, delayMs: number) {
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    sockets.push(near, far);
    for (const socket of [near, far]) socket.on('error', () => socket.destroy());
    near.pipe(far);
    far.on('data', (chunk: Buffer) => void setTimeout(() => near.write(chunk), delayMs));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
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
    await using store = openStore(primary.url, { budgetMs: 10_000 });
    const promoted = new Redis(replica.url);
    try {
      await eventually(async () => (await store.look(key, [users])) !== undefined);
      const tokens = (await store.look(key, [users]))?.tokens ?? [];
      await eventually(async () => (await promoted.get(users)) === tokens[0], 30_000);
      await forget(store, tokens[0] ?? '');
      assert.notEqual(await promoted.get(users), tokens[0]);
    } finally {
      promoted.disconnect();
    }
  });

test('without a replica a forgetting waits once a minute, and the others do not', async () => {
  await using primary = await startRedis();
  let now = 0;
  await using store = openStore(primary.url, { budgetMs: 2500, now: () => now });
  await eventually(async () => (await store.look(key, [users])) !== undefined);
  const timed = async (): Promise<number> => {
    const begunAt = performance.now();
    await store.renew([users]);
    return performance.now() - begunAt;
  };
  assert.ok((await timed()) >= 450, 'a fifth of the budget');
  assert.ok((await timed()) < 400);
  now += 60_001;
  assert.ok((await timed()) >= 450);
});
