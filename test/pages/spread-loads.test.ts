/** Loads over HTTP before a balancer that sends every call to the next of three gateways, which share a Redis. */
import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { Secret } from '../../src/gateway/secret.ts';
import { operation } from '../cache/operations.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { inClear } from '../support/in-clear.ts';
import { startRedis } from '../support/redis.ts';
import { startUpstream } from '../support/upstream.ts';
import { entitiesOf, load, type PageBody, PagingTenant } from './paging-tenant.ts';
import { visit } from './visitor.ts';

/** About half of them are dropped, without a pattern of positions. */
const passes = Array.from({ length: 430 }, (_, at) => (at * 7919) % 13 < 6);
const patienceMs = 30_000;

async function startReplicas(blocks: 'on' | 'auto') {
  await using starting = new AsyncDisposableStack();
  const { path } = starting.use(await mkdtempDisposable(join(tmpdir(), 'gatehouse-replicas-')));
  const redis = starting.use(await startRedis());
  const tenant = new PagingTenant(entitiesOf(passes));
  const upstream = starting.use(
    await startUpstream({
      answer({ url }, response) {
        const { status, headers, body } = tenant.answer(
          operation('GET', url.slice(url.lastIndexOf('/') + 1)),
        );
        response.writeHead(status, headers).end(body);
      },
    }),
  );
  const start = async (instance: string): Promise<TestGateway> =>
    starting.use(
      await startGateway({
        upstream: upstream.url,
        tenant: { pace: { perMinute: 90_000, burst: 10_000, tenantLimit: 100_000 } },
        system: { pages: { blocks } },
        config: {
          replicas: 3,
          cache: { store: 'redis', redis: { url: new Secret(redis.url), budget: '5s' } },
          audit: {
            directory: `audit-${instance}`,
            instance: 'test',
            keyFile: join(path, 'key'),
            ballast: '0B',
          },
        },
      }),
    );
  const gateways = [await start('one'), await start('two'), await start('three')];
  let calls = 0;
  const page = async (startIndex: number): Promise<PageBody> => {
    const gateway = gateways[(calls += 1) % gateways.length] ?? assert.fail();
    const reply = await gateway.call('GET', `/Users?startIndex=${startIndex}&count=25`);
    assert.equal(reply.status, 200);
    return (await reply.json()) as PageBody;
  };
  const running = starting.move();
  return { redis, tenant, gateways, page, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

const there = entitiesOf(passes)
  .filter((each) => each.passes)
  .map(({ id }) => id)
  .toSorted();

for (const [blocks, most] of [
  ['on', 5],
  ['auto', 6],
] as const)
  test(`a load whose calls go to three gateways in turn gets each user once, out of blocks, with ${blocks}`, async () => {
    await using stage = await startReplicas(blocks);
    const { tenant, page, redis } = stage;
    assert.deepEqual((await load(page, 'at the total')).toSorted(), there);
    // A page that comes before what another replica keeps of its block is asked for anew.
    assert.ok(tenant.calls <= most + 2, tenant.asked.join(' '));
    using visitor = await visit(redis.url);
    const keys = await visitor.places();
    assert.ok(keys.length > 4);
    const kept = await Promise.all(keys.map((key) => visitor.client.xrange(key, '-', '+')));
    // A whole id: the first letters of one stand by chance in what is sealed.
    for (const text of [keys, kept].flat(4)) assert.doesNotMatch(inClear(text), /"u\d+"|identity-manager/);
  });

test('a load whose Redis dies between its pages misses nobody, and the trail says that places are not shared', async () => {
  await using stage = await startReplicas('on');
  let pages = 0;
  const ids = await load(stage.page, 'at the total', async () => {
    if ((pages += 1) === 2) await stage.redis.kill();
  });
  assert.deepEqual([...new Set(ids)].toSorted(), there);
  const [gateway] = stage.gateways;
  await eventually(
    async () => (await gateway?.records())?.some(({ event }) => event === 'loads.degraded') === true,
    patienceMs,
  );
});
