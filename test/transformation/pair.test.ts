/** The read and write transformation of a generic SCIM backend, with the outputs the facts give (12.1–12.3). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import type { Json } from '../../src/transformation/json.ts';
import { compile, EntityFailure, type Run } from '../../src/transformation/transformation.ts';

const core = 'urn:ietf:params:scim:schemas:core:2.0:User';
const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const groupSchema = 'urn:ietf:params:scim:schemas:core:2.0:Group';
const base =
  'https://acme.accounts.ondemand.com/ipsproxy/service/api/v1/scim/0b7c1c52-1f5e-4b4e-9f57-6a2f0d3c9a11/';

function load(name: 'read' | 'write') {
  const file = new URL(`pair/${name}.json`, import.meta.url);
  const { transformation, faults } = compile(readFileSync(file, 'utf8'), name);
  assert.deepEqual(faults, []);
  return transformation;
}

const reading = load('read');
const writing = load('write');

function read(entity: 'user' | 'group', input: Json, properties: Run['properties'] = {}) {
  const variables = { entityBaseLocation: `${base}${entity === 'user' ? 'Users' : 'Groups'}/` };
  return reading.run({ entity, operation: 'read', mode: 'proxy', input, properties, variables });
}

function write(operation: Run['operation'], entity: 'user' | 'group', input: Json, id?: string) {
  const variables: Record<string, string> = id === undefined ? {} : { entityIdTargetSystem: id };
  return writing.run({ entity, operation, mode: 'proxy', input, variables });
}

const backendUser = {
  schemas: [core],
  id: '7f3a',
  userName: 'jdoe',
  externalId: 'E100',
  name: { givenName: 'Jane', familyName: 'Doe' },
  displayName: '',
  emails: [{ value: 'jane.doe@example.com', primary: true }],
  preferredLanguage: 'de-DE',
  userType: 'employee',
  addresses: [{ type: 'work', country: 'de' }, { type: 'home' }],
  [enterprise]: { costCenter: 'CC1' },
  meta: { lastModified: '2025-03-01T10:00:00Z', version: 'W/"7"' },
};

const readUser = {
  id: '7f3a',
  meta: { location: `${base}Users/7f3a`, resourceType: 'User', lastModified: '2025-03-01T10:00:00Z' },
  schemas: [core, enterprise],
  userName: 'jdoe',
  externalId: 'E100',
  name: { givenName: 'Jane', familyName: 'Doe' },
  emails: [{ value: 'jane.doe@example.com', primary: true }],
  active: true,
  locale: 'de',
  addresses: [{ type: 'work', country: 'DE' }, { type: 'home' }],
  [enterprise]: { costCenter: 'CC1' },
};

describe('the read transformation of the pair', () => {
  it('makes a SCIM user of a backend user (R1)', () => {
    const { output, variables } = read('user', backendUser);
    assert.deepEqual(output, readUser);
    assert.equal(variables['entityIdSourceSystem'], '7f3a');
    assert.equal(variables['entityLocationSourceSystem'], `${base}Users/7f3a`);
  });

  it('leaves a user out whose condition is not fulfilled, with the wording of SAP (R1b)', () => {
    const { skipped } = read('user', backendUser, { 'acme.user.type': 'partner' });
    assert.equal(skipped?.kind, 'condition');
    assert.equal(
      skipped.reason,
      "The condition: ('partner' === 'null') || ($.userType == 'partner'), is not fulfilled.",
    );
    assert.deepEqual(read('user', backendUser, { 'acme.user.type': 'employee' }).output, readUser);
  });

  it('fails a user without a mandatory attribute and names the path (R2)', () => {
    const { name: _, ...nameless } = backendUser;
    assert.throws(
      () => read('user', nameless),
      (error) =>
        error instanceof EntityFailure && error.mapping === 9 && /\$\.name\.familyName/.test(error.message),
    );
  });

  it('gives defaults to what is missing and nothing else (R3)', () => {
    assert.deepEqual(read('user', { id: 'u9', userName: 'bob', name: { familyName: 'B' } }).output, {
      id: 'u9',
      meta: { location: `${base}Users/u9`, resourceType: 'User' },
      schemas: [core, enterprise],
      userName: 'bob',
      name: { familyName: 'B' },
      active: true,
      locale: 'en',
    });
  });

  it('keeps a single member a list and gives it a type (G1)', () => {
    const group = { id: 'g1', displayName: 'Clerks', members: [{ value: '7f3a', display: 'x' }] };
    assert.deepEqual(read('group', group).output, {
      id: 'g1',
      meta: { location: `${base}Groups/g1`, resourceType: 'Group' },
      schemas: [groupSchema],
      displayName: 'Clerks',
      members: [{ value: '7f3a', type: 'User' }],
    });
  });

  it('makes no members where there are none (G2)', () => {
    assert.equal(
      Object.hasOwn(Object(read('group', { id: 'g1', displayName: 'Clerks' }).output), 'members'),
      false,
    );
  });
});

const callerUser = {
  schemas: [core],
  userName: 'mkent',
  name: { familyName: 'Kent' },
  emails: [{ value: 'm.kent@example.com', type: 'other' }],
  locale: 'de',
};

const written = {
  schemas: [core, enterprise],
  userName: 'mkent',
  name: { familyName: 'Kent' },
  emails: [{ value: 'm.kent@example.com', type: 'work', primary: true }],
  active: true,
  userType: 'employee',
  preferredLanguage: 'de-DE',
};

describe('the write transformation of the pair', () => {
  it('adds what only a create sets (W1)', () => {
    const output = Object(write('create', 'user', callerUser).output);
    assert.match(output.password, /^[a-zA-Z0-9~!@#$%^&*()_+]{16}$/);
    assert.deepEqual(output, { ...written, externalId: 'mkent', password: output.password });
  });

  it('writes an update under the id of the URL (W2)', () => {
    const { output } = write('update', 'user', { ...callerUser, active: false }, '7f3a');
    assert.deepEqual(output, { id: '7f3a', ...written, active: false });
  });

  it('leaves out a user with an invalid e-mail address (W3)', () => {
    const { skipped } = write('create', 'user', { ...callerUser, emails: [{ value: 'nope' }] });
    assert.equal(skipped?.kind, 'condition');
  });

  it('passes a patch as it is, single operations as lists (W4)', () => {
    const patch = {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op: 'replace', path: 'active', value: false }],
    };
    const { output, variables, skipped } = write('patch', 'user', patch, '7f3a');
    assert.equal(skipped, undefined);
    assert.deepEqual(output, patch);
    assert.equal(variables['entityIdTargetSystem'], '7f3a');
  });

  it('writes nothing for a delete and keeps the id (W5)', () => {
    const { output, variables } = write('delete', 'user', {}, '7f3a');
    assert.deepEqual(output, {});
    assert.equal(variables['entityIdTargetSystem'], '7f3a');
  });

  it('rebuilds members with the list builder (WG1)', () => {
    const group = { displayName: 'Clerks', members: [{ value: '7f3a', type: 'User' }] };
    assert.deepEqual(write('update', 'group', group, 'g1').output, {
      id: 'g1',
      schemas: [groupSchema],
      displayName: 'Clerks',
      members: [{ value: '7f3a' }],
    });
  });
});

describe('ids that are encoded (12.4)', () => {
  const vectors = {
    DEVELOPER: 'IRCVMRKMJ5IEKUQ',
    jdoe: 'NJSG6ZI',
    Z_SALES_CLERK: 'LJPVGQKMIVJV6Q2MIVJEW',
    'JOHN*SMITH/Junior': 'JJHUQTRKKNGUSVCIF5FHK3TJN5ZA',
  };
  const { transformation } = compile({
    user: {
      mappings: [
        {
          sourcePath: '$.USERNAME',
          targetPath: '$.id',
          targetVariable: 'entityIdSourceSystem',
          functions: [{ type: 'encode', algorithm: 'base32', skipPadding: true }],
        },
        {
          scope: 'deleteEntity',
          sourceVariable: 'entityIdTargetSystem',
          targetVariable: 'entityIdTargetSystem',
          functions: [{ type: 'decode', algorithm: 'base32', skipPadding: true }, { type: 'toString' }],
        },
      ],
    },
  });

  for (const [name, id] of Object.entries(vectors)) {
    it(`reads ${name} as ${id} and deletes it by its name`, () => {
      const { output } = transformation.run({ entity: 'user', operation: 'read', input: { USERNAME: name } });
      assert.deepEqual(output, { id });
      const variables = { entityIdTargetSystem: id };
      const deleted = transformation.run({
        entity: 'user',
        operation: 'delete',
        mode: 'proxy',
        input: {},
        variables,
      });
      assert.deepEqual(deleted.output, {});
      assert.equal(deleted.variables['entityIdTargetSystem'], name);
    });
  }
});
