/** Bodies that are too large, too slow, too deep or of two meanings: refused before anything goes up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { RawConnection, request } from '../support/raw.ts';
import {
  assertRefusal,
  assertServing,
  besiege,
  plainAnswer,
  recordOf,
  type Siege,
} from '../support/siege.ts';

const media = 'application/scim+json';
const json = `Content-Type: ${media}`;
const limit = 64 * 1024;
const limits = { config: { limits: { body: '64KiB' } } };

async function send(siege: Siege, body: Buffer | string, headers: Record<string, string> = {}) {
  const { gateway } = siege;
  const response = await fetch(`${gateway.base}/Users`, {
    method: 'POST',
    headers: { authorization: gateway.logOn(), 'content-type': media, ...headers },
    body,
  });
  return plainAnswer(response);
}

// Rows 70-74.
const deep = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const refusals: readonly (readonly [what: string, body: string | Buffer])[] = [
  ['33 levels', `{"a":${deep(32)}}`],
  ['a million brackets', '['.repeat(1_000_000)],
  ['the name __proto__', '{"__proto__":{"admin":true}}'],
  ['the name __proto__ with an escape', String.raw`{"\u005f_proto__":{"admin":true}}`],
  ['the name constructor', '{"a":{"constructor":{"prototype":{}}}}'],
  ['a name twice', '{"active":true,"active":false}'],
  ['a name twice with an escape', String.raw`{"active":true,"\u0061ctive":false}`],
  ['NaN', '{"a":NaN}'],
  ['a comment', '{}// no'],
  ['two values', '{}{}'],
  ['no value', ' '],
  ['a byte order mark', '\ufeff{}'],
  ['UTF-16', Buffer.from('{}', 'utf16le')],
  ['a lone surrogate', String.raw`{"a":"\ud800"}`],
  ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
];

test('bodies that are not one clean JSON text', async (t) => {
  await using siege = await besiege();
  for (const [what, body] of refusals)
    await t.test(`${what} is refused with invalidSyntax`, async () => {
      const answer = await send(siege, body);
      assertRefusal(answer, 400, 'invalidSyntax');
      assert.equal((await recordOf(siege, answer)).event, 'request.rejected');
    });
  assert.deepEqual(siege.upstream.received, []);
  await assertServing(siege);
});

test('numbers beyond what JavaScript can hold go up as the bytes that came', async () => {
  await using siege = await besiege();
  const body = '{"a":12345678901234567890,"b":1e400,"c":-0.10,"ü":"\\u00fc"}';
  assert.equal((await send(siege, body)).status, 201);
  assert.equal(siege.upstream.received[0]?.body, body);
});

// Rows 75 and 76.
for (const [what, headers] of [
  ['XML', { 'content-type': 'text/xml' }],
  ['a form', { 'content-type': 'multipart/form-data; boundary=x' }],
  ['another charset', { 'content-type': `${media};charset=utf-16` }],
  ['a media type that only begins like ours', { 'content-type': `${media}x` }],
  ['a compressed body', { 'content-encoding': 'gzip' }],
] as const)
  test(`${what} is an unsupported media type`, async () => {
    await using siege = await besiege();
    const answer = await send(siege, '{}', headers);
    assertRefusal(answer, 415);
    assert.equal((await recordOf(siege, answer)).event, 'request.rejected');
    assert.deepEqual(siege.upstream.received, []);
  });

test('a body without a media type is refused', async () => {
  await using siege = await besiege();
  using connection = await RawConnection.open(siege.gateway.authority);
  connection.send(request([...siege.head('POST', '/Users'), 'Content-Length: 2'], '{}'));
  assertRefusal(await connection.answer(), 415);
  assert.deepEqual(siege.upstream.received, []);
});

// Row 69.
test('a body of the largest size goes up', async () => {
  await using siege = await besiege(limits);
  const body = `{"a":"${'x'.repeat(limit - 8)}"}`;
  assert.equal((await send(siege, body)).status, 201);
  assert.equal(siege.upstream.received[0]?.body.length, limit);
});

for (const [what, framing, frame] of [
  ['announces', `Content-Length: ${limit + 1}`, (text: string) => text],
  ['sends', 'Transfer-Encoding: chunked', (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`],
] as const)
  test(`a caller that ${what} one byte too much is told so, and the connection is closed`, async () => {
    await using siege = await besiege(limits);
    using connection = await RawConnection.open(siege.gateway.authority);
    connection.send(request([...siege.head('POST', '/Users'), json, framing], frame('x'.repeat(limit + 1))));
    const answer = await connection.answer();
    assertRefusal(answer, 413);
    assert.equal((await recordOf(siege, answer)).event, 'request.rejected');
    await connection.closed();
    assert.deepEqual(siege.upstream.received, []);
    await assertServing(siege);
  });

for (const [what, framing] of [
  ['announced more than it may', `Content-Length: ${limit * 1000}`],
  ['did not announce how much', 'Transfer-Encoding: chunked'],
] as const)
  test(`a caller that ${what} and goes on sending still gets the answer, and is cut off`, async () => {
    await using siege = await besiege(limits);
    using connection = await RawConnection.open(siege.gateway.authority);
    connection.send(request([...siege.head('POST', '/Users'), json, framing]));
    const piece = `${limit.toString(16)}\r\n${'x'.repeat(limit)}\r\n`;
    const flood = setInterval(() => connection.send(piece), 5);
    try {
      assertRefusal(await connection.answer(), 413);
      await connection.gone();
      assert.equal(connection.unread, '', 'it is told once');
    } finally {
      clearInterval(flood);
    }
    await assertServing(siege);
  });

test('a stranger with a large body gets the refusal, not a reset', async () => {
  await using siege = await besiege(limits);
  using connection = await RawConnection.open(siege.gateway.authority);
  const head = siege.head('POST', '/Users').toSpliced(2, 1);
  connection.send(request([...head, json, 'Content-Length: 5000000'], 'x'.repeat(5_000_000)));
  assertRefusal(await connection.answer(), 401);
  await connection.closed();
});

// Rows 79 and 80.
test('a body that comes a byte at a time is given up after its time', async () => {
  await using siege = await besiege({ config: { limits: { bodyTime: '300ms' } } });
  using connection = await RawConnection.open(siege.gateway.authority);
  connection.send(request([...siege.head('POST', '/Users'), json, 'Content-Length: 1000']));
  const drip = setInterval(() => connection.send(' '), 40);
  try {
    const startedAt = performance.now();
    const answer = await connection.answer();
    assertRefusal(answer, 408);
    assert.ok(performance.now() - startedAt < 2000);
    assert.equal((await recordOf(siege, answer)).event, 'request.rejected');
    await connection.gone();
  } finally {
    clearInterval(drip);
  }
  assert.deepEqual(siege.upstream.received, []);
});

for (const [what, leave] of [
  ['resets the connection', (connection: RawConnection) => connection.reset()],
  ['closes the connection', (connection: RawConnection) => connection[Symbol.dispose]()],
] as const)
  test(`nothing of an upload goes up whose caller ${what} half way`, async () => {
    await using siege = await besiege();
    using connection = await RawConnection.open(siege.gateway.authority);
    connection.send(request([...siege.head('POST', '/Users'), json, 'Content-Length: 20'], '{"userName":'));
    await sleep(100);
    leave(connection);
    await sleep(50);
    await assertServing(siege);
    assert.deepEqual(
      siege.upstream.received.map(({ method }) => method),
      ['GET'],
    );
    const aborted = (await siege.end()).find(({ event }) => event === 'request.aborted_by_client');
    assert.equal(aborted?.outcome?.result, 'aborted');
  });

// Rows 38 and 78.
test('what a body, a filter or an id says stands nowhere in the trail', async () => {
  await using siege = await besiege();
  const { gateway } = siege;
  const canary = 'Canary-4711';
  const value = { password: canary, userName: canary };
  await gateway.call('PATCH', `/Users/${canary}`, { schemas: [], Operations: [{ op: 'replace', value }] });
  for (const name of ['password', 'userName'])
    await gateway.call('GET', `/Users?filter=${encodeURIComponent(`${name} eq "${canary}"`)}`);
  await gateway.call('GET', `/Users/${canary}?attributes=${canary}&${canary}=1`);
  await gateway.call('GET', `/${canary}`);
  assert.equal(siege.upstream.received.length, 3, 'all but the filter by a password');
  assert.ok(!JSON.stringify(await siege.end()).includes(canary));
});
