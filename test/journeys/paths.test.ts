/** Targets that a router or the tenant could read otherwise than the gateway: refused, never repaired. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import supertest from 'supertest';

import { systemId } from '../support/gateway.ts';
import { RawConnection, request } from '../support/raw.ts';
import { assertRefusal, assertServing, besiege, recordOf } from '../support/siege.ts';

const other = 'b1f0e7a2-0000-4000-8000-000000000002';
const base = `/ipsproxy/service/api/v1/scim/${systemId}`;

// Rows 24-31, 33-35 of the acceptance list.
const refusals: readonly (readonly [status: number, target: string, scimType?: string])[] = [
  ...[
    `${base}/../${other}/Users`,
    `${base}/./Users`,
    `${base}/Users/..`,
    `${base}/%2e%2e/${other}/Users`,
    `${base}/.%2e/${other}/Users`,
    `${base}/%2E./${other}/Users`,
    `${base}/..%2f${other}/Users`,
    `${base}/Users%2f1`,
    `${base}/Users%5c1`,
    `${base}\\Users`,
    `${base}/%252e%252e/${other}/Users`,
    `${base}/Users/%2541`,
    `${base}/..;/${other}/Users`,
    `${base}/Users;jsessionid=1`,
    `${base}/Users/1;x=/../2`,
    `${base}/Users%3bx`,
    `//tenant.example${base}/Users`,
    `/a//b`,
    `${base}/Users//1`,
    `${base}/Users/1//`,
    `/ipsproxy/service/api//v1/scim/${systemId}/Users`,
    `${base}/Users/%00`,
    `${base}/Users/1%0d%0aX:1`,
    `${base}/Users?filter=a%0d%0aX:1`,
    `${base}/Users/%zz`,
    `${base}/Users/%c0%ae`,
    `${base}/Users/%e2%80`,
    `${base}/Users#fragment`,
    `${base}/Users?count=1#fragment`,
  ].map((target) => [400, target, 'invalidSyntax'] as const),
  [414, `${base}/Users/`.padEnd(4097, 'x')],
  [404, '/'],
  [404, `/IPSPROXY/SERVICE/API/V1/SCIM/${systemId}/Users`],
  [404, `${base}/users`],
  [404, `/ipsproxy/service/api/v1/scim/${systemId.toUpperCase()}/Users`],
  [404, `/ipsproxy/service/api/v1/scim/${other}/Users`],
  [404, '/ipsproxy/service/api/v1/scim/__proto__/Users'],
  [404, '/ipsproxy/service/api/v1/scim/constructor/Users'],
  [404, `${base}/Users/1/extra`],
  [404, `${base}/Devices`],
  [404, `${base}/__proto__`],
  [404, '/admin'],
  [404, '/metrics'],
  [404, '/health?verbose'],
  [400, `${base}/Users?filter=a&filter=b`, 'invalidFilter'],
  [400, `${base}/Users?filter=a&%66ilter=b`, 'invalidFilter'],
  [400, `${base}/Users?count=1&count=2`, 'invalidValue'],
  [400, `${base}/Users?count=1e9`, 'invalidValue'],
];

test('targets that are not clean', async (t) => {
  await using siege = await besiege();
  for (const [status, target, scimType] of refusals)
    await t.test(`${target.slice(0, 100)} is refused with ${status}`, async () => {
      using connection = await RawConnection.open(siege.gateway.authority);
      const fields = siege.head('GET', '').slice(1);
      connection.send(request([`GET ${target} HTTP/1.1`, ...fields]));
      const answer = await connection.answer();
      assertRefusal(answer, status, scimType);
      const [, line = ''] = /([^/?]{5,})$/.exec(target) ?? [];
      if (line) assert.ok(!answer.body.includes(line), 'the answer repeats nothing');
      assert.equal((await recordOf(siege, answer)).event, 'request.rejected');
    });
  assert.deepEqual(siege.upstream.received, []);
  await assertServing(siege);
});

test('a longest target is still served', async () => {
  await using siege = await besiege();
  using connection = await RawConnection.open(siege.gateway.authority);
  const target = `${base}/Users/`.padEnd(4096, 'x');
  connection.send(request(siege.head('GET', '').with(0, `GET ${target} HTTP/1.1`)));
  assert.equal((await connection.answer()).status, 200);
  assert.equal(siege.upstream.received[0]?.url, target);
});

// Row 28 with its decision: the slashes that callers double when they join a destination's parts.
for (const target of [`/${base}/Users/1`, `${base.replace('scim/', 'scim//')}/Users/1`, `${base}//Users/1`])
  test(`${target.replace(systemId, '<system>')} is served, and goes up with single slashes`, async () => {
    await using siege = await besiege();
    await supertest(siege.gateway.url).get(target).set('authorization', siege.gateway.logOn()).expect(200);
    assert.deepEqual(
      siege.upstream.received.map(({ url }) => url),
      [`${base}/Users/1`],
    );
  });

// Rows 32 and 33.
test('a system that the caller is not assigned to is forbidden, and the trail says who asked', async () => {
  await using siege = await besiege({
    callers: {
      stranger: {
        permissions: [{ permission: 'Access Proxy System API', systems: [other], access: ['read'] }],
      },
    },
    config: { systems: { [systemId]: { tenant: 'acme' }, [other]: { tenant: 'acme' } } },
  });
  const { headers, status, text } = await supertest(siege.gateway.url)
    .get(`${base}/Users/1`)
    .set('authorization', siege.gateway.logOn('stranger'))
    .buffer();
  assertRefusal({ status, headers, body: text }, 403);
  const record = await recordOf(siege, { status, headers, body: text });
  const { name } = record['actor'] as { name: string };
  assert.deepEqual([record.event, name], ['authz.denied', 'stranger']);
  assert.deepEqual(siege.upstream.received, []);
});
