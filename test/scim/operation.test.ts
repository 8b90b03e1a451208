/** What a write makes stale of what is remembered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { understand, type SystemFacts, type Touch } from '../../src/scim/operation.ts';
import { noQuery } from '../../src/scim/target.ts';

const system: SystemFacts = { id: 'acme', tenant: 'eu', kind: 'ips', resourceTypes: ['Users', 'Groups'] };
const api = ['ipsproxy', 'service', 'api', 'v1', 'scim', 'acme'];

function touchesOf(method: string, ...path: readonly string[]): readonly Touch[] {
  return understand(method, { segments: [...api, ...path], query: noQuery }, () => system, 'eu').touches;
}

test('the end of a group makes stale what is remembered of each other group: it may have been a member', () => {
  const touches = touchesOf('DELETE', 'Groups', '1');
  for (const resourceType of ['Groups', 'Users'])
    assert.ok(touches.some((touch) => touch.scope === 'all' && touch.resourceType === resourceType));
});

test('what else is written to a group, and the end of a user, leave other resources of the type', () => {
  for (const [method, type] of [
    ['PATCH', 'Groups'],
    ['PUT', 'Groups'],
    ['DELETE', 'Users'],
  ] as const)
    assert.deepEqual(touchesOf(method, type, '1'), [
      { scope: 'one', resourceType: type, id: '1' },
      { scope: 'lists', resourceType: type },
      { scope: 'all', resourceType: type === 'Users' ? 'Groups' : 'Users' },
    ]);
});
