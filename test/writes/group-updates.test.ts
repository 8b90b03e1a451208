/** Single turns of the rules for writes of groups: who is refused, who is not, and what the trail says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ConfigDocument } from '../../src/gateway/config-schema.ts';
import { Secret } from '../../src/gateway/secret.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startRedis } from '../support/redis.ts';
import { startUpstream, sendScim, type TestUpstream } from '../support/upstream.ts';

const other = {
  'other-manager': {
    permissions: [{ permission: 'Access Proxy System API', systems: 'all', access: ['read', 'write'] }],
  },
} satisfies ConfigDocument['callers'];
const refusing = { lostUpdates: 'refuse' } as const;
const path = '/Groups/g';

/** Holds the group as it was put last. */
async function startTenant(): Promise<TestUpstream> {
  let members: unknown = [{ value: 'a' }];
  return startUpstream({
    answer: ({ method, body, url }, response) => {
      if (method === 'PUT') members = (JSON.parse(body) as { members?: unknown }).members ?? [];
      const group = { id: 'g', displayName: 'staff', members };
      if (method === 'PATCH') sendScim(response, 200, group);
      else sendScim(response, 200, url.includes('filter=') ? { Resources: [group] } : group);
    },
  });
}

const put = (gateway: TestGateway, members: readonly string[], user?: string): Promise<Response> =>
  gateway.call(
    'PUT',
    path,
    { displayName: 'staff', members: members.map((value) => ({ value })) },
    { authorization: gateway.logOn(user) },
  );
const get = (gateway: TestGateway, user?: string): Promise<Response> =>
  gateway.call('GET', path, undefined, { authorization: gateway.logOn(user) });
const suspicionsIn = async (gateway: TestGateway) =>
  (await gateway.records()).filter(({ event }) => event === 'request.lost_update_suspected');

test('a PUT made of a copy that is older than an addition is refused, and nothing goes up', async () => {
  await using tenant = await startTenant();
  await using gateway = await startGateway({ upstream: tenant.url, system: refusing, callers: other });
  await get(gateway);
  assert.equal((await put(gateway, ['a', 'b'], 'other-manager')).status, 200);
  const refused = await put(gateway, ['a', 'c']);
  assert.equal(refused.status, 409);
  const { detail, scimType } = (await refused.json()) as { detail: string; scimType?: string };
  assert.match(detail, /Read the group again and repeat/);
  assert.equal(scimType, undefined);
  assert.equal(tenant.received.filter(({ method }) => method === 'PUT').length, 1);
  const [suspicion] = await suspicionsIn(gateway);
  assert.deepEqual(suspicion?.facts, { members: 1, outcome: 'refused', isShared: false });
});

test('who has read again may remove whom others have added', async () => {
  await using tenant = await startTenant();
  await using gateway = await startGateway({ upstream: tenant.url, system: refusing, callers: other });
  assert.equal((await put(gateway, ['a', 'b'], 'other-manager')).status, 200);
  await get(gateway);
  assert.equal((await put(gateway, ['a'])).status, 200);
  assert.deepEqual(await suspicionsIn(gateway), []);
});

test('who has never read may not remove whom others have added, and may remove whom it has added itself', async () => {
  await using tenant = await startTenant();
  await using gateway = await startGateway({ upstream: tenant.url, system: refusing, callers: other });
  await get(gateway, 'other-manager');
  assert.equal((await put(gateway, ['a', 'b'], 'other-manager')).status, 200);
  assert.equal((await put(gateway, ['a'])).status, 409);
  assert.equal((await put(gateway, ['a'], 'other-manager')).status, 200);
});

test('a member who was there before may be removed by whoever holds an older copy', async () => {
  await using tenant = await startTenant();
  await using gateway = await startGateway({ upstream: tenant.url, system: refusing, callers: other });
  await get(gateway);
  await get(gateway, 'other-manager');
  assert.equal((await put(gateway, ['a', 'b'], 'other-manager')).status, 200);
  assert.equal((await put(gateway, ['b'])).status, 200);
});

test('a later reading of another worker does not stand for the copy that is put back', async () => {
  await using tenant = await startTenant();
  await using gateway = await startGateway({ upstream: tenant.url, system: refusing, callers: other });
  await get(gateway);
  assert.equal((await put(gateway, ['a', 'b'], 'other-manager')).status, 200);
  await get(gateway);
  assert.equal((await put(gateway, ['a', 'c'])).status, 409);
});

test('of two copies the newer counts as the one that was put back, so the older one is still out', async () => {
  await using tenant = await startTenant();
  await using gateway = await startGateway({ upstream: tenant.url, system: refusing, callers: other });
  await get(gateway);
  assert.equal((await put(gateway, ['a', 'b'], 'other-manager')).status, 200);
  await get(gateway);
  assert.equal((await put(gateway, ['a', 'b', 'c'])).status, 200);
  assert.equal((await put(gateway, ['a', 'c', 'd'])).status, 409);
});

test('a refused PUT stays refused when it is repeated without reading again', async () => {
  await using tenant = await startTenant();
  await using gateway = await startGateway({
    upstream: tenant.url,
    system: { ...refusing, repeats: { enabled: false } },
  });
  await get(gateway);
  await get(gateway);
  assert.equal((await put(gateway, ['a', 'b'])).status, 200);
  assert.equal((await put(gateway, ['a', 'c'])).status, 409);
  assert.equal((await put(gateway, ['a', 'c'])).status, 409);
});

/** Holds PUTs until it is told to carry them out. */
async function startHoldingTenant() {
  const arrived = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const upstream = await startUpstream({
    answer: ({ method }, response) => {
      const group = { id: 'g', displayName: 'staff', members: [{ value: 'a' }, { value: 'x' }] };
      if (method !== 'PUT') return sendScim(response, 200, group);
      arrived.resolve();
      void released.promise.then(() => sendScim(response, 200, group));
    },
  });
  return { upstream, arrived: arrived.promise, release: () => released.resolve() };
}

const addition = { Operations: [{ op: 'add', path: 'members', value: [{ value: 'c' }] }] };

test('a PUT that an addition has overtaken is told of', async () => {
  const { upstream, arrived, release } = await startHoldingTenant();
  await using tenant = upstream;
  await using gateway = await startGateway({ upstream: tenant.url, callers: other });
  // Also where the test fails: the gateway would wait for the write.
  using ending = new DisposableStack();
  ending.defer(release);
  await get(gateway);
  const slow = put(gateway, ['a']);
  await arrived;
  const authorization = gateway.logOn('other-manager');
  assert.equal((await gateway.call('PATCH', path, addition, { authorization })).status, 200);
  release();
  const overtaken = await slow;
  assert.equal(overtaken.status, 200);
  const told = await suspicionsIn(gateway);
  assert.deepEqual(
    told.map(({ req }) => req),
    [overtaken.headers.get('x-request-id')],
  );
});

test('where lost updates are refused, nothing is added while a PUT of the group is under way', async () => {
  const { upstream, arrived, release } = await startHoldingTenant();
  await using tenant = upstream;
  await using gateway = await startGateway({ upstream: tenant.url, system: refusing, callers: other });
  // Also where the test fails: the gateway would wait for the write.
  using ending = new DisposableStack();
  ending.defer(release);
  await get(gateway);
  const slow = put(gateway, ['a']);
  await arrived;
  const authorization = gateway.logOn('other-manager');
  const patched = gateway.call('PATCH', path, addition, { authorization });
  // Of another group nothing waits, and what is behind it has come as far as it can.
  const elsewhere = await gateway.call('PATCH', '/Groups/h', addition, { authorization });
  assert.equal(elsewhere.status, 200);
  const sent = (): string[] => tenant.received.map(({ method, url }) => `${method} ${url.split('/').at(-1)}`);
  assert.deepEqual(sent(), ['GET g', 'PUT g', 'PATCH h']);
  release();
  assert.equal((await slow).status, 200);
  assert.equal((await patched).status, 200);
  assert.deepEqual(sent(), ['GET g', 'PUT g', 'PATCH h', 'PATCH g']);
  assert.deepEqual(await suspicionsIn(gateway), []);
});

for (const [what, operation] of [
  ['add', { op: 'Add', path: 'members', value: [{ value: 'b' }] }],
  ['add without a path', { op: 'add', value: { Members: [{ value: 'b' }] } }],
  ['replace', { op: 'replace', path: 'members', value: [{ value: 'a' }, { value: 'b' }] }],
] as const)
  test(`members that a PATCH brings by ${what} count as added`, async () => {
    await using tenant = await startTenant();
    await using gateway = await startGateway({ upstream: tenant.url, system: refusing, callers: other });
    await get(gateway);
    const authorization = gateway.logOn('other-manager');
    const patched = await gateway.call('PATCH', path, { Operations: [operation] }, { authorization });
    assert.equal(patched.status, 200);
    assert.equal((await put(gateway, ['a'])).status, 409);
  });

test('a copy that came by a search is a copy', async () => {
  await using tenant = await startTenant();
  await using gateway = await startGateway({ upstream: tenant.url, system: refusing, callers: other });
  assert.equal((await put(gateway, ['a', 'b'], 'other-manager')).status, 200);
  await gateway.call('GET', '/Groups?filter=displayName%20eq%20%22staff%22');
  assert.equal((await put(gateway, ['a'])).status, 200);
});

test('by default the write goes up and the trail tells of it, and off nothing is told', async () => {
  for (const lostUpdates of [undefined, 'off'] as const) {
    await using tenant = await startTenant();
    await using gateway = await startGateway({
      upstream: tenant.url,
      ...(lostUpdates && { system: { lostUpdates } }),
      callers: other,
    });
    await get(gateway);
    await put(gateway, ['a', 'b'], 'other-manager');
    assert.equal((await put(gateway, ['a', 'c'])).status, 200);
    const told = await suspicionsIn(gateway);
    assert.deepEqual(
      told.map(({ facts }) => facts),
      lostUpdates ? [] : [{ members: 1, outcome: 'sent', isShared: false }],
    );
  }
});

test('without Redis a replica judges by what it knows itself, and says so', async () => {
  await using tenant = await startTenant();
  await using redis = await startRedis();
  const cache = { store: 'redis', redis: { url: new Secret(redis.url) } } as const;
  await using gateway = await startGateway({
    upstream: tenant.url,
    system: refusing,
    callers: other,
    config: { cache },
  });
  const sharedNow = async (user: string): Promise<boolean> => {
    await get(gateway);
    await put(gateway, ['a', user], 'other-manager');
    assert.equal((await put(gateway, ['a', 'c'])).status, 409);
    const last = (await suspicionsIn(gateway)).at(-1);
    await get(gateway, 'other-manager');
    return (last?.facts as { isShared?: boolean } | undefined)?.isShared === true;
  };
  await eventually(() => sharedNow('b'));
  await redis.kill();
  assert.equal(await sharedNow('d'), false);
  await redis.restart();
  await eventually(async () => {
    const events = (await gateway.records()).map(({ event }) => event);
    return (
      events.includes('updates.degraded') &&
      events.lastIndexOf('updates.recovered') > events.indexOf('updates.degraded')
    );
  });
});

test('nothing in Redis names a group, a member, a caller or a system', async () => {
  await using tenant = await startTenant();
  await using redis = await startRedis();
  const cache = { store: 'redis', redis: { url: new Secret(redis.url) } } as const;
  await using gateway = await startGateway({ upstream: tenant.url, config: { cache }, system: refusing });
  await get(gateway);
  await put(gateway, ['a', 'member-in-clear']);
  const client = new (await import('ioredis')).Redis(redis.url);
  try {
    const keys = await client.keys('gu1:*');
    assert.ok(keys.length > 3, `${keys.length} keys`);
    const dump = [...keys];
    for (const key of keys)
      dump.push(
        (await client.type(key)) === 'zset'
          ? (await client.zrange(key, 0, '-1')).join(' ')
          : String(await client.get(key)),
      );
    assert.doesNotMatch(dump.join('\n'), /member-in-clear|identity-manager|b1f0e7a2/);
    for (const key of keys) assert.ok((await client.pttl(key)) > 0, 'every key ends by itself');
  } finally {
    client.disconnect();
  }
});
