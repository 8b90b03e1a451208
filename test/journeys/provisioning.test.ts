/** An identity manager's ordinary calls through the gateway to the embedded tenant, over HTTP. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import supertest from 'supertest';

import { schemas } from '../../src/scim/message.ts';
import { startGateway, systemId } from '../support/gateway.ts';
import { sendScim, startUpstream } from '../support/upstream.ts';

const user = { schemas: [schemas.user], userName: 'ada', displayName: 'Ada' };

test('a user is created, read, replaced, patched and deleted', async () => {
  await using gateway = await startGateway();
  const edge = supertest(gateway.url);
  const asManager = { authorization: gateway.logOn(), 'content-type': 'application/scim+json' };
  const created = await edge
    .post(`${gateway.basePath}/Users`)
    .set(asManager)
    .send(JSON.stringify(user))
    .expect(201);
  const { id } = JSON.parse(created.text);
  const path = `${gateway.basePath}/Users/${id}`;
  await edge.get(path).set(asManager).expect(200);
  await edge
    .put(path)
    .set(asManager)
    .send(JSON.stringify({ ...user, displayName: 'Countess' }))
    .expect(200);
  const patch = {
    schemas: [schemas.patchOp],
    Operations: [{ op: 'replace', path: 'active', value: false }],
  };
  const patched = await edge.patch(path).set(asManager).send(JSON.stringify(patch));
  assert.ok([200, 204].includes(patched.status));
  const read = await edge.get(path).set(asManager).expect(200);
  assert.deepEqual([JSON.parse(read.text).displayName, JSON.parse(read.text).active], ['Countess', false]);
  await edge.delete(path).set(asManager).expect(204);
  await edge.get(path).set(asManager).expect(404);
});

test('the second read comes from the cache, and the one after a write does not', async () => {
  await using upstream = await startUpstream();
  await using gateway = await startGateway({ upstream: upstream.url });
  const statuses: (string | null)[] = [];
  const read = async (path: string): Promise<void> => {
    statuses.push((await gateway.call('GET', path)).headers.get('cache-status'));
  };
  await read('/Users/1');
  await read('/Users/1');
  await read('/Users?count=2');
  await read('/Users?count=2');
  await gateway.call('PUT', '/Users/1', user);
  await read('/Users/1');
  await read('/Users?count=2');
  assert.deepEqual(
    statuses.map((status) => /hit|fwd=\w+/.exec(status ?? '')?.[0]),
    ['fwd=miss', 'hit', 'fwd=miss', 'hit', 'fwd=miss', 'fwd=miss'],
  );
  assert.equal(upstream.received.length, 5);
});

test('a hit tells its age, and a miss has none', async () => {
  await using gateway = await startGateway();
  const miss = await gateway.call('GET', '/Users?count=1');
  const hit = await gateway.call('GET', '/Users?count=1');
  assert.deepEqual([miss.headers.get('age'), hit.headers.get('age')], [null, '0']);
  assert.match(hit.headers.get('cache-status') ?? '', /^Gatehouse; hit; ttl=\d+$/);
});

test('a write to one user leaves the remembered reads of another in place', async () => {
  await using upstream = await startUpstream();
  await using gateway = await startGateway({ upstream: upstream.url });
  await gateway.call('GET', '/Users/1');
  await gateway.call('PUT', '/Users/2', user);
  await gateway.call('GET', '/Users/1');
  assert.deepEqual(
    upstream.received.map(({ method }) => method),
    ['GET', 'PUT'],
  );
});

test('a caller that may write groups always reads a single group from the tenant', async () => {
  await using upstream = await startUpstream();
  await using gateway = await startGateway({ upstream: upstream.url });
  const asAuditor = { authorization: gateway.logOn('auditor') };
  await gateway.call('GET', '/Groups/1');
  await gateway.call('GET', '/Groups/1');
  await gateway.call('GET', '/Groups?filter=displayName%20eq%20%22a%22');
  await gateway.call('GET', '/Groups?filter=displayName%20eq%20%22a%22');
  assert.equal(upstream.received.length, 4);
  await gateway.call('GET', '/Groups/1', undefined, asAuditor);
  assert.equal(upstream.received.length, 4, 'a caller that only reads may have what the other brought');
});

test('a caller that may not read a system gets 403 although the answer is remembered', async () => {
  await using upstream = await startUpstream();
  const permissions = [
    {
      permission: 'Access Proxy System API' as const,
      systems: 'all' as const,
      resourceTypes: ['Groups'],
      access: ['read' as const],
    },
  ];
  await using gateway = await startGateway({
    upstream: upstream.url,
    callers: { 'group-reader': { permissions } },
  });
  await gateway.call('GET', '/Users/1');
  const refused = await gateway.call('GET', '/Users/1', undefined, {
    authorization: gateway.logOn('group-reader'),
  });
  assert.deepEqual([refused.status, upstream.received.length], [403, 1]);
});

test('Cache-Control: no-cache brings the answer anew, for others too', async () => {
  await using upstream = await startUpstream();
  await using gateway = await startGateway({ upstream: upstream.url });
  await gateway.call('GET', '/Users/1');
  await gateway.call('GET', '/Users/1', undefined, { 'cache-control': 'no-cache' });
  const hit = await gateway.call('GET', '/Users/1');
  assert.deepEqual([upstream.received.length, hit.headers.get('cache-status')?.includes('hit')], [2, true]);
});

test('with the cache of a system off every read goes to the tenant', async () => {
  await using upstream = await startUpstream();
  await using gateway = await startGateway({ upstream: upstream.url, system: { cache: { enabled: false } } });
  await gateway.call('GET', '/Users/1');
  const second = await gateway.call('GET', '/Users/1');
  assert.deepEqual(
    [upstream.received.length, second.headers.get('cache-status')],
    [2, 'Gatehouse; fwd=bypass'],
  );
});

test('callers of a system with cache.scope caller share no entries', async () => {
  await using upstream = await startUpstream();
  await using gateway = await startGateway({
    upstream: upstream.url,
    system: { cache: { scope: 'caller' } },
  });
  await gateway.call('GET', '/Users/1');
  await gateway.call('GET', '/Users/1', undefined, { authorization: gateway.logOn('auditor') });
  assert.equal(upstream.received.length, 2);
});

test('concurrent equal reads share one call to the tenant', async () => {
  await using upstream = await startUpstream({
    answer: (_request, response) => void setTimeout(() => sendScim(response, 200, { id: '1' }), 50),
  });
  await using gateway = await startGateway({ upstream: upstream.url });
  const answers = await Promise.all(Array.from({ length: 10 }, () => gateway.call('GET', '/Users/1')));
  assert.ok(answers.every(({ status }) => status === 200));
  assert.equal(upstream.received.length, 1);
});

test('links in answers name the gateway and can be followed', async () => {
  await using gateway = await startGateway();
  const list = await (await gateway.call('GET', '/Users?count=5')).json();
  const links = JSON.stringify(list).match(/https?:[^"]+/g) ?? [];
  assert.ok(links.length >= 5);
  for (const link of links) {
    assert.ok(link.startsWith(gateway.base), link);
    assert.equal((await fetch(link, { headers: { authorization: gateway.logOn() } })).status, 200);
  }
});

test('a created resource has a Location at the gateway', async () => {
  await using upstream = await startUpstream({
    answer: (request, response) =>
      sendScim(response, 201, { id: '7' }, { location: `http://${request.headers.host}${request.url}/7` }),
  });
  await using gateway = await startGateway({ upstream: upstream.url });
  const created = await gateway.call('POST', '/Users', user);
  assert.equal(created.headers.get('location'), `${gateway.base}/Users/7`);
});

for (const [what, path] of [
  ['the older form', `/ipsproxy/api/v1/scim/${systemId}/Users`],
  ['a trailing slash', `/ipsproxy/service/api/v1/scim/${systemId}/Users/`],
  ['the doubled slash before the path', `//ipsproxy/service/api/v1/scim/${systemId}/Users`],
  ['the doubled slash before the system', `/ipsproxy/service/api/v1/scim//${systemId}/Users`],
  ['the doubled slash behind the system', `/ipsproxy/service/api/v1/scim/${systemId}//Users`],
] as const)
  test(`${what} leads to the same system`, async () => {
    await using upstream = await startUpstream();
    await using gateway = await startGateway({ upstream: upstream.url });
    const answer = await fetch(`${gateway.url}${path}`, { headers: { authorization: gateway.logOn() } });
    assert.equal(answer.status, 200);
    assert.equal(upstream.received[0]?.url, `/ipsproxy/service/api/v1/scim/${systemId}/Users`);
  });

test('the base path answers connection tests with 301, after a log-on', async () => {
  await using upstream = await startUpstream();
  await using gateway = await startGateway({ upstream: upstream.url });
  const probe = await gateway.call('GET', '');
  assert.deepEqual([probe.status, probe.headers.get('location')], [301, `${gateway.base}/Users`]);
  assert.equal((await gateway.call('GET', '', undefined, { authorization: '' })).status, 401);
  assert.equal(upstream.received.length, 0);
});

test('only the allowed header fields reach the tenant, and only the allowed ones the caller', async () => {
  await using upstream = await startUpstream({
    answer: (_request, response) =>
      sendScim(
        response,
        200,
        { id: '1' },
        { server: 'x', 'set-cookie': 'a=b', etag: 'W/"1"', 'x-secret': 'y' },
      ),
  });
  await using gateway = await startGateway({ upstream: upstream.url });
  const answer = await gateway.call('GET', '/Users/1', undefined, {
    cookie: 'c=d',
    'x-forwarded-for': '1.2.3.4',
    'x-request-id': 'mine',
  });
  const up = Object.keys(upstream.received[0]?.headers ?? {}).toSorted();
  assert.deepEqual(up, ['accept', 'accept-encoding', 'connection', 'host', 'user-agent', 'x-request-id']);
  assert.notEqual(upstream.received[0]?.headers['x-request-id'], 'mine');
  const down = [...answer.headers.keys()].filter(
    (name) => !['connection', 'date', 'keep-alive'].includes(name),
  );
  assert.deepEqual(down.toSorted(), [
    'cache-control',
    'cache-status',
    'content-length',
    'content-type',
    'etag',
    'x-content-type-options',
    'x-request-id',
  ]);
});

test('the bytes of a body reach the tenant as they were sent', async () => {
  await using upstream = await startUpstream();
  await using gateway = await startGateway({ upstream: upstream.url });
  const text = '{ "b": 12345678901234567890, "a": 1e400,\n "ä": "\\u00e4" }';
  const answer = await fetch(`${gateway.base}/Users`, {
    method: 'POST',
    headers: { authorization: gateway.logOn(), 'content-type': 'application/json' },
    body: text,
  });
  assert.equal(answer.status, 201);
  assert.equal(upstream.received[0]?.body, text);
});

test('a write whose caller hangs up runs to its end, and its record says that nobody got the answer', async () => {
  const arrived = Promise.withResolvers<void>();
  await using upstream = await startUpstream({
    answer: (_request, response) => {
      arrived.resolve();
      setTimeout(() => sendScim(response, 201, { id: '1' }), 200);
    },
  });
  await using gateway = await startGateway({ upstream: upstream.url });
  const leaving = new AbortController();
  const call = fetch(`${gateway.base}/Users`, {
    method: 'POST',
    headers: { authorization: gateway.logOn(), 'content-type': 'application/scim+json' },
    body: JSON.stringify(user),
    signal: leaving.signal,
  });
  await arrived.promise;
  leaving.abort();
  await assert.rejects(call, { name: 'AbortError' });
  let ending: Record<string, unknown> | undefined;
  while (!ending) {
    await sleep(50);
    ending = (await gateway.records()).find(({ event }) => event === 'request.outcome');
  }
  assert.deepEqual(ending['outcome'], { result: 'success', http: 201, delivered: false });
});

test('a search by POST is never answered with 304', async () => {
  await using upstream = await startUpstream({
    answer: (_request, response) => sendScim(response, 200, { totalResults: 0 }, { etag: 'W/"1"' }),
  });
  await using gateway = await startGateway({ upstream: upstream.url, system: { kind: 'scim' } });
  const headers = { 'if-none-match': 'W/"1"' };
  assert.equal((await gateway.call('POST', '/Users/.search', { schemas: [] }, headers)).status, 200);
  assert.equal((await gateway.call('GET', '/Users', undefined, headers)).status, 304);
});
