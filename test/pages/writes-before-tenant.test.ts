/** What writes bring back, through the whole gateway before the embedded tenant: probes have records, and reads cost nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';

import { Secret } from '../../src/gateway/secret.ts';
import { clientId, proxyId, secret, startedTenant } from '../ips/started-tenant.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway, type TestGateway, type TrailRecord } from '../support/gateway.ts';

const user = (name: string) => ({
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
  userName: name,
  name: { familyName: name, givenName: name },
  emails: [{ value: `${name}@example.com` }],
});

const probesIn = (trail: readonly TrailRecord[]): readonly TrailRecord[] =>
  trail.filter(({ upstream }) => Reflect.get(upstream ?? {}, 'purpose') === 'probe');

async function create(gateway: TestGateway, name: string): Promise<string> {
  const answer = await gateway.call('POST', '/Users', user(name));
  assert.equal(answer.status, 201);
  return ((await answer.json()) as { id: string }).id;
}

test('after a first create and a first change, which are probed, reads behind others are answered at once', async () => {
  await using tenant = await startedTenant({
    systems: [{ id: proxyId, backend: { kind: 'directory', users: 10, groups: 1 } }],
  });
  await using gateway = await startGateway({
    upstream: tenant.tenant.url.origin,
    tenant: {
      credential: { type: 'basic', user: clientId, secret: new Secret(secret) },
      pace: { perMinute: 90_000, burst: 10_000, tenantLimit: 100_000, minute: '1s' },
    },
    system: { id: proxyId, cache: { writeReplies: true } },
  });
  const isHit = async (id: string): Promise<boolean> => {
    const answer = await gateway.call('GET', `/Users/${id}`);
    await answer.arrayBuffer();
    return (answer.headers.get('cache-status') ?? '').startsWith('Gatehouse; hit');
  };
  let count = 0;
  await eventually(async () => isHit(await create(gateway, `user${(count += 1)}`)));
  const changed = await create(gateway, 'changed');
  await eventually(async () => {
    await (await gateway.call('PUT', `/Users/${changed}`, user('changed'))).arrayBuffer();
    return isHit(changed);
  });
  const probes = probesIn(await gateway.records());
  assert.ok(probes.length >= 2);
  for (const { actor, req } of probes)
    assert.ok(isDeepStrictEqual(actor, { name: 'gateway' }) && req === undefined);

  const before = tenant.tenant.figures.calls;
  const nameOf = async (id: string): Promise<string> => {
    const answer = await gateway.call('GET', `/Users/${id}`);
    return ((await answer.json()) as { userName: string }).userName;
  };
  const id = await create(gateway, 'second');
  assert.equal(await nameOf(id), 'second');
  await (await gateway.call('PUT', `/Users/${id}`, user('third'))).arrayBuffer();
  assert.equal(await nameOf(id), 'third');
  assert.equal(tenant.tenant.figures.calls - before, 2);
});
