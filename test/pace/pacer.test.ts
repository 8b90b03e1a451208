import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import * as fc from 'fast-check';

import { createPacer, type CreateBudget } from '../../src/pace/pacer.ts';
import type { Pacer, PacerOptions, Turn } from '../../src/pace/turn.ts';
import { ScimError } from '../../src/scim/error.ts';
import { priorities, type Priority } from '../../src/scim/operation.ts';

const { signal } = new AbortController();

test('a call after silence starts at once, as many as the burst allows', async (t) => {
  const world = createWorld(t, { perMinute: 60, burst: 3 });
  for (let call = 0; call < 5; call += 1) world.ask(String(call));
  await world.pass(0);
  assert.deepEqual(world.started, ['0', '1', '2']);
  await world.pass(999);
  assert.equal(world.started.length, 3);
  await world.pass(1);
  assert.deepEqual(world.started, ['0', '1', '2', '3']);
  await world.pass(1000);
  assert.equal(world.started.length, 5);
});

test('whoever is more urgent goes first, and among equals whoever came first', async (t) => {
  const world = createWorld(t);
  world.ask('first');
  for (const name of ['list', 'read', 'write', 'delete'] as const)
    world.ask(name, { priority: priorities[name] });
  world.ask('second delete', { priority: priorities.delete });
  await world.pass(6000);
  assert.deepEqual(world.started, ['first', 'delete', 'second delete', 'write', 'read', 'list']);
});

test('a list does not wait for ever behind a stream of writes', async (t) => {
  const world = createWorld(t);
  world.ask('list', { priority: priorities.list });
  world.ask('list', { priority: priorities.list });
  for (let second = 0; second < 30; second += 1) {
    world.ask('write', { priority: priorities.write });
    world.ask('write', { priority: priorities.write });
    await world.pass(1000);
  }
  const at = world.started.lastIndexOf('list');
  assert.equal(at, 12, 'the writes had the turns of two steps of 5 s, no more');
});

test('while somebody holds a pacer nobody starts, and when the hold ends nothing of the quota is gone', async (t) => {
  const world = createWorld(t, { burst: 3 });
  world.pacer.hold(5000);
  for (const name of ['a', 'b', 'c']) world.ask(name);
  await world.pass(4999);
  assert.deepEqual(world.started, []);
  await world.pass(1);
  assert.deepEqual(world.started, ['a', 'b', 'c']);
});

test('a hold that is taken back ends at once, and who cannot wait for its end is told so', async (t) => {
  const world = createWorld(t);
  world.pacer.hold(60_000);
  world.ask('patient');
  world.ask('hasty', { patienceMs: 10_000 });
  await world.pass(0);
  assert.deepEqual([world.started, world.refused.length], [[], 1]);
  world.pacer.hold(0);
  await world.pass(0);
  assert.deepEqual(world.started, ['patient']);
});

for (const [what, begin, why] of [
  ['its turn', () => undefined, 'tenant-turn'],
  ['a tenant that refuses everybody', (pacer: Pacer) => pacer.pause(60_000), 'tenant-refusing'],
  ['a tenant that an operator has paused', (pacer: Pacer) => pacer.hold(60_000), 'tenant-held'],
] as const)
  test(`a refusal tells that it was ${what} that was waited for`, async (t) => {
    const world = createWorld(t);
    world.ask('first');
    await world.pass(0);
    begin(world.pacer);
    const refused = world.pacer.run(turnOf({ patienceMs: 500 }), async () => undefined);
    await assert.rejects(refused, (error) => error instanceof ScimError && error.why === why);
  });

test('a wait that would outlast the caller’s patience is refused at once, and says when to come back', async (t) => {
  const world = createWorld(t);
  for (const patienceMs of [0, 1000, 2000, 3000]) world.ask(`${patienceMs}`, { patienceMs });
  world.ask('hasty', { patienceMs: 1500 });
  await world.pass(0);
  assert.deepEqual(world.refused, ['hasty: busy, 3 s']);
  await world.pass(3000);
  assert.deepEqual(world.started, ['0', '1000', '2000', '3000']);
});

test('who is overtaken so often that his patience will not do is told at once', async (t) => {
  const world = createWorld(t);
  world.ask('running');
  world.ask('list', { priority: priorities.list, patienceMs: 1500 });
  await world.pass(0);
  assert.deepEqual(world.refused, []);
  world.ask('delete', { priority: priorities.delete });
  await world.pass(0);
  assert.deepEqual(world.refused, ['list: busy, 1 s']);
});

test('a flood of one caller leaves the others every second turn, and the whole rate where nobody else calls', async (t) => {
  const world = createWorld(t, { tickMs: 100 });
  for (let call = 0; call < 40; call += 1) world.ask('flood', { caller: 'flood' });
  await world.pass(10_000);
  assert.equal(world.started.length, 11);
  for (let call = 0; call < 5; call += 1) world.ask('other', { caller: 'other' });
  await world.pass(10_000);
  assert.deepEqual(
    world.started.slice(11),
    Array.from({ length: 10 }, (_, at) => (at % 2 === 0 ? 'flood' : 'other')),
  );
});

test('an urgent call overtakes a flood of lists that have waited long, whoever sent them', async (t) => {
  const world = createWorld(t, { tickMs: 100 });
  for (let call = 0; call < 60; call += 1) world.ask('list', { caller: 'flood', priority: priorities.list });
  await world.pass(30_000);
  world.ask('delete', { caller: 'flood', priority: priorities.delete });
  world.ask('delete', { caller: 'other', priority: priorities.delete });
  await world.pass(2000);
  assert.deepEqual(world.started.slice(-2), ['delete', 'delete']);
});

test('a full queue refuses the caller who fills it, not whoever comes', async (t) => {
  const world = createWorld(t, { maxQueue: 3 });
  world.ask('running');
  for (const name of ['first', 'second', 'third']) world.ask(name, { caller: 'flood' });
  world.ask('single', { caller: 'other' });
  world.ask('fourth', { caller: 'flood' });
  await world.pass(0);
  assert.deepEqual(
    world.refused.map((text) => text.split(',')[0]),
    ['third: busy', 'fourth: busy'],
  );
  await world.pass(3000);
  assert.deepEqual(world.started, ['running', 'first', 'single', 'second']);
});

test('a wait is told by the place that fairness gives, not by the number of calls that came before', async (t) => {
  const world = createWorld(t);
  for (let call = 0; call < 20; call += 1) world.ask('flood', { caller: 'flood' });
  world.ask('hasty', { caller: 'other', patienceMs: 2000 });
  await world.pass(2000);
  assert.deepEqual([world.refused, world.started], [[], ['flood', 'flood', 'hasty']]);
});

test('whoever loses his place to another caller’s share is told at once', async (t) => {
  const world = createWorld(t);
  world.ask('running');
  for (const name of ['first', 'second']) world.ask(name, { caller: 'flood', patienceMs: 2500 });
  await world.pass(0);
  assert.deepEqual(world.refused, []);
  world.ask('single', { caller: 'other' });
  await world.pass(0);
  assert.deepEqual(world.refused, ['second: busy, 1 s']);
});

test('a full queue refuses the least urgent, not the latest', async (t) => {
  const world = createWorld(t, { maxQueue: 2 });
  world.ask('running');
  world.ask('list', { priority: priorities.list });
  world.ask('write', { priority: priorities.write });
  world.ask('delete', { priority: priorities.delete });
  await world.pass(0);
  assert.match(world.refused.join(), /^list: busy, \d+ s$/);
  await world.pass(5000);
  assert.deepEqual(world.started, ['running', 'delete', 'write']);
});

test('a caller who leaves while waiting gets his own reason and uses no turn', async (t) => {
  const world = createWorld(t);
  const left = new AbortController();
  world.ask('running');
  world.ask('leaving', { signal: left.signal });
  world.ask('next');
  await world.pass(500);
  left.abort(new ScimError('caller-left', 'The caller hung up.'));
  await world.pass(500);
  assert.deepEqual(world.refused, ['leaving: caller-left']);
  assert.deepEqual(world.started, ['running', 'next']);
});

test('a caller who has left already is not queued', async (t) => {
  const world = createWorld(t);
  world.ask('gone', { signal: AbortSignal.abort(new ScimError('caller-left', 'The caller hung up.')) });
  await world.pass(0);
  assert.deepEqual([world.refused, world.started], [['gone: caller-left'], []]);
});

test('no more calls run at the same time than the tenant may have', async (t) => {
  const world = createWorld(t, { perMinute: 6000, burst: 100, concurrency: 2, workMs: 300 });
  for (let call = 0; call < 5; call += 1) world.ask(String(call));
  await world.pass(299);
  assert.equal(world.started.length, 2);
  assert.equal(world.pacer.state.running, 2);
  await world.pass(1);
  assert.equal(world.started.length, 4);
});

test('a slow tenant makes predictions longer', async (t) => {
  const world = createWorld(t, { perMinute: 6000, burst: 100, concurrency: 1, workMs: 10_000 });
  world.ask('to learn from');
  await world.pass(10_000);
  world.ask('running');
  world.ask('patient', { patienceMs: 15_000 });
  world.ask('hasty', { patienceMs: 15_000 });
  await world.pass(0);
  assert.deepEqual(world.refused, ['hasty: busy, 5 s']);
});

test('who waits behind work that never ends is refused when his patience is over', async (t) => {
  const world = createWorld(t, { concurrency: 1, workMs: 1_000_000 });
  world.ask('stuck');
  world.ask('waiting', { patienceMs: 5000 });
  world.ask('patient', { patienceMs: 7000 });
  await world.pass(5000);
  assert.deepEqual(world.refused, []);
  await world.pass(10);
  assert.deepEqual(world.refused, ['waiting: busy, 1 s']);
  await world.pass(2000);
  assert.equal(world.refused.length, 2);
});

test('work that fails gives its place back', async (t) => {
  const world = createWorld(t, { concurrency: 1, perMinute: 600 });
  const failing = world.pacer.run(turnOf({}), () => Promise.reject(new Error('broken')));
  await assert.rejects(failing, /broken/);
  world.ask('next');
  await world.pass(100);
  assert.deepEqual(world.started, ['next']);
});

test('a pause lets nobody up, keeps who can wait and refuses at once who cannot', async (t) => {
  const world = createWorld(t, { burst: 10 });
  world.pacer.pause(20_000);
  world.ask('patient', { patienceMs: 30_000 });
  world.ask('hasty', { patienceMs: 19_999 });
  await world.pass(0);
  assert.deepEqual(world.refused, ['hasty: busy, 2 s']);
  await world.pass(19_999);
  assert.deepEqual(world.started, []);
  assert.equal(world.pacer.state.pausedForMs, 1);
  await world.pass(1);
  assert.deepEqual(world.started, ['patient']);
});

test('a pause refuses those who were waiting already and cannot wait that long', async (t) => {
  const world = createWorld(t);
  world.ask('running');
  world.ask('hasty', { patienceMs: 5000 });
  world.ask('patient', { patienceMs: 30_000 });
  await world.pass(0);
  world.pacer.pause(10_000);
  await world.pass(0);
  assert.deepEqual(world.refused, ['hasty: busy, 5 s']);
  await world.pass(10_000);
  assert.deepEqual(world.started, ['running', 'patient']);
});

test('a shorter pause does not shorten a longer one', async (t) => {
  const world = createWorld(t);
  world.pacer.pause(10_000);
  world.pacer.pause(1000);
  world.ask('waiting', { patienceMs: 60_000 });
  await world.pass(9999);
  assert.deepEqual(world.started, []);
});

test('a higher limit is kept to at once, without a new burst', async (t) => {
  const world = createWorld(t, { burst: 5 });
  for (let call = 0; call < 20; call += 1) world.ask(String(call));
  await world.pass(0);
  assert.equal(world.started.length, 5);
  world.pacer.adjust({ perMinute: 120, burst: 10, concurrency: 8, maxQueue: 100 });
  await world.pass(0);
  assert.equal(world.started.length, 5);
  await world.pass(5000);
  assert.equal(world.started.length, 15);
});

test('a lower limit refuses at once whom it makes wait too long', async (t) => {
  const world = createWorld(t);
  world.ask('running');
  for (const name of ['first', 'second', 'third']) world.ask(name, { patienceMs: 4000 });
  await world.pass(0);
  world.pacer.adjust({ perMinute: 30, burst: 1, concurrency: 8, maxQueue: 100 });
  await world.pass(0);
  assert.deepEqual(world.refused, ['third: busy, 2 s']);
  await world.pass(4000);
  assert.deepEqual(world.started, ['running', 'first', 'second']);
});

test('a change of the limits does not end a pause', async (t) => {
  const world = createWorld(t, { burst: 5 });
  world.pacer.pause(10_000);
  world.ask('waiting');
  world.pacer.adjust({ perMinute: 6000, burst: 50, concurrency: 8, maxQueue: 100 });
  await world.pass(9999);
  assert.deepEqual(world.started, []);
  await world.pass(1);
  assert.deepEqual(world.started, ['waiting']);
});

test('a smaller queue sends away whom it has no room for; more places are filled at once', async (t) => {
  const world = createWorld(t, { concurrency: 1, perMinute: 6000, burst: 100, workMs: 10_000 });
  for (const name of ['0', '1', '2', '3', '4']) world.ask(name);
  world.pacer.adjust({ perMinute: 6000, burst: 100, concurrency: 2, maxQueue: 2 });
  await world.pass(0);
  assert.deepEqual(world.started, ['0', '1']);
  assert.deepEqual(world.refused.join(), '4: busy, 1 s');
});

test('work learns how long it waited', async (t) => {
  const world = createWorld(t);
  world.ask('first');
  const waited = world.pacer.run(turnOf({}), async (waitedMs) => waitedMs);
  await world.pass(1000);
  assert.equal(await waited, 1000);
});

test('nobody waits in a pacer that has ended', async (t) => {
  const world = createWorld(t);
  world.ask('running');
  world.ask('waiting');
  await world.pass(0);
  world.pacer[Symbol.dispose]();
  world.ask('late');
  await world.pass(0);
  assert.deepEqual(world.refused.toSorted(), ['late: draining, 5 s', 'waiting: draining, 5 s']);
});

test('in no sliding minute do more than the limit and the burst go up, whatever callers do', async (t) => {
  const call = fc.record({
    after: fc.oneof(fc.constant(0), fc.nat({ max: 4000 })),
    caller: fc.constantFrom('one', 'two', 'three'),
    priority: fc.constantFrom(...Object.values(priorities)),
    patienceMs: fc.nat({ max: 90_000 }),
    pauseMs: fc.oneof(
      { weight: 30, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.nat({ max: 9000 }) },
    ),
    limits: fc.oneof(
      { weight: 30, arbitrary: fc.constant(undefined) },
      {
        weight: 1,
        arbitrary: fc.constantFrom({ perMinute: 140, burst: 10 }, { perMinute: 100, burst: 50 }),
      },
    ),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 20, maxLength: 250 }), async (calls) => {
      const world = createWorld(t, {
        perMinute: 140,
        burst: 10,
        maxQueue: 200,
        concurrency: 32,
        workMs: 250,
      });
      for (const { after, pauseMs, limits, ...turn } of calls) {
        if (after > 0) await world.pass(after);
        if (pauseMs > 0) world.pacer.pause(pauseMs);
        if (limits) world.pacer.adjust({ ...limits, maxQueue: 200, concurrency: 32 });
        world.ask('call', turn);
      }
      await world.pass(120_000);
      const { startedAt } = world;
      for (const from of startedAt)
        assert.ok(startedAt.filter((at) => at >= from && at <= from + 60_000).length <= 150);
      assert.equal(startedAt.length + world.refused.length, calls.length, 'everybody got an answer');
      assert.equal(world.late, 0, 'nobody waited longer than he had said');
    }),
    { numRuns: 5, endOnFailure: true },
  );
});

test('busy callers get as many turns as each other, and together as many as one alone', async (t) => {
  const callers = fc.array(
    fc.record({ calls: fc.integer({ min: 20, max: 60 }), after: fc.nat({ max: 9 }) }),
    {
      minLength: 2,
      maxLength: 5,
    },
  );
  await fc.assert(
    fc.asyncProperty(callers, async (given) => {
      const play = async (nameOf: (caller: number) => string): Promise<World> => {
        const world = createWorld(t, { perMinute: 140, burst: 10, maxQueue: 1000, tickMs: 50 });
        for (const [caller, { calls, after }] of given.entries()) {
          await world.pass(after * 100);
          for (let call = 0; call < calls; call += 1) world.ask(nameOf(caller), { caller: nameOf(caller) });
        }
        await world.pass(150_000);
        return world;
      };
      const { started, startedAt } = await play(String);
      assert.deepEqual(startedAt, (await play(() => 'alone')).startedAt);
      // Of any two callers: from the first turn after both have come until one of them has had his last.
      const allCame = given.reduce((sum, { after }) => sum + after * 100, 1_000_000);
      const shared = started.slice(startedAt.findIndex((at) => at > allCame));
      for (const one of given.keys())
        for (const other of given.keys()) {
          const ends = [one, other].map((caller) => shared.lastIndexOf(String(caller)));
          let [lead, least, most] = [0, 0, 0];
          for (const turn of shared.slice(0, Math.min(...ends) + 1)) {
            lead += Number(turn === String(one)) - Number(turn === String(other));
            [least, most] = [Math.min(least, lead), Math.max(most, lead)];
          }
          assert.ok(most - least <= 1, `callers ${one} and ${other}: ${started.join(' ')}`);
        }
    }),
    { numRuns: 5, endOnFailure: true },
  );
});

interface World {
  readonly pacer: Pacer;
  readonly started: string[];
  readonly startedAt: number[];
  readonly refused: string[];
  late: number;
  ask(name: string, turn?: Partial<Turn>): void;
  /** Lets time pass; everything that is due happens. */
  pass(ms: number): Promise<void>;
}

test('what holds calls up between turn and departure holds up the turns, so that they do not go together', async (t) => {
  const world = createWorld(t, { perMinute: 600, burst: 2, departing: 2 });
  const departures: (() => void)[] = [];
  const held = Promise.withResolvers<void>();
  for (let call = 0; call < 5; call += 1)
    void world.pacer.run(turnOf({}), (_waited, departed) => {
      departures.push(departed);
      return held.promise;
    });
  await world.pass(10_000);
  assert.equal(departures.length, 2, 'though there were turns for a hundred');
  departures[0]?.();
  departures[0]?.();
  await world.pass(1000);
  assert.equal(departures.length, 3, 'one for one');
  held.resolve();
  await world.pass(1000);
  assert.equal(departures.length, 5);
});

test('an estimate that gets worse refuses who comes, and sends away nobody who has begun to wait', async (t) => {
  let estimateUs = 1;
  const nothing = (): void => undefined;
  const world = createWorld(t, {}, () => ({
    isShared: true,
    pausedUntil: 0,
    turnAt: (now) => now + estimateUs,
    earliestAt: (now) => now + 1,
    spendTurn: nothing,
    departed: nothing,
    spendUntil: nothing,
    adjust: nothing,
    want: nothing,
    neededElsewhere: undefined,
    lendTurn: () => false,
  }));
  world.ask('first', { patienceMs: 10_000 });
  await world.pass(0);
  estimateUs = 60_000_000;
  world.ask('second', { patienceMs: 10_000 });
  await world.pass(0);
  assert.deepEqual(world.refused, ['second: busy, 50 s']);
});

test('a pacer that learns goes more slowly after a refusal, and one that does not goes on as before', async (t) => {
  for (const [learns, turns] of [
    [true, 36],
    [false, 60],
  ] as const) {
    const world = createWorld(t, { perMinute: 60, learns, maxQueue: 200 });
    world.pacer.refused(1000);
    for (let call = 0; call < 100; call += 1) world.ask(String(call));
    await world.pass(60_000);
    assert.equal(world.started.length, turns);
  }
});

/** A pacer of one turn a second, under a clock that only `pass` moves. */
function createWorld(
  t: TestContext,
  given: Partial<PacerOptions> & { workMs?: number; tickMs?: number } = {},
  createBudget?: CreateBudget,
): World {
  t.mock.timers.reset();
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { workMs = 0, tickMs = 1, ...options } = given;
  const defaults = { perMinute: 60, burst: 1, minuteMs: 60_000, concurrency: 8, maxQueue: 100 };
  let clock = 1_000_000;
  const pacer = createPacer({ ...defaults, now: () => clock, ...options }, createBudget);
  const world: World = {
    pacer,
    started: [],
    startedAt: [],
    refused: [],
    late: 0,
    ask(name, turn = {}) {
      const full = turnOf(turn);
      const work = async (waitedMs: number): Promise<void> => {
        world.started.push(name);
        world.startedAt.push(clock);
        if (waitedMs > full.patienceMs + tickMs) world.late += 1;
        if (workMs > 0) await new Promise((resolve) => setTimeout(resolve, workMs));
      };
      pacer
        .run(full, work)
        .catch((error: unknown) => world.refused.push(`${name}: ${describeRefusal(error)}`));
    },
    async pass(ms) {
      const until = clock + ms;
      await settle();
      while (clock < until) {
        const step = Math.min(until - clock, tickMs);
        clock += step;
        t.mock.timers.tick(step);
        await settle();
      }
    },
  };
  return world;
}

function turnOf(turn: Partial<Turn>): Turn {
  const priority: Priority = priorities.read;
  return { caller: 'idm', priority, patienceMs: 1_000_000, signal, ...turn };
}

function describeRefusal(error: unknown): string {
  assert.ok(error instanceof ScimError);
  const { kind, headers } = error;
  return headers['retry-after'] === undefined ? kind : `${kind}, ${headers['retry-after']} s`;
}

/** The event loop's own turn, which the fake clock leaves alone, runs all that promises have to do. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
