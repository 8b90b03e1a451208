import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import type { PoolReply } from '../../src/pace/pool.ts';
import { SharedBudget } from '../../src/pace/shared-budget.ts';
import { priorities } from '../../src/scim/operation.ts';
import { randomFrom, World } from './simulated-replicas.ts';

const second = 1_000_000;
const minute = 60 * second;

test('a replica alone at work has nearly the whole budget while the others idle', async () => {
  const world = createWorld();
  await world.pass(10 * second);
  for (const replica of [1, 2]) world.apply({ kind: 'rest', replica });
  await world.pass(minute);
  const each = (await turnsOf(world)).length / 5;
  assert.ok(each > 0.97 * 140, `${each} a minute`);
});

test('busy replicas share the budget, and nearly all of it is used', async () => {
  const world = createWorld();
  await world.pass(minute);
  const turns = await turnsOf(world);
  assert.ok(turns.length > 5 * 0.97 * 140, `${turns.length / 5} a minute`);
  for (const replica of [0, 1, 2]) {
    const own = turns.filter((turn) => turn.replica === replica).length;
    assert.ok(own > 0.8 * (turns.length / 3), `${own} of ${turns.length}`);
  }
});

test('without a pool every replica keeps to its part', async () => {
  const world = createWorld();
  world.apply({ kind: 'kill' });
  await world.pass(minute);
  const turns = await turnsOf(world);
  for (const replica of [0, 1, 2]) {
    const own = turns.filter((turn) => turn.replica === replica).length / 5;
    assert.ok(own <= 46.8 && own > 45, `${own} a minute`);
  }
});

test('a lost pool costs nobody a wait: each goes on with its part, and with what it has saved up', async () => {
  for (const loss of ['kill', 'freeze'] as const) {
    const world = createWorld();
    for (const replica of [1, 2]) world.apply({ kind: 'rest', replica });
    await world.pass(2 * minute);
    world.apply({ kind: loss });
    for (const replica of [1, 2]) world.apply({ kind: 'hurry', replica });
    const from = world.at;
    await world.pass(second / 10);
    for (const replica of [1, 2])
      assert.ok(
        world.turns.some((turn) => turn.replica === replica && turn.at >= from),
        `${loss}: ${replica}`,
      );
    await world.pass(minute);
    assert.ok(world.turnsBetween(from, world.at) >= 3 * 45);
  }
});

test('what the tenant refuses one replica makes all of them wait, and nothing lent before it is used after', async () => {
  const world = createWorld();
  for (const replica of [1, 2]) world.apply({ kind: 'rest', replica });
  await world.pass(minute);
  world.apply({ kind: 'refuse', replica: 0 });
  await world.pass(1.1 * second);
  for (const replica of [1, 2]) world.apply({ kind: 'hurry', replica });
  const from = world.at;
  await world.pass(8.5 * second);
  assert.equal(world.turnsBetween(from, world.at), 0);
  await world.pass(1.5 * second);
  assert.ok(world.turnsBetween(from, world.at) <= 6, 'they begin one by one');
});

test('calls that a disk holds up, and lets go together, are part of what a minute may see', async () => {
  const world = createWorld();
  await world.pass(minute);
  for (const replica of [0, 1, 2]) world.apply({ kind: 'stall', replica });
  await world.pass(minute);
  for (const replica of [0, 1, 2]) world.apply({ kind: 'flow', replica });
  await world.pass(minute);
  assert.ok(world.busiestMinute() <= 150, `${world.busiestMinute()}`);
});

test('a turn that comes when nobody waits any more is saved up, within the own part alone', async () => {
  const own = createBudget();
  for (; own.budget.turnAt(0) <= 0; own.budget.departed(0)) own.budget.spendTurn(0);
  own.budget.want(2, 2);
  own.budget.want(0, 0);
  await own.answer({ lent: 0, taken: 8, pauseMs: 0 });
  assert.equal(own.turnsAt(minute), 3);
});

test('a turn is lent before it would be lost, comes back for want of room, and is gone for want of an answer', async () => {
  const answers = [{ lent: 1 }, { lent: 0 }, undefined] as const;
  const left = answers.map(async (answer) => {
    const own = createBudget();
    own.budget.beat();
    await own.answer(answer && { ...answer, taken: 0, pauseMs: 0 });
    return own.turnsAt(0);
  });
  assert.deepEqual(await Promise.all(left), [2, 3, 2]);
});

test('that the tenant has refused another replica is known here for as long', async () => {
  const own = createBudget();
  own.budget.beat();
  await own.answer({ lent: 0, taken: 0, pauseMs: 7000 });
  assert.equal(own.budget.pausedUntil, 7 * second);
});

test('a turn that comes back during a pause does not end it', async () => {
  const own = createBudget();
  own.budget.beat();
  own.budget.spendUntil(10 * second);
  await own.answer({ lent: 0, taken: 0, pauseMs: 0 });
  assert.ok(own.budget.turnAt(0) >= 10 * second);
});

test('who goes more slowly borrows less, too', async () => {
  const world = createWorld();
  for (const replica of [1, 2]) world.apply({ kind: 'rest', replica });
  await world.pass(minute);
  world.slow(0, 0.5);
  await world.pass(minute);
  const each = (await turnsOf(world)).length / 5;
  assert.ok(each > 0.93 * 70 && each <= 70.5, `${each} a minute`);
});

test('a pool that comes back empty, or wakes up, is shared again', async () => {
  const world = createWorld();
  for (const [lost, found] of [
    ['kill', 'restore'],
    ['freeze', 'thaw'],
  ] as const) {
    await world.pass(minute);
    world.apply({ kind: lost });
    await world.pass(minute);
    world.apply({ kind: found });
    for (const replica of [1, 2]) world.apply({ kind: 'rest', replica });
    await world.pass(minute);
    const from = world.at;
    await world.pass(minute);
    assert.ok(
      world.turnsBetween(from, world.at) > 0.95 * 140,
      `${found}: ${world.turnsBetween(from, world.at)}`,
    );
  }
  assert.ok(world.busiestMinute() <= 150);
});

test('a replica whose calls are more urgent has the others’ turns too, and loses none on their way', async () => {
  const world = createWorld();
  await world.pass(minute);
  world.apply({ kind: 'urge', replica: 0 });
  await world.pass(second);
  const turns = await turnsOf(world);
  const own = turns.filter(({ replica }) => replica === 0).length / 5;
  assert.ok(own > 0.9 * 140, `${own} a minute`);
  assert.ok(turns.length > 5 * 0.97 * 140, `${turns.length / 5} a minute`);
  world.apply({ kind: 'calm', replica: 0 });
  await world.pass(2 * second);
  const after = world.at;
  await world.pass(minute);
  for (const replica of [0, 1, 2]) {
    const each = world.turns.filter((turn) => turn.replica === replica && turn.at >= after).length;
    assert.ok(each > 40, `${each} afterwards`);
  }
});

test('what finds no room in a small pool is used by who would have lent it', async () => {
  const world = createWorld({ burst: 2 });
  await world.pass(minute);
  world.apply({ kind: 'urge', replica: 0 });
  const each = (await turnsOf(world)).length / 5;
  assert.ok(each > 0.95 * 140, `${each} a minute`);
});

test('turns that were taken before more urgent calls were known of are used, not lent again', async () => {
  const lent: boolean[] = [];
  const own = createBudget(() => lent.push(own.budget.lendTurn(0)));
  own.budget.want(2, 2, { priority: priorities.list, calls: 2 });
  const elsewhere = { priority: priorities.delete, calls: 1 };
  await own.answer({ lent: 0, taken: 2, pauseMs: 0, elsewhere });
  assert.deepEqual(lent.slice(0, 2), [false, true], 'while they are there, and afterwards');
});

test('who is left alone while he asks lends nothing any more', async () => {
  const own = createBudget();
  own.budget.want(2, 2, { priority: priorities.list, calls: 2 });
  own.budget.resize(1);
  await own.answer({ lent: 0, taken: 0, pauseMs: 0, elsewhere: { priority: priorities.delete, calls: 1 } });
  assert.deepEqual([own.budget.isShared, own.budget.neededElsewhere], [false, undefined]);
});

test('a replica that is out of reach keeps its part, and the others leave it to it', async () => {
  const world = createWorld();
  await world.pass(minute);
  world.apply({ kind: 'cut', replica: 0 });
  await world.pass(minute);
  const turns = await turnsOf(world);
  const own = turns.filter(({ replica }) => replica === 0).length / 5;
  const others = turns.filter(({ replica }) => replica !== 0).length / 5;
  assert.ok(own > 44 && own < 47, `${own}`);
  assert.ok(others > 88 && others < 95, `${others}`);
});

test('no minute sees more than pace and burst, whatever fails in whatever order', async (t) => {
  const budget = fc.constantFrom(
    { perMinute: 140, burst: 10 },
    { perMinute: 140, burst: 10 },
    { perMinute: 150, burst: 0 },
    { perMinute: 100, burst: 50 },
    { perMinute: 30, burst: 1 },
  );
  const fault = fc.record({
    kind: fc.constantFrom(
      'kill',
      'restore',
      'freeze',
      'thaw',
      'cut',
      'join',
      'crash',
      'hurry',
      'rest',
      'refuse',
      'stall',
      'flow',
      'urge',
      'calm',
    ),
    replica: fc.nat({ max: 3 }),
    afterMs: fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 6000 }), fc.nat({ max: 40_000 })),
  });
  let turns = 0;
  await fc.assert(
    fc.asyncProperty(
      budget,
      fc.constantFrom(2, 3, 4),
      fc.constantFrom(2000, 60_000),
      fc.nat(),
      fc.array(fault, { minLength: 2, maxLength: 16 }),
      async (pace, replicas, slowestUs, seed, faults) => {
        const world = createWorld({ ...pace, replicas, seed, slowestUs });
        await world.pass(8 * second);
        for (const { kind, replica, afterMs } of faults) {
          world.apply({ kind, replica });
          await world.pass(afterMs * 1000);
        }
        await world.pass(20 * second);
        turns += world.turns.length;
        const most = world.busiestMinute();
        assert.ok(most <= pace.perMinute + pace.burst, `${most} turns in a minute`);
      },
    ),
    { numRuns: Number(process.env.RUNS ?? 60), endOnFailure: true },
  );
  t.diagnostic(`${turns} turns`);
});

/** The turns of the next five minutes. */
async function turnsOf(world: World): Promise<World['turns']> {
  const from = world.at;
  await world.pass(5 * minute);
  return world.turns.filter(({ at }) => at >= from);
}

/** One replica of three with three turns saved up, whose first question to the pool is answered by hand. */
function createBudget(onChange: () => void = () => undefined) {
  const { promise, resolve } = Promise.withResolvers<PoolReply | undefined>();
  let now = 0;
  const budget = new SharedBudget({
    perMinute: 60,
    burst: 15,
    replicas: 3,
    minuteMs: 60_000,
    pool: { isOpen: true, exchange: () => promise },
    now: () => now,
    onChange,
  });
  return {
    budget,
    async answer(reply: PoolReply | undefined): Promise<void> {
      resolve(reply);
      await promise;
      await Promise.resolve();
    },
    turnsAt(instant: number): number {
      now = instant;
      let turns = 0;
      for (; budget.turnAt(now) <= now; budget.departed(now)) {
        budget.spendTurn(now);
        turns += 1;
      }
      return turns;
    },
  };
}

function createWorld({ perMinute = 140, burst = 10, replicas = 3, seed = 1, slowestUs = 5000 } = {}): World {
  return new World({ perMinute, burst, replicas, slowestUs, random: randomFrom(seed) });
}
