import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { createTenantLogin, type FetchToken, type TenantCredential } from '../../src/auth/tenant-login.ts';

const credential: TenantCredential = { type: 'oauth', clientId: 'id:1 ä', secret: 'se+cret:%/ü' };
const patient = new AbortController().signal;

type Answer = (count: number, response: ServerResponse) => void;
const issue =
  (fields: object): Answer =>
  (count, response) =>
    response.end(
      JSON.stringify({ access_token: `token-${count}`, token_type: 'Bearer', expires_in: 3600, ...fields }),
    );

/** A token endpoint that counts and keeps what it was sent, and a login at it with a clock of our own. */
async function open(answer: Answer = issue({})) {
  const seen: { request: IncomingMessage; body: string }[] = [];
  let answerNow = answer;
  const receive = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    seen.push({ request, body: await text(request) });
    answerNow(seen.length, response);
  };
  const server = createServer((request, response) => void receive(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const fetchToken: FetchToken = async ({ path, headers, body }, signal) => {
    const sent = new Headers(
      Object.entries(headers).map(([name, value]): [string, string] => [name, value ?? '']),
    );
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      headers: sent,
      body: new Uint8Array(body),
      signal,
    });
    return { status: response.status, headers: {}, body: Buffer.from(await response.arrayBuffer()) };
  };
  const clock = { now: 0 };
  return {
    login: createTenantLogin(credential, fetchToken, () => clock.now),
    seen,
    clock,
    answerWith: (next: Answer) => (answerNow = next),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('a Basic credential is the user and secret in UTF-8', async () => {
  const login = createTenantLogin({ type: 'basic', user: 'ü', secret: 'a:b' });
  assert.equal(await login.authorization(patient), `Basic ${Buffer.from('ü:a:b').toString('base64')}`);
  assert.equal(await login.renew('Basic x', patient), false);
});

test('without a credential there is no header and nothing to renew', async () => {
  const login = createTenantLogin({ type: 'none' });
  assert.equal(await login.authorization(patient), undefined);
  assert.equal(await login.renew('', patient), false);
});

test('an OAuth credential without a way to fetch tokens is a fault of the composition', () => {
  assert.throws(() => createTenantLogin(credential), /needs a way to fetch tokens/);
});

test('a token is asked for as RFC 6749 says: form body, id and secret form-encoded within Basic', async () => {
  await using tenant = await open();
  assert.equal(await tenant.login.authorization(patient), 'Bearer token-1');
  const [{ request, body } = assert.fail('not asked')] = tenant.seen;
  assert.deepEqual(
    [request.method, request.url, body],
    ['POST', '/oauth2/token', 'grant_type=client_credentials'],
  );
  assert.equal(request.headers['content-type'], 'application/x-www-form-urlencoded');
  const encoded = Buffer.from(request.headers.authorization?.split(' ')[1] ?? '', 'base64').toString();
  assert.equal(encoded, 'id%3A1+%C3%A4:se%2Bcret%3A%25%2F%C3%BC');
});

test('a hundred calls at once ask for one token', async () => {
  await using tenant = await open();
  const values = await Promise.all(Array.from({ length: 100 }, () => tenant.login.authorization(patient)));
  assert.deepEqual(new Set(values), new Set(['Bearer token-1']));
  assert.equal(tenant.seen.length, 1);
});

for (const [title, fields, lastMs] of [
  ['a minute before its end when it lives an hour', {}, 3_540_000],
  ['a tenth before its end when it lives short', { expires_in: 100 }, 90_000],
  ['by a life time that is a text', { expires_in: '100' }, 90_000],
  ['within a minute when its life time is not told', { expires_in: undefined }, 54_000],
  ['within a minute when its life time makes no sense', { expires_in: -1 }, 54_000],
] as const)
  test(`a token is renewed ${title}`, async () => {
    await using tenant = await open(issue(fields));
    await tenant.login.authorization(patient);
    tenant.clock.now = lastMs - 1;
    assert.equal(await tenant.login.authorization(patient), 'Bearer token-1');
    assert.equal(tenant.seen.length, 1);
    tenant.clock.now = lastMs;
    assert.equal(await tenant.login.authorization(patient), 'Bearer token-1', 'nobody waits for the new one');
    while ((await tenant.login.authorization(patient)) !== 'Bearer token-2') await sleep(5);
    assert.equal(tenant.seen.length, 2);
  });

test('a token endpoint that is slow delays no call while the token lives, and is named when it does not', async () => {
  await using tenant = await open();
  await tenant.login.authorization(patient);
  tenant.answerWith(() => {});
  tenant.clock.now = 3_590_000;
  assert.equal(await tenant.login.authorization(AbortSignal.timeout(50)), 'Bearer token-1');
  tenant.clock.now = 3_600_000;
  await assert.rejects(tenant.login.authorization(AbortSignal.timeout(50)), { kind: 'upstream-timeout' });
});

test('a token that still lives is used when its renewal fails, and no longer', async () => {
  await using tenant = await open();
  await tenant.login.authorization(patient);
  tenant.answerWith((_, response) => response.writeHead(503).end());
  tenant.clock.now = 3_590_000;
  assert.equal(await tenant.login.authorization(patient), 'Bearer token-1');
  tenant.clock.now = 3_600_000;
  await assert.rejects(tenant.login.authorization(patient), { kind: 'upstream-broke' });
});

test('after a 401 a hundred calls renew the token once', async () => {
  await using tenant = await open();
  const used = (await tenant.login.authorization(patient)) ?? '';
  const renewed = await Promise.all(Array.from({ length: 100 }, () => tenant.login.renew(used, patient)));
  assert.deepEqual(new Set(renewed), new Set([true]));
  assert.equal(tenant.seen.length, 2);
  assert.equal(await tenant.login.renew(used, patient), true);
  assert.equal(tenant.seen.length, 2);
  assert.equal(await tenant.login.authorization(patient), 'Bearer token-2');
});

test('a tenant that gives the refused token again offers nothing to try', async () => {
  await using tenant = await open(issue({ access_token: 'same' }));
  const used = (await tenant.login.authorization(patient)) ?? '';
  assert.equal(await tenant.login.renew(used, patient), false);
});

const secretly = 'tell-nobody';
const bad: readonly (readonly [title: string, answer: Answer, kind: string])[] = [
  [
    '400',
    (_, response) => response.writeHead(400).end(`{"error":"invalid_client","x":"${secretly}"}`),
    'upstream-refused-us',
  ],
  ['401', (_, response) => response.writeHead(401).end(secretly), 'upstream-refused-us'],
  ['403', (_, response) => response.writeHead(403).end(secretly), 'upstream-refused-us'],
  ['429', (_, response) => response.writeHead(429).end(secretly), 'upstream-broke'],
  ['500', (_, response) => response.writeHead(500).end(secretly), 'upstream-broke'],
  ['a page', (_, response) => response.end(`<html>${secretly}`), 'upstream-broke'],
  ['half JSON', (_, response) => response.end(`{"access_token":"${secretly}"`), 'upstream-broke'],
  ['null', (_, response) => response.end('null'), 'upstream-broke'],
  ['no token', issue({ access_token: undefined }), 'upstream-broke'],
  ['a token that is no text', issue({ access_token: 7 }), 'upstream-broke'],
  ['a token that breaks the header', issue({ access_token: `${secretly}\r\nx: y` }), 'upstream-broke'],
  ['an empty token', issue({ access_token: '' }), 'upstream-broke'],
  ['another type of token', issue({ token_type: 'mac', access_token: secretly }), 'upstream-broke'],
  ['no type of token', issue({ token_type: undefined }), 'upstream-broke'],
];

for (const [title, answer, kind] of bad)
  test(`a token endpoint that answers with ${title} is a fault of the upstream that tells nothing`, async () => {
    await using tenant = await open(answer);
    await assert.rejects(
      tenant.login.authorization(patient),
      (error: Error & { kind?: string; status?: number }) => {
        assert.deepEqual([error.kind, error.status], [kind, 502]);
        assert.ok(!`${error.stack} ${String(error.cause)}`.includes(secretly));
        return true;
      },
    );
  });

test('a refused credential is not shown again for half a minute, as SAP would lock it', async () => {
  await using tenant = await open((_, response) => response.writeHead(401).end());
  for (let i = 0; i < 10; i += 1)
    await assert.rejects(tenant.login.authorization(patient), { kind: 'upstream-refused-us' });
  assert.equal(tenant.seen.length, 1);
  tenant.answerWith(issue({}));
  tenant.clock.now = 30_000;
  assert.equal(await tenant.login.authorization(patient), 'Bearer token-2');
});

test('a token endpoint that is away is asked again by the next call', async () => {
  await using tenant = await open((_, response) => response.destroy());
  await assert.rejects(tenant.login.authorization(patient));
  tenant.answerWith(issue({}));
  assert.equal(await tenant.login.authorization(patient), 'Bearer token-2');
});

test('a call that stops waiting leaves the others their token', async () => {
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<ServerResponse>();
  await using tenant = await open((_, response) => arrive(response));
  const impatient = new AbortController();
  const first = tenant.login.authorization(impatient.signal);
  const second = tenant.login.authorization(patient);
  const response = await arrived;
  const reason = new Error('patience is over');
  impatient.abort(reason);
  await assert.rejects(first, reason);
  issue({})(1, response);
  assert.equal(await second, 'Bearer token-1');
});

test('a call that has stopped already does not wait', async () => {
  await using tenant = await open((_, response) => setTimeout(() => issue({})(1, response), 50));
  const reason = new Error('gone');
  await assert.rejects(tenant.login.authorization(AbortSignal.abort(reason)), reason);
});
