/** Replicas that cannot know of each other's writes serve nothing that these could have made old. */
import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { Secret } from '../../src/gateway/secret.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { startUpstream } from '../support/upstream.ts';

interface Stage extends AsyncDisposable {
  readonly redis: RedisServer;
  /** One of two replicas. */
  start(instance: string, keyFile: string): Promise<TestGateway>;
}

async function openStage(): Promise<Stage> {
  await using opening = new AsyncDisposableStack();
  const directory = opening.use(await mkdtempDisposable(join(tmpdir(), 'gatehouse-sharing-')));
  const redis = opening.use(await startRedis());
  const upstream = opening.use(await startUpstream());
  const parts = opening.move();
  return {
    redis,
    start: (instance, keyFile) =>
      startGateway({
        upstream: upstream.url,
        config: {
          replicas: 2,
          cache: { store: 'redis', redis: { url: new Secret(redis.url) } },
          audit: {
            directory: join(directory.path, instance),
            instance: 'test',
            keyFile: join(directory.path, keyFile),
            ballast: '0B',
          },
        },
      }),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

const hasTold = async (gateway: TestGateway, wanted: string): Promise<boolean> =>
  (await gateway.records()).some(({ event }) => event === wanted);

/** Reads the same until it is answered from the cache. */
const isRemembered = async (gateway: TestGateway): Promise<boolean> => {
  const answer = await gateway.call('GET', '/Users/1');
  assert.equal(answer.status, 200);
  return (answer.headers.get('cache-status') ?? '').includes('hit');
};

test('a replica with another key remembers nothing, shares the quota, and says so', async () => {
  await using stage = await openStage();
  await using _first = await stage.start('one', 'key');
  await using stranger = await stage.start('other', 'another-key');
  for (let time = 0; time < 5; time += 1) assert.equal(await isRemembered(stranger), false);
  assert.ok(await hasTold(stranger, 'sharing.refused'));
  await eventually(async () => {
    const figures = await (await fetch(`${stranger.adminUrl}/metrics`)).text();
    assert.match(figures, /gatehouse_cache_used 0/);
    return figures.includes('gatehouse_quota_shared{tenant="acme"} 1');
  });
});

test('replicas with one key remember together', async () => {
  await using stage = await openStage();
  await using first = await stage.start('one', 'key');
  await using second = await stage.start('other', 'key');
  await eventually(() => isRemembered(first));
  await eventually(() => isRemembered(second));
});

test('replicas with different keys that meet later share nothing, say so, and share again when one has gone', async () => {
  await using stage = await openStage();
  await stage.redis.kill();
  const first = await stage.start('one', 'key');
  await using second = await stage.start('other', 'another-key');
  await stage.redis.restart();
  const refused = (gateway: TestGateway): Promise<boolean> => hasTold(gateway, 'sharing.refused');
  await eventually(async () => (await refused(first)) || (await refused(second)), 20_000);
  const [stranger, owner] = (await refused(first)) ? [first, second] : [second, first];
  assert.equal(await refused(owner), false);
  for (let time = 0; time < 5; time += 1) assert.equal(await isRemembered(stranger), false);
  await eventually(() => isRemembered(owner));
  await owner[Symbol.asyncDispose]();
  await eventually(() => hasTold(stranger, 'sharing.resumed'), 30_000);
  await eventually(() => isRemembered(stranger), 10_000);
  await first[Symbol.asyncDispose]();
});

test('one of several replicas without a Redis remembers nothing', async () => {
  await using upstream = await startUpstream();
  await using gateway = await startGateway({ upstream: upstream.url, config: { replicas: 2 } });
  for (let time = 0; time < 5; time += 1) assert.equal(await isRemembered(gateway), false);
  assert.equal(upstream.received.length, 5);
});
