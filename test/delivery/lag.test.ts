/** A destination that works and yet does not keep up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LagWatch } from '../../src/delivery/lag.ts';

function stage() {
  const told: string[] = [];
  let state: { working: boolean; lagSeconds: number; lagRecords: number } | undefined;
  const watch = new LagWatch(
    () => new Map(state ? [['siem', state]] : []),
    (event, { destination }) => void told.push(`${event} ${String(destination)}`),
  );
  const look = (lagSeconds?: number, working = true): void => {
    state = lagSeconds === undefined ? undefined : { working, lagSeconds, lagRecords: 7 };
    watch.check();
  };
  return { told, look, [Symbol.dispose]: () => watch[Symbol.dispose]() };
}

const [lagging, caughtUp] = ['audit.delivery_lagging siem', 'audit.delivery_caught_up siem'];

test('a destination that falls far behind is told once, and once that it has caught up', () => {
  using place = stage();
  for (const seconds of [0, 899, 901, 5000, 100, 902]) place.look(seconds);
  assert.deepEqual(place.told, [lagging]);
  for (const seconds of [59, 0]) place.look(seconds);
  assert.deepEqual(place.told, [lagging, caughtUp]);
});

test('a destination that takes nothing is told by its health alone', () => {
  using place = stage();
  place.look(5000, false);
  assert.deepEqual(place.told, []);
});

test('a destination that is gone does not catch up', () => {
  using place = stage();
  for (const seconds of [5000, undefined, 0]) place.look(seconds);
  assert.deepEqual(place.told, [lagging]);
});
