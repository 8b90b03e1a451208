/** Who may call the tenant's interfaces, and what others are told. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { test } from 'node:test';

import { createCertificate, type CertificateAndKey } from '../support/certificate.ts';
import { basic, clientId, proxyId, secret, sourceId, startedTenant } from './started-tenant.ts';

const users = `/ipsproxy/service/api/v1/scim/${proxyId}/Users`;
const authorized = (authorization: string) => ({ headers: { authorization } });
const basicOf = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

test('a call without or with wrong credentials is 401 with a challenge and a SCIM error', async () => {
  await using started = await startedTenant();
  for (const init of [
    {},
    authorized(basicOf(clientId, 'wrong')),
    authorized('Digest x'),
    authorized('Basic !'),
  ]) {
    const { status, headers, body } = await started.fetch(users, init);
    assert.equal(status, 401);
    assert.equal(headers.get('www-authenticate'), 'Basic realm="Identity Provisioning"');
    assert.equal(body['status'], 401);
  }
});

test('the second secret of a technical user works until it expires', async () => {
  const user = {
    clientId,
    secrets: [{ value: 'old', expiresAt: Date.now() - 1 }, { value: 'new' }],
    permissions: ['Access Proxy System API' as const],
  };
  await using started = await startedTenant({ technicalUsers: [user] });
  assert.equal((await started.fetch(users, authorized(basicOf(clientId, 'old')))).status, 401);
  assert.equal((await started.fetch(users, authorized(basicOf(clientId, 'new')))).status, 200);
});

test('a technical user has two secrets at most', async () => {
  const user = { clientId, secrets: ['a', 'b', 'c'], permissions: [] };
  await assert.rejects(startedTenant({ technicalUsers: [user] }), /at most two secrets/);
});

test('each interface asks for its own authorization', async () => {
  await using started = await startedTenant({
    technicalUsers: [{ clientId, secrets: [secret], permissions: [] }],
  });
  const calls = [
    [users, 'GET'],
    [`/ipsproxy/service/api/v1/systems/${sourceId}/entities/user`, 'POST'],
    [`/ips/service/publicapi/v1/startJob/${sourceId}/jobs/READ`, 'POST'],
  ] as const;
  for (const [path, method] of calls) {
    const { status, body } = await started.fetch(path, { method, ...authorized(basic) });
    assert.equal(status, 403, path);
    assert.match(body.detail ?? '', /lacks the authorization "Access /);
  }
});

const token = (body: string, headers: Record<string, string> = {}) => ({
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  body,
});

test('a token is granted for Basic and for body credentials and opens the proxy interface', async () => {
  await using started = await startedTenant();
  const form = new URLSearchParams({ client_id: clientId, client_secret: secret }).toString();
  const requests = [
    token('grant_type=client_credentials', { authorization: basic }),
    token(`grant_type=client_credentials&${form}`),
  ];
  for (const request of requests) {
    const granted = await started.fetch('/oauth2/token', request);
    assert.equal(granted.status, 200);
    assert.deepEqual([granted.body['token_type'], granted.body['expires_in']], ['Bearer', 3600]);
    const bearer = `Bearer ${String(granted.body['access_token'])}`;
    assert.equal((await started.fetch(users, authorized(bearer))).status, 200);
  }
});

test('a token request is refused for another grant and for wrong credentials', async () => {
  await using started = await startedTenant();
  assert.equal((await started.fetch('/oauth2/token', token('grant_type=password'))).status, 400);
  const wrong = token('grant_type=client_credentials', { authorization: basicOf(clientId, 'wrong') });
  assert.equal((await started.fetch('/oauth2/token', wrong)).status, 401);
});

test('a forgotten token is refused with a bearer challenge', async () => {
  await using started = await startedTenant();
  const granted = await started.fetch(
    '/oauth2/token',
    token('grant_type=client_credentials', { authorization: basic }),
  );
  started.tenant.forgetTokens();
  const { status, headers } = await started.fetch(
    users,
    authorized(`Bearer ${String(granted.body['access_token'])}`),
  );
  assert.equal(status, 401);
  assert.match(headers.get('www-authenticate') ?? '', /^Bearer .*invalid_token/);
});

test('token requests have a limit of their own', async () => {
  await using started = await startedTenant({
    tokenLimiter: { slowAt: 1, refuseAt: 1, minuteMs: 60_000, delayMs: 0 },
  });
  const form = token('grant_type=client_credentials', { authorization: basic });
  assert.equal((await started.fetch('/oauth2/token', form)).status, 200);
  assert.equal((await started.fetch('/oauth2/token', form)).status, 429);
  assert.equal((await started.call('GET', '/Users')).status, 200);
});

test('over HTTPS a registered certificate stands for its technical user, another does not', async () => {
  const [server, own, other] = [createCertificate(), createCertificate('idm'), createCertificate('idm')];
  const certificates = [new X509Certificate(own.certificate).fingerprint256];
  await using started = await startedTenant({
    tls: { key: server.key, cert: server.certificate },
    technicalUsers: [{ clientId, secrets: [], certificates, permissions: ['Access Proxy System API'] }],
  });
  const statusWith = async ({ key, certificate }: CertificateAndKey) => {
    const call = request(new URL(users, started.tenant.url), {
      key,
      cert: certificate,
      ca: server.certificate,
    });
    call.end();
    const [response]: IncomingMessage[] = await once(call, 'response');
    response?.resume();
    return response?.statusCode;
  };
  assert.equal(started.tenant.url.protocol, 'https:');
  assert.deepEqual([await statusWith(own), await statusWith(other)], [200, 401]);
});
