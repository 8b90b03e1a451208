/** A proxy system in front of ABAP-like user records: native names inside, base32 ids outside. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { proxyId, startedTenant } from './started-tenant.ts';

const encode = { type: 'encode', algorithm: 'base32', skipPadding: true };
const decode = [{ type: 'decode', algorithm: 'base32', skipPadding: true }, { type: 'toString' }];
const decodeEach = [
  { type: 'decode', algorithm: 'base32', skipPadding: true },
  { type: 'toString', applyOnElements: true },
];
const schema = (name: string) => ({
  constant: `urn:ietf:params:scim:schemas:core:2.0:${name}`,
  targetPath: '$.schemas[0]',
});

const readTransformation = {
  user: {
    scimEntityEndpoint: 'Users',
    mappings: [
      {
        sourcePath: '$.USERNAME',
        targetPath: '$.id',
        targetVariable: 'entityIdSourceSystem',
        functions: [encode],
      },
      schema('User'),
      { sourcePath: '$.USERNAME', targetPath: '$.userName' },
      { sourcePath: '$.ADDRESS.LASTNAME', optional: true, targetPath: '$.name.familyName' },
      { sourcePath: '$.ADDRESS.E_MAIL', optional: true, targetPath: '$.emails[0].value' },
      { constant: false, targetPath: '$.active' },
      { condition: "$.ISLOCKED.LOCAL_LOCK != 'L' && $.LOCK != 'L'", constant: true, targetPath: '$.active' },
      {
        sourcePath: '$.ACTIVITYGROUPS[*].AGR_NAME',
        optional: true,
        preserveArrayWithSingleElement: true,
        targetPath: '$.groups[?(@.value)]',
        functions: [encode],
      },
    ],
  },
  group: {
    scimEntityEndpoint: 'Groups',
    mappings: [
      { sourcePath: '$.ROLE_NAME', targetPath: '$.id', functions: [encode] },
      schema('Group'),
      { sourcePath: '$.ROLE_NAME', targetPath: '$.displayName' },
      {
        sourcePath: '$.USERLIST[*].USERNAME',
        optional: true,
        preserveArrayWithSingleElement: true,
        targetPath: '$.members[?(@.value)]',
        functions: [encode],
      },
    ],
  },
};
const writeTransformation = {
  user: {
    scimEntityEndpoint: 'Users',
    mappings: [
      { sourcePath: '$.userName', targetPath: '$.USERNAME', targetVariable: 'entityIdTargetSystem' },
      {
        scope: 'deleteEntity',
        sourceVariable: 'entityIdTargetSystem',
        targetVariable: 'entityIdTargetSystem',
        functions: decode,
      },
      { sourcePath: '$.name.familyName', optional: true, targetPath: '$.ADDRESS.LASTNAME' },
      { sourcePath: '$.emails[0].value', optional: true, targetPath: '$.ADDRESS.E_MAIL' },
      { condition: '$.active == false', constant: 'L', targetPath: '$.LOCK' },
    ],
  },
  group: {
    scimEntityEndpoint: 'Groups',
    mappings: [
      { sourcePath: '$.displayName', targetPath: '$.ROLE_NAME' },
      { sourceVariable: 'entityIdTargetSystem', targetVariable: 'entityIdTargetSystem', functions: decode },
      {
        sourcePath: '$.members[*].value',
        optional: true,
        preserveArrayWithSingleElement: true,
        targetPath: '$.USERLIST[?(@.USERNAME)]',
        functions: decodeEach,
      },
    ],
  },
};

const abap = () =>
  startedTenant({
    systems: [
      {
        id: proxyId,
        backend: { kind: 'abap', users: 40, groups: 5 },
        readTransformation,
        writeTransformation,
      },
    ],
  });

test('ids are the base32 of user names, and lead back to the record', async () => {
  await using started = await abap();
  const [first] = (await started.call('GET', '/Users?count=1')).body.Resources ?? [];
  assert.match(first?.id ?? '', /^[A-Z2-7]+$/);
  const { status, body } = await started.call('GET', `/Users/${first?.id}`);
  assert.deepEqual([status, body['userName']], [200, first?.['userName']]);
});

test('a user is created, found, changed, locked and deleted', async () => {
  await using started = await abap();
  const jane = { userName: 'JANE', name: { familyName: 'Doe' }, emails: [{ value: 'jane@example.com' }] };
  const created = await started.call('POST', '/Users', jane);
  assert.deepEqual([created.status, created.body.id, created.body['active']], [201, 'JJAU4RI', true]);
  const path = `/Users/${created.body.id}`;
  const filter = encodeURIComponent('emails[0].value eq "jane@example.com"');
  assert.equal((await started.call('GET', `/Users?filter=${filter}`)).body.totalResults, 1);
  const locked = await started.call('PUT', path, { ...jane, active: false });
  assert.deepEqual([locked.status, locked.body['active']], [200, false]);
  assert.equal((await started.call('POST', '/Users', jane)).status, 409);
  assert.equal((await started.call('DELETE', path)).status, 204);
  assert.equal((await started.call('GET', path)).status, 404);
});

test('an assignment to a role shows in the user, and ends with the user', async () => {
  await using started = await abap();
  const { body: user } = await started.call('POST', '/Users', { userName: 'JANE' });
  const { body: group } = await started.call('POST', '/Groups', { displayName: 'Z_CLERK' });
  const path = `/Groups/${group.id}`;
  const members = [{ value: user.id }];
  assert.equal((await started.call('PUT', path, { displayName: 'Z_CLERK', members })).status, 200);
  const groups = (await started.call('GET', `/Users/${user.id}`)).body.groups;
  assert.deepEqual(
    groups?.map(({ value }) => value),
    [group.id],
  );
  await started.call('DELETE', `/Users/${user.id}`);
  assert.deepEqual((await started.call('GET', path)).body.members ?? [], []);
});

test('the generated roles and users agree about who is in what', async () => {
  await using started = await abap();
  const groups = (await started.call('GET', '/Groups?count=100')).body.Resources ?? [];
  const users = (await started.call('GET', '/Users?count=100')).body.Resources ?? [];
  const ofGroups = groups.flatMap(({ id, members = [] }) => members.map(({ value }) => `${value} in ${id}`));
  const ofUsers = users.flatMap(({ id, groups: roles = [] }) =>
    roles.map(({ value }) => `${id} in ${value}`),
  );
  assert.ok(ofGroups.length > 0);
  assert.deepEqual(ofUsers.toSorted(), ofGroups.toSorted());
});

test('an update merges into the record: what it does not name stays', async () => {
  await using started = await abap();
  const jane = { userName: 'JANE', emails: [{ value: 'jane@example.com' }] };
  const { body } = await started.call('POST', '/Users', jane);
  await started.call('PUT', `/Users/${body.id}`, { userName: 'JANE', name: { familyName: 'Doe' } });
  const read = await started.call('GET', `/Users/${body.id}`);
  assert.deepEqual(read.body['emails'], [{ value: 'jane@example.com' }]);
});
