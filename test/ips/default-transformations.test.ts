/** What a proxy system has without transformations of its own, and what the shipped description shows of one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { withDefaultTransformations } from '../../src/ips/default-transformations.ts';
import type { SystemOptions } from '../../src/ips/system.ts';
import { loadTenantFile } from '../../src/ips/tenant-file.ts';
import { basic, patchOf, proxyId, startedTenant } from './started-tenant.ts';

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const empty = { kind: 'directory', users: 0, groups: 0 } as const;
const system = withDefaultTransformations({ id: proxyId, backend: empty });
const jane = {
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', enterprise],
  userName: 'jane',
  externalId: 'E1',
  name: { givenName: 'Jane', familyName: 'Österreich' },
  emails: [{ value: 'jane@example.com', type: 'work' }],
  phoneNumbers: [{ value: '+49 30 1' }],
  [enterprise]: { employeeNumber: '4711', manager: { value: '1' } },
};

test('every attribute passes the default transformations, with the address that callers know', async () => {
  await using started = await startedTenant({ systems: [system] });
  const { status, body } = await started.call('POST', '/Users', jane);
  const { id, meta, ...attributes } = body;
  assert.equal(status, 201);
  assert.deepEqual(attributes, jane);
  const location = `${started.tenant.url.origin}/ipsproxy/service/api/v1/scim/${proxyId}/Users/${id}`;
  assert.deepEqual([meta?.['location'], meta?.['resourceType']], [location, 'User']);
  assert.deepEqual(Object.keys(meta ?? {}).toSorted(), [
    'created',
    'lastModified',
    'location',
    'resourceType',
  ]);
});

test('a patch of a single value arrives through the default transformations', async () => {
  await using started = await startedTenant({ systems: [system] });
  const { id } = (await started.call('POST', '/Users', jane)).body;
  const patch = patchOf({ op: 'replace', path: 'displayName', value: 'J.' });
  assert.equal((await started.call('PATCH', `/Users/${id}`, patch)).status, 204);
  assert.equal((await started.call('GET', `/Users/${id}`)).body['displayName'], 'J.');
});

test('users and groups are found by their usual attributes through the default transformations', async () => {
  await using started = await startedTenant({ systems: [system] });
  const { id } = (await started.call('POST', '/Users', jane)).body;
  await started.call('POST', '/Groups', { displayName: 'Clerks', members: [{ value: id }] });
  const found = async (path: string) => (await started.call('GET', path)).body.Resources?.length;
  const searches = [
    'userName eq "jane"',
    'emails[0].value eq "jane@example.com"',
    'externalId eq "E1"',
    `id eq "${id}"`,
  ];
  for (const search of searches)
    assert.equal(await found(`/Users?filter=${encodeURIComponent(search)}`), 1, search);
  assert.equal(await found(`/Groups?filter=${encodeURIComponent('displayName eq "Clerks"')}`), 1);
  const since = encodeURIComponent('meta.lastModified gt "2026-01-01T00:00:00Z"');
  assert.equal(await found(`/Users?filter=${since}`), 1);
});

test("the provider's own addresses are not shown to callers", async () => {
  await using started = await startedTenant({ systems: [system] });
  const { id } = (await started.call('POST', '/Users', jane)).body;
  await started.call('POST', '/Groups', { displayName: 'Clerks', members: [{ value: id }] });
  for (const path of ['/Users', '/Groups'])
    assert.doesNotMatch((await started.call('GET', path)).text, /backend\.example\.com/);
});

test('only a proxy to a SCIM provider without transformations of its own is given the default ones', () => {
  const own: SystemOptions = { id: proxyId, readTransformation: { user: { mappings: [] } } };
  const others: SystemOptions[] = [
    own,
    { id: proxyId, role: 'source' },
    { id: proxyId, backend: { kind: 'abap' } },
  ];
  for (const other of others) assert.equal(withDefaultTransformations(other), other);
  assert.ok(withDefaultTransformations({ id: proxyId, backend: { kind: 'scim' } }).writeTransformation);
});

const shipped = new URL('../../config/tenant.yaml', import.meta.url).pathname;
const application = 'a7e4f1d2-90b8-4f6c-8b1d-52c6e0d9f302';

test('the shipped business application shows other names and values than it keeps', async () => {
  const { options } = await loadTenantFile(shipped);
  await using started = await startedTenant({ systems: options.systems });
  const call = (method: string, path: string, body?: unknown) =>
    started.fetch(`/ipsproxy/service/api/v1/scim/${application}${path}`, {
      method,
      headers: { authorization: basic, 'content-type': 'application/scim+json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  const shown = { userName: 'jane', nickName: 'J.', userType: 'External', locale: 'ja' };
  const { body: created } = await call('POST', '/Users', shown);
  const kept = started.tenant.directory(application).get('Users', created.id ?? '');
  const { displayName, nickName, userType, preferredLanguage, locale } = kept;
  assert.deepEqual(
    { displayName, nickName, userType, preferredLanguage, locale },
    {
      displayName: 'J.',
      nickName: undefined,
      userType: 'partner',
      preferredLanguage: 'ja-JP',
      locale: undefined,
    },
  );
  const {
    id: _id,
    meta: _meta,
    schemas: _schemas,
    ...again
  } = (await call('GET', `/Users/${created.id}`)).body;
  assert.deepEqual(again, shown);
});
