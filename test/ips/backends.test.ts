/** What lies behind a system: another SCIM provider over HTTP, a file, and IPS's own repetitions. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import type { FaultOrder } from '../../src/ips/faults.ts';
import { basic, clientId, patchOf, proxyId, secret, startedTenant } from './started-tenant.ts';

async function chained(changes: Parameters<typeof startedTenant>[0] = {}) {
  const back = await startedTenant({ assumptions: { unsupportedFilter: 'refuse' } });
  const properties = {
    URL: `${back.tenant.url.origin}/ipsproxy/service/api/v1/scim/${proxyId}`,
    Authentication: 'BasicAuthentication',
    User: clientId,
  };
  const credentials = { Password: secret };
  const front = await startedTenant({
    systems: [{ id: proxyId, properties, credentials, backend: { kind: 'scim' } }],
    pause: async () => undefined,
    ...changes,
  });
  return {
    back,
    front,
    async [Symbol.asyncDispose]() {
      await front[Symbol.asyncDispose]();
      await back[Symbol.asyncDispose]();
    },
  };
}

test('a system in front of another SCIM provider shows its resources at its own address', async () => {
  await using chain = await chained();
  const { body } = await chain.front.call('GET', '/Users?count=3');
  assert.equal(body.totalResults, 30);
  const location = body.Resources?.[0]?.meta?.['location'] ?? '';
  assert.ok(location.startsWith(chain.front.tenant.url.origin), location);
});

test('every write reaches the SCIM provider behind a system', async () => {
  await using chain = await chained();
  const { front } = chain;
  const { body } = await front.call('POST', '/Users', { userName: 'jane' });
  const path = `/Users/${body.id}`;
  assert.equal((await front.call('PUT', path, { userName: 'jane', title: 'Dr.' })).body['title'], 'Dr.');
  const patch = patchOf({ op: 'remove', path: 'title' });
  assert.equal((await front.call('PATCH', path, patch)).status, 204);
  assert.equal((await front.call('GET', path)).body['title'], undefined);
  const filter = encodeURIComponent('userName eq "jane"');
  assert.equal((await front.call('GET', `/Users?filter=${filter}`)).body.totalResults, 1);
  assert.equal((await front.call('DELETE', path)).status, 204);
  assert.equal((await chain.back.call('GET', path)).status, 404);
});

test('a conflict of the SCIM provider is quoted with its address', async () => {
  await using chain = await chained();
  await chain.front.call('POST', '/Users', { userName: 'jane' });
  const { status, body } = await chain.front.call('POST', '/Users', { userName: 'jane' });
  assert.equal(status, 409);
  assert.ok(body.detail?.includes(`${chain.back.tenant.url.origin}/ipsproxy/service/api/v1/scim/`));
});

test('a SCIM provider that is away is a bad gateway', async () => {
  await using chain = await chained();
  await chain.back.tenant.suspend();
  assert.equal((await chain.front.call('GET', '/Users')).status, 502);
});

test('a directory in a file is there again after a restart', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tenant-'));
  const file = join(folder, 'directory.sqlite');
  const systems = [{ id: proxyId, backend: { kind: 'directory', file, users: 5, groups: 1 } }] as const;
  {
    await using started = await startedTenant({ systems });
    await started.call('POST', '/Users', { userName: 'jane' });
  }
  await using again = await startedTenant({ systems });
  assert.equal((await again.call('GET', '/Users')).body.totalResults, 6);
  await rm(folder, { recursive: true });
});

const repetitions: readonly {
  what: string;
  order: FaultOrder;
  method: string;
  pauses: number[];
  status: number;
}[] = [
  {
    what: 'a write that timed out twice is repeated until it succeeds',
    order: { fault: { kind: 'backend-timeout' }, times: 2 },
    method: 'POST',
    pauses: [30_000, 30_000],
    status: 201,
  },
  {
    what: 'a write that always times out fails after three attempts',
    order: { fault: { kind: 'backend-timeout' } },
    method: 'POST',
    pauses: [30_000, 30_000],
    status: 504,
  },
  {
    what: 'a repeated write whose first attempt was done is a conflict',
    order: { fault: { kind: 'backend-timeout', done: true }, times: 1 },
    method: 'POST',
    pauses: [30_000],
    status: 409,
  },
  {
    what: 'a read that timed out is not repeated',
    order: { fault: { kind: 'backend-timeout' } },
    method: 'GET',
    pauses: [],
    status: 504,
  },
  {
    what: 'a read that was refused with 429 is repeated',
    order: { fault: { kind: 'backend-status', status: 429 }, times: 1 },
    method: 'GET',
    pauses: [30_000],
    status: 200,
  },
  {
    what: 'a 503 of the backend is passed on at once',
    order: { fault: { kind: 'backend-status', status: 503 } },
    method: 'POST',
    pauses: [],
    status: 503,
  },
];

for (const { what, order, method, pauses, status } of repetitions)
  test(what, async () => {
    const waited: number[] = [];
    await using started = await startedTenant({
      faults: [order],
      pause: async (ms) => void waited.push(ms),
    });
    const answer = await started.call(method, '/Users', method === 'POST' ? { userName: 'jane' } : undefined);
    assert.deepEqual([answer.status, waited], [status, pauses]);
  });

test('an attribute that the backend assigns survives an update that does not name it', async () => {
  const name = 'urn:ietf:params:scim:schemas:extension:sap:2.0:User';
  await using started = await startedTenant({
    systems: [
      { id: proxyId, backend: { kind: 'directory', users: 0, groups: 0, assigns: [`${name}:userUuid`] } },
    ],
  });
  const { body } = await started.call('POST', '/Users', { userName: 'jane' });
  assert.ok(body[name]);
  const replaced = await started.call('PUT', `/Users/${body.id}`, { userName: 'janet' });
  assert.deepEqual(replaced.body[name], body[name]);
});

test('a tenant that ends does not wait for a repetition that is due in half a minute', async () => {
  const started = await startedTenant({ faults: [{ fault: { kind: 'backend-timeout' } }] });
  const left = AbortSignal.timeout(100);
  const call = started.fetch(`/ipsproxy/service/api/v1/scim/${proxyId}/Users`, {
    method: 'POST',
    headers: { authorization: basic, 'content-type': 'application/scim+json' },
    body: '{"userName":"jane"}',
    signal: left,
  });
  await assert.rejects(call, { name: 'TimeoutError' });
  await started[Symbol.asyncDispose]();
});

test('a directory gives a new resource the attributes that are its own to give, whole extensions too', async () => {
  const custom = 'urn:example:scim:schemas:extension:shop:2.0:user-parameters';
  const assigns = ['zoneId', custom];
  const backend = { kind: 'directory', users: 0, groups: 0, assigns } as const;
  await using started = await startedTenant({ systems: [{ id: proxyId, backend }] });
  const { body } = await started.call('POST', '/Users', { userName: 'jane' });
  assert.deepEqual([typeof body['zoneId'], typeof body[custom]], ['string', 'string']);
  const replaced = await started.call('PUT', `/Users/${body.id}`, { userName: 'jane' });
  assert.equal(replaced.body[custom], body[custom]);
});
