/** Callers with quirks before two gateways without sticky sessions: which one a call comes to makes no difference. */
import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { Redis } from 'ioredis';

import { Secret } from '../../src/gateway/secret.ts';
import type { TenantOptions } from '../../src/ips/tenant.ts';
import { proxyId, startedTenant } from '../ips/started-tenant.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis } from '../support/redis.ts';
import { abapSystem } from './abap-system.ts';
import { startReplica, type Callers } from './tenants.ts';

const patienceMs = 30_000;

async function startReplicas(profile: string, options: Partial<TenantOptions>) {
  await using starting = new AsyncDisposableStack();
  const { path } = starting.use(await mkdtempDisposable(join(tmpdir(), 'gatehouse-replicas-')));
  const redis = starting.use(await startRedis());
  const tenant = starting.use(await startedTenant(options));
  const start = async (instance: string): Promise<Callers> =>
    starting.use(
      await startReplica(
        tenant,
        ['generic', profile],
        {},
        {
          replicas: 2,
          cache: { store: 'redis', redis: { url: new Secret(redis.url) } },
          audit: {
            directory: `audit-${instance}`,
            instance: 'test',
            keyFile: join(path, 'key'),
            ballast: '0B',
          },
        },
      ),
    );
  const replicas = [await start('one'), await start('other')] as const;
  const running = starting.move();
  return { redis, replicas, tenant, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

interface Page {
  readonly totalResults: number;
  readonly Resources: readonly { readonly id: string; readonly userName?: string }[];
}

const pageOf = async (reply: Response): Promise<Page> => {
  assert.equal(reply.status, 200, await reply.clone().text());
  return (await reply.json()) as Page;
};

test('pages by number that come to one replica and the other in turn are everybody once', async () => {
  const people = { kind: 'directory', users: 41, groups: 1 } as const;
  await using stage = await startReplicas('midpoint', { systems: [{ id: proxyId, backend: people }] });
  const seen: string[] = [];
  // Pages of two: one replica sees the odd numbers only, each of which could be an index as well.
  for (let number = 1; ; number += 1) {
    const replica = stage.replicas[number % 2] ?? stage.replicas[0];
    const { Resources } = await pageOf(await replica.as('midpoint', `/Users?startIndex=${number}&count=2`));
    if (Resources.length === 0) break;
    seen.push(...Resources.map(({ id }) => id));
  }
  assert.deepEqual([seen.length, new Set(seen).size], [41, 41]);
});

test('an id that one replica has told is known to the other, also to one that has told nothing yet', async () => {
  await using stage = await startReplicas('omada', { systems: [abapSystem] });
  const [one, other] = stage.replicas;
  const { Resources } = await pageOf(await one.as('omada', '/Users'));
  const [known] = Resources;
  const path = `/Users/${known?.id.toLowerCase()}`;
  assert.equal((await other.as('generic', path)).status, 404);
  const reply = await other.as('omada', path);
  assert.equal(((await reply.json()) as { userName?: string }).userName, known?.userName);
  assert.equal((await other.as('omada', path, { method: 'DELETE' })).status, 204);
  assert.equal((await stage.tenant.call('GET', `/Users/${known?.id}`)).status, 404);
});

test('without Redis a replica goes by what it has seen, and a page of which it cannot tell is refused', async () => {
  const people = { kind: 'directory', users: 41, groups: 1 } as const;
  await using stage = await startReplicas('midpoint', { systems: [{ id: proxyId, backend: people }] });
  const [one, other] = stage.replicas;
  await stage.redis.kill();
  await eventually(
    async () => (await other.gateway.records()).some(({ event }) => event === 'profiles.degraded'),
    patienceMs,
  );
  assert.equal((await one.as('midpoint', '/Users?startIndex=2&count=2')).status, 200);
  assert.equal((await one.as('midpoint', '/Users?startIndex=3&count=2')).status, 200);
  assert.equal((await other.as('midpoint', '/Users?startIndex=3&count=2')).status, 400);
});

test('what replicas note names nobody, and what another has written there is not believed', async () => {
  await using stage = await startReplicas('omada', { systems: [abapSystem] });
  const [one, other] = stage.replicas;
  const { Resources } = await pageOf(await one.as('omada', '/Users'));
  const [first] = Resources;
  assert.equal(first?.id, first?.id.toUpperCase());
  const client = new Redis(stage.redis.url);
  const keys = await client.keys('gp1:*');
  const noted = await Promise.all(
    keys.filter((key) => !key.endsWith('probe')).map((key) => client.zrangebyscore(key, '-inf', '+inf')),
  );
  assert.ok(noted.length >= Resources.length);
  const all = JSON.stringify([keys, noted]).toLowerCase();
  for (const { id } of Resources) assert.ok(!all.includes(id.toLowerCase()), id);
  const [[proof = ''] = []] = noted;
  const [, mac] = proof.split('.');
  for (const key of keys) {
    if (key.endsWith('probe')) continue;
    await client.del(key);
    // The id is one of capitals, but nobody who knows that has said so of this key.
    await client.zadd(key, 0, `${'1'.repeat(first?.id.length ?? 0)}.${mac}`);
  }
  client.disconnect();
  assert.equal((await other.as('omada', `/Users/${first?.id.toLowerCase()}`)).status, 404);
});
