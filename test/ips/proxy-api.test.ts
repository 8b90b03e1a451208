/** The proxy interface through HTTP, as an identity manager meets it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { patchOf, proxyId, startedTenant } from './started-tenant.ts';

const userSchema = 'urn:ietf:params:scim:schemas:core:2.0:User';

test('a page has 25 resources unless count says otherwise, and never more than 100', async () => {
  await using started = await startedTenant({
    systems: [{ id: proxyId, backend: { kind: 'directory', users: 130, groups: 1 } }],
  });
  const byDefault = await started.call('GET', '/Users');
  assert.equal(byDefault.body.Resources?.length, 25);
  const capped = await started.call('GET', '/Users?count=500');
  assert.equal(capped.body.Resources?.length, 100);
  assert.equal(capped.headers.get('content-type'), 'application/scim+json;charset=UTF-8');
});

test('a created user has the tenant as its location and is found by userName', async () => {
  await using started = await startedTenant();
  const created = await started.call('POST', '/Users', { schemas: [userSchema], userName: 'Jane' });
  assert.equal(created.status, 201);
  const location = `${started.tenant.url.origin}/ipsproxy/service/api/v1/scim/${proxyId}/Users/${created.body.id}`;
  assert.equal(created.body.meta?.['location'], location);
  assert.equal(created.headers.get('location'), location);
  const found = await started.call('GET', `/Users?filter=${encodeURIComponent('userName eq "jane"')}`);
  assert.deepEqual(
    found.body.Resources?.map(({ id }) => id),
    [created.body.id],
  );
});

test('a PUT replaces the user and keeps its id and time of creation', async () => {
  await using started = await startedTenant();
  const created = await started.call('POST', '/Users', { userName: 'jane', displayName: 'Jane' });
  const replaced = await started.call('PUT', `/Users/${created.body.id}`, {
    userName: 'jane',
    active: false,
  });
  assert.equal(replaced.status, 200);
  assert.equal(replaced.body['displayName'], undefined);
  assert.equal(replaced.body['active'], false);
  assert.equal(replaced.body.id, created.body.id);
  assert.equal(replaced.body.meta?.['created'], created.body.meta?.['created']);
});

test('a deleted user is gone for the next call', async () => {
  await using started = await startedTenant();
  const { body } = await started.call('POST', '/Users', { userName: 'jane' });
  assert.equal((await started.call('DELETE', `/Users/${body.id}`)).status, 204);
  assert.equal((await started.call('GET', `/Users/${body.id}`)).status, 404);
  assert.equal((await started.call('DELETE', `/Users/${body.id}`)).status, 404);
});

test('a second user of the same name is a conflict, told as a failure of the backend', async () => {
  await using started = await startedTenant();
  await started.call('POST', '/Users', { userName: 'jane' });
  const { status, body } = await started.call('POST', '/Users', { userName: 'JANE' });
  assert.equal(status, 409);
  assert.equal(body['status'], 409, 'a JSON number, unlike RFC 7644');
  assert.equal(body['scimType'], undefined);
  assert.match(
    body.detail ?? '',
    /^Failed to create entity\. HTTP operation failed invoking https:\/\/backend\.example\.com\/\S+\/Users with statusCode: 409 and response: \{"schemas":/,
  );
});

test('a second group of the same displayName is a conflict', async () => {
  await using started = await startedTenant();
  await started.call('POST', '/Groups', { displayName: 'Clerks' });
  assert.equal((await started.call('POST', '/Groups', { displayName: 'clerks' })).status, 409);
});

test('the groups of a user mirror the members of groups', async () => {
  await using started = await startedTenant();
  const user = await started.call('POST', '/Users', { userName: 'jane' });
  const member = { value: user.body.id };
  const group = await started.call('POST', '/Groups', { displayName: 'Clerks', members: [member] });
  const groups = async () => (await started.call('GET', `/Users/${user.body.id}`)).body.groups;
  assert.deepEqual(
    (await groups())?.map(({ value, display }) => [value, display]),
    [[group.body.id, 'Clerks']],
  );
  const base = `${started.tenant.url.origin}/ipsproxy/service/api/v1/scim/${proxyId}`;
  assert.equal(group.body.members?.[0]?.$ref, `${base}/Users/${user.body.id}`);
  await started.call('PUT', `/Groups/${group.body.id}`, { displayName: 'Clerks' });
  assert.equal(await groups(), undefined);
});

test('a deleted user leaves its groups', async () => {
  await using started = await startedTenant();
  const user = await started.call('POST', '/Users', { userName: 'jane' });
  const body = { displayName: 'Clerks', members: [{ value: user.body.id }] };
  const group = await started.call('POST', '/Groups', body);
  await started.call('DELETE', `/Users/${user.body.id}`);
  assert.equal((await started.call('GET', `/Groups/${group.body.id}`)).body.members, undefined);
});

test('a PATCH of members adds and removes one and answers 204', async () => {
  await using started = await startedTenant();
  const [a, b] = (await started.call('GET', '/Users?count=2')).body.Resources ?? [];
  const group = await started.call('POST', '/Groups', { displayName: 'Clerks', members: [{ value: a?.id }] });
  const path = `/Groups/${group.body.id}`;
  const add = patchOf({ op: 'Add', path: 'members', value: [{ value: b?.id }] });
  assert.equal((await started.call('PATCH', path, add)).status, 204);
  const remove = patchOf({ op: 'remove', path: `members[value eq "${a?.id}"]` });
  assert.equal((await started.call('PATCH', path, remove)).status, 204);
  const left = (await started.call('GET', path)).body.members;
  assert.deepEqual(
    left?.map(({ value }) => value),
    [b?.id],
  );
});

test('a system whose property asks for it answers a PATCH with the resource', async () => {
  await using started = await startedTenant({
    systems: [{ id: proxyId, properties: { 'xsuaa.patch.response.with.resource': 'true' } }],
  });
  const { body } = await started.call('POST', '/Users', { userName: 'jane' });
  const patch = patchOf({ op: 'replace', value: { active: false } });
  const patched = await started.call('PATCH', `/Users/${body.id}`, patch);
  assert.equal(patched.status, 200);
  assert.equal(patched.body['active'], false);
});

test('a filter that finds several entities is refused as tooMany', async () => {
  await using started = await startedTenant();
  const emails = [{ value: 'team@example.com' }];
  await started.call('POST', '/Users', { userName: 'a', emails });
  await started.call('POST', '/Users', { userName: 'b', emails });
  const filter = encodeURIComponent('emails[0].value eq "team@example.com"');
  const { status, body } = await started.call('GET', `/Users?filter=${filter}`);
  assert.equal(status, 400);
  assert.equal(body['scimType'], 'tooMany');
});

test('a filter that finds nothing is an empty list', async () => {
  await using started = await startedTenant();
  const { status, body } = await started.call(
    'GET',
    `/Users?filter=${encodeURIComponent('userName eq "no"')}`,
  );
  assert.equal(status, 200);
  assert.deepEqual([body.totalResults, body.Resources], [0, []]);
});

for (const filter of [
  'userName sw "a"',
  'userName eq "a" and active eq true',
  'userName co "a"',
  'userName pr',
  'userName gt "a"',
  'meta.lastModified gt "yesterday"',
  'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq "1"',
])
  test(`the filter ${filter} is not supported`, async () => {
    await using started = await startedTenant();
    const { status, body } = await started.call('GET', `/Users?filter=${encodeURIComponent(filter)}`);
    assert.equal(status, 400);
    assert.equal(body['scimType'], 'invalidFilter');
  });

test('a delta filter lists what was changed since', async () => {
  await using started = await startedTenant();
  const since = new Date(Date.now() - 5000).toISOString();
  const created = await started.call('POST', '/Users', { userName: 'jane' });
  const filter = encodeURIComponent(`meta.lastModified gt "${since}"`);
  const { body } = await started.call('GET', `/Users?filter=${filter}`);
  assert.deepEqual(
    body.Resources?.map(({ id }) => id),
    [created.body.id],
  );
});

test('the filter property of a system restricts lists and searches', async () => {
  await using started = await startedTenant({
    systems: [
      {
        id: proxyId,
        properties: { 'scim.user.filter': 'userType eq "partner"' },
        backend: { kind: 'directory', users: 0, groups: 0 },
      },
    ],
  });
  await started.call('POST', '/Users', { userName: 'a', userType: 'partner' });
  await started.call('POST', '/Users', { userName: 'b', userType: 'employee' });
  assert.equal((await started.call('GET', '/Users')).body.Resources?.length, 1);
  const search = await started.call('GET', `/Users?filter=${encodeURIComponent('userName eq "b"')}`);
  assert.equal(search.body.totalResults, 0);
});

test('attributes select by the first level, excludedAttributes may even drop schemas', async () => {
  await using started = await startedTenant();
  const { body: list } = await started.call('GET', '/Users?count=1&attributes=userName');
  assert.deepEqual(Object.keys(list.Resources?.[0] ?? {}).toSorted(), ['id', 'schemas', 'userName']);
  const blank = await started.call('GET', '/Users?count=1&attributes=,');
  assert.ok('name' in (blank.body.Resources?.[0] ?? {}), 'a blank value means everything');
  const without = await started.call('GET', '/Users?count=1&excludedAttributes=schemas,name');
  const resource = without.body.Resources?.[0] ?? {};
  assert.deepEqual(['schemas' in resource, 'name' in resource, 'userName' in resource], [false, false, true]);
});

test('membersType shows members of one type, in SAP Ariba Applications only', async () => {
  for (const [connectorType, shown] of [
    ['SAP_ARIBA_APPLICATIONS', ['Group']],
    ['SAP_COMMERCE_CLOUD', ['User', 'Group']],
  ] as const) {
    await using started = await startedTenant({
      systems: [{ id: proxyId, connectorType, backend: { kind: 'directory', users: 1, groups: 0 } }],
    });
    const [user] = (await started.call('GET', '/Users')).body.Resources ?? [];
    const { body: inner } = await started.call('POST', '/Groups', { displayName: 'inner' });
    const members = [{ value: user?.id }, { value: inner.id }];
    const { body } = await started.call('POST', '/Groups', { displayName: 'outer', members });
    const read = await started.call('GET', `/Groups/${body.id}?membersType=group`);
    assert.deepEqual(
      read.body.members?.map(({ type }) => type),
      shown,
    );
  }
});

test('the older path without "service", a doubled and a trailing slash lead to the same resources', async () => {
  await using started = await startedTenant();
  const { headers } = { headers: { authorization: `Basic ${btoa('x:y')}` } };
  for (const path of [
    `/ipsproxy/api/v1/scim/${proxyId}/Users`,
    `/ipsproxy/service/api/v1/scim//${proxyId}/Users/`,
  ])
    assert.equal((await started.fetch(path, { headers })).status, 401, 'it exists, behind authentication');
  assert.equal((await started.call('GET', '/Users/')).status, 200);
});

test('a bare base address answers 301, as connection tests expect', async () => {
  await using started = await startedTenant();
  assert.equal((await started.call('GET', '')).status, 301);
  assert.equal((await started.fetch('/ipsproxy/service')).status, 301);
});

test('a resource type, a discovery endpoint and Bulk that IPS does not have are not found', async () => {
  await using started = await startedTenant();
  for (const path of ['/Devices', '/ServiceProviderConfig', '/Schemas', '/ResourceTypes', '/Users/1/x'])
    assert.equal((await started.call('GET', path)).status, 404, path);
  assert.equal((await started.call('POST', '/Bulk', {})).status, 404);
});

test('a body that is not SCIM is refused before the backend sees it', async () => {
  await using started = await startedTenant();
  assert.equal((await started.call('POST', '/Users', '{')).status, 400);
  assert.equal((await started.call('POST', '/Users', '[]')).status, 400);
  const asText = { 'content-type': 'text/plain' };
  assert.equal((await started.call('POST', '/Users', '{}', asText)).status, 415);
});

test('an unknown system is not found, and a disabled one neither', async () => {
  await using started = await startedTenant({ systems: [{ id: proxyId, enabled: false }] });
  assert.equal((await started.call('GET', '/Users')).status, 404);
});

test('the figures count what arrived by method and status', async () => {
  await using started = await startedTenant();
  await started.call('GET', '/Users');
  await started.call('POST', '/Users', '{');
  const { figures } = started.tenant;
  assert.deepEqual(figures.byMethod, { GET: 1, POST: 1 });
  assert.deepEqual(figures.byStatus, { 200: 1, 400: 1 });
});

test('a suspended tenant refuses connections and comes back on the same port', async () => {
  await using started = await startedTenant();
  await started.tenant.suspend();
  await assert.rejects(started.call('GET', '/Users'), TypeError);
  await started.tenant.resume();
  assert.equal((await started.call('GET', '/Users')).status, 200);
});
