/** Priorities hold across replicas: what waits at one is told to the others, which pass their turns to it in the order that holds among their own. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setImmediate as settle } from 'node:timers/promises';

import { createPacer } from '../../src/pace/pacer.ts';
import { partOf } from '../../src/pace/part.ts';
import { SharedBudget } from '../../src/pace/shared-budget.ts';
import type { Pacer } from '../../src/pace/turn.ts';
import { priorities, type Priority } from '../../src/scim/operation.ts';
import { Store } from './simulated-replicas.ts';

const pace = { perMinute: 140, burst: 10, minuteMs: 60_000 };
const replicas = 3;
const tickMs = 10;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));
const { signal } = new AbortController();

test('500 deactivations that all come to one of three busy replicas are up within four minutes, and nobody is refused', async (t) => {
  const world = openWorld(t);
  const loads = [1, 2].map((replica) => world.work(replica, { priority: priorities.list, workers: 1 }));
  await world.pass(20_000);
  const urgent = world.work(0, { priority: priorities.delete, workers: 16, calls: 500 });
  await world.pass(240_000);
  assert.equal(urgent.done, 500);
  for (const load of loads) assert.ok(load.doneSince(20_000, 260_000) >= 4, 'a load goes on all the same');
  const seconds = loads.map((load) => load.doneSince(260_000 - 10_000, 260_000));
  assert.ok(seconds[0] && seconds[1], 'and has its turns again afterwards');
  assert.deepEqual(world.refusedAfterMs, []);
});

test('writes at one replica go before lists at the others, which go on', async (t) => {
  const world = openWorld(t);
  const loads = [1, 2].map((replica) => world.work(replica, { priority: priorities.list, workers: 2 }));
  await world.pass(20_000);
  const writes = world.work(0, { priority: priorities.write, workers: 16 });
  await world.pass(60_000);
  assert.ok(writes.done > 110, `${writes.done} writes in a minute`);
  for (const load of loads)
    assert.ok(load.doneSince(20_000, 80_000) >= 5, 'a list in ten seconds, as beside writes of its own');
  assert.deepEqual(world.refusedAfterMs, []);
});

for (const [what, urgent] of [
  ['a deletion', { priority: priorities.delete, workers: 1, calls: 1 }],
  ['sixteen deletions', { priority: priorities.delete, workers: 16, calls: 16 }],
  ['a read', { priority: priorities.read, workers: 1, calls: 1 }],
] as const)
  test(`${what} at one of three replicas that are full of lists makes nobody be refused`, async (t) => {
    const world = openWorld(t);
    const lists = { priority: priorities.list, workers: 16 };
    const loads = [0, 1, 2].map((replica) => world.work(replica, lists));
    await world.pass(60_000);
    assert.deepEqual(world.refusedAfterMs, []);
    const done = world.work(0, urgent);
    await world.pass(60_000);
    assert.equal(done.done, urgent.calls);
    assert.deepEqual(world.refusedAfterMs, []);
    for (const load of loads) assert.ok(load.doneSince(60_000, 120_000) > 35, 'they go on');
  });

test('who would wait too long behind those who wait elsewhere is told at once', async (t) => {
  const world = openWorld(t);
  await world.pass(5000);
  world.work(0, { priority: priorities.delete, workers: 100, calls: 100 });
  await world.pass(2000);
  assert.deepEqual(world.refusedAfterMs, []);
  const lists = world.work(1, { priority: priorities.list, workers: 8, calls: 8, patienceMs: 20_000 });
  await world.pass(10_000);
  assert.equal(lists.done, 0);
  assert.deepEqual(world.refusedAfterMs, Array(8).fill(tickMs), 'with the first look at the clock');
});

test('who has begun to wait is not sent away because many more urgent calls come elsewhere', async (t) => {
  const world = openWorld(t);
  for (const replica of [1, 2]) world.work(replica, { priority: priorities.list, workers: 16 });
  await world.pass(20_000);
  world.work(0, { priority: priorities.delete, workers: 100, calls: 100 });
  await world.pass(5000);
  assert.deepEqual(world.refusedAfterMs, []);
});

test('when the pool is lost each replica has its own turns for its own calls at once', async (t) => {
  const world = openWorld(t);
  const lists = world.work(1, { priority: priorities.list, workers: 2 });
  world.work(0, { priority: priorities.delete, workers: 16 });
  await world.pass(30_000);
  world.lose();
  await world.pass(30_000);
  const each = lists.doneSince(30_000, 60_000);
  assert.ok(each > 20, `${each} lists in half a minute`);
});

interface Work {
  readonly done: number;
  doneSince(fromMs: number, untilMs: number): number;
}

interface WorkOptions {
  readonly priority: Priority;
  readonly workers: number;
  readonly calls?: number;
  readonly patienceMs?: number;
}

interface World {
  /** How long those have waited who were refused. */
  readonly refusedAfterMs: number[];
  work(replica: number, options: WorkOptions): Work;
  pass(ms: number): Promise<void>;
  lose(): void;
}

/** Three pacers with their budgets and one pool, under a clock that only `pass` moves. */
function openWorld(t: TestContext): World {
  t.mock.timers.reset();
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const store = new Store();
  let [clock, isOver] = [0, false];
  t.after(() => (isOver = true));
  const pacers = Array.from({ length: replicas }, (_, member) => openPacer(store, member, () => clock));
  const world: World = {
    refusedAfterMs: [],
    work(replica, { priority, workers, calls = Infinity, patienceMs = 55_000 }) {
      const pacer = pacers[replica];
      assert.ok(pacer);
      const doneAt: number[] = [];
      let begun = 0;
      const worker = async (): Promise<void> => {
        while (begun < calls && !isOver) {
          begun += 1;
          const askedAt = clock;
          try {
            await pacer.run({ caller: 'idm', priority, patienceMs, signal }, async (_, departed) => {
              departed();
              await sleep(200);
              doneAt.push(clock);
            });
          } catch {
            world.refusedAfterMs.push(clock - askedAt);
            await sleep(1000);
          }
        }
      };
      for (let each = 0; each < workers; each += 1) void worker();
      return {
        get done() {
          return doneAt.length;
        },
        doneSince: (from, until) => doneAt.filter((at) => at >= from && at < until).length,
      };
    },
    async pass(ms) {
      for (const until = clock + ms; clock < until;) {
        clock += tickMs;
        t.mock.timers.tick(tickMs);
        await settle();
      }
    },
    lose: () => store.kill(),
  };
  return world;
}

function openPacer(store: Store, member: number, now: () => number): Pacer {
  const { departing } = partOf(pace, replicas, true);
  return createPacer({ ...pace, departing, concurrency: 16, maxQueue: 500, now }, (parts) => {
    const budget = new SharedBudget({
      ...pace,
      ...parts,
      replicas,
      pool: {
        get isOpen() {
          return store.isUp;
        },
        exchange: async (request) => (store.isUp ? store.exchange(parts.now(), request, member) : undefined),
      },
    });
    const beat = (): void => void setTimeout(beat, budget.beat());
    beat();
    return budget;
  });
}
