/** What a caller may do by where it comes from and which attributes it may know; the trail has the reason. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { TestGatewayOptions } from '../support/gateway.ts';
import { assertRefusal, besiege, plainAnswer, recordOf, type Siege } from '../support/siege.ts';

const proxy = { permission: 'Access Proxy System API', systems: 'all' } as const;
const callers = {
  'help-desk': {
    permissions: [{ ...proxy, access: ['read', 'write'], deniedAttributes: ['emails', 'Active'] }],
  },
  elsewhere: {
    permissions: [{ ...proxy, access: ['read'] }],
    sourceNetworks: ['192.0.2.0/24', '2001:db8::/32'],
  },
  here: { permissions: [{ ...proxy, access: ['read'] }], sourceNetworks: ['127.0.0.0/8'] },
} satisfies TestGatewayOptions['callers'];

const person =
  '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"1","userName":"x","active":true,"emails":[{"value":"a@b"}]}';
const withPerson = {
  tenantSide: {
    answer: (_: unknown, response: import('node:http').ServerResponse): void =>
      void response.writeHead(200, { 'content-type': 'application/scim+json' }).end(person),
  },
};

function as(siege: Siege, user: string, method: string, path: string, body?: unknown) {
  return siege.gateway
    .call(method, path, body, { authorization: siege.gateway.logOn(user) })
    .then((response) => plainAnswer(response));
}

test('a caller outside its networks is forbidden everything, with the reason in the trail', async () => {
  await using siege = await besiege({ callers });
  const answer = await as(siege, 'elsewhere', 'GET', '/Users/1');
  assertRefusal(answer, 403);
  const record = await recordOf(siege, answer);
  assert.equal(record.event, 'authz.denied');
  assert.equal(record['decision'], 'none');
  assert.deepEqual(record.outcome, { result: 'denied', http: 403, error: 'foreign-network' });
  assert.deepEqual(siege.upstream.received, []);
  assert.equal((await as(siege, 'here', 'GET', '/Users/1')).status, 200);
});

test('a header that claims another address changes nothing', async () => {
  await using siege = await besiege({ callers });
  const response = await siege.gateway.call('GET', '/Users/1', undefined, {
    authorization: siege.gateway.logOn('elsewhere'),
    'x-forwarded-for': '192.0.2.1',
    forwarded: 'for=192.0.2.1',
  });
  assertRefusal(await plainAnswer(response), 403);
});

test('no token is given outside the caller’s networks', async () => {
  await using siege = await besiege({ callers });
  const response = await fetch(`${siege.gateway.url}/oauth2/token`, {
    method: 'POST',
    headers: { authorization: siege.gateway.logOn('elsewhere') },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  const answer = await plainAnswer(response);
  assert.deepEqual([answer.status, JSON.parse(answer.body).error], [403, 'unauthorized_client']);
  const record = await recordOf(siege, answer);
  assert.deepEqual([record.event, record['decision']], ['token.rejected', 'none']);
  assert.equal((record['actor'] as { name: string }).name, 'elsewhere');
});

test('what is denied is told neither from the tenant nor from what others have read', async () => {
  await using siege = await besiege({ ...withPerson, callers });
  assert.equal((await as(siege, 'identity-manager', 'GET', '/Users/1')).body, person);
  const remembered = await as(siege, 'help-desk', 'GET', '/Users/1');
  assert.match(remembered.headers['cache-status'] ?? '', /hit/);
  const { active, emails, userName } = JSON.parse(remembered.body);
  assert.deepEqual([active, emails, userName], [undefined, undefined, 'x']);
  const own = await as(siege, 'help-desk', 'GET', '/Users/2');
  assert.ok(!own.body.includes('a@b'));
  const written = await as(siege, 'help-desk', 'POST', '/Users', { userName: 'y' });
  assert.ok(written.status < 300 && !written.body.includes('a@b'));
  assert.equal((await as(siege, 'identity-manager', 'GET', '/Users/1')).body, person);
});

// Rows 38 and 39.
test('a filter by a password is sensitive for everybody, and its value is nowhere', async () => {
  await using siege = await besiege({ callers });
  const filter = encodeURIComponent('password eq "Canary2026"');
  const answer = await as(siege, 'identity-manager', 'GET', `/Users?filter=${filter}`);
  assertRefusal(answer, 403, 'sensitive');
  const record = await recordOf(siege, answer);
  assert.deepEqual(
    [record.event, record['decision'], record.outcome?.error],
    ['authz.denied', 'none', 'sensitive'],
  );
  assert.ok(!JSON.stringify(await siege.records()).includes('Canary2026'));
  await as(siege, 'identity-manager', 'GET', '/Users?attributes=userName,password');
  assert.deepEqual(
    siege.upstream.received.map(({ url }) => url.split('?')[1]),
    ['attributes=userName'],
  );
});

const writes: readonly (readonly [method: string, path: string, body: unknown])[] = [
  ['POST', '/Users', { userName: 'x', emails: [{ value: 'a@b' }] }],
  ['PUT', '/Users/1', { userName: 'x' }],
  ['PATCH', '/Users/1', { Operations: [{ op: 'replace', path: 'active', value: false }] }],
  ['PATCH', '/Users/1', { Operations: [{ op: 'replace', value: { active: false } }] }],
];

for (const [method, path, body] of writes)
  test(`${method} of ${JSON.stringify(body)} is forbidden to whom it is denied, and nothing goes up`, async () => {
    await using siege = await besiege({ callers });
    const answer = await as(siege, 'help-desk', method, path, body);
    assertRefusal(answer, 403);
    const record = await recordOf(siege, answer);
    assert.deepEqual(
      [record.event, record['decision'], record.outcome?.error],
      ['authz.denied', 'none', 'forbidden-attribute'],
    );
    assert.deepEqual(siege.upstream.received, []);
    assert.ok((await as(siege, 'identity-manager', method, path, body)).status < 300);
  });

test('parts of a bulk request are held against what is denied', async () => {
  await using siege = await besiege({ callers, system: { kind: 'scim' } });
  const bulk = (data: object): object => ({
    Operations: [{ method: 'POST', path: '/Users', bulkId: 'a', data }],
  });
  assertRefusal(await as(siege, 'help-desk', 'POST', '/Bulk', bulk({ active: true })), 403);
  assert.deepEqual(siege.upstream.received, []);
  assert.ok((await as(siege, 'help-desk', 'POST', '/Bulk', bulk({ userName: 'x' }))).status < 300);
});

// Row 78.
test('a password that may be written goes up, and the trail knows only that there was a body', async () => {
  await using siege = await besiege({ callers });
  const body = { Operations: [{ op: 'replace', value: { password: 'Canary2026' } }] };
  assert.ok((await as(siege, 'identity-manager', 'PATCH', '/Users/1', body)).status < 300);
  assert.match(siege.upstream.received[0]?.body ?? '', /Canary2026/);
  assert.ok(!JSON.stringify(await siege.records()).includes('Canary2026'));
});
