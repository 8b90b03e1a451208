/** The tenant's own SCIM interface: a service provider that keeps to RFC 7644. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { basic, patchOf, proxyId, startedTenant } from './started-tenant.ts';

async function provider(changes: Parameters<typeof startedTenant>[0] = {}) {
  const started = await startedTenant({
    systems: [{ id: proxyId, backend: { kind: 'directory', users: 130, groups: 4 } }],
    identityDirectory: proxyId,
    ...changes,
  });
  const call = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    started.fetch(`/scim${path}`, {
      method,
      headers: { authorization: basic, 'content-type': 'application/scim+json', ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  return { ...started, call };
}

test('a list has the whole filter grammar and an exact total', async () => {
  await using started = await provider();
  const filter = encodeURIComponent('(userName sw "a" or active eq false) and emails pr');
  const { status, body } = await started.call('GET', `/Users?filter=${filter}`);
  const expected = [...started.tenant.directory(proxyId).resources('Users')].filter(
    ({ userName, active, emails }) => emails && (String(userName).startsWith('a') || active === false),
  );
  assert.deepEqual([status, body.totalResults], [200, expected.length]);
});

test('a page has at most 100 resources and the rest follows', async () => {
  await using started = await provider();
  const first = await started.call('GET', '/Users?count=500');
  const second = await started.call('GET', '/Users?startIndex=101');
  assert.deepEqual([first.body.Resources?.length, second.body.Resources?.length], [100, 30]);
  assert.equal(first.body.totalResults, 130);
});

test('a search by POST finds the same', async () => {
  await using started = await provider();
  const search = { filter: 'userName pr', count: 3, attributes: ['userName'] };
  const { body } = await started.call('POST', '/Users/.search', search);
  assert.equal(body.Resources?.length, 3);
  assert.deepEqual(Object.keys(body.Resources?.[0] ?? {}).toSorted(), ['id', 'schemas', 'userName']);
});

test('entity tags answer 304 to who knows the version and 412 to who expects another', async () => {
  await using started = await provider();
  const created = await started.call('POST', '/Users', { userName: 'jane' });
  const etag = created.headers.get('etag') ?? '';
  const path = `/Users/${created.body.id}`;
  assert.equal(created.headers.get('location'), `${started.tenant.url.origin}/scim${path}`);
  assert.equal((await started.call('GET', path, undefined, { 'if-none-match': etag })).status, 304);
  const patch = patchOf({ op: 'add', path: 'title', value: 'Dr.' });
  assert.equal((await started.call('PATCH', path, patch, { 'if-match': etag })).status, 200);
  assert.equal((await started.call('PUT', path, { userName: 'jane' }, { 'if-match': etag })).status, 412);
  assert.equal((await started.call('DELETE', path)).status, 204);
});

test('its errors have a string as status and a scimType', async () => {
  await using started = await provider();
  await started.call('POST', '/Users', { userName: 'jane' });
  const { status, body } = await started.call('POST', '/Users', { userName: 'jane' });
  assert.deepEqual([status, body['status'], body['scimType']], [409, '409', 'uniqueness']);
});

test('the discovery documents name what it does', async () => {
  await using started = await provider();
  const config = await started.call('GET', '/ServiceProviderConfig');
  assert.deepEqual(config.body['etag'], { supported: true });
  assert.equal((await started.call('GET', '/ResourceTypes')).body.totalResults, 2);
});

test('it asks for its own authorizations and has a limit of its own', async () => {
  const directoryLimiter = { slowAt: 1, refuseAt: 1, minuteMs: 60_000, delayMs: 0 };
  await using started = await provider({ directoryLimiter });
  assert.equal((await started.fetch('/scim/Users')).status, 401);
  assert.equal((await started.call('GET', '/Users')).status, 200);
  assert.equal((await started.call('GET', '/Users')).status, 429);
  const proxied = `/ipsproxy/service/api/v1/scim/${proxyId}/Users`;
  assert.equal((await started.fetch(proxied, { headers: { authorization: basic } })).status, 200);
});
