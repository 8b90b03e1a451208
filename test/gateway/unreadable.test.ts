/** Values in Redis that somebody else wrote: told at once, and not once for each. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Unreadable, type UnreadableFacts } from '../../src/gateway/unreadable.ts';

test('the first is told at once, and a flood of others in one record for ten seconds', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 });
  const told: UnreadableFacts[] = [];
  using unreadable = new Unreadable((facts) => told.push(facts));
  unreadable.report();
  assert.deepEqual(
    told.map(({ count }) => count),
    [1],
  );
  t.mock.timers.tick(3000);
  for (let time = 0; time < 1000; time += 1) unreadable.report();
  t.mock.timers.tick(7000);
  assert.deepEqual(told[1], {
    count: 1000,
    firstAt: '1970-01-01T00:00:03.000Z',
    lastAt: '1970-01-01T00:00:03.000Z',
  });
  t.mock.timers.tick(20_000);
  assert.equal(told.length, 2);
  unreadable.report();
  assert.equal(told.length, 3);
});

test('what was not told yet is told at the end', () => {
  const told: UnreadableFacts[] = [];
  const unreadable = new Unreadable((facts) => told.push(facts));
  for (let time = 0; time < 5; time += 1) unreadable.report();
  unreadable[Symbol.dispose]();
  assert.deepEqual(
    told.map(({ count }) => count),
    [1, 4],
  );
});
