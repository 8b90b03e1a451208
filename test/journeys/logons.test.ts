/** Log-ons that are not what they seem. Every refusal is the same answer, whatever was wrong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import supertest from 'supertest';

import { RawConnection, request } from '../support/raw.ts';
import { assertRefusal, assertServing, besiege, plainAnswer, recordOf } from '../support/siege.ts';

const basic = (text: string | Buffer): string => `Basic ${Buffer.from(text).toString('base64')}`;
const logOn = (valid: string): string => Buffer.from(valid.slice('Basic '.length), 'base64').toString();

// Rows 48, 50, 52-55.
const refusals: readonly (readonly [what: string, header: (valid: string) => string | undefined])[] = [
  ['nothing', () => undefined],
  ['an empty field', () => ''],
  ['a wrong secret', () => basic('identity-manager:wrong')],
  ['an unknown user', () => basic('nobody:secret')],
  ['more behind the right secret', (valid) => basic(`${logOn(valid)}:anything`)],
  ['a scheme that only contains Basic', (valid) => `NotBasicAtAll ${valid.slice(6)}`],
  ['the scheme Bearer without a token', () => 'Bearer'],
  ['two spaces', (valid) => `Basic  ${valid.slice(6)}`],
  ['a second token', (valid) => `${valid} ${valid.slice(6)}`],
  ['two credentials in one field', (valid) => `${valid}, ${valid}`],
  ['broken base64', (valid) => `${valid}!`],
  ['no padding', () => 'Basic YTpi='],
  ['bytes that are not UTF-8', () => basic(Buffer.from([0x61, 0x3a, 0xff, 0xfe]))],
  ['no colon', () => basic('identity-manager')],
  ['a user with a line break', (valid) => basic(`identity-manager\r\nX: 1${logOn(valid).slice(16)}`)],
  ['a user with a NUL', (valid) => basic(`identity-manager\0${logOn(valid).slice(16)}`)],
  ['a user with an escape sequence', () => basic('\u001b[2Jidentity-manager:secret')],
  ['the user __proto__', () => basic('__proto__:secret')],
  ['the user constructor', () => basic('constructor:secret')],
  ['the user toString', () => basic('toString:secret')],
  ['a user of 10 kB', () => basic(`${'u'.repeat(10_000)}:secret`)],
];

test('log-ons that are refused', async (t) => {
  await using siege = await besiege();
  const { authority } = siege.gateway;
  const bodies = new Set<string>();
  for (const [what, header] of refusals)
    await t.test(`${what} is refused, and the trail has one line of it`, async () => {
      const field = header(siege.gateway.logOn());
      const [line = '', host = ''] = siege.head('GET', '/Users/1');
      using connection = await RawConnection.open(authority);
      connection.send(request([line, host, ...(field === undefined ? [] : [`Authorization: ${field}`])]));
      const answer = await connection.answer();
      assertRefusal(answer, 401);
      assert.equal(
        answer.headers['www-authenticate'],
        'Basic realm="Gatehouse", charset="UTF-8", Bearer realm="Gatehouse"',
      );
      bodies.add(answer.body);
      const record = await recordOf(siege, answer);
      assert.equal(record.event, 'authn.failure');
      assert.ok(!JSON.stringify(record).includes('identity-manager'), 'an unproven name is no actor');
    });
  assert.equal(bodies.size, 1, 'no refusal tells what was wrong');
  assert.deepEqual(siege.upstream.received, []);
  await assertServing(siege);
});

// Row 49.
test('two Authorization fields are refused, even when both are right', async () => {
  await using siege = await besiege();
  using connection = await RawConnection.open(siege.gateway.authority);
  connection.send(request([...siege.head('GET', '/Users/1'), `authorization: ${siege.gateway.logOn()}`]));
  const answer = await connection.answer();
  assertRefusal(answer, 400);
  assert.equal((await recordOf(siege, answer)).event, 'request.rejected');
  assert.deepEqual(siege.upstream.received, []);
});

test('a caller may write the scheme in any case', async () => {
  await using siege = await besiege();
  await supertest(siege.gateway.url)
    .get(`${siege.gateway.basePath}/Users/1`)
    .set('authorization', siege.gateway.logOn().replace('Basic', 'bAsIc'))
    .expect(200);
});

test('who may only read is forbidden to write, and nothing goes up', async () => {
  await using siege = await besiege();
  const headers = { authorization: siege.gateway.logOn('auditor') };
  const answer = await plainAnswer(await siege.gateway.call('DELETE', '/Users/1', undefined, headers));
  assertRefusal(answer, 403);
  assert.equal((await recordOf(siege, answer)).event, 'authz.denied');
  assert.deepEqual(siege.upstream.received, []);
});

test('who may not read is not answered from what others have read', async () => {
  await using siege = await besiege({
    callers: {
      stranger: {
        permissions: [
          {
            permission: 'Access Proxy System API',
            systems: 'all',
            resourceTypes: ['Groups'],
            access: ['read'],
          },
        ],
      },
    },
  });
  await siege.gateway.call('GET', '/Users/1');
  const again = await siege.gateway.call('GET', '/Users/1');
  assert.match(again.headers.get('cache-status') ?? '', /hit/);
  const headers = { authorization: siege.gateway.logOn('stranger') };
  assertRefusal(await plainAnswer(await siege.gateway.call('GET', '/Users/1', undefined, headers)), 403);
});

// Row 57.
test('a hundred first log-ons at once are all believed', async () => {
  await using siege = await besiege();
  const answers = await Promise.all(Array.from({ length: 100 }, () => siege.gateway.call('GET', '/Users/1')));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
});
