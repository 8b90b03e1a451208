/** Callers with OAuth 2.0: tokens of the gateway's own, and those of an issuer that it trusts. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { stringify } from 'yaml';

import { generateSecret, hashSecret } from '../../src/auth/secret.ts';
import { startGateway, systemId, type TestGateway } from '../support/gateway.ts';
import type { RawAnswer } from '../support/raw.ts';
import { assertRefusal, besiege, plainAnswer, recordOf, type Siege } from '../support/siege.ts';

const form = { 'content-type': 'application/x-www-form-urlencoded' };
const grant = 'grant_type=client_credentials';
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const userAndSecret = (gateway: TestGateway): [string, string] => {
  const [user = '', secret = ''] = Buffer.from(gateway.logOn().slice(6), 'base64').toString().split(':');
  return [user, secret];
};

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

async function ask({ url }: TestGateway, { method = 'POST', path = '/oauth2/token', ...asked }: Asked) {
  const { headers = {}, body } = asked;
  return plainAnswer(
    await fetch(url + path, { method, headers: { ...form, ...headers }, ...(body && { body }) }),
  );
}

async function tokenOf(gateway: TestGateway): Promise<string> {
  const { body } = await ask(gateway, { headers: { authorization: gateway.logOn() }, body: grant });
  return JSON.parse(body).access_token;
}

async function use({ gateway }: Pick<Siege, 'gateway'>, token: string): Promise<RawAnswer> {
  const headers = { authorization: `Bearer ${token}` };
  return plainAnswer(await gateway.call('GET', `/Users/${randomUUID()}`, undefined, headers));
}

test('a token is given for a secret, recorded, and stands for its technical user', async () => {
  await using siege = await besiege();
  const { gateway } = siege;
  const given = await ask(gateway, { headers: { authorization: gateway.logOn() }, body: grant });
  assert.equal(given.status, 200);
  assert.match(given.headers['content-type'] ?? '', /^application\/json/);
  assert.equal(given.headers['cache-control'], 'no-store');
  assert.equal(given.headers['pragma'], 'no-cache');
  const { access_token: token, ...rest } = JSON.parse(given.body);
  assert.deepEqual(rest, { token_type: 'Bearer', expires_in: 600 });
  const issued = await recordOf(siege, given);
  assert.equal(issued.event, 'token.issued');
  const { credential, ...actor } = issued['actor'] as Record<string, string>;
  assert.deepEqual(actor, { name: 'identity-manager', auth: 'basic' });

  const used = await use(siege, token);
  assert.equal(used.status, 200);
  const record = await recordOf(siege, used);
  assert.deepEqual(record['actor'], { name: 'identity-manager', auth: 'token', credential });
  assert.ok(!JSON.stringify([siege.upstream.received, await siege.records()]).includes(token.slice(3, 40)));
});

test('a token has the permissions of its technical user and no others', async () => {
  await using siege = await besiege();
  const { gateway } = siege;
  const { body } = await ask(gateway, { headers: { authorization: gateway.logOn('auditor') }, body: grant });
  const headers = { authorization: `Bearer ${JSON.parse(body).access_token}` };
  assert.equal((await gateway.call('GET', '/Users/1', undefined, headers)).status, 200);
  assertRefusal(await plainAnswer(await gateway.call('DELETE', '/Users/1', undefined, headers)), 403);
});

test('the secret may stand in the body, and unknown parameters are overlooked', async () => {
  await using siege = await besiege();
  const [user, secret] = userAndSecret(siege.gateway);
  const body = `${grant}&client_id=${user}&client_secret=${secret}&token_format=opaque&app_tid=1`;
  assert.equal((await ask(siege.gateway, { body })).status, 200);
  const headers = { authorization: siege.gateway.logOn() };
  assert.equal((await ask(siege.gateway, { headers, body: `${grant}&client_id=${user}` })).status, 200);
});

type Row = readonly [what: string, status: number, code: string, asked: (gateway: TestGateway) => Asked];
const withBody =
  (body: string, headers: Record<string, string> = {}) =>
  (gateway: TestGateway): Asked => ({ headers: { authorization: gateway.logOn(), ...headers }, body });

const refusals: readonly Row[] = [
  ['no grant type', 400, 'invalid_request', withBody('scope=x')],
  ['an empty body', 400, 'invalid_request', withBody('')],
  [
    'another grant type',
    400,
    'unsupported_grant_type',
    withBody('grant_type=password&username=a&password=b'),
  ],
  ['a parameter twice', 400, 'invalid_request', withBody(`${grant}&${grant}`)],
  ['a broken escape', 400, 'invalid_request', withBody(`${grant}&x=%zz`)],
  ['bytes that are not UTF-8', 400, 'invalid_request', withBody(`${grant}&x=%ff`)],
  ['JSON', 400, 'invalid_request', withBody('{}', { 'content-type': 'application/json' })],
  [
    'another charset',
    400,
    'invalid_request',
    withBody(grant, { 'content-type': `${form['content-type']};charset=utf-16` }),
  ],
  ['a body that is too large', 413, 'invalid_request', withBody(`${grant}&x=${'x'.repeat(9000)}`)],
  [
    'parameters in the target',
    400,
    'invalid_request',
    (g) => ({ ...withBody(grant)(g), path: `/oauth2/token?${grant}` }),
  ],
  ['both ways at once', 400, 'invalid_request', withBody(`${grant}&client_secret=x`)],
  ['another client_id than the header', 400, 'invalid_request', withBody(`${grant}&client_id=auditor`)],
  [
    'another method',
    405,
    'invalid_request',
    (g) => ({ method: 'GET', headers: { authorization: g.logOn() } }),
  ],
  ['no credential', 401, 'invalid_client', () => ({ body: grant })],
  ['half a credential', 401, 'invalid_client', () => ({ body: `${grant}&client_id=identity-manager` })],
  [
    'a wrong secret',
    401,
    'invalid_client',
    withBody(grant, { authorization: basic('identity-manager:wrong') }),
  ],
  ['an unknown user', 401, 'invalid_client', withBody(grant, { authorization: basic('nobody:wrong') })],
  ['no Basic at all', 401, 'invalid_client', withBody(grant, { authorization: 'Bearer abc' })],
];

test('what the token endpoint refuses, it refuses in the words of RFC 6749', async (t) => {
  await using siege = await besiege();
  for (const [what, status, code, asked] of refusals)
    await t.test(`${what}: ${status} ${code}`, async () => {
      const answer = await ask(siege.gateway, asked(siege.gateway));
      assert.equal(answer.status, status, answer.body);
      const { error, error_description: description } = JSON.parse(answer.body);
      assert.equal(error, code);
      assert.ok(description.length > 0);
      assert.match(answer.headers['content-type'] ?? '', /^application\/json/);
      assert.equal(answer.headers['cache-control'], 'no-store');
      assert.equal(
        answer.headers['www-authenticate'],
        status === 401 ? 'Basic realm="Gatehouse", charset="UTF-8"' : undefined,
      );
      assert.equal(answer.headers['allow'], status === 405 ? 'POST' : undefined);
      const record = await recordOf(siege, answer);
      assert.deepEqual([record.event, record['actor']], ['token.rejected', undefined]);
    });
  assert.deepEqual(siege.upstream.received, []);
});

test('user and secret are form-encoded before they become a header (RFC 6749 §2.3.1)', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-oauth-'));
  const secretsFile = join(directory.path, 'secrets.yaml');
  await using gateway = await startGateway({ upstream: 'http://127.0.0.1:9', config: { secretsFile } });
  const hash = await hashSecret('a secret: with %, + and ä');
  await writeFile(secretsFile, stringify({ 'identity-manager': [{ hash }] }));
  await sleep(1000);
  const encoded = 'identity%2Dmanager:a+secret%3A+with+%25%2C+%2B+and+%C3%A4';
  assert.equal((await ask(gateway, { headers: { authorization: basic(encoded) }, body: grant })).status, 200);
});

test('the token endpoint is no way around the throttle', async () => {
  await using siege = await besiege();
  const headers = { authorization: basic('identity-manager:guess') };
  const statuses: number[] = [];
  for (let i = 0; i < 6; i += 1) statuses.push((await ask(siege.gateway, { headers, body: grant })).status);
  assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429]);
  const answer = await ask(siege.gateway, { headers, body: grant });
  assert.equal(JSON.parse(answer.body).error, 'temporarily_unavailable');
  assert.match(answer.headers['retry-after'] ?? '', /^\d+$/);
  assert.equal((await recordOf(siege, answer)).event, 'authn.throttled');
  assertRefusal(await plainAnswer(await siege.gateway.call('GET', '/Users/1', undefined, headers)), 429);
});

test('a token that is not believed is refused with its reason in the challenge (RFC 6750)', async () => {
  await using siege = await besiege();
  const token = await tokenOf(siege.gateway);
  for (const text of ['abc', `${token}A`, token.replace('gt_', 'gt_A'), 'eyJhbGciOiJub25lIn0.e30.']) {
    const answer = await use(siege, text);
    assertRefusal(answer, 401);
    assert.equal(
      answer.headers['www-authenticate'],
      'Basic realm="Gatehouse", charset="UTF-8", Bearer realm="Gatehouse", error="invalid_token"',
    );
    assert.equal((await recordOf(siege, answer)).event, 'token.rejected');
  }
  assert.deepEqual(siege.upstream.received, []);
});

test('a token dies with the secret that it was given for', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-oauth-'));
  const secretsFile = join(directory.path, 'secrets.yaml');
  await using siege = await besiege({ config: { secretsFile } });
  const token = await tokenOf(siege.gateway);
  assert.equal((await use(siege, token)).status, 200);
  await writeFile(
    secretsFile,
    stringify({ 'identity-manager': [{ hash: await hashSecret(generateSecret()) }] }),
  );
  const until = performance.now() + 3000;
  let status = 200;
  while (status !== 401 && performance.now() < until) ({ status } = await use(siege, token));
  assert.equal(status, 401);
});

test('every replica with the same key takes a token, one with another key does not', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-oauth-'));
  const withKey = (name: string) =>
    startGateway({
      config: { audit: { directory: 'audit', instance: 'test', keyFile: join(directory.path, name) } },
    });
  await using one = await withKey('ours');
  await using other = await withKey('ours');
  await using stranger = await withKey('theirs');
  const token = await tokenOf(one);
  assert.equal((await use({ gateway: other }, token)).status, 404, 'believed, and there is no such user');
  assert.equal((await use({ gateway: stranger }, token)).status, 401);
});

test('a token of a configured issuer stands for the technical user that its claim means', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-oauth-'));
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const file = join(directory.path, 'jwks.json');
  await writeFile(file, JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256' }] }));
  const issuer = 'https://login.example.com';
  const company = {
    issuer,
    audience: ['gatehouse'],
    keys: { file },
    callers: { 'iag-production': 'auditor' },
  };
  await using siege = await besiege({ config: { oauth: { issuers: { company } } } });
  const sign = (client: string): Promise<string> =>
    new SignJWT({ client_id: client })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
      .setIssuer(issuer)
      .setAudience('gatehouse')
      .setExpirationTime('1 minute')
      .sign(privateKey);
  const answer = await use(siege, await sign('iag-production'));
  assert.equal(answer.status, 200);
  assert.deepEqual((await recordOf(siege, answer))['actor'], { name: 'auditor', auth: 'jwt' });
  assert.equal((await use(siege, await sign('identity-manager'))).status, 401, 'only what is mapped');
});

test('an issuer whose keys cannot be had is told as that', async () => {
  const company = {
    issuer: 'https://login.example.com',
    audience: ['gatehouse'],
    keys: { url: 'http://127.0.0.1:9/keys' },
    callers: { iag: 'auditor' },
  };
  await using siege = await besiege({ config: { oauth: { issuers: { company } } } });
  const { privateKey } = await generateKeyPair('ES256');
  const token = await new SignJWT({ iss: company.issuer })
    .setProtectedHeader({ alg: 'ES256' })
    .sign(privateKey);
  const answer = await use(siege, token);
  assertRefusal(answer, 503);
  assert.equal((await recordOf(siege, answer)).outcome?.error, 'issuer-unreachable');
});

test('the paths around the token endpoint do not exist', async () => {
  await using siege = await besiege();
  const headers = { authorization: siege.gateway.logOn() };
  for (const path of ['/oauth2', '/oauth2/token/x', '/oauth2/Token', `/${systemId}/oauth2/token`])
    assertRefusal(await ask(siege.gateway, { path, headers, body: grant }), 404);
});
