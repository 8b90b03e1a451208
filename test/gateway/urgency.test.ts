/** Who is switched off goes first and is counted: urgency and the guard know the same spellings. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { changesOf } from '../../src/audit/change.ts';
import { urgencyOf } from '../../src/gateway/urgency.ts';
import { lossesOf } from '../../src/guard/loss.ts';
import { priorities, understand, type Operation } from '../../src/scim/operation.ts';
import { noQuery } from '../../src/scim/target.ts';

const core = 'urn:ietf:params:scim:schemas:core:2.0:User';
const system = { id: 'a', tenant: 't', kind: 'ips', resourceTypes: ['Users', 'Groups'] } as const;

function operation(method: string, ...below: string[]): Operation {
  const segments = ['ipsproxy', 'service', 'api', 'v1', 'scim', 'a', ...below];
  return understand(method, { segments, query: noQuery }, () => system, 't');
}

const patch = (...operations: unknown[]): unknown => ({ Operations: operations });

for (const [name, method, body] of [
  ['a PATCH with a path', 'PATCH', patch({ op: 'replace', path: 'active', value: false })],
  ['a PATCH with the whole name', 'PATCH', patch({ op: 'replace', path: `${core}:active`, value: false })],
  ['a PATCH without a path', 'PATCH', patch({ op: 'replace', value: { active: false } })],
  ['a PATCH by an addition', 'PATCH', patch({ op: 'Add', path: 'Active', value: 'False' })],
  [
    'a PATCH among others',
    'PATCH',
    patch({ op: 'remove', path: 'title' }, { op: 'replace', value: { Active: false } }),
  ],
  [
    'a PATCH that changes its mind',
    'PATCH',
    patch({ op: 'replace', path: 'active', value: true }, { op: 'replace', path: 'active', value: false }),
  ],
  ['a PATCH by a list', 'PATCH', patch({ op: 'Replace', path: 'active', value: [{ value: 'False' }] })],
  ['a PATCH by a bare list', 'PATCH', patch({ op: 'replace', path: 'active', value: ['false'] })],
  ['a PATCH by a member', 'PATCH', patch({ op: 'replace', path: 'active', value: { value: false } })],
  ['a PATCH of the part', 'PATCH', patch({ op: 'replace', path: 'active.value', value: false })],
  ['a PATCH below the schema', 'PATCH', patch({ op: 'replace', value: { [core]: { active: false } } })],
  ['a PATCH at the schema', 'PATCH', patch({ op: 'replace', path: core, value: { active: false } })],
  ['a PATCH by the whole name', 'PATCH', patch({ op: 'replace', value: { [`${core}:active`]: false } })],
  ['a PATCH by a list of resources', 'PATCH', patch({ op: 'add', value: [{ active: ' FALSE ' }] })],
  ['a PATCH by a number', 'PATCH', patch({ op: 'replace', path: 'active', value: 0 })],
  ['a PATCH by a list of both', 'PATCH', patch({ op: 'add', path: 'active', value: [true, false] })],
  [
    'a PATCH of two spellings',
    'PATCH',
    patch({ op: 'replace', value: { active: false, [`${core}:active`]: true } }),
  ],
  [
    'a PATCH with an operation behind it that nobody knows',
    'PATCH',
    patch({ op: 'replace', path: 'active', value: false }, { op: 'test', path: 'active', value: true }),
  ],
  ['a PUT', 'PUT', { userName: 'a', active: false }],
  ['a PUT below the schema', 'PUT', { userName: 'a', [core]: { active: 'false' } }],
  ['a PUT of two spellings', 'PUT', { active: false, [core]: { active: true } }],
] as const)
  test(`${name} that sets active to false is as urgent as a deletion, and the guard counts it`, () => {
    const asked = operation(method, 'Users', '1');
    const bytes = Buffer.from(JSON.stringify(body));
    assert.equal(urgencyOf(asked, bytes), priorities.delete);
    assert.deepEqual(lossesOf(asked, changesOf(asked, bytes)), [
      { kind: 'deactivation', resourceType: 'Users', amount: 1 },
    ]);
  });

for (const [name, method, body] of [
  ['a PUT of an active user', 'PUT', { active: true }],
  ['a PUT that says nothing of it', 'PUT', { userName: 'active' }],
  [
    'a PATCH that switches on in the end',
    'PATCH',
    patch({ op: 'replace', path: 'active', value: false }, { op: 'replace', path: 'active', value: true }),
  ],
  [
    'a PATCH of something else',
    'PATCH',
    patch({ op: 'replace', path: 'emails[primary eq true].active', value: false }),
  ],
  ['a removal', 'PATCH', patch({ op: 'remove', path: 'active' })],
  ['a body of another shape', 'PATCH', [false]],
  ['a body without meaning', 'PATCH', { Operations: [null, 1, { op: {}, path: [], value: null }] }],
] as const)
  test(`${name} is a write like others`, () => {
    assert.equal(
      urgencyOf(operation(method, 'Users', '1'), Buffer.from(JSON.stringify(body))),
      priorities.write,
    );
  });

test('what is not JSON, is missing or very long keeps its priority', () => {
  const write = operation('PATCH', 'Groups', '1');
  const long = JSON.stringify({
    Operations: [{ op: 'replace', path: 'active', value: false, note: 'x'.repeat(70_000) }],
  });
  for (const body of [undefined, Buffer.from('{"active":fal'), Buffer.from(long)])
    assert.equal(urgencyOf(write, body), priorities.write);
  assert.equal(urgencyOf(operation('DELETE', 'Users', '1'), undefined), priorities.delete);
  const created = Buffer.from(JSON.stringify({ active: false }));
  assert.equal(
    urgencyOf(operation('POST', 'Users'), created),
    priorities.write,
    'nobody is switched off by a creation',
  );
});
