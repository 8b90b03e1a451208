/** What a write takes away, read from its body as the trail reads it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { changesOf } from '../../src/audit/change.ts';
import { lossesOf } from '../../src/guard/loss.ts';
import { unfoldBulk } from '../../src/scim/bulk.ts';
import { understand, type Operation } from '../../src/scim/operation.ts';
import { noQuery } from '../../src/scim/target.ts';

const system = { id: 'S', tenant: 'acme', kind: 'scim', resourceTypes: ['Users', 'Groups'] } as const;

function operationOf(method: string, path: string): Operation {
  const segments = ['ipsproxy', 'service', 'api', 'v1', 'scim', 'S', ...path.split('/')];
  return understand(method, { segments, query: noQuery }, () => system, 'acme');
}

function told(method: string, path: string, content?: unknown) {
  const body = Buffer.from(content === undefined ? '' : JSON.stringify(content));
  const asked = operationOf(method, path);
  const operation = asked.kind === 'bulk' ? unfoldBulk(asked, body, system) : asked;
  return lossesOf(operation, changesOf(operation, body)).map(({ group, ...loss }) => ({
    ...loss,
    ...(group && { group: group.id }),
  }));
}

const shrinking = { kind: 'shrinking', resourceType: 'Groups', group: 'g1' };
const members = (...ids: string[]) => ids.map((value) => ({ value }));
const core = 'urn:ietf:params:scim:schemas:core:2.0';
const patch = (...Operations: object[]) => ({ Operations });

const rows: readonly [title: string, told: () => unknown, expected: unknown][] = [
  ['a delete', () => told('DELETE', 'Users/1'), [{ kind: 'delete', resourceType: 'Users', amount: 1 }]],
  [
    'a user that is put as inactive',
    () => told('PUT', 'Users/1', { userName: 'a', active: false }),
    [{ kind: 'deactivation', resourceType: 'Users', amount: 1 }],
  ],
  [
    'a user that a patch switches off, also in words',
    () => told('PATCH', 'Users/1', patch({ op: 'Replace', path: 'active', value: 'False' })),
    [{ kind: 'deactivation', resourceType: 'Users', amount: 1 }],
  ],
  ['a user that is put', () => told('PUT', 'Users/1', { userName: 'a', active: true }), []],
  ['a user that is created inactive', () => told('POST', 'Users', { userName: 'a', active: false }), []],
  [
    'a group that is put without members',
    () => told('PUT', 'Groups/g1', { displayName: 'a' }),
    [{ ...shrinking, stay: 0 }],
  ],
  [
    'a group that is put with one member twice',
    () => told('PUT', 'Groups/g1', { displayName: 'a', members: members('1', '1', '2') }),
    [{ ...shrinking, stay: 2 }],
  ],
  [
    'a patch that replaces all members by none',
    () => told('PATCH', 'Groups/g1', patch({ op: 'replace', path: 'members', value: [] })),
    [{ ...shrinking, stay: 0 }],
  ],
  [
    'a patch that replaces members and does not say by whom',
    () => told('PATCH', 'Groups/g1', patch({ op: 'replace', path: 'members' })),
    [{ ...shrinking, stay: 0 }],
  ],
  [
    'a patch that removes members without naming any',
    () => told('PATCH', 'Groups/g1', patch({ op: 'remove', path: 'members' })),
    [{ ...shrinking, stay: 0 }],
  ],
  [
    'a patch that removes whom a filter chooses',
    () => told('PATCH', 'Groups/g1', patch({ op: 'remove', path: 'members[display co "a"]' })),
    [{ ...shrinking, stay: 0 }],
  ],
  [
    'a patch that removes two members by their ids',
    () => told('PATCH', 'Groups/g1', patch({ op: 'remove', path: 'members', value: members('1', '2') })),
    [{ ...shrinking, amount: 2 }],
  ],
  [
    'a patch that adds members',
    () => told('PATCH', 'Groups/g1', patch({ op: 'add', path: 'members', value: members('1') })),
    [],
  ],
  [
    'a group that loses members beside being switched off',
    () =>
      told(
        'PATCH',
        'Groups/g1',
        patch({ op: 'replace', path: 'active', value: false }, { op: 'remove', path: 'members' }),
      ),
    [
      { kind: 'deactivation', resourceType: 'Groups', amount: 1 },
      { ...shrinking, stay: 0 },
    ],
  ],
  [
    'a group that is put with one member two thousand times',
    () => told('PUT', 'Groups/g1', { members: members(...Array<string>(2000).fill('1')) }),
    [{ ...shrinking, stay: 1 }],
  ],
  [
    'a group that is put with members that name nobody',
    () => told('PUT', 'Groups/g1', { members: [{}, { value: 7 }, null, ...members('1')] }),
    [{ ...shrinking, stay: 1 }],
  ],
  [
    'a group whose members are put under two spellings of the name',
    () =>
      told('PUT', 'Groups/g1', {
        [`${core}:Group:members`]: members('1', '2', '3'),
        members: members('1'),
        memberſ: members('1', '2'),
      }),
    [{ ...shrinking, stay: 1 }],
  ],
  [
    'a patch that adds members and then replaces all of them',
    () =>
      told(
        'PATCH',
        'Groups/g1',
        patch(
          { op: 'add', path: 'members', value: members('1', '2', '3') },
          { op: 'replace', path: 'members', value: members('1') },
        ),
      ),
    [{ ...shrinking, stay: 1 }],
  ],
  [
    'a patch that removes all members and then adds some',
    () =>
      told(
        'PATCH',
        'Groups/g1',
        patch({ op: 'remove', path: 'members' }, { op: 'add', path: 'members', value: members('1', '2') }),
      ),
    [{ ...shrinking, stay: 2 }],
  ],
  ...[null, []].map((value): (typeof rows)[number] => [
    `a patch that removes members by ${JSON.stringify(value)}, which is no value`,
    () => told('PATCH', 'Groups/g1', patch({ op: 'remove', path: 'members', value })),
    [{ ...shrinking, stay: 0 }],
  ]),
  [
    'a patch whose filter of members is too long to be read',
    () => {
      const chosen = Array.from({ length: 200 }, (_, at) => `value eq "m${at}"`).join(' or ');
      return told('PATCH', 'Groups/g1', patch({ op: 'remove', path: `members[${chosen}]` }));
    },
    [{ ...shrinking, stay: 0 }],
  ],
  [
    'a bulk request, whose deletes are one number for each type',
    () =>
      told('POST', 'Bulk', {
        Operations: [
          { method: 'DELETE', path: '/Users/1' },
          { method: 'DELETE', path: '/Users/2' },
          { method: 'DELETE', path: '/Groups/g2' },
          { method: 'PUT', path: '/Groups/g1', data: { displayName: 'a' } },
          { method: 'PATCH', path: '/Users/3', data: patch({ op: 'replace', value: { active: false } }) },
        ],
      }),
    [
      { kind: 'delete', resourceType: 'Users', amount: 2 },
      { kind: 'delete', resourceType: 'Groups', amount: 1 },
      { ...shrinking, stay: 0 },
      { kind: 'deactivation', resourceType: 'Users', amount: 1 },
    ],
  ],
];

for (const [title, tell, expected] of rows)
  test(`${title} is told by what it takes away`, () => assert.deepEqual(tell(), expected));
