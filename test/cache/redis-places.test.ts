/** The store behind real Sentinels and in a real Cluster, with fail-overs in the middle. */
import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';

import type { Store } from '../../src/cache/store.ts';
import type { RedisSettings } from '../../src/gateway/redis.ts';
import { Secret } from '../../src/gateway/secret.ts';
import { createCertificate } from '../support/certificate.ts';
import { startCluster, type RunningCluster } from '../support/redis-cluster.ts';
import { startWatched } from '../support/redis-sentinel.ts';
import { openStore } from './redis-place.ts';

const commands = '-@all +mget +set +del +pexpire';
const account = `gatehouse on >of-redis resetkeys ~gh1:* resetchannels ${commands}`;
const sentinelAccount = 'gatehouse on >of-sentinel resetchannels -@all +sentinel|get-master-addr-by-name';

const entry = (system: string): string => `gh1:{${system}}:entry`;
const users = (system: string): string => `gh1:{${system}}:users`;
const system = 'system';

test('a fail-over by Sentinel is an outage of seconds, without errors, and loses no forgetting', async () => {
  await using watched = await startWatched(account, sentinelAccount);
  const place: RedisSettings = {
    sentinels: [...watched.sentinels],
    master: 'gatehouse',
    user: 'gatehouse',
    password: new Secret('of-redis'),
    sentinelUser: 'gatehouse',
    sentinelPassword: new Secret('of-sentinel'),
  };
  const states: string[] = [];
  await using store = openStore(place, { onState: ({ state }) => states.push(state) });
  await using other = openStore(place);
  const before = await tokensOf(store);
  assert.deepEqual(await tokensOf(other), before);
  store.put(entry(system), Buffer.from('value'), 600_000);
  // Otherwise the Sentinels know no replica yet that they could promote.
  await sleep(1500);
  await watched.primary.kill();
  await store.renew([users(system)]);
  const after = await tokensOf(store);
  assert.notDeepEqual(after, before);
  assert.deepEqual(await tokensOf(other), after);
  await store.renew([users(system)]);
  assert.notDeepEqual(await tokensOf(other), after);
  assert.equal(states.at(-1), 'on');
});

test('with wrong passwords for the Sentinels the store says nothing, and throws nothing', async () => {
  await using watched = await startWatched(account, sentinelAccount);
  const states: string[] = [];
  await using store = openStore(
    {
      sentinels: [...watched.sentinels],
      master: 'gatehouse',
      user: 'gatehouse',
      password: new Secret('of-redis'),
      sentinelUser: 'gatehouse',
      sentinelPassword: new Secret('wrong'),
    },
    { onState: ({ state }) => states.push(state) },
  );
  await until(async () => {
    assert.equal(await store.look(entry(system), [users(system)]), undefined);
    await store.renew([users(system)]);
    return states.length > 0;
  });
  assert.equal(states[0], 'off');
});

test('a Cluster keeps what belongs together on one node, and a fail-over in it loses no forgetting', async () => {
  await using cluster = await startCluster(`${account} +cluster|slots`);
  const place: RedisSettings = {
    cluster: [...cluster.addresses],
    user: 'gatehouse',
    password: new Secret('of-redis'),
  };
  await using store = openStore(place);
  await using other = openStore(place);
  const [there, elsewhere, frozen] = [
    await systemOn(0, cluster),
    await systemOn(1, cluster),
    await systemOn(2, cluster),
  ];
  const before = new Map<string, readonly string[]>();
  for (const each of [there, elsewhere, frozen]) {
    store.put(entry(each), Buffer.from(each), 600_000);
    before.set(each, await tokensOf(store, each));
    await store.renew([users(each)]);
    const renewed = await tokensOf(store, each);
    assert.notDeepEqual(renewed, before.get(each));
    assert.deepEqual(await tokensOf(other, each), renewed);
    before.set(each, renewed);
  }
  await cluster.primaries[0].kill();
  await store.renew([users(there)]);
  assert.ok(await store.look(entry(elsewhere), [users(elsewhere)]), 'other nodes answer');
  const after = await tokensOf(store, there);
  assert.notDeepEqual(after, before.get(there));
  assert.deepEqual(await tokensOf(other, there), after);

  cluster.primaries[2].freeze();
  for (let time = 0; time < 5; time += 1)
    assert.equal(await store.look(entry(frozen), [users(frozen)]), undefined);
  const startedAt = performance.now();
  for (let time = 0; time < 100; time += 1) await store.look(entry(frozen), [users(frozen)]);
  const took = performance.now() - startedAt;
  assert.ok(took < 200, `nobody waits for a node that hangs, not ${took} ms for 100`);
  assert.ok(await store.look(entry(elsewhere), [users(elsewhere)]), 'the others are asked as before');
  cluster.primaries[2].thaw();
});

test('a new primary in a Cluster is not believed before it has heard of the last forgettings', async () => {
  await using cluster = await startCluster(`${account} +cluster|slots`);
  const password = new Secret('of-redis');
  await using store = openStore({ cluster: [...cluster.addresses], user: 'gatehouse', password });
  const there = await systemOn(0, cluster);
  const [old = ''] = await tokensOf(store, there);
  await store.renew([users(there)]);
  await tokensOf(store, there);
  await cluster.failOver();
  // What a promoted replica looks like to which the deletion had not come yet.
  const redis = new Redis(cluster.replica.url);
  await redis.set(users(there), old);
  redis.disconnect();
  assert.notDeepEqual(await tokensOf(store, there), [old]);
});

test('with TLS everything is asked through TLS: Sentinels and primary', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-tls-'));
  const { certificate, key } = createCertificate('localhost');
  await writeFile(join(directory.path, 'redis.crt'), certificate);
  await writeFile(join(directory.path, 'redis.key'), key);
  await using watched = await startWatched(account, sentinelAccount, directory.path);
  const passwords = {
    user: 'gatehouse',
    password: new Secret('of-redis'),
    sentinelUser: 'gatehouse',
    sentinelPassword: new Secret('of-sentinel'),
  };
  const place = { ...passwords, sentinels: [...watched.sentinels], master: 'gatehouse' };
  const ca = { path: 'redis.crt', text: certificate };
  await using store = openStore({ ...place, tls: { ca } });
  assert.ok(await tokensOf(store));
  await using plain = openStore(place);
  await using stranger = openStore({ ...place, tls: {} });
  await sleep(500);
  for (const each of [plain, stranger])
    assert.equal(await each.look(entry(system), [users(system)]), undefined);
});

async function systemOn(owner: number, { ownerOf }: RunningCluster): Promise<string> {
  for (let number = 0; ; number += 1) if ((await ownerOf(`gh1:{s${number}}`)) === owner) return `s${number}`;
}

/** As soon as the store can say. */
async function tokensOf(store: Store, of = system): Promise<readonly string[]> {
  let tokens: readonly string[] | undefined;
  await until(async () => (tokens = (await store.look(entry(of), [users(of)]))?.tokens) !== undefined);
  return tokens ?? [];
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 25_000;
  while (!(await isSo())) {
    assert.ok(Date.now() < giveUpAt, 'waited 25 s in vain');
    await sleep(10);
  }
}
