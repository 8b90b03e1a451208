/** Systems with transformations: what the proxy does per method (facts: transformations 9). */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { TenantOptions } from '../../src/ips/tenant.ts';
import { patchOf, proxyId, startedTenant } from './started-tenant.ts';

const base = [
  { sourcePath: '$.id', targetPath: '$.id', targetVariable: 'entityIdSourceSystem' },
  {
    sourceVariable: 'entityBaseLocation',
    targetPath: '$.meta.location',
    functions: [{ type: 'concatString', suffix: '${entityIdSourceSystem}' }],
  },
  { sourcePath: '$.userName', targetPath: '$.userName' },
];
const read = {
  user: {
    scimEntityEndpoint: 'Users',
    condition: "$.userType == 'employee'",
    mappings: [
      ...base,
      { constant: 'urn:ietf:params:scim:schemas:core:2.0:User', targetPath: '$.schemas[0]' },
      { sourcePath: '$.nickName', optional: true, targetPath: '$.displayName' },
      { sourcePath: '$.meta.lastModified', optional: true, targetPath: '$.meta.lastModified' },
    ],
  },
};
const write = {
  user: {
    scimEntityEndpoint: 'Users',
    condition: '$.userName EMPTY false',
    mappings: [
      { sourceVariable: 'entityIdTargetSystem', targetPath: '$.id' },
      { sourcePath: '$.userName', targetPath: '$.userName' },
      { sourcePath: '$.displayName', optional: true, targetPath: '$.nickName' },
      { sourcePath: '$.title', targetPath: '$.userType' },
      {
        scope: 'patchEntity',
        sourcePath: '$.schemas',
        preserveArrayWithSingleElement: true,
        targetPath: '$.schemas',
      },
      {
        scope: 'patchEntity',
        sourcePath: '$.Operations',
        preserveArrayWithSingleElement: true,
        targetPath: '$.Operations',
      },
    ],
  },
};

const empty = { kind: 'directory', users: 0, groups: 0 } as const;
const transformed = (changes: Partial<TenantOptions> = {}, properties: Record<string, string> = {}) =>
  startedTenant({
    systems: [
      { id: proxyId, backend: empty, properties, readTransformation: read, writeTransformation: write },
    ],
    ...changes,
  });
const jane = { userName: 'jane', displayName: 'Jane', title: 'employee' };

test('a POST goes through the write transformation, its result through the read transformation', async () => {
  await using started = await transformed();
  const { status, body } = await started.call('POST', '/Users', jane);
  assert.equal(status, 201);
  assert.deepEqual(Object.keys(body).toSorted(), ['displayName', 'id', 'meta', 'schemas', 'userName']);
  const location = `${started.tenant.url.origin}/ipsproxy/service/api/v1/scim/${proxyId}/Users/${body.id}`;
  assert.equal(body.meta?.['location'], location);
  const stored = started.tenant.directory(proxyId).get('Users', body.id ?? '');
  assert.deepEqual(
    [stored['nickName'], stored['userType'], stored['title']],
    ['Jane', 'employee', undefined],
  );
});

test('a PUT goes through the write transformation too', async () => {
  await using started = await transformed();
  const { body } = await started.call('POST', '/Users', jane);
  const replaced = await started.call('PUT', `/Users/${body.id}`, { ...jane, displayName: 'J.' });
  assert.deepEqual([replaced.status, replaced.body['displayName']], [200, 'J.']);
});

test('a PATCH is handed to the backend in the names of the backend', async () => {
  await using started = await transformed();
  const { body } = await started.call('POST', '/Users', jane);
  const patch = patchOf({ op: 'replace', path: 'nickName', value: 'JJ' });
  assert.equal((await started.call('PATCH', `/Users/${body.id}`, patch)).status, 204);
  assert.equal((await started.call('GET', `/Users/${body.id}`)).body['displayName'], 'JJ');
});

test('a PATCH to a system without patch mappings arrives empty at the backend', async () => {
  const mappings = write.user.mappings.filter((mapping) => !('scope' in mapping));
  const unpatched = { user: { ...write.user, mappings } };
  await using started = await transformed({
    systems: [{ id: proxyId, backend: empty, readTransformation: read, writeTransformation: unpatched }],
  });
  const { body } = await started.call('POST', '/Users', jane);
  const patch = patchOf({ op: 'replace', path: 'nickName', value: 'JJ' });
  const answer = await started.call('PATCH', `/Users/${body.id}`, patch);
  assert.match(answer.body.detail ?? '', /The patch has no operations/);
});

async function withMixedUsers(
  started: Awaited<ReturnType<typeof transformed>>,
  users: number,
): Promise<void> {
  const directory = started.tenant.directory(proxyId);
  for (let n = 0; n < users; n++)
    directory.create('Users', { userName: `user${n}`, userType: n % 2 === 0 ? 'employee' : 'partner' });
}

test('the third documented sequence: a condition drops every other of 100 users', async () => {
  await using started = await transformed();
  await withMixedUsers(started, 100);
  const seen = [];
  for (const startIndex of [1, 51, 101]) {
    const { body } = await started.call('GET', `/Users?startIndex=${startIndex}&count=50`);
    seen.push([body.totalResults, body.itemsPerPage, body.Resources?.length]);
  }
  assert.deepEqual(seen, [
    [51, 50, 25],
    [101, 50, 25],
    [150, 0, 0],
  ]);
});

test('the property Provided shows the total despite a condition', async () => {
  await using started = await transformed({}, { 'ips.proxy.scim.total.results.strategy': 'Provided' });
  await withMixedUsers(started, 100);
  assert.equal((await started.call('GET', '/Users')).body.totalResults, 100);
});

test('a filter is translated to the backend and needs a mapping', async () => {
  await using started = await transformed();
  await started.call('POST', '/Users', jane);
  const find = (filter: string) => started.call('GET', `/Users?filter=${encodeURIComponent(filter)}`);
  assert.equal((await find('displayName eq "Jane"')).body.Resources?.length, 1);
  assert.equal((await find('nickName eq "Jane"')).status, 400);
});

test('an entity whose read condition is not met is not found', async () => {
  await using started = await transformed();
  const { id } = started.tenant.directory(proxyId).create('Users', { userName: 'p', userType: 'partner' });
  const { status, body } = await started.call('GET', `/Users/${String(id)}`);
  assert.equal(status, 404);
  assert.equal(body.detail, "Entity condition [$.userType == 'employee'] is not fulfilled");
});

test('a write whose condition is not met is refused', async () => {
  await using started = await transformed();
  const { status, body } = await started.call('POST', '/Users', { title: 'employee' });
  assert.equal(status, 400);
  assert.equal(body.detail, 'Entity condition [$.userName EMPTY false] is not fulfilled');
});

test('a write without a mandatory attribute is refused and names its path', async () => {
  await using started = await transformed();
  const { status, body } = await started.call('POST', '/Users', { userName: 'jane' });
  assert.equal(status, 400);
  assert.match(body.detail ?? '', /\$\.title/);
});

test('a result that the read condition drops is answered with what is left: its id', async () => {
  await using started = await transformed();
  const { status, body } = await started.call('POST', '/Users', { ...jane, title: 'partner' });
  assert.equal(status, 201);
  assert.deepEqual(Object.keys(body), ['schemas', 'id']);
});

test('an entity that cannot be transformed is left out of a page, counted and reported', async () => {
  const warnings: string[] = [];
  const demanding = {
    user: {
      ...read.user,
      mappings: [...read.user.mappings, { sourcePath: '$.nickName', targetPath: '$.nickName' }],
    },
  };
  await using started = await transformed({
    systems: [{ id: proxyId, backend: empty, readTransformation: demanding, writeTransformation: write }],
    warn: (message) => warnings.push(message),
  });
  await started.call('POST', '/Users', jane);
  await started.call('POST', '/Users', { userName: 'joe', title: 'employee' });
  const { body } = await started.call('GET', '/Users');
  assert.deepEqual([body.itemsPerPage, body.Resources?.length], [2, 1]);
  assert.match(warnings.at(-1) ?? '', /nickName/);
});

test('a resource type without an entity in the transformation does not exist', async () => {
  await using started = await transformed();
  assert.equal((await started.call('GET', '/Groups')).status, 404);
});

test('a faulty transformation is refused at the start with all its faults', async () => {
  const faulty = { user: { mappings: [{ sourcePath: '$.[', targetPath: '$.id' }, { type: 'no' }] } };
  await assert.rejects(
    startedTenant({ systems: [{ id: proxyId, name: 'Shop', backend: empty, readTransformation: faulty }] }),
    (error) => error instanceof Error && /Shop/.test(error.message) && error.message.includes('\n'),
  );
});
