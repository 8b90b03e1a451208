import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';

import type { RedisStoreOptions } from '../../src/cache/redis-store.ts';
import type { RedisState } from '../../src/cache/redis-use.ts';
import type { Store } from '../../src/cache/store.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { openSlowWay } from '../support/slow-way.ts';
import { openStore } from './redis-place.ts';
import { storeContract } from './store.contract.ts';

const key = 'gh1:{system}:entry';
const users = 'gh1:{system}:users';

const shared = await startRedis();
after(() => shared[Symbol.asyncDispose]());

storeContract(async () => {
  await command(shared, 'FLUSHALL');
  // A busy machine must not make it look away.
  return open(shared, { budgetMs: 5000 });
});

test('a frozen Redis costs some looks their budget and later ones nothing', async () => {
  await using server = await startRedis();
  await using store = await open(server);
  server.freeze();
  const first = await timed(() => lookTimes(store, 100));
  const later = await timed(() => lookTimes(store, 100));
  assert.ok(first >= 200 && first < 2000, `5 budgets of 50 ms, not ${first} ms`);
  assert.ok(later < 200, `nothing, not ${later} ms`);
});

test('a forgetting that a frozen Redis does not confirm holds nobody up', async () => {
  await using server = await startRedis();
  await using store = await open(server);
  server.freeze();
  const took = await timed(() => store.renew([users]));
  assert.ok(took < 900, `one budget of 50 ms, not ${took} ms`);
});

test('Redis is used again after it was frozen, and after it was killed', async () => {
  await using server = await startRedis();
  const states: string[] = [];
  await using store = await open(server, { onState: ({ state }) => states.push(state) });
  server.freeze();
  await lookTimes(store, 6);
  server.thaw();
  await answerOf(store);
  await server.kill();
  await until(async () => {
    await store.look(key, [users]);
    return states.length === 3;
  });
  await server.restart();
  await answerOf(store);
  assert.deepEqual(states, ['off', 'on', 'off', 'on']);
});

test('what a replica has to read is never believed, by whomever', async () => {
  await using server = await startRedis();
  const states: RedisState[] = [];
  await using store = await open(server, { onState: (state) => states.push(state) });
  await command(server, 'REPLICAOF', '127.0.0.1', '1');
  for (let time = 0; time < 5; time += 1) assert.equal(await store.look(key, [users]), undefined);
  await until(async () => {
    assert.equal(await store.look(key, [users]), undefined);
    return states.length > 0;
  });
  assert.equal(states[0]?.state, 'off');
  await command(server, 'REPLICAOF', 'NO', 'ONE');
  await answerOf(store);
  assert.equal(states.at(-1)?.state, 'on');
});

test('a primary that is cut off from its replicas is not believed', async () => {
  await using server = await startRedis();
  await using store = await open(server);
  await command(server, 'CONFIG', 'SET', 'min-replicas-to-write', '1');
  assert.equal(await store.look(key, [users]), undefined);
});

test('what Redis did not forget is never believed, and is forgotten first when Redis can', async () => {
  await using server = await startRedis();
  await using store = await open(server);
  await using replica = await open(server);
  const before = await answerOf(store);
  await command(server, 'REPLICAOF', '127.0.0.1', '1');
  await store.renew([users]);
  assert.equal(await store.look(key, [users]), undefined);
  await command(server, 'REPLICAOF', 'NO', 'ONE');
  assert.notDeepEqual(await answerOf(store), before);
  assert.notDeepEqual(await answerOf(replica), before);
});

test('a forgetting that a fail-over lost is made up', async () => {
  await using server = await startRedis();
  await using store = await open(server);
  const before = await answerOf(store);
  await store.renew([users]);
  // What a promoted replica looks like to which the deletion had not come yet.
  await command(server, 'SET', users, before[0] ?? '');
  await command(server, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await until(async () => (await store.look(key, [users])) === undefined);
  assert.notDeepEqual(await answerOf(store), before);
});

test('what a store forgets to which Redis is always late, others learn all the same', async () => {
  await using server = await startRedis();
  await using way = await openSlowWay(server.port, 0);
  const states: string[] = [];
  await using far = openStore(`redis://127.0.0.1:${way.port}`, {
    onState: ({ state }) => states.push(state),
  });
  await using near = await open(server, { budgetMs: 5000 });
  const before = await answerOf(near);
  assert.deepEqual(await answerOf(far), before);
  way.delayMs = 80;
  await until(async () => {
    await far.look(key, [users]);
    return states.at(-1) === 'off';
  });
  await far.renew([users]);
  await until(async () => (await answerOf(near)).join() !== before.join());
});

test('nobody finds the new guard of a write beside another generation from before it', async () => {
  await using server = await startRedis();
  await using store = await open(server, { budgetMs: 5000 });
  const [token = ''] = await answerOf(store);
  using watcher = await watch(server);
  const user = 'gh1:{system}:user';
  assert.ok(await store.advance([users, user], users, token));
  await until(async () => watcher.commands.length === 2);
  assert.deepEqual(watcher.commands, [`del ${user}`, `set ${users}`]);
});

test('debts of one system do not stop the reading of another', async () => {
  await using server = await startRedis();
  await using store = await open(server);
  const other = ['gh1:{other}:entry', ['gh1:{other}:users']] as const;
  const before = await store.look(...other);
  await answerOf(store);
  server.freeze();
  await store.renew([users]);
  server.thaw();
  await until(async () => (await store.look(...other)) !== undefined);
  assert.deepEqual(await store.look(...other), before);
});

test('a Redis without memory refuses to store but still forgets', async () => {
  await using server = await startRedis();
  const states: RedisState[] = [];
  await using store = await open(server, { onState: (state) => states.push(state) });
  const before = await answerOf(store);
  await command(server, 'CONFIG', 'SET', 'maxmemory', '1');
  store.put(key, Buffer.from('value'), 10_000);
  await until(async () => states.length > 0);
  assert.deepEqual(states, [{ state: 'read-only', reason: 'OOM' }]);
  await store.renew([users]);
  await command(server, 'CONFIG', 'SET', 'maxmemory', '0');
  assert.notDeepEqual(await answerOf(store), before);
});

test('a wrong password and a missing one are misses, and the reason is told without details', async () => {
  await using server = await startRedis(['--requirepass', 'right-password']);
  for (const [url, reason] of [
    [`redis://:wrong-password@127.0.0.1:${server.port}`, 'WRONGPASS'],
    [server.url, 'NOAUTH'],
  ] as const) {
    const states: RedisState[] = [];
    const onState = (state: RedisState): number => states.push(state);
    await using store = openStore(url, { onState });
    await until(async () => {
      assert.equal(await store.look(key, [users]), undefined);
      await store.renew([users]);
      return states.length > 0;
    });
    assert.equal(states[0]?.state, 'off');
    assert.match(states[0]?.reason ?? '', new RegExp(`^(${reason}|unanswered)$`));
  }
});

test('an ACL with MGET, SET, DEL and PEXPIRE on the gateway’s own keys is enough', async () => {
  await using server = await startRedis();
  const rules = 'on >secret resetkeys ~gh1:* resetchannels -@all +mget +set +del +pexpire'.split(' ');
  await command(server, 'ACL', 'SETUSER', 'gatehouse', ...rules);
  await using store = openStore(`redis://gatehouse:secret@127.0.0.1:${server.port}`);
  const before = await answerOf(store);
  store.put(key, Buffer.from('value'), 10_000);
  await store.renew([users]);
  assert.notDeepEqual(await answerOf(store), before);
  assert.equal(String((await store.look(key, [users]))?.value), 'value');
});

async function open(server: RedisServer, options: Partial<RedisStoreOptions> = {}): Promise<Store> {
  const store = openStore(server.url, options);
  await answerOf(store);
  return store;
}

/** The tokens, as soon as the store can say. */
async function answerOf(store: Store): Promise<readonly string[]> {
  let tokens: readonly string[] | undefined;
  await until(async () => (tokens = (await store.look(key, [users]))?.tokens) !== undefined);
  return tokens ?? [];
}

/** The commands that change something, in the order in which the server carries them out. */
async function watch(server: RedisServer) {
  const redis = new Redis(server.url);
  const monitor = await redis.monitor();
  const commands: string[] = [];
  monitor.on('monitor', (_time: string, [name = '', key = '']: string[]) => {
    // That comes by the clock.
    if (name !== 'pexpire') commands.push(`${name} ${key}`);
  });
  return {
    commands,
    [Symbol.dispose]() {
      monitor.disconnect();
      redis.disconnect();
    },
  };
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 8000;
  while (!(await isSo())) {
    assert.ok(Date.now() < giveUpAt, 'waited 8 s in vain');
    await sleep(10);
  }
}

async function lookTimes(store: Store, times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) assert.equal(await store.look(key, [users]), undefined);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

async function command(server: RedisServer, name: string, ...parameters: string[]): Promise<void> {
  const redis = new Redis(server.url);
  await redis.call(name, ...parameters);
  redis.disconnect();
}
