/** The gateway towards its tenants: credentials, quota, proxies, and the interfaces beside the proxy one. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';

import { Secret } from '../../src/gateway/secret.ts';
import { startGateway, systemId } from '../support/gateway.ts';
import { sendScim, startUpstream, type Answer } from '../support/upstream.ts';

const readable = { id: '1' };

/** A tenant with a token endpoint; `accepts` is the one token that it takes. */
function oauthTenant(state: { accepts: string; issued: string[] }): Answer {
  return ({ url, headers }, response) => {
    if (url === '/oauth2/token') {
      state.issued.push(String(headers.authorization));
      const body = JSON.stringify({ access_token: state.accepts, token_type: 'bearer', expires_in: 3600 });
      response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    } else if (headers.authorization === `Bearer ${state.accepts}`) sendScim(response, 200, readable);
    else response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end();
  };
}

const oauth = { type: 'oauth', clientId: 'gatehouse', secret: new Secret('s:ecret') } as const;

test('one token serves many calls, also those that begin together', async () => {
  const state = { accepts: 'first', issued: [] as string[] };
  await using upstream = await startUpstream({ answer: oauthTenant(state) });
  await using gateway = await startGateway({ upstream: upstream.url, tenant: { credential: oauth } });
  const answers = await Promise.all(['1', '2', '3'].map((id) => gateway.call('GET', `/Users/${id}`)));
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200],
  );
  assert.equal(state.issued.length, 1);
});

test('a token that the tenant refuses is renewed once, and the call goes up again', async () => {
  const state = { accepts: 'first', issued: [] as string[] };
  await using upstream = await startUpstream({ answer: oauthTenant(state) });
  await using gateway = await startGateway({ upstream: upstream.url, tenant: { credential: oauth } });
  await gateway.call('GET', '/Users/1');
  state.accepts = 'second';
  assert.equal((await gateway.call('PUT', '/Users/1', { userName: 'a' })).status, 200);
  assert.equal(state.issued.length, 2);
});

test("the tenant's refusal of the gateway's credential is not the caller's 401", async () => {
  await using upstream = await startUpstream({
    answer: (_request, response) => sendScim(response, 401, {}, { 'www-authenticate': 'Basic realm="x"' }),
  });
  await using gateway = await startGateway({ upstream: upstream.url });
  const answer = await gateway.call('GET', '/Users/1');
  assert.deepEqual([answer.status, answer.headers.get('www-authenticate')], [502, null]);
  assert.deepEqual(await answer.json(), {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
    status: '502',
    detail: "The tenant refused the gateway's own credential.",
  });
});

test("the gateway's own Basic credential goes up instead of the caller's", async () => {
  await using upstream = await startUpstream();
  const credential = { type: 'basic', user: 'client-id', secret: new Secret('a:b') } as const;
  await using gateway = await startGateway({ upstream: upstream.url, tenant: { credential } });
  await gateway.call('GET', '/Users/1');
  assert.equal(upstream.received[0]?.headers.authorization, `Basic ${btoa('client-id:a:b')}`);
});

test("the tenant's 429 is waited out and the write goes up again", async () => {
  let refusals = 1;
  await using upstream = await startUpstream({
    answer: (_request, response) => {
      if (refusals-- > 0) sendScim(response, 429, {}, { 'retry-after': '1' });
      else sendScim(response, 201, readable);
    },
  });
  await using gateway = await startGateway({ upstream: upstream.url });
  const startedAt = performance.now();
  assert.equal((await gateway.call('POST', '/Users', { userName: 'a' })).status, 201);
  assert.ok(performance.now() - startedAt >= 1000);
  assert.equal(upstream.received.length, 2);
});

test('a 429 that outlasts the patience reaches the caller with Retry-After, and holds back the others', async () => {
  await using upstream = await startUpstream({
    answer: (_request, response) => sendScim(response, 429, {}, { 'retry-after': '60' }),
  });
  await using gateway = await startGateway({ upstream: upstream.url, config: { patience: '2s' } });
  for (const id of ['1', '2']) {
    const answer = await gateway.call('GET', `/Users/${id}`);
    assert.equal(answer.status, 429);
    assert.ok(Number(answer.headers.get('retry-after')) > 50);
  }
  assert.equal(upstream.received.length, 1);
});

for (const [what, words] of [
  ['call', 'HTTP operation failed invoking https://b.example with statusCode: 429 and response: {}'],
  ['log-on', 'OAuth request failed with status: 429 and body: {}'],
] as const)
  test(`a backend's 429 to a ${what}, inside the tenant's error, is passed on, and a write is not repeated`, async () => {
    const detail = `Failed to create entity. ${words}`;
    const schemas = ['urn:ietf:params:scim:api:messages:2.0:Error'];
    await using upstream = await startUpstream({
      answer: (_request, response) => sendScim(response, 429, { schemas, detail, status: 429 }),
    });
    await using gateway = await startGateway({ upstream: upstream.url });
    assert.equal((await gateway.call('POST', '/Users', { userName: 'a' })).status, 429);
    assert.equal(upstream.received.length, 1);
  });

test('no more calls go up in a minute than the pace allows, and those that cannot wait are refused at once', async () => {
  await using upstream = await startUpstream();
  await using gateway = await startGateway({
    upstream: upstream.url,
    config: { patience: '500ms' },
    tenant: { pace: { perMinute: 60, burst: 5 } },
  });
  const ids = Array.from({ length: 20 }, (_, n) => `/Users/${n}`);
  const answers = await Promise.all(ids.map((path) => gateway.call('GET', path)));
  const refused = answers.filter(({ status }) => status === 429);
  assert.ok(refused.length >= 14);
  assert.ok(refused.every(({ headers }) => Number(headers.get('retry-after')) >= 1));
  assert.ok(upstream.received.length <= 6);
});

test('the outbound proxy is used, and keeps its password to itself', async () => {
  await using upstream = await startUpstream();
  const seen: string[] = [];
  await using proxy = http.createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers['proxy-authorization']}`);
    const to = new URL(request.url ?? '');
    delete request.headers['proxy-authorization'];
    request.pipe(
      http.request(to, { method: request.method, headers: request.headers }, (reply) => {
        response.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(response);
      }),
    );
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const url = new Secret(`http://us%65r:pw@127.0.0.1:${(proxy.address() as AddressInfo).port}`);
  await using gateway = await startGateway({ upstream: upstream.url, tenant: { outboundProxy: { url } } });
  assert.equal((await gateway.call('GET', '/Users/1')).status, 200);
  assert.match(seen[0] ?? '', new RegExp(`^GET ${upstream.url}/.* Basic ${btoa('user:pw')}$`));
  assert.equal(upstream.received[0]?.headers['proxy-authorization'], undefined);
});

test('a real-time event goes up under its own permission and its answer passes as it is', async () => {
  await using upstream = await startUpstream({
    answer: (_request, response) => response.writeHead(202, { 'content-type': 'text/plain' }).end('taken'),
  });
  await using gateway = await startGateway({ upstream: upstream.url });
  const path = '/ipsproxy/service/api/v1/systems/source-1/entities/user';
  const send = (user: string) =>
    fetch(`${gateway.url}${path}`, {
      method: 'POST',
      headers: { authorization: gateway.logOn(user), 'content-type': 'application/json' },
      body: '{"id":"x"}',
    });
  const answer = await send('identity-manager');
  assert.deepEqual([answer.status, await answer.text()], [202, 'taken']);
  assert.equal(upstream.received[0]?.url, path);
  assert.equal((await send('auditor')).status, 403);
  assert.equal(upstream.received.length, 1);
});

test('a caller may name only the source systems that its permission lists', async () => {
  await using upstream = await startUpstream();
  const permissions = [
    { permission: 'Access Identity Provisioning Tenant Admin API' as const, sourceSystems: ['source-1'] },
  ];
  await using gateway = await startGateway({
    upstream: upstream.url,
    callers: { scheduler: { permissions } },
  });
  const start = (id: string) =>
    fetch(`${gateway.url}/ips/publicapi/v1/startJob/${id}/jobs/READ`, {
      method: 'POST',
      headers: { authorization: gateway.logOn('scheduler'), 'content-type': 'application/json' },
    });
  assert.equal((await start('source-1')).status, 201);
  assert.equal((await start('source-2')).status, 403);
  assert.equal(upstream.received[0]?.url, '/ips/service/publicapi/v1/startJob/source-1/jobs/READ');
});

test("a job's log passes as the archive that it is, and is never cached", async () => {
  const archive = Buffer.from([0x50, 0x4b, 3, 4, 0, 255]);
  await using upstream = await startUpstream({
    answer: (_request, response) =>
      response.writeHead(200, { 'content-type': 'application/zip' }).end(archive),
  });
  await using gateway = await startGateway({ upstream: upstream.url });
  const read = () =>
    fetch(`${gateway.url}/ips/service/publicapi/v1/jobLogs/cbc1?action=export&logType=commonLog`, {
      headers: { authorization: gateway.logOn() },
    });
  await read();
  const answer = await read();
  assert.deepEqual(Buffer.from(await answer.arrayBuffer()), archive);
  assert.equal(upstream.received.length, 2);
});

test('each system goes to its own tenant with its own credential', async () => {
  await using first = await startUpstream();
  await using second = await startUpstream();
  const credential = (user: string) => ({ type: 'basic', user, secret: new Secret('long enough') }) as const;
  await using gateway = await startGateway({
    config: {
      tenants: {
        acme: { url: first.url, credential: credential('one') },
        other: { url: second.url, credential: credential('two') },
      },
      systems: { [systemId]: { tenant: 'acme' }, elsewhere: { tenant: 'other', id: 'their-id' } },
      callers: {
        'identity-manager': {
          permissions: [{ permission: 'Access Proxy System API', systems: 'all', access: ['read'] }],
        },
      },
    },
  });
  const headers = { authorization: gateway.logOn() };
  await fetch(`${gateway.url}/ipsproxy/service/api/v1/scim/elsewhere/Users/1`, { headers });
  await gateway.call('GET', '/Users/1');
  assert.equal(second.received[0]?.url, '/ipsproxy/service/api/v1/scim/their-id/Users/1');
  assert.equal(second.received[0]?.headers.authorization, `Basic ${btoa('two:long enough')}`);
  assert.equal(first.received.length, 1);
});

test('an interface of the tenant that the gateway does not know is not reachable', async () => {
  await using upstream = await startUpstream();
  await using gateway = await startGateway({ upstream: upstream.url });
  for (const path of ['/scim/Users', '/service/scim/Users', '/ips/service/other', '/'])
    assert.equal(
      (await fetch(`${gateway.url}${path}`, { headers: { authorization: gateway.logOn() } })).status,
      404,
    );
  assert.equal(upstream.received.length, 0);
});

test('health tells whether the gateway may take calls, on a port of its own', async () => {
  await using gateway = await startGateway();
  assert.equal((await fetch(`${gateway.adminUrl}/health/live`)).status, 200);
  assert.equal((await fetch(`${gateway.adminUrl}/health/ready`)).status, 200);
  assert.equal((await gateway.call('GET', '')).status, 301);
  assert.equal((await fetch(`${gateway.url}/health/live`)).status, 401);
});
