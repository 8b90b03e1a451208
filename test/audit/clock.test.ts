/** The clock of the day against the one that never jumps. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { watchClock } from '../../src/audit/clock.ts';
import { eventually } from '../support/eventually.ts';

test('a clock that is set is noticed once, with the step', async () => {
  let [day, mono] = [1_000_000, 0];
  const steps: number[] = [];
  using _ = watchClock((step) => steps.push(step), { day: () => day, mono: () => mono }, 5);
  day += 60_000;
  mono += 60_000;
  await sleep(30);
  assert.deepEqual(steps, []);
  day -= 3_600_000;
  await eventually(() => Promise.resolve(steps.length > 0));
  await sleep(30);
  assert.deepEqual(steps, [-3_600_000]);
});

test('a clock that is slewed is not told', async () => {
  let day = 0;
  const steps: number[] = [];
  using _ = watchClock((step) => steps.push(step), { day: () => (day += 100), mono: () => 0 }, 2);
  await sleep(50);
  assert.deepEqual(steps, []);
});
