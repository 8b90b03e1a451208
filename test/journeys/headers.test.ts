/** Header fields that claim, smuggle or pollute: what is not on the allow-lists exists on neither other side. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import supertest from 'supertest';

import { Secret } from '../../src/gateway/secret.ts';
import { RawConnection, request } from '../support/raw.ts';
import { assertRefusal, assertServing, besiege, recordOf, type Siege } from '../support/siege.ts';
import { sendScim } from '../support/upstream.ts';

/** What the gateway itself says to the tenant; everything else is a leak. */
const ours = [
  'accept',
  'accept-encoding',
  'authorization',
  'connection',
  'host',
  'user-agent',
  'x-request-id',
];
const credential = { type: 'basic', user: 'gateway', secret: new Secret('the tenant’s') } as const;

function leaks(siege: Siege, allowed = ours): string[] {
  const [received] = siege.upstream.received;
  assert.ok(received, 'the request went up');
  return Object.keys(received.headers).filter((name) => !allowed.includes(name));
}

// Rows 40-44 and 46.
for (const [what, fields] of [
  [
    'claims of another origin',
    [
      'X-Forwarded-For: 10.0.0.1',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: evil.example',
      'Forwarded: for=10.0.0.1',
      'X-Real-IP: 10.0.0.1',
    ],
  ],
  ['underscores', ['X_Forwarded_For: 10.0.0.1', 'Authorization_: Basic eDp5', 'Content_Length: 5']],
  ['fields named as hop-by-hop', ['Connection: authorization, x-request-id', 'Keep-Alive: timeout=1']],
  ['another method', ['X-HTTP-Method-Override: DELETE', 'X-Method-Override: DELETE']],
  ['cookies and credentials for a proxy', ['Cookie: session=1', 'Proxy-Authorization: Basic eDp5']],
  ['names of an object’s own', ['__proto__: x', 'constructor: x', 'toString: x', 'hasOwnProperty: x']],
  ['a body’s transfer', ['TE: trailers', 'Trailer: X']],
] as const)
  test(`${what} in a header: dropped, and the request is served`, async () => {
    await using siege = await besiege();
    using connection = await RawConnection.open(siege.gateway.authority);
    connection.send(request([...siege.head('GET', '/Users/1'), ...fields]));
    const answer = await connection.answer();
    assert.equal(answer.status, 200);
    assert.deepEqual(leaks(siege), []);
    assert.equal(siege.upstream.received[0]?.method, 'GET');
    assert.equal(siege.upstream.received[0]?.headers['x-request-id'], answer.headers['x-request-id']);
    const { src } = await recordOf(siege, answer);
    assert.equal((src as { ip: string }).ip, '127.0.0.1');
    await assertServing(siege);
  });

// Row 17: with this field the proxy library skips the event in which others replace the credential.
test('a write that waits for 100 (Continue) gets it, and goes up once with our credential', async () => {
  await using siege = await besiege({ tenant: { credential } });
  using connection = await RawConnection.open(siege.gateway.authority);
  const fields = ['Content-Type: application/scim+json', 'Content-Length: 2', 'Expect: 100-continue'];
  connection.send(request([...siege.head('POST', '/Users'), ...fields]));
  assert.equal((await connection.answer()).status, 100);
  assert.equal(siege.upstream.received.length, 0);
  connection.send('{}');
  assert.equal((await connection.answer()).status, 201);
  assert.equal(siege.upstream.received.length, 1);
  const [received] = siege.upstream.received;
  assert.equal(received?.headers.expect, undefined);
  assert.equal(
    received?.headers.authorization,
    `Basic ${Buffer.from('gateway:the tenant’s').toString('base64')}`,
  );
});

for (const [what, status, change] of [
  ['by a stranger', 401, (head) => head.toSpliced(2, 1)],
  [
    'by a caller that may only read',
    403,
    (head, siege) => head.with(2, `Authorization: ${siege.gateway.logOn('auditor')}`),
  ],
  ['for another media type', 415, (head) => [...head, 'Content-Type: text/xml']],
  [
    'with too much announced',
    413,
    (head) => [...head.filter((line) => !line.startsWith('Content-L')), 'Content-Length: 9000000'],
  ],
] as const satisfies readonly (readonly [string, number, (head: string[], siege: Siege) => string[]])[])
  test(`a write that waits for 100 (Continue) but is refused (${what}) is never told to go on`, async () => {
    await using siege = await besiege();
    const media = status === 415 ? [] : ['Content-Type: application/scim+json'];
    const head = [...siege.head('POST', '/Users'), ...media, 'Content-Length: 2', 'Expect: 100-continue'];
    using connection = await RawConnection.open(siege.gateway.authority);
    connection.send(request(change(head, siege)));
    assertRefusal(await connection.answer(), status);
    assert.deepEqual(siege.upstream.received, []);
  });

test('a caller with HTTP/1.0 that waits for 100 (Continue) is not sent what it cannot read', async () => {
  await using siege = await besiege();
  const [line = '', ...fields] = siege.head('POST', '/Users');
  const media = ['Content-Type: application/scim+json', 'Content-Length: 2', 'Expect: 100-continue'];
  using connection = await RawConnection.open(siege.gateway.authority);
  connection.send(request([line.replace('HTTP/1.1', 'HTTP/1.0'), ...fields, ...media], '{}'));
  assert.equal((await connection.answer()).status, 201);
});

// Row 45.
for (const [what, id, kept] of [
  ['in plain letters', 'idm-4711', 'idm-4711'],
  ['of 10 kB', 'x'.repeat(10_000), /^x{20,512}/],
  ['with bytes beyond ASCII', 'caf\u00e9 \u00f0\u009f\u0098\u0080', /./],
  ['with the looks of JSON', '","event":"forged', /event/],
] as const)
  test(`a caller's correlation id ${what} is kept in the trail and never used as ours`, async () => {
    await using siege = await besiege();
    using connection = await RawConnection.open(siege.gateway.authority);
    connection.send(
      Buffer.from(request([...siege.head('GET', '/Users/1'), `X-Request-Id: ${id}`]), 'latin1'),
    );
    const answer = await connection.answer();
    assert.equal(answer.status, 200);
    assert.match(answer.headers['x-request-id'] ?? '', /^[0-9a-f-]{36}$/);
    assert.equal(siege.upstream.received[0]?.headers['x-request-id'], answer.headers['x-request-id']);
    const { callerId } = (await recordOf(siege, answer))['corr'] as { callerId: string };
    if (typeof kept === 'string') assert.equal(callerId, kept);
    else assert.match(callerId, kept);
    assert.ok(callerId.length < 600);
  });

// Rows 91 and 93: the other way.
test('what a tenant says beyond SCIM does not reach the caller', async () => {
  await using siege = await besiege();
  siege.upstream.answer = ({ headers }, response) =>
    sendScim(
      response,
      201,
      { schemas: [], id: '7' },
      {
        location: `http://${headers.host}${siege.gateway.basePath}/Users/7`,
        etag: 'W/"1"',
        connection: 'X-Hop',
        'x-hop': '1',
        'set-cookie': ['a=1', 'b=2'],
        server: 'SAP',
        'x-powered-by': 'SAP',
        'www-authenticate': 'Basic realm="tenant"',
        'strict-transport-security': 'max-age=1',
      },
    );
  const { status, headers } = await supertest(siege.gateway.url)
    .post(`${siege.gateway.basePath}/Users`)
    .set('authorization', siege.gateway.logOn())
    .set('content-type', 'application/scim+json')
    .send('{}');
  assert.equal(status, 201);
  assert.deepEqual(Object.keys(headers).toSorted(), [
    'cache-control',
    'connection',
    'content-length',
    'content-type',
    'date',
    'etag',
    'location',
    'x-content-type-options',
    'x-request-id',
  ]);
  assert.equal(headers['location'], `${siege.gateway.base}/Users/7`);
});

test('a Location that names another system is not passed on', async () => {
  await using siege = await besiege();
  siege.upstream.answer = (_request, response) =>
    sendScim(response, 201, { schemas: [] }, { location: 'https://internal.hana.example/odata/7' });
  const answer = await siege.gateway.call('POST', '/Users', {});
  assert.deepEqual([answer.status, answer.headers.get('location')], [201, null]);
});
