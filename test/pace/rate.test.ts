import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Rate } from '../../src/pace/rate.ts';

const second = 1_000_000;

test('a gap is believed at the beginning, and follows the turns that come', () => {
  const rate = new Rate(10 * second);
  rate.begin(0, 0.4 * second);
  assert.equal(rate.gapUs(0), 0.4 * second);
  for (let at = 1; at <= 40; at += 1) rate.count(at * second);
  assert.ok(Math.abs((rate.gapUs(40 * second) ?? 0) - second) < 0.1 * second, `${rate.gapUs(40 * second)}`);
});

test('without turns the gap grows', () => {
  const rate = new Rate(10 * second);
  rate.begin(0, second);
  const [soon = 0, later = 0] = [5, 20].map((at) => rate.gapUs(at * second));
  assert.ok(soon > second && later > 2 * soon, `${soon}, ${later}`);
});

test('what was learnt ends with the waiting', () => {
  const rate = new Rate(10 * second);
  rate.begin(0, second);
  rate.end();
  rate.count(second);
  assert.equal(rate.gapUs(second), undefined);
  rate.begin(60 * second, 2 * second);
  assert.equal(rate.gapUs(60 * second), 2 * second);
});
