/**
 * POST → GET → PUT → GET → DELETE → GET of users and groups, for every kind of backend with its transformations:
 * what a caller creates it finds again, and can change and remove.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import type { SystemOptions } from '../../src/ips/system.ts';
import { loadTenantFile } from '../../src/ips/tenant-file.ts';
import { tableOf, travel, type Journey, type Send } from './round-trip.ts';
import { basic, patchOf, startedTenant, type StartedTenant } from './started-tenant.ts';

const documentOf = async (name: string): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(new URL(`../transformation/pair/${name}.json`, import.meta.url), 'utf8'));

/** An LDAP-like pair: every attribute is an array, and a property names the key. */
const directoryServer = {
  readTransformation: {
    user: {
      mappings: [
        { sourcePath: '$.%ldap.attribute.user.id%[0]', targetPath: '$.id' },
        { sourcePath: '$.%ldap.attribute.user.id%[0]', targetPath: '$.userName' },
        { sourcePath: '$.sn[0]', targetPath: '$.name.familyName' },
      ],
    },
    group: {
      mappings: [
        { sourcePath: '$.cn[0]', targetPath: '$.id' },
        { sourcePath: '$.cn[0]', targetPath: '$.displayName' },
      ],
    },
  },
  writeTransformation: {
    user: {
      mappings: [
        {
          scope: 'createEntity',
          sourcePath: '$.userName',
          targetPath: '$.%ldap.attribute.user.id%[0]',
          targetVariable: 'entityIdTargetSystem',
        },
        { sourcePath: '$.name.familyName', targetPath: '$.sn[0]' },
      ],
    },
    group: {
      mappings: [
        { sourcePath: '$.displayName', targetPath: '$.cn[0]', targetVariable: 'entityIdTargetSystem' },
      ],
    },
  },
};

const shipped = await loadTenantFile(new URL('../../config/tenant.yaml', import.meta.url).pathname);

const systems: SystemOptions[] = [
  ...shipped.options.systems.filter(({ role }) => role === undefined),
  {
    id: '1d9c0b5e-0000-4000-8000-000000000001',
    name: 'SCIM with the sample pair',
    readTransformation: await documentOf('read'),
    writeTransformation: await documentOf('write'),
    backend: { kind: 'directory', users: 0, groups: 0 },
  },
  {
    id: '1d9c0b5e-0000-4000-8000-000000000002',
    name: 'LDAP server',
    properties: { 'ldap.attribute.user.id': 'uid' },
    ...directoryServer,
    backend: {
      kind: 'native',
      update: 'merge',
      shapes: { Users: { key: 'uid[0]' }, Groups: { key: 'cn[0]' } },
    },
  },
  {
    id: '1d9c0b5e-0000-4000-8000-000000000003',
    name: 'made-up keys',
    backend: {
      kind: 'native',
      shapes: { Users: { key: 'id', generates: true }, Groups: { key: 'id', generates: true } },
    },
  },
];

const user = {
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
  userName: 'ROUNDTRIP',
  name: { givenName: 'Zoë', familyName: 'Österreich' },
  emails: [{ value: 'zoe@example.com', primary: true, type: 'work' }],
  active: true,
};
const group = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'], displayName: 'ROUNDTRIP_GROUP' };

const senderOf =
  ({ fetch }: StartedTenant, systemId: string): Send =>
  (method, path, body) =>
    fetch(`/ipsproxy/service/api/v1/scim/${systemId}${path}`, {
      method,
      headers: { authorization: basic, 'content-type': 'application/scim+json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });

async function trip(started: StartedTenant, { id, name = id }: SystemOptions, journey: Partial<Journey>) {
  const { type = 'Users' } = journey;
  const send: Send = (method, path, body) => senderOf(started, id)(method, `/${type}${path}`, body);
  const change = { name: { givenName: 'Zoë', familyName: '大阪' } };
  return travel({ system: name, type, send, body: user, change, ...journey });
}

const everyStep = 'POST 201 GET 200 PUT 200 GET 200 DELETE 204 GET 404';

for (const system of systems)
  test(`users and groups make the round trip through ${system.name}`, async (t) => {
    await using started = await startedTenant({ systems: [system] });
    const users = await trip(started, system, {});
    const { body: member } = await senderOf(started, system.id)('POST', '/Users', {
      ...user,
      userName: 'MEMBER',
    });
    const groups = await trip(started, system, {
      type: 'Groups',
      body: { ...group, members: [{ value: member.id }] },
      change: { members: [] },
    });
    t.diagnostic(`\n${tableOf([users, groups])}`);
    assert.deepEqual([users.operations, users.result], [everyStep, 'works']);
    assert.deepEqual([groups.operations, groups.result], [everyStep, 'works']);
  });

/** A service that takes members as a plain list and shows them below `results`, as OData services do. */
const roles: SystemOptions = {
  id: '1d9c0b5e-0000-4000-8000-000000000004',
  name: 'business roles',
  readTransformation: {
    user: { mappings: [{ sourcePath: '$', targetPath: '$' }] },
    group: {
      mappings: [
        { sourcePath: '$.role', targetPath: '$.id', targetVariable: 'entityIdSourceSystem' },
        { sourcePath: '$.role', targetPath: '$.displayName' },
        {
          sourcePath: '$.assignments.results',
          preserveArrayWithSingleElement: true,
          targetPath: '$.members',
        },
        { type: 'remove', targetPath: '$.members[*].__metadata' },
        { type: 'rename', targetPath: '$.members[*].person', constant: 'value' },
        { constant: 'User', targetPath: '$.members[*].type' },
      ],
    },
  },
  writeTransformation: {
    user: { mappings: [{ sourcePath: '$', targetPath: '$' }] },
    group: {
      skipOperations: ['delete'],
      mappings: [
        {
          scope: 'createEntity',
          sourcePath: '$.displayName',
          targetPath: '$.role',
          targetVariable: 'entityIdTargetSystem',
        },
        {
          sourcePath: '$.members[*].value',
          optional: true,
          targetPath: '$.members[?(@.value)]',
        },
        {
          scope: 'patchEntity',
          sourcePath: '$.Operations',
          preserveArrayWithSingleElement: true,
          targetPath: '$.Operations',
        },
      ],
    },
  },
  backend: {
    kind: 'native',
    update: 'merge',
    shapes: {
      Users: { key: 'id', generates: true },
      Groups: {
        key: 'role',
        shows: [
          { sourcePath: '$.role', targetPath: '$.role' },
          { constant: [], targetPath: '$.assignments.results' },
          {
            sourcePath: '$.members[*].value',
            optional: true,
            targetPath: '$.assignments.results[?(@.person)]',
          },
          { constant: {}, optional: true, targetPath: '$.assignments.results[*].__metadata' },
        ],
      },
    },
    documents: { Groups: [{ role: 'PRESENT' }] },
  },
};

test('a backend shows a group without members below `results` and the pair reads it', async () => {
  await using started = await startedTenant({ systems: [roles] });
  const { status, body } = await senderOf(started, roles.id)('GET', '/Groups/PRESENT');
  assert.deepEqual([status, body], [200, { id: 'PRESENT', displayName: 'PRESENT', members: [] }]);
});

test('members go to a backend as a plain list and come back from its own view', async () => {
  await using started = await startedTenant({ systems: [roles] });
  const send = senderOf(started, roles.id);
  const created = await send('POST', '/Groups', { ...group, members: [{ value: 'p1' }] });
  assert.deepEqual(created.body.members, [{ type: 'User', value: 'p1' }]);
  const add = { op: 'add', path: 'members', value: [{ value: 'p2' }] };
  await send('PATCH', '/Groups/ROUNDTRIP_GROUP', patchOf(add));
  const { members } = (await send('GET', '/Groups/ROUNDTRIP_GROUP')).body;
  assert.deepEqual(
    members?.map(({ value }) => value),
    ['p1', 'p2'],
  );
});

test('an operation that a pair skips is refused with the words of the job logs, and nothing is done', async () => {
  await using started = await startedTenant({ systems: [roles] });
  const refused = await senderOf(started, roles.id)('DELETE', '/Groups/PRESENT');
  assert.equal(refused.status, 400);
  assert.equal(refused.body.detail, 'Operation [delete] is skipped in target transformation');
  const offered = await trip(started, roles, {
    type: 'Groups',
    body: group,
    change: {},
    skipped: ['delete'],
  });
  assert.deepEqual(
    [offered.operations, offered.result, offered.reason],
    [
      'POST 201 GET 200 PUT 200 GET 200 DELETE 400',
      'works as far as offered',
      'DELETE not offered by the pair',
    ],
  );
});

test('a round trip that loses a change is a failure', async () => {
  await using started = await startedTenant({ systems: [roles] });
  const lost = await trip(started, roles, { change: { name: { familyName: 'Ōsaka' } } });
  assert.deepEqual([lost.result, lost.reason], ['fails', 'the change of name.familyName is lost']);
});

test('a fault in what a backend shows is told when the tenant starts', async () => {
  const shapes = { Users: { key: 'id', shows: [{ type: 'no' }] }, Groups: { key: 'id' } };
  await assert.rejects(
    startedTenant({ systems: [{ id: roles.id, backend: { kind: 'native', shapes } }] }),
    /shows/,
  );
});
