/** What a write means, as its record tells it: attributes, members, enabled or disabled, password; never a value. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { changesOf } from '../../src/audit/change.ts';
import { aCall, anOperation, openTrail, readRecords, upstreamCall } from './support.ts';

const patchOf = (...operations: unknown[]): object => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations: operations,
});

const described = (kind: 'patch' | 'create' | 'replace', content: unknown) =>
  changesOf(anOperation({ kind, effect: 'write' }), Buffer.from(JSON.stringify(content)))[0];

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

const spellings = [
  ['with a path', { op: 'replace', path: 'active', value: false }],
  ['without a path', { op: 'replace', value: { active: false } }],
  ['in another case', { OP: 'Replace', Path: 'ACTIVE', VALUE: false }],
  ['as a text', { op: 'replace', path: 'active', value: 'False' }],
  ['as a list', { op: 'replace', path: 'active', value: [{ value: 'false' }] }],
  [
    'with the schema',
    { op: 'replace', path: 'urn:ietf:params:scim:schemas:core:2.0:User:active', value: false },
  ],
  [
    'below the schema',
    { op: 'add', value: { 'urn:ietf:params:scim:schemas:core:2.0:User': { active: false } } },
  ],
] as const;

for (const [name, operation] of spellings) {
  test(`disabling is recognised ${name}`, () => {
    assert.deepEqual(described('patch', patchOf(operation)), { paths: ['active'], active: false });
  });
}

const passwords = [
  ['with a path', 'patch', patchOf({ op: 'replace', path: 'password', value: 'x' })],
  ['without a path', 'patch', patchOf({ op: 'add', value: { PassWord: 'x' } })],
  [
    'with the schema',
    'patch',
    patchOf({ op: 'replace', path: 'urn:ietf:params:scim:schemas:core:2.0:User:password', value: 'x' }),
  ],
  ['in an extension', 'patch', patchOf({ op: 'add', value: { 'urn:example:2.0:User': { password: 'x' } } })],
  ['in a new user', 'create', { userName: 'u', password: 'x' }],
  ['in a replaced user', 'replace', { userName: 'u', ['passw\u006frd']: 'x' }],
] as const;

for (const [name, kind, content] of passwords) {
  test(`a password is recognised ${name}, and told as the fact`, () => {
    const change = described(kind, content);
    assert.equal(change?.password, true);
    assert.ok(!JSON.stringify(change).includes('"x"'));
  });
}

test('names of RFC 7643 are told as it spells them, all others as unknown', () => {
  const content = {
    USERNAME: 'u',
    name: { FamilyName: 'x', maidenName: 'y' },
    emails: [{ value: 'z' }],
    salary: 1,
    [enterprise]: { department: 'd', Manager: { value: 'm' }, shoeSize: 3 },
    'urn:ietf:params:scim:schemas:extension:sap:2.0:User': { userUuid: 'q' },
    'urn:example:ada-lovelace:2.0:User': { secret: 's' },
  };
  assert.deepEqual(described('create', content), {
    paths: [
      '?',
      '?:?',
      'emails',
      'name.?',
      'name.familyName',
      `${enterprise}:?`,
      `${enterprise}:department`,
      `${enterprise}:manager.value`,
      'urn:ietf:params:scim:schemas:extension:sap:2.0:User:?',
      'userName',
    ].toSorted(),
    userName: 'u',
  });
});

const paths = [
  ['emails[type eq "work"].value', 'emails.value'],
  ['emails[type eq "a]b" and value co "\\"]x"]', 'emails'],
  [`${enterprise}:manager.displayName`, `${enterprise}:manager.displayName`],
  [enterprise, `${enterprise}:?`],
  ['name.familyName', 'name.familyName'],
  ['emails[type eq "work"', '?'],
  ['emails[value eq "x"]garbage', '?'],
  ['', undefined],
] as const;

for (const [path, told] of paths) {
  test(`the path ${JSON.stringify(path)} is told as ${told ?? 'nothing'}`, () => {
    assert.deepEqual(
      described('patch', patchOf({ op: 'remove', path }))?.paths,
      told === undefined ? [] : [told],
    );
  });
}

const memberships = [
  [
    'added by a path',
    [{ op: 'add', path: 'members', value: [{ value: 'a' }, { value: 'b' }] }],
    { added: ['a', 'b'] },
  ],
  ['added one by one', [{ op: 'Add', path: 'Members', value: { value: 'a' } }], { added: ['a'] }],
  ['added without a path', [{ op: 'add', value: { members: [{ Value: 'a' }] } }], { added: ['a'] }],
  ['removed by a filter', [{ op: 'remove', path: 'members[value eq "a"]' }], { removed: ['a'] }],
  [
    'removed by alternatives',
    [{ op: 'remove', path: 'members[Value EQ "a" OR value eq "b or c"]' }],
    { removed: ['a', 'b or c'] },
  ],
  ['removed by a list', [{ op: 'remove', path: 'members', value: [{ value: 'a' }] }], { removed: ['a'] }],
  ['set', [{ op: 'replace', path: 'members', value: [{ value: 'a' }] }], { set: ['a'] }],
  [
    'exchanged',
    [{ op: 'replace', path: 'members[value eq "a"]', value: { value: 'b' } }],
    { removed: ['a'], added: ['b'] },
  ],
] as const;

for (const [name, operations, expected] of memberships) {
  test(`members that are ${name} are counted and named`, () => {
    const change = described('patch', patchOf(...operations));
    const told = Object.fromEntries(
      (['added', 'removed', 'set'] as const).flatMap((what) => {
        const named = change?.[what];
        assert.equal(named?.count, named?.ids.length);
        return named ? [[what, named.ids]] : [];
      }),
    );
    assert.deepEqual(told, expected);
    assert.deepEqual(change?.paths, ['members']);
  });
}

test('that all members go, or those that a filter finds, is told without a number', () => {
  assert.equal(described('patch', patchOf({ op: 'remove', path: 'members' }))?.removedUnnamed, 'all');
  const filtered = described('patch', patchOf({ op: 'remove', path: 'members[display sw "A"]' }));
  assert.equal(filtered?.removedUnnamed, 'by filter');
});

test('a group of 20,000 members is counted whole and listed in part, in a record that fits', async () => {
  await using opened = await openTrail();
  const members = Array.from({ length: 20_000 }, (_, n) => ({ value: `user-${n}` }));
  const entry = opened.trail.open(aCall({ method: 'PUT' }));
  entry.add({
    operation: anOperation({ kind: 'replace', effect: 'write', resourceType: 'Groups', id: 'g' }),
    body: Buffer.from(JSON.stringify({ displayName: 'everybody', members })),
  });
  await entry.intend(upstreamCall);
  await entry.close({ status: 200 });

  const record = (await readRecords(opened.directory)).at(-1);
  // A record's type has no members of kinds; what stands in this one is what is asserted.
  const { op } = record as unknown as {
    op: { change: { members: { set: { count: number; ids: string[] } } } };
  };
  assert.equal(op.change.members.set.count, 20_000);
  assert.equal(op.change.members.set.ids.length, 200);
  assert.ok(JSON.stringify(record).length < 16_384);
});

test('each part of a bulk request tells what it changes', async () => {
  await using opened = await openTrail();
  const parts = [
    anOperation({ kind: 'patch', effect: 'write', resourceType: 'Users', id: 'u1' }),
    anOperation({ kind: 'delete', effect: 'write', resourceType: 'Users', id: 'u2' }),
    anOperation({ kind: 'create', effect: 'write', resourceType: 'Groups' }),
  ];
  const body = {
    Operations: [
      { method: 'PATCH', path: '/Users/u1', data: patchOf({ op: 'replace', path: 'active', value: true }) },
      { method: 'DELETE', path: '/Users/u2' },
      {
        method: 'POST',
        path: '/Groups',
        bulkId: 'b',
        data: { displayName: 'CANARY', members: [{ value: 'u1' }] },
      },
    ],
  };
  const entry = opened.trail.open(aCall({ method: 'POST' }));
  entry.add({
    operation: anOperation({ kind: 'bulk', effect: 'write', resourceType: '*', parts }),
    body: Buffer.from(JSON.stringify(body)),
  });
  await entry.close({ status: 200 });

  const record = (await readRecords(opened.directory)).at(-1);
  // As above: the assertion is on what stands there.
  const { op } = record as unknown as { op: { parts: { change: { paths: string[]; active?: boolean } }[] } };
  assert.deepEqual(
    op.parts.map(({ change }) => change.paths),
    [['active'], [], ['displayName', 'members']],
  );
  assert.equal(op.parts[0]?.change.active, true);
  assert.ok(!JSON.stringify(record).includes('CANARY'));
});

test('a read and what is no SCIM tell no change', () => {
  const body = Buffer.from('{"active":false}');
  assert.deepEqual(changesOf(anOperation({ kind: 'search', effect: 'read' }), body), []);
  assert.deepEqual(changesOf(anOperation({ api: 'real-time', kind: 'notify', effect: 'write' }), body), []);
});
