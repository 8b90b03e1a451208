import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { createQuota, retryAfterMs, spendTurn, spendUntil, turnAt } from '../../src/pace/quota.ts';

test('any span of time sees at most the burst and one turn for each interval', () => {
  const quotas = fc.record({
    perMinute: fc.integer({ min: 1, max: 1000 }),
    burst: fc.integer({ min: 1, max: 50 }),
    minuteMs: fc.constantFrom(60_000, 6000, 1000),
  });
  const pauses = fc.array(fc.nat({ max: 3_000_000 }), { minLength: 30, maxLength: 300 });
  fc.assert(
    fc.property(quotas, pauses, fc.nat(), (given, idles, start) => {
      const quota = createQuota(given);
      const turns: number[] = [];
      let now = start;
      let spentUntil = 0;
      for (const idle of idles) {
        now = turnAt(quota, spentUntil, now);
        spentUntil = spendTurn(quota, spentUntil, now);
        turns.push(now);
        now += idle % 3 === 0 ? idle : 0;
      }
      const minuteUs = given.minuteMs * 1000;
      const most = Math.max(
        ...turns.map((from) => turns.filter((at) => at >= from && at < from + minuteUs).length),
      );
      assert.ok(most <= given.perMinute + given.burst, `${most} turns`);
    }),
  );
});

test('a prediction is the instant at which the turn comes when nothing else happens', () => {
  const quota = createQuota({ perMinute: 140, burst: 10, minuteMs: 60_000 });
  let spentUntil = spendTurn(quota, 0, 5000);
  const predicted = Array.from({ length: 30 }, (_, ahead) => turnAt(quota, spentUntil, 5000, ahead));
  const taken = predicted.map(() => {
    const at = turnAt(quota, spentUntil, 5000);
    spentUntil = spendTurn(quota, spentUntil, at);
    return at;
  });
  assert.deepEqual(predicted, taken);
});

test('after a pause turns come one by one', () => {
  const quota = createQuota({ perMinute: 60, burst: 10, minuteMs: 60_000 });
  const spentUntil = spendUntil(quota, 0, 7_000_000);
  const next = [0, 1, 2].map((ahead) => turnAt(quota, spentUntil, 0, ahead));
  assert.deepEqual(next, [7_000_000, 8_000_000, 9_000_000]);
});

const now = Date.UTC(2026, 10, 21, 12, 0, 0);
for (const [value, ms] of [
  ['7', 7000],
  [' 30 ', 30_000],
  ['0', 1000],
  ['3600', 120_000],
  ['999999999', 120_000],
  ['Sat, 21 Nov 2026 12:00:20 GMT', 20_000],
  ['Sat, 21 Nov 2026 11:00:00 GMT', 1000],
  ['Sat, 21 Nov 2026 18:00:00 GMT', 120_000],
  [undefined, 10_000],
  ['', 10_000],
  ['soon', 10_000],
  ['-5', 10_000],
  ['1.5', 10_000],
  ['1e9', 10_000],
  ['9'.repeat(400), 10_000],
  ['2026-11-21T12:00:20Z', 10_000],
  ['Xyz, 99 Abc 2026 99:99:99 GMT', 10_000],
] as const)
  test(`Retry-After ${value?.slice(0, 40)} is a wait of ${ms} ms`, () => {
    assert.equal(retryAfterMs(value, now), ms);
  });
