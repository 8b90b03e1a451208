/** Rows 61 and 62: tokens of other issuers that must not be believed, and fetches that must not be provoked. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';

import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';

import { createForeignVerifier, type IssuerSettings } from '../../src/auth/issuer.ts';

const issuer = 'https://login.example.com';
const { publicKey, privateKey } = await generateKeyPair('RS256');
const stranger = await generateKeyPair('RS256');
const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' }] };
const strangersJwk = { ...(await exportJWK(stranger.publicKey)), kid: 'k1' };
const settings: IssuerSettings = {
  issuer,
  audience: ['gatehouse'],
  algorithms: ['RS256'],
  type: 'at+jwt',
  keys: { jwks },
  claim: 'client_id',
  callers: new Map([['iag-production', 'iag']]),
  certificateBound: 'optional',
};
const verify = createForeignVerifier([settings]);

const thumbprint = 'bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2';

type Fields = Readonly<Record<string, unknown>>;

const now = (): number => Math.floor(Date.now() / 1000);
const right = (): Fields => ({ iss: issuer, aud: 'gatehouse', exp: now() + 60, client_id: 'iag-production' });

function sign(claims: Fields, header: Fields = {}, key = privateKey): Promise<string> {
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'RS256', kid: 'k1', typ: 'at+jwt', ...header })
    .sign(key, { crit: { 'urn:unknown': false } });
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const spki = await exportSPKI(publicKey);

test('a token that is right in everything stands for its technical user', async () => {
  assert.equal(await verify(await sign(right())), 'iag');
  assert.equal(await verify(await sign({ ...right(), aud: ['others', 'gatehouse'] })), 'iag');
  assert.equal(await verify(await sign(right(), { typ: 'application/at+jwt' })), 'iag');
});

test('clocks may differ by half a minute', async () => {
  assert.equal(await verify(await sign({ ...right(), exp: now() - 25, nbf: now() + 25 })), 'iag');
});

const wrong: readonly (readonly [what: string, token: () => Promise<string>])[] = [
  ['alg none', async () => `${encode({ alg: 'none', typ: 'at+jwt' })}.${encode(right())}.`],
  [
    'HS256 with the public key as its secret',
    async () => {
      const text = `${encode({ alg: 'HS256', kid: 'k1', typ: 'at+jwt' })}.${encode(right())}`;
      return `${text}.${createHmac('sha256', spki).update(text).digest('base64url')}`;
    },
  ],
  ['a stranger’s key', () => sign(right(), {}, stranger.privateKey)],
  ['a stranger’s key in its own header', () => sign(right(), { jwk: strangersJwk }, stranger.privateKey)],
  ['a foreign jku', () => sign(right(), { jku: 'http://127.0.0.1:9/keys' }, stranger.privateKey)],
  ['a foreign x5u', () => sign(right(), { x5u: 'http://127.0.0.1:9/chain' }, stranger.privateKey)],
  ['a kid that nobody has', () => sign(right(), { kid: 'k2' })],
  [
    'a critical extension that we do not know',
    () => sign(right(), { crit: ['urn:unknown'], 'urn:unknown': 1 }),
  ],
  ['another issuer', () => sign({ ...right(), iss: 'https://evil.example.com' })],
  ['no issuer', () => sign({ ...right(), iss: undefined })],
  ['another audience', () => sign({ ...right(), aud: 'others' })],
  ['no audience', () => sign({ ...right(), aud: undefined })],
  ['an end in the past', () => sign({ ...right(), exp: now() - 35 })],
  ['no end', () => sign({ ...right(), exp: undefined })],
  ['a beginning in the future', () => sign({ ...right(), nbf: now() + 60 })],
  ['the type of an id token', () => sign(right(), { typ: 'JWT' })],
  ['no type', () => sign(right(), { typ: undefined })],
  ['a claim that stands for nobody', () => sign({ ...right(), client_id: '__proto__' })],
  ['no claim', () => sign({ ...right(), client_id: undefined })],
  ['a claim that is no text', () => sign({ ...right(), client_id: ['iag-production'] })],
  ['a binding to a certificate', () => sign({ ...right(), cnf: { 'x5t#S256': thumbprint } })],
  [
    'a changed payload',
    async () => (await sign(right())).replace(/\.[^.]+\./, `.${encode({ ...right(), sub: 'x' })}.`),
  ],
  ['nothing that is a JWT', async () => 'abc'],
];

for (const [what, token] of wrong)
  test(`a token with ${what} is nobody’s`, async () => {
    assert.equal(await verify(await token()), undefined);
  });

test('a token with an algorithm that is not in the list is nobody’s', async () => {
  const strict = createForeignVerifier([{ ...settings, algorithms: ['PS256', 'ES256'] }]);
  assert.equal(await strict(await sign(right())), undefined);
});

test('a token that is bound to a certificate stands for its technical user with that alone', async () => {
  const token = await sign({ ...right(), cnf: { 'x5t#S256': thumbprint } });
  assert.equal(await verify(token, thumbprint), 'iag');
  assert.equal(await verify(token, thumbprint.toLowerCase()), undefined);
});

test('a token that is bound to nothing may come with a certificate', async () => {
  assert.equal(await verify(await sign(right()), thumbprint), 'iag');
});

test('an issuer whose tokens must be bound vouches for no other', async () => {
  const strict = createForeignVerifier([{ ...settings, certificateBound: 'required' }]);
  assert.equal(await strict(await sign(right()), thumbprint), undefined);
  assert.equal(await strict(await sign({ ...right(), cnf: { 'x5t#S256': thumbprint } }), thumbprint), 'iag');
});

for (const cnf of [
  null,
  {},
  [],
  'text',
  { jkt: thumbprint },
  { 'x5t#S256': thumbprint, jkt: thumbprint },
  { 'x5t#S256': [thumbprint] },
  { 'x5t#s256': thumbprint },
])
  test(`a binding ${JSON.stringify(cnf).slice(0, 30)} is not understood, and the token nobody’s`, async () => {
    assert.equal(await verify(await sign({ ...right(), cnf }), thumbprint), undefined);
  });

/** An issuer's keys over HTTP, counted. */
async function serveKeys(status = 200) {
  const count = { fetches: 0 };
  const server = http.createServer((_, response) => {
    count.fetches += 1;
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(jwks));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  const check = createForeignVerifier([{ ...settings, keys: { url } }]);
  return { count, check, server, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

test('keys are fetched when they are needed, once', async () => {
  await using served = await serveKeys();
  assert.equal(served.count.fetches, 0);
  const token = await sign(right());
  assert.deepEqual(
    new Set(await Promise.all(Array.from({ length: 20 }, () => served.check(token)))),
    new Set(['iag']),
  );
  assert.equal(served.count.fetches, 1);
});

test('a thousand unknown kids provoke no fetch beyond the first (row 62)', async () => {
  await using served = await serveKeys();
  const token = await sign(right());
  const [, payload, signature] = token.split('.');
  for (let i = 0; i < 1000; i += 1) {
    const header = encode({ alg: 'RS256', kid: `kid ${i}`, typ: 'at+jwt' });
    assert.equal(await served.check(`${header}.${payload}.${signature}`), undefined);
  }
  assert.equal(served.count.fetches, 1);
});

test('keys that cannot be had are an error and no refusal, and are asked for once in a while', async () => {
  await using served = await serveKeys(500);
  const token = await sign(right());
  for (let i = 0; i < 50; i += 1)
    await assert.rejects(served.check(token), { kind: 'issuer-unreachable', status: 503 });
  assert.equal(served.count.fetches, 1);
});

test('a token of an unknown issuer provokes no fetch', async () => {
  await using served = await serveKeys();
  assert.equal(await served.check(await sign({ ...right(), iss: 'https://evil.example.com' })), undefined);
  assert.equal(served.count.fetches, 0);
});
