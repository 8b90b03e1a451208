/** Tokens and client certificates: one given for a certificate, and those that are worth nothing without it. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { exportJWK, generateKeyPair, SignJWT } from 'jose';

import type { CertificateAndKey } from '../support/certificate.ts';
import {
  askToken,
  besiegeByCertificate,
  getOnce,
  issue,
  own,
  permissions,
  type CertifiedOptions,
} from '../support/certified.ts';
import { eventually } from '../support/eventually.ts';
import type { RawAnswer } from '../support/raw.ts';
import { assertRefusal, recordOf, type Siege } from '../support/siege.ts';

const idm = issue('idm');
const iag = issue('iag');
/** Of the callers' authority, but it stands for nobody. */
const opener = issue('opener');

const digest = ({ raw }: { readonly raw: Buffer }): string => hash('sha256', raw);
const print = (of: CertificateAndKey): string => digest(own(of));
const callers = {
  idm: { permissions, certificates: [{ sha256: print(idm) }] },
  iag: { permissions, certificates: [{ sha256: print(iag) }] },
};
const besiegeIt = (more: Partial<CertifiedOptions> = {}) =>
  besiegeByCertificate({ mode: 'optional', callers, ...more });

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

async function tokenOf(...asked: Parameters<typeof askToken>): Promise<string> {
  const answer = await askToken(...asked);
  assert.equal(answer.status, 200, answer.body);
  return JSON.parse(answer.body).access_token;
}

function assertInvalid(answer: RawAnswer): void {
  assertRefusal(answer, 401);
  assert.match(answer.headers['www-authenticate'] ?? '', /error="invalid_token"/);
}

const actorOf = async (siege: Siege, answer: RawAnswer): Promise<unknown> =>
  (await recordOf(siege, answer))['actor'];

test('a certificate is enough for a token, which stands for its technical user', async () => {
  await using certified = await besiegeIt();
  const { siege } = certified;
  const given = await askToken(siege, idm, { client_id: 'idm' });
  assert.equal(given.status, 200, given.body);
  const { access_token: token, ...rest } = JSON.parse(given.body);
  assert.deepEqual(rest, { token_type: 'Bearer', expires_in: 600 });
  const issued = await recordOf(siege, given);
  const credential = print(idm);
  assert.equal(issued.event, 'token.issued');
  assert.deepEqual(issued['actor'], { name: 'idm', auth: 'certificate', credential });
  const used = await getOnce(siege, idm, bearer(token));
  assert.equal(used.status, 200, used.body);
  assert.deepEqual(await actorOf(siege, used), { name: 'idm', auth: 'token', credential });
});

test('what the token endpoint refuses a certificate, it refuses in the words of RFC 6749', async (t) => {
  await using certified = await besiegeIt();
  const { siege } = certified;
  const basic = (user: string) => ({ authorization: siege.gateway.logOn(user) });
  const rows: readonly (readonly [string, () => Promise<RawAnswer>])[] = [
    ['no client_id', () => askToken(siege, idm, {})],
    ['another one’s client_id', () => askToken(siege, idm, { client_id: 'iag' })],
    ['a client_id that nobody has', () => askToken(siege, idm, { client_id: 'nobody' })],
    ['a certificate that stands for nobody', () => askToken(siege, opener, { client_id: 'idm' })],
    ['no certificate', () => askToken(siege, undefined, { client_id: 'idm' })],
    ['a wrong secret beside it', () => askToken(siege, idm, { client_id: 'idm', client_secret: 'wrong' })],
    ['somebody else’s secret', () => askToken(siege, idm, {}, basic('iag'))],
    ['another scheme beside it', () => askToken(siege, idm, {}, bearer('abc'))],
  ];
  for (const [what, asked] of rows)
    await t.test(what, async () => {
      const answer = await asked();
      assert.equal(answer.status, 401, answer.body);
      assert.equal(JSON.parse(answer.body).error, 'invalid_client');
      assert.equal(answer.headers['www-authenticate'], 'Basic realm="Gatehouse", charset="UTF-8"');
      assert.equal((await recordOf(siege, answer)).event, 'token.rejected');
    });
});

for (const [what, form] of [
  ['for a certificate', () => ({ client_id: 'idm' })],
  ['for a secret on a connection with a certificate', () => ({})],
] as const)
  test(`a token that was given ${what} is worth nothing without it`, async () => {
    await using certified = await besiegeIt();
    const { siege } = certified;
    const headers = what === 'for a certificate' ? {} : { authorization: siege.gateway.logOn('idm') };
    const token = await tokenOf(siege, idm, form(), headers);
    assert.equal((await getOnce(siege, idm, bearer(token))).status, 200);
    for (const thief of [undefined, iag, opener]) {
      const answer = await getOnce(siege, thief, bearer(token));
      assertInvalid(answer);
      assert.equal((await recordOf(siege, answer)).event, 'token.rejected');
    }
  });

test('a token for a secret is bound to a certificate that stands for nobody as well', async () => {
  await using certified = await besiegeIt();
  const { siege } = certified;
  const token = await tokenOf(siege, opener, {}, { authorization: siege.gateway.logOn('idm') });
  assert.equal((await getOnce(siege, opener, bearer(token))).status, 200);
  for (const thief of [undefined, idm, iag]) assertInvalid(await getOnce(siege, thief, bearer(token)));
});

test('a token that was given without a certificate is bound to none', async () => {
  await using certified = await besiegeIt();
  const { siege } = certified;
  const token = await tokenOf(siege, undefined, {}, { authorization: siege.gateway.logOn('idm') });
  assert.equal((await getOnce(siege, undefined, bearer(token))).status, 200);
  assert.equal((await getOnce(siege, idm, bearer(token))).status, 200);
  assertRefusal(await getOnce(siege, iag, bearer(token)), 401);
});

test('a token dies with the certificate that it was given for when the configuration drops it', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-keys-'));
  const keyFile = join(directory.path, 'key');
  const renewed = { ...callers, idm: { permissions, certificates: [{ sha256: print(opener) }] } };
  let token: string;
  {
    await using before = await besiegeIt({ keyFile });
    token = await tokenOf(before.siege, idm, { client_id: 'idm' });
  }
  await using same = await besiegeIt({ keyFile });
  assert.equal((await getOnce(same.siege, idm, bearer(token))).status, 200);
  await using after = await besiegeIt({ keyFile, callers: renewed });
  assertInvalid(await getOnce(after.siege, idm, bearer(token)));
  assertInvalid(await getOnce(after.siege, opener, bearer(token)));
});

test('a token dies with the certificate when that is revoked', async () => {
  await using certified = await besiegeIt();
  const { siege } = certified;
  const token = await tokenOf(siege, idm, { client_id: 'idm' });
  await certified.revoke([idm]);
  let answer: RawAnswer | undefined;
  await eventually(async () => {
    // The revocation cuts the connections that it finds open.
    answer = await getOnce(siege, idm, bearer(token)).catch(() => undefined);
    return answer !== undefined && answer.status !== 200;
  });
  assertRefusal(answer, 401);
  assert.match(answer.body, /revoked/);
});

/** An issuer's tokens for `idm`, bound to what is given. */
async function startIssuer(certificateBound: 'required' | 'optional', directory: string) {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const file = join(directory, 'jwks.json');
  await writeFile(file, JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256' }] }));
  const issuer = 'https://login.example.com';
  const trusted = {
    issuer,
    audience: ['gatehouse'],
    keys: { file },
    callers: { x: 'idm' },
    certificateBound,
  };
  const sign = (cnf?: object): Promise<string> =>
    new SignJWT({ client_id: 'x', cnf })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
      .setIssuer(issuer)
      .setAudience('gatehouse')
      .setExpirationTime('1 minute')
      .sign(privateKey);
  return { oauth: { issuers: { company: trusted } }, sign };
}

const boundTo = (caller: CertificateAndKey) => ({
  'x5t#S256': Buffer.from(print(caller), 'hex').toString('base64url'),
});

test('a token of another issuer that is bound to a certificate needs it', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-issuer-'));
  const { oauth, sign } = await startIssuer('optional', directory.path);
  await using certified = await besiegeIt({ oauth });
  const { siege } = certified;
  const bound = bearer(await sign(boundTo(idm)));
  const used = await getOnce(siege, idm, bound);
  assert.equal(used.status, 200, used.body);
  assert.deepEqual(await actorOf(siege, used), { name: 'idm', auth: 'jwt' });
  for (const thief of [undefined, iag, opener]) assertInvalid(await getOnce(siege, thief, bound));
  assert.equal((await getOnce(siege, undefined, bearer(await sign()))).status, 200);
});

test('an issuer whose tokens must be bound vouches for no other', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-issuer-'));
  const { oauth, sign } = await startIssuer('required', directory.path);
  await using certified = await besiegeIt({ oauth });
  const { siege } = certified;
  assert.equal((await getOnce(siege, idm, bearer(await sign(boundTo(idm))))).status, 200);
  for (const caller of [undefined, idm]) assertInvalid(await getOnce(siege, caller, bearer(await sign())));
});
