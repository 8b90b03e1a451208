/**
 * POST → GET → PUT → GET → DELETE → GET of users and groups, for every kind of backend with its transformations:
 * what a caller creates it finds again, and can change and remove.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import type { SystemOptions } from '../../src/ips/system.ts';
import { loadTenantFile } from '../../src/ips/tenant-file.ts';
import { basic, startedTenant, type StartedTenant } from './started-tenant.ts';

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

const systems: SystemOptions[] = [
  ...(await loadTenantFile(new URL('../../config/tenant.yaml', import.meta.url).pathname)).options.systems,
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

const bodies = {
  Users: {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    userName: 'ROUNDTRIP',
    name: { givenName: 'Zoë', familyName: 'Österreich' },
    emails: [{ value: 'zoe@example.com', primary: true, type: 'work' }],
    active: true,
  },
  Groups: { schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'], displayName: 'ROUNDTRIP_GROUP' },
};
const changes = {
  Users: { name: { givenName: 'Zoë', familyName: '大阪' } },
  Groups: {},
};

type Type = keyof typeof bodies;

async function roundTrip({ fetch }: StartedTenant, systemId: string, type: Type) {
  const base = `/ipsproxy/service/api/v1/scim/${systemId}/${type}`;
  const headers = { authorization: basic, 'content-type': 'application/scim+json' };
  const send = (method: string, path: string, body?: unknown) =>
    fetch(base + path, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
  const created = await send('POST', '', bodies[type]);
  const path = `/${encodeURIComponent(created.body.id ?? 'none')}`;
  const read = await send('GET', path);
  const replaced = await send('PUT', path, { ...bodies[type], ...changes[type] });
  const again = await send('GET', path);
  const deleted = await send('DELETE', path);
  const gone = await send('GET', path);
  const statuses = [created, read, replaced, again, deleted, gone].map(({ status }) => status);
  return { created: created.body, read: read.body, replaced: replaced.body, again: again.body, statuses };
}

for (const system of systems)
  for (const type of ['Users', 'Groups'] as const)
    test(`${type} make the round trip through ${system.name}`, async (t) => {
      await using started = await startedTenant({ systems: [system] });
      const { created, read, replaced, again, statuses } = await roundTrip(started, system.id, type);
      t.diagnostic(`${system.name} | ${type} | POST GET PUT GET DELETE GET | ${statuses.join(' ')}`);
      assert.deepEqual(statuses, [201, 200, 200, 200, 204, 404]);
      assert.deepEqual(read, created);
      assert.deepEqual(again, replaced);
      assert.equal(replaced.id, created.id);
      if (type === 'Users') assert.equal(Reflect.get(Object(again['name']), 'familyName'), '大阪');
    });
