/** What counts as arrived, and what is sent again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BackOff } from '../../src/delivery/back-off.ts';
import { Horizon } from '../../src/delivery/horizon.ts';
import { beginningOf, type Place } from '../../src/delivery/place.ts';

const begin = beginningOf('c');
const at = (seq: number): Place => ({ ...begin, seq });

test('where the destination confirms, what was sent has arrived', () => {
  const horizon = new Horizon(begin, 0);
  horizon.sent(at(5), 0);
  assert.equal(horizon.safe.seq, 5);
  assert.equal(horizon.isDue(1e9), false);
});

test('nothing is safe until it was read, however old it is', () => {
  const horizon = new Horizon(begin, 30_000);
  horizon.sent(at(5), 0);
  horizon.settle(1e9);
  assert.equal(horizon.safe.seq, 0);
  assert.ok(horizon.isDue(1e9));
});

test('nothing is safe within the span, even when it was read', () => {
  const horizon = new Horizon(begin, 30_000);
  horizon.sent(at(5), 0);
  horizon.sent(at(9), 20_000);
  horizon.prove();
  horizon.settle(29_999);
  assert.equal(horizon.safe.seq, 0);
  horizon.settle(30_000);
  assert.equal(horizon.safe.seq, 5);
  horizon.settle(50_000);
  assert.equal(horizon.safe.seq, 9);
});

test('what was sent after the proof waits for the next one', () => {
  const horizon = new Horizon(begin, 30_000);
  horizon.sent(at(5), 0);
  horizon.prove();
  horizon.sent(at(6), 100);
  horizon.settle(1e9);
  assert.equal(horizon.safe.seq, 5);
});

test('a break takes back all that is not safe', () => {
  const horizon = new Horizon(begin, 30_000);
  horizon.sent(at(5), 0);
  horizon.prove();
  horizon.settle(30_000);
  horizon.sent(at(8), 40_000);
  assert.equal(horizon.rewind().seq, 5);
  horizon.prove();
  horizon.settle(1e9);
  assert.equal(horizon.safe.seq, 5);
});

test('steady traffic leaves few marks, and the safe place follows it', () => {
  const horizon = new Horizon(begin, 30_000);
  for (let ms = 0; ms <= 120_000; ms += 10) {
    horizon.sent(at(ms), ms);
    if (horizon.isDue(ms)) horizon.prove();
    horizon.settle(ms);
  }
  assert.ok(horizon.safe.seq > 120_000 - 65_000, String(horizon.safe.seq));
  assert.ok(horizon.safe.seq <= 90_000);
});

test('tries come less often, never less often than every half minute, unless the destination asks for it', () => {
  const backOff = new BackOff();
  const waits = Array.from({ length: 20 }, () => backOff.next(0));
  assert.ok(waits.every((ms) => ms <= 30_000));
  assert.ok((waits[0] ?? 0) <= 500);
  assert.ok(waits.slice(8).every((ms) => ms >= 15_000));
  assert.equal(backOff.next(120_000), 120_000);
  assert.equal(backOff.next(1e9), 300_000);
  backOff.reset();
  assert.ok(backOff.next(0) <= 500);
});
