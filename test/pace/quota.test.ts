import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { carryOver, createQuota, retryAfterMs, spendTurn, spendUntil, turnAt } from '../../src/pace/quota.ts';

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

test('changing the quota to and fro gives nobody more than the most permissive of them', () => {
  const quotas = [
    { perMinute: 140, burst: 10 },
    { perMinute: 100, burst: 50 },
    { perMinute: 50, burst: 10 },
    { perMinute: 149, burst: 1 },
  ].map((limits) => createQuota({ ...limits, minuteMs: 60_000 }));
  const step = fc.record({
    idleUs: fc.oneof(fc.constant(0), fc.nat({ max: 40_000_000 })),
    turns: fc.nat({ max: 60 }),
    quota: fc.constantFrom(...quotas),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let now = 0;
      let spentUntil = 0;
      let inForce = createQuota({ perMinute: 140, burst: 10, minuteMs: 60_000 });
      const turns: number[] = [];
      for (const { idleUs, turns: wanted, quota } of steps) {
        const until = now + idleUs;
        for (let turn = 0; turn < wanted && turnAt(inForce, spentUntil, now) <= until; turn += 1) {
          now = turnAt(inForce, spentUntil, now);
          spentUntil = spendTurn(inForce, spentUntil, now);
          turns.push(now);
        }
        now = until;
        spentUntil = carryOver(inForce, quota, spentUntil, now);
        inForce = quota;
      }
      for (const from of turns)
        assert.ok(turns.filter((at) => at >= from && at < from + 60_000_000).length <= 150);
    }),
    { numRuns: 500 },
  );
});

test('another quota takes over what is saved up, in turns', () => {
  const old = createQuota({ perMinute: 60, burst: 10, minuteMs: 60_000 });
  const spentUntil = spendTurn(old, spendTurn(old, 0, 0), 0);
  const atOnce = (perMinute: number, burst: number): number => {
    const quota = createQuota({ perMinute, burst, minuteMs: 60_000 });
    const spent = carryOver(old, quota, spentUntil, 0);
    return Array.from({ length: 100 }, (_, ahead) => turnAt(quota, spent, 0, ahead)).filter((at) => at === 0)
      .length;
  };
  assert.deepEqual([atOnce(60, 10), atOnce(120, 10), atOnce(30, 10)], [8, 8, 8]);
  assert.equal(atOnce(60, 20), 8, 'a larger burst has to be saved up');
  assert.equal(atOnce(60, 5), 3, 'what was spent is spent of the smaller burst too');
});

test('no limit leaves nothing saved up for a limit that follows', () => {
  const unlimited = createQuota({ perMinute: Infinity, burst: 1, minuteMs: 60_000 });
  assert.equal(turnAt(unlimited, spendTurn(unlimited, 0, 7), 7), 7);
  const limited = createQuota({ perMinute: 60, burst: 10, minuteMs: 60_000 });
  const spentUntil = carryOver(unlimited, limited, 7, 7);
  assert.deepEqual(
    [0, 1].map((ahead) => turnAt(limited, spentUntil, 7, ahead)),
    [7, 1_000_007],
  );
});

const now = Date.UTC(2026, 10, 21, 12, 0, 0);
for (const [value, ms] of [
  ['7', 7000],
  [' 30 ', 30_000],
  ['0', 1000],
  ['3600', 120_000],
  ['999999999', 120_000],
  ['999999999999', 120_000],
  ['Sat, 21 Nov 2026 12:00:20 GMT', 20_000],
  ['Sat, 21 Nov 2026 11:00:00 GMT', 1000],
  ['Sat, 21 Nov 2026 18:00:00 GMT', 120_000],
  ['Saturday, 21-Nov-26 12:00:20 GMT', 20_000],
  ['Sat Nov 21 12:00:20 2026', 20_000],
  ['Sun Nov  1 12:00:20 2026', 1000],
  ['Sat Nov 21 12:00:20 2026 +0300', 10_000],
  [undefined, 10_000],
  ['', 10_000],
  ['soon', 10_000],
  ['-5', 10_000],
  ['1.5', 10_000],
  ['1e9', 10_000],
  ['9'.repeat(400), 120_000],
  ['2026-11-21T12:00:20Z', 10_000],
  ['Xyz, 99 Abc 2026 99:99:99 GMT', 10_000],
] as const)
  test(`Retry-After ${value?.slice(0, 40)} is a wait of ${ms} ms`, () => {
    assert.equal(retryAfterMs(value, now), ms);
  });
