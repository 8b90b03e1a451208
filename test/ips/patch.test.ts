/** PATCH of RFC 7644 §3.5.2 as a table, with the liberties that real consumers take. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { applyPatch } from '../../src/ips/patch.ts';
import { BackendFailure } from '../../src/ips/refusal.ts';
import type { Resource } from '../../src/ips/resource.ts';
import { patchOf } from './started-tenant.ts';

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const jane: Resource = {
  id: '1',
  userName: 'jane',
  name: { givenName: 'Jane', familyName: 'Doe' },
  emails: [
    { value: 'j@work', type: 'work', primary: true },
    { value: 'j@home', type: 'home' },
  ],
  [enterprise]: { department: 'Sales', manager: { value: '7' } },
};
const clerks: Resource = { id: 'g', displayName: 'Clerks', members: [{ value: 'a' }, { value: 'b' }] };

interface Row {
  readonly does: string;
  readonly to?: Resource;
  readonly patch: unknown;
  /** The attributes that differ afterwards; `undefined` for one that is gone. */
  readonly gives: Record<string, unknown>;
}

const rows: readonly Row[] = [
  {
    does: 'replaces an attribute',
    patch: { op: 'replace', path: 'userName', value: 'janet' },
    gives: { userName: 'janet' },
  },
  {
    does: 'takes an op and a name in any case',
    patch: { op: 'Replace', path: 'USERNAME', value: 'janet' },
    gives: { userName: 'janet' },
  },
  {
    does: 'replaces below a complex attribute',
    patch: { op: 'replace', path: 'name.givenName', value: 'J.' },
    gives: { name: { givenName: 'J.', familyName: 'Doe' } },
  },
  {
    does: 'adds an attribute that was not there',
    patch: { op: 'add', path: 'title', value: 'Dr.' },
    gives: { title: 'Dr.' },
  },
  {
    does: 'merges a complex value on add',
    patch: { op: 'add', path: 'name', value: { middleName: 'Q' } },
    gives: { name: { givenName: 'Jane', familyName: 'Doe', middleName: 'Q' } },
  },
  {
    does: 'replaces without a path, dotted names included',
    patch: { op: 'replace', value: { active: false, 'name.familyName': 'Roe' } },
    gives: { active: false, name: { givenName: 'Jane', familyName: 'Roe' } },
  },
  {
    does: 'replaces inside an extension',
    patch: { op: 'replace', path: `${enterprise}:department`, value: 'IT' },
    gives: { [enterprise]: { department: 'IT', manager: { value: '7' } } },
  },
  {
    does: 'adds a whole extension value without a path',
    patch: { op: 'add', value: { [enterprise]: { costCenter: 'C1' } } },
    gives: { [enterprise]: { department: 'Sales', manager: { value: '7' }, costCenter: 'C1' } },
  },
  {
    does: 'replaces the sub-attribute of the chosen element',
    patch: { op: 'replace', path: 'emails[type eq "home"].value', value: 'new@home' },
    gives: {
      emails: [
        { value: 'j@work', type: 'work', primary: true },
        { value: 'new@home', type: 'home' },
      ],
    },
  },
  {
    does: 'removes the chosen element',
    patch: { op: 'remove', path: 'emails[type eq "home"]' },
    gives: { emails: [{ value: 'j@work', type: 'work', primary: true }] },
  },
  {
    does: 'has one primary after another one is added',
    patch: { op: 'add', path: 'emails', value: [{ value: 'x@y', primary: true }] },
    gives: {
      emails: [
        { value: 'j@work', type: 'work', primary: false },
        { value: 'j@home', type: 'home' },
        { value: 'x@y', primary: true },
      ],
    },
  },
  { does: 'removes an attribute', patch: { op: 'remove', path: 'emails' }, gives: { emails: undefined } },
  { does: 'removes what is not there without complaint', patch: { op: 'remove', path: 'title' }, gives: {} },
  {
    does: 'adds a member once',
    to: clerks,
    patch: { op: 'add', path: 'members', value: [{ value: 'b' }, { value: 'c' }] },
    gives: { members: [{ value: 'a' }, { value: 'b' }, { value: 'c' }] },
  },
  {
    does: 'adds a single member that is not in an array',
    to: clerks,
    patch: { op: 'add', path: 'members', value: { value: 'c' } },
    gives: { members: [{ value: 'a' }, { value: 'b' }, { value: 'c' }] },
  },
  {
    does: 'removes a member by filter',
    to: clerks,
    patch: { op: 'remove', path: 'members[value eq "a"]' },
    gives: { members: [{ value: 'b' }] },
  },
  {
    does: 'removes members that the value names',
    to: clerks,
    patch: { op: 'Remove', path: 'members', value: [{ value: 'a' }] },
    gives: { members: [{ value: 'b' }] },
  },
  {
    does: 'removes a member that is none without complaint',
    to: clerks,
    patch: { op: 'remove', path: 'members[value eq "z"]' },
    gives: {},
  },
  {
    does: 'replaces all members',
    to: clerks,
    patch: { op: 'replace', path: 'members', value: [{ value: 'z' }] },
    gives: { members: [{ value: 'z' }] },
  },
];

for (const { does, to = jane, patch, gives } of rows)
  test(`a patch ${does}`, () => {
    const before = structuredClone(to);
    const expected: Record<string, unknown> = { ...to, ...gives };
    for (const [name, value] of Object.entries(gives)) if (value === undefined) delete expected[name];
    assert.deepEqual(applyPatch(to, patchOf(patch)), expected);
    assert.deepEqual(to, before, 'the input is untouched');
  });

const refused: readonly (readonly [what: string, patch: unknown, scimType: string])[] = [
  ['without operations', {}, 'invalidSyntax'],
  ['with an unknown op', patchOf({ op: 'move', path: 'userName', value: 1 }), 'invalidSyntax'],
  ['that removes without a path', patchOf({ op: 'remove' }), 'noTarget'],
  ['that adds without a value', patchOf({ op: 'add', path: 'title' }), 'invalidSyntax'],
  ['of the id', patchOf({ op: 'replace', path: 'id', value: '2' }), 'mutability'],
  [
    'of elements that are not there',
    patchOf({ op: 'replace', path: 'emails[type eq "x"].value', value: 'y' }),
    'noTarget',
  ],
  ['that leads out of the resource', patchOf({ op: 'add', path: '__proto__.x', value: 1 }), 'invalidPath'],
  [
    'that leads out of the resource without a path',
    patchOf({ op: 'add', value: JSON.parse('{"__proto__":{"x":1}}') }),
    'invalidPath',
  ],
  ['with a broken path', patchOf({ op: 'replace', path: 'emails[type eq', value: 'y' }), 'invalidPath'],
  ['with a broken filter', patchOf({ op: 'remove', path: 'emails[type is "x"]' }), 'invalidFilter'],
];

for (const [what, patch, scimType] of refused)
  test(`a patch ${what} is refused as ${scimType}`, () => {
    assert.throws(
      () => applyPatch(jane, patch),
      (error) => error instanceof BackendFailure && error.answer.includes(`"scimType":"${scimType}"`),
    );
  });

const words = fc.constantFrom(
  'op',
  'path',
  'value',
  'members',
  'name.givenName',
  'emails[type eq "work"]',
  '[',
  'Add',
);
const json = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('add', 'remove', 'replace', 'userName', '__proto__', 'emails[value eq "x"].type'),
    words,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(words, fc.constant('__proto__')), tie('any'), { maxKeys: 4 }),
  ),
})).any;

test('whatever a patch says, it is applied or refused, and nothing but the copy changes', () => {
  const operation = fc.record({ op: json, path: json, value: json }, { requiredKeys: [] });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 3 }), (operations) => {
      const before = structuredClone(jane);
      try {
        JSON.stringify(applyPatch(jane, patchOf(...operations)));
      } catch (error) {
        assert.ok(error instanceof BackendFailure, String(error));
      }
      assert.deepEqual(jane, before);
      assert.deepEqual(Object.keys(Object.prototype), []);
    }),
    { numRuns: 500 },
  );
});
