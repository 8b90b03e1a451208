import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { BackendPace } from '../../src/pace/backend.ts';
import type { Turn } from '../../src/pace/turn.ts';
import { priorities } from '../../src/scim/operation.ts';

const turn: Turn = {
  caller: 'idm',
  priority: priorities.write,
  patienceMs: 1_000_000,
  signal: new AbortController().signal,
};

test('calls pass as they come while the backend does not complain', async (t) => {
  const world = createWorld(t);
  for (let call = 0; call < 100; call += 1) world.ask();
  await world.pass(0);
  assert.equal(world.startedAt.length, 100);
});

test('each complaint doubles the gap between calls, up to half a minute', async (t) => {
  const world = createWorld(t);
  const gaps = Array.from({ length: 8 }, () => {
    world.pace.refused(undefined);
    return world.pace.gapMs;
  });
  assert.deepEqual(gaps, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

test('after a complaint calls go up one by one, the first after the time that was named', async (t) => {
  const world = createWorld(t);
  world.pace.refused(5000);
  for (let call = 0; call < 3; call += 1) world.ask();
  await world.pass(10_000);
  assert.deepEqual(world.startedAt, [5000, 6000, 7000]);
});

test('answers without complaint make the gap smaller until it is none', async (t) => {
  const world = createWorld(t);
  world.pace.refused(undefined);
  const gaps: number[] = [];
  while (world.pace.gapMs > 0) {
    world.pace.answered();
    gaps.push(world.pace.gapMs);
  }
  assert.ok(gaps.length > 5 && gaps.length < 20, `${gaps.length} answers`);
  assert.deepEqual(
    gaps,
    gaps.toSorted((some, other) => other - some),
  );
});

function createWorld(t: TestContext) {
  t.mock.timers.reset();
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let clock = 0;
  const pace = new BackendPace({ minuteMs: 60_000, maxQueue: 1000, now: () => clock });
  const startedAt: number[] = [];
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    pace,
    startedAt,
    ask: () => void pace.run(turn, async () => void startedAt.push(clock)),
    async pass(ms: number) {
      await settle();
      for (const until = clock + ms; clock < until;) {
        clock += 100;
        t.mock.timers.tick(100);
        await settle();
      }
    },
  };
}
