import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Limiter, proxyLimits, type LimiterOptions } from '../../src/ips/limiter.ts';
import { Tempo } from '../../src/pace/tempo.ts';
import { randomFrom } from './simulated-replicas.ts';

const minute = 60_000;

test('alone at the tenant, the pace stays what is configured, however much answers differ', () => {
  const { shares, refused } = play({ unseen: 0, minutes: 60 });
  assert.equal(Math.min(...shares), 1);
  assert.equal(refused, 0);
});

for (const slowedBy of ['fixed', 'proportional'] as const)
  for (const unseen of [20, 40, 80, 120])
    test(`${unseen} calls a minute past the gateway make it slower, steadily (${slowedBy} delay)`, () => {
      const { shares, calls, refused } = play({ unseen, minutes: 60, limits: { slowedBy } });
      const settled = shares.slice(15 * 60);
      const mean = settled.reduce((sum, share) => sum + share, 0) / settled.length;
      const spread = Math.sqrt(settled.reduce((sum, share) => sum + (share - mean) ** 2, 0) / settled.length);
      const [left, bearable] = [(150 - unseen) / 140, (200 - unseen) / 140];
      assert.ok(mean > 0.85 * Math.min(1, left), `${mean} of ${left}: it gives away too much`);
      assert.ok(mean < 1.1 * bearable, `${mean}: it takes what leads to refusals`);
      assert.ok(spread < 0.12, `it varies by ${spread}`);
      assert.ok(refused < calls / 100, `${refused} of ${calls} refused`);
    });

test('a pace that has become slow becomes fast again when the others have gone', () => {
  const { shares } = play({ unseen: 80, minutes: 40, unseenUntil: 20 });
  const secondOf = (minutes: number): number => minutes * 60;
  assert.ok(Math.max(...shares.slice(secondOf(10), secondOf(20))) < 0.8);
  assert.equal(shares[secondOf(30)], 1, 'after ten minutes');
  assert.ok((shares[secondOf(21)] ?? 1) < 0.8, 'and not at once');
});

test('a refusal slows down at once, and a storm of them no further', () => {
  const tempo = new Tempo(minute);
  for (const ms of [0, 1, 2, 3, 10_000, 30_000]) tempo.refused(ms * 1000);
  assert.equal(tempo.share, 0.6);
  tempo.refused(minute * 1000);
  assert.ok(tempo.share < 0.6);
  for (let times = 0; times < 100; times += 1) tempo.refused(minute * 1000 * times);
  assert.equal(tempo.share, 0.1, 'something is always left');
});

test('a system that is slow by nature does not count as slowed down beside a quick one', () => {
  const tempo = new Tempo(minute);
  let now = 0;
  for (const share of [0.1, 0.9, 0.1, 0.9])
    for (let call = 0; call < 300; call += 1) {
      now += 428_000;
      const isSlowOne = call % 10 < share * 10;
      tempo.observe(isSlowOne ? 'slow get' : 'quick get', isSlowOne ? 5_000_000 : 80_000, now);
    }
  assert.equal(tempo.share, 1);
});

interface Play {
  /** Calls of others in a minute, from the sixth minute on. */
  readonly unseen: number;
  readonly unseenUntil?: number;
  readonly minutes: number;
  readonly limits?: Partial<LimiterOptions>;
}

/** A gateway with more to do than it may, at the limiter of the embedded tenant, and others whom it does not see. */
function play({ unseen, unseenUntil = Infinity, minutes, limits }: Play) {
  const random = randomFrom(7);
  const limiter = new Limiter({ ...proxyLimits, ...limits });
  const tempo = new Tempo(minute);
  const shares: number[] = [];
  const answers: { readonly at: number; readonly tookMs: number; readonly alike: string }[] = [];
  let [next, nextUnseen, calls, refused] = [0, unseen > 0 ? 5 * minute : Infinity, 0, 0];
  for (let now = 0; now < minutes * minute; now += 5) {
    if (now % 1000 === 0) shares.push(tempo.share);
    if (now > unseenUntil * minute) nextUnseen = Infinity;
    while (nextUnseen <= now) {
      limiter.admit(now);
      nextUnseen += (-Math.log(1 - random()) * minute) / unseen;
    }
    for (const { at, tookMs, alike } of answers.splice(0))
      if (at <= now) tempo.observe(alike, tookMs * 1000, now * 1000);
      else answers.push({ at, tookMs, alike });
    if (now < next) continue;
    const admission = limiter.admit(now);
    calls += 1;
    next += minute / (140 * tempo.share);
    if (admission.admitted) {
      const alike = random() < 0.5 ? 'get' : 'create';
      const usually = (alike === 'get' ? 150 : 700) * Math.exp((random() + random() + random() - 1.5) * 0.8);
      const tookMs = usually + admission.delayMs;
      answers.push({ at: now + tookMs, tookMs, alike });
    } else {
      refused += 1;
      tempo.refused(now * 1000);
      next = now + 10_000;
    }
  }
  return { shares, calls, refused };
}
