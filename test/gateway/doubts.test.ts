import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Doubts } from '../../src/gateway/doubts.ts';
import { understand, type Operation } from '../../src/scim/operation.ts';
import { noQuery } from '../../src/scim/target.ts';

const system = { id: 's1', tenant: 't', kind: 'ips', resourceTypes: ['Users'] } as const;
const target = { segments: ['ipsproxy', 'api', 'v1', 'scim', 's1', 'Users', '1'], query: noQuery };
const operation = understand('PUT', target, () => system, 't');

test('what is read while a write is in doubt is forgotten every five seconds, until the tenant must be done', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const forgotten: Operation[] = [];
  using doubts = new Doubts({ forget: async (touched) => void forgotten.push(touched) });
  doubts.raise(operation, 12_000);
  for (let second = 1; second <= 60; second += 1) {
    now += 1000;
    t.mock.timers.tick(1000);
  }
  assert.deepEqual(forgotten, [operation, operation, operation]);
});
