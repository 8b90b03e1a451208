import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { BearerLogOn } from '../../src/auth/bearer.ts';
import type { Caller } from '../../src/auth/caller.ts';
import { createIdentify } from '../../src/auth/identify.ts';
import { createLogOn } from '../../src/auth/log-on.ts';
import type { SecretBook } from '../../src/auth/secret-book.ts';
import { Throttle } from '../../src/auth/throttle.ts';
import type { Headers } from '../../src/scim/call.ts';
import { ScimError } from '../../src/scim/error.ts';

const known: Record<string, string> = { idm: 'pa:ss', iag: ':gänse', unconfigured: 'secret' };
const asked: [string, string][] = [];
const secrets: Pick<SecretBook, 'verify'> = {
  verify: async (user, secret) => {
    asked.push([user, secret]);
    if (user === 'broken') throw new Error('the book is broken');
    if (user === 'crowd') throw new ScimError('busy', 'Too many.');
    return Object.hasOwn(known, user) && known[user] === secret ? 'first' : undefined;
  },
};
const callers = new Map(
  ['idm', 'iag', 'broken', '__proto__'].map((name): [string, Caller] => [
    name,
    { name, tenant: 'eu', proxy: [] },
  ]),
);
const logOnWith = (throttle: Throttle): ReturnType<typeof createLogOn> =>
  createLogOn({ callers, secrets, throttle });
const bearerLogOn = async (token: string): ReturnType<BearerLogOn> => {
  if (token === 'broken') throw new Error('the keys are away');
  return token === 'good' ? { name: 'iag', tenant: 'eu', proxy: [], auth: 'jwt' } : undefined;
};
const logOn = logOnWith(new Throttle({ report: () => {} }));
const certificateLogOn = () => undefined;
const identifyCall = createIdentify({ logOn, bearerLogOn, certificateLogOn, realm: 'Gatehouse "eu"' });
const identify = (headers: Headers): ReturnType<typeof identifyCall> =>
  identifyCall({ headers, source: { ip: '192.0.2.7', port: 50_000 } });
const basic = (text: string | Buffer): string => `Basic ${Buffer.from(text).toString('base64')}`;

test('a technical user is identified by its secret, and the way is told', async () => {
  assert.deepEqual(await identify({ authorization: basic('idm:pa:ss') }), {
    name: 'idm',
    tenant: 'eu',
    proxy: [],
    auth: 'basic',
    credential: 'first',
  });
});

test('a secret that begins with a colon or has umlauts is accepted (row 51)', async () => {
  assert.equal((await identify({ authorization: basic('iag::gänse') })).name, 'iag');
});

test('each of many calls at once gets its own caller', async () => {
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) =>
      identify({ authorization: basic(i % 2 ? 'idm:pa:ss' : 'iag::gänse') }),
    ),
  );
  assert.deepEqual(
    answers.map(({ name }) => name),
    answers.map((_, i) => (i % 2 ? 'idm' : 'iag')),
  );
});

const refused: readonly (readonly [title: string, authorization: string | undefined])[] = [
  ['no header (row 48)', undefined],
  ['an empty header', ''],
  ['a wrong secret', basic('idm:wrong')],
  ['an unknown user', basic('nobody:pa:ss')],
  ['a cut secret (row 50)', basic('idm:pa')],
  ['a secret with more behind it (row 50)', basic('idm:pa:ss:anything')],
  ['another scheme (row 52)', basic('idm:pa:ss').replace('Basic', 'NotBasicAtAll')],
  ['a bearer scheme without a token', 'Bearer '],
  ['two bearer tokens', 'Bearer good good'],
  ['broken base64 (row 53)', 'Basic !'],
  ['bytes that are not UTF-8 (row 53)', basic(Buffer.from([0x69, 0x3a, 0xff]))],
  ['a user with control characters (row 54)', basic('idm\r\n\0\u001b:pa:ss')],
  ['the user __proto__ (row 55)', basic('__proto__:pa:ss')],
  ['the user constructor (row 55)', basic('constructor:pa:ss')],
  ['a user with a secret but no configuration', basic('unconfigured:secret')],
  ['no secret', basic('idm:')],
];

const challenge = String.raw`Basic realm="Gatehouse \"eu\"", charset="UTF-8", Bearer realm="Gatehouse \"eu\""`;

for (const [title, authorization] of refused)
  test(`${title} gets the one refusal there is (row 56)`, async () => {
    await assert.rejects(identify({ authorization }), {
      kind: 'unauthenticated',
      status: 401,
      message: 'A technical user and its secret are required.',
      headers: { 'www-authenticate': challenge },
    });
  });

test('a user without configuration is compared all the same, so that the answer comes no sooner', async () => {
  asked.length = 0;
  await assert.rejects(identify({ authorization: basic('unconfigured:secret') }));
  assert.deepEqual(asked, [['unconfigured', 'secret']]);
});

test('a bearer token identifies its caller, in any case of the scheme', async () => {
  for (const scheme of ['Bearer', 'bearer']) {
    const caller = await identify({ authorization: `${scheme} good` });
    assert.deepEqual([caller.name, caller.auth], ['iag', 'jwt']);
  }
});

test('a bearer token that is nobody’s gets the same words, and its challenge says why (RFC 6750)', async () => {
  await assert.rejects(identify({ authorization: 'Bearer bad' }), {
    kind: 'invalid-token',
    status: 401,
    message: 'A technical user and its secret are required.',
    headers: { 'www-authenticate': `${challenge}, error="invalid_token"` },
  });
  await assert.rejects(identify({ authorization: 'Bearer broken' }), { message: 'the keys are away' });
});

test('a book that cannot tell is an error, not a refusal', async () => {
  await assert.rejects(identify({ authorization: basic('broken:x') }), { message: 'the book is broken' });
  await assert.rejects(identify({ authorization: basic('crowd:x') }), { kind: 'busy' });
});

test('an attempt is charged to the technical user and to where the call comes from', async () => {
  const charged: unknown[] = [];
  class Watched extends Throttle {
    override attempt(credential: Parameters<Throttle['attempt']>[0]): ReturnType<Throttle['attempt']> {
      charged.push(credential);
      return super.attempt(credential);
    }
  }
  const watched = createIdentify({
    logOn: logOnWith(new Watched({ report: () => {} })),
    bearerLogOn,
    certificateLogOn,
    realm: 'Gatehouse',
  });
  const headers = { authorization: basic('idm:pa:ss') };
  await watched({ headers, source: { ip: '2001:db8:0:1::9', port: 50_000 } });
  assert.deepEqual(charged, [{ source: '2001:db8:0:1::/64', user: 'idm', secret: 'pa:ss' }]);
});
