/** A Redis that starts from an earlier state of its own: what a write has ended since stays ended, on every replica. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';

import type { Cache } from '../../src/cache/cache.ts';
import { epochOf } from '../../src/cache/key.ts';
import { createCache } from '../../src/cache/read-through.ts';
import type { RedisStoreOptions } from '../../src/cache/redis-store.ts';
import { certainAfterMs } from '../../src/redis-epochs.ts';
import { eventually } from '../support/eventually.ts';
import { type RedisServer, startRedis, startSavingRedis } from '../support/redis.ts';
import { defaults, operation, reply } from './operations.ts';
import { openStore } from './redis-place.ts';

const user = operation('GET', 'Users/1');
const write = operation('PUT', 'Users/1');
const epoch = epochOf('gh1:{hr}');

test('a dump older than an epoch brings back nothing that a write has ended', async () => {
  await using server = await startSavingRedis();
  let aheadMs = 0;
  const now = (): number => performance.now() + aheadMs;
  const epochTimes = { lifetimeMs: 1500, prolongEveryMs: 300 };
  await using stage = await openStage(server, { now, epochTimes });
  await server.save();
  await stage.write();
  aheadMs += certainAfterMs; // So long ago that a lost connection does not make it owed again.
  await server.kill();
  await sleep(epochTimes.lifetimeMs + 200);
  await server.restart();
  assert.ok((await ask(server, (redis) => redis.dbsize())) > 1, 'the dump was loaded');
  for (const replica of stage.replicas) await stage.neverShowsTheOld(replica);
});

test('what a younger dump lacks is forgotten again, and all that no write has ended stays', async () => {
  await using server = await startSavingRedis();
  await using stage = await openStage(server);
  const before = await ask(server, (redis) => redis.get(epoch));
  await server.save();
  await stage.write();
  await server.kill();
  await server.restart();
  const [one, other] = stage.replicas;
  await stage.neverShowsTheOld(one);
  await stage.neverShowsTheOld(other);
  assert.equal(await ask(server, (redis) => redis.get(epoch)), before);
});

test('replicas that nobody asks for anything go on remembering', async () => {
  await using server = await startRedis();
  const rules = 'on >secret resetkeys ~gh1:* resetchannels -@all +mget +set +del +pexpire'.split(' ');
  await ask(server, (redis) => redis.call('ACL', 'SETUSER', 'gatehouse', ...rules));
  const url = `redis://gatehouse:secret@127.0.0.1:${server.port}`;
  const epochTimes = { lifetimeMs: 3000, prolongEveryMs: 300 };
  await using stage = await openStage({ ...server, url }, { epochTimes });
  await sleep(epochTimes.lifetimeMs + 1000);
  for (const replica of stage.replicas) assert.equal((await stage.read(replica)).result, 'hit');
});

/** Two replicas that have both remembered what the tenant had. */
async function openStage(server: RedisServer, options: Partial<RedisStoreOptions> = {}) {
  let version = 1;
  const key = Buffer.alloc(32, 7);
  const open = (): Cache =>
    createCache({ store: openStore(server.url, { budgetMs: 2000, ...options }), key });
  const replicas = [open(), open()] as const;
  const [writer] = replicas;

  async function read(replica: Cache): Promise<{ readonly result: string; readonly version: number }> {
    const { result, reply: found } = await replica.read(user, defaults, async () => reply(String(version)));
    const { content } = JSON.parse(found.body.toString()) as { content: string };
    return { result, version: Number(content) };
  }

  for (const replica of replicas) await eventually(async () => (await read(replica)).result === 'hit');
  return {
    replicas,
    read,
    async write() {
      version += 1;
      await writer.forget(write);
    },
    /** Until it remembers again. */
    async neverShowsTheOld(replica: Cache) {
      await eventually(async () => {
        const found = await read(replica);
        assert.equal(found.version, version);
        return found.result === 'hit';
      });
    },
    async [Symbol.asyncDispose]() {
      for (const replica of replicas) await replica[Symbol.asyncDispose]();
    },
  };
}

async function ask<T>(server: RedisServer, what: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(server.port);
  try {
    return await what(redis);
  } finally {
    redis.disconnect();
  }
}
