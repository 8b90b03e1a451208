/** A caller can tell a resource that exists from a request that is bad, whatever layer says so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Operation } from '../../src/scim/operation.ts';
import { tellConflict } from '../../src/writes/conflict.ts';

const schemas = ['urn:ietf:params:scim:api:messages:2.0:Error'];
const quoting = (status: number, answer: string): string =>
  `Failed to create entity. HTTP operation failed invoking https://backend.example.com/scim/Users with statusCode: ${status} and response: ${answer}`;
const unique = JSON.stringify({ schemas, status: '409', scimType: 'uniqueness', detail: 'exists' });

function told(kind: Operation['kind'], status: number, detail: string, more: object = {}): unknown[] {
  const body = Buffer.from(JSON.stringify({ schemas, detail, status, ...more }));
  const reply = tellConflict({ kind } as Operation, { status, headers: {}, body });
  const error = JSON.parse(reply.body.toString());
  assert.equal(error.detail, detail, 'the tenant’s detail stays');
  return [reply.status, error.status, error.scimType];
}

for (const [what, got, expected] of [
  ['a create’s 409', () => told('create', 409, quoting(409, unique)), [409, 409, 'uniqueness']],
  ['a create’s 409 of no known backend', () => told('create', 409, 'exists'), [409, 409, 'uniqueness']],
  [
    'a 400 that quotes uniqueness',
    () => told('create', 400, quoting(400, unique)),
    [409, '409', 'uniqueness'],
  ],
  ['a 400 that quotes a 409', () => told('create', 400, quoting(409, 'exists')), [409, '409', 'uniqueness']],
  [
    'a PUT’s 409 that quotes uniqueness',
    () => told('replace', 409, quoting(409, unique)),
    [409, 409, 'uniqueness'],
  ],
  ['a PUT’s other 409', () => told('replace', 409, quoting(409, '{}')), [409, 409, undefined]],
  [
    'a 400 that is bad',
    () => told('create', 400, quoting(400, '{"scimType":"invalidValue"}')),
    [400, 400, undefined],
  ],
  [
    'what says its type itself',
    () => told('create', 409, 'x', { scimType: 'mutability' }),
    [409, 409, 'mutability'],
  ],
  ['a failure', () => told('create', 500, quoting(500, unique)), [500, 500, undefined]],
] as const)
  test(`${what} is told as ${expected.join(' ')}`, () => {
    assert.deepEqual(got(), expected);
  });
