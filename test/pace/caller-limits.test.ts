import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CallerLimits, type CallerLimit } from '../../src/pace/caller-limits.ts';
import { ScimError } from '../../src/scim/error.ts';
import { priorities } from '../../src/scim/operation.ts';

test('a caller has as many calls at work as its limit allows, and the others wait', async () => {
  await using world = createWorld({ idm: { concurrency: 2 } });
  const calls = [1, 2, 3].map(() => world.ask('idm'));
  assert.equal(await world.atWork('idm'), 2);
  await calls[0]?.end();
  assert.equal(await world.atWork('idm'), 2);
});

test('one caller’s limit is nothing to another', async () => {
  await using world = createWorld({ idm: { concurrency: 1 }, review: { concurrency: 1 } });
  world.ask('idm');
  world.ask('idm');
  world.ask('review');
  assert.deepEqual([await world.atWork('idm'), await world.atWork('review')], [1, 1]);
});

test('an urgent call is first in its caller’s own waiting room too', async () => {
  await using world = createWorld({ idm: { concurrency: 1 } });
  const first = world.ask('idm');
  const list = world.ask('idm', { priority: priorities.list });
  const urgent = world.ask('idm', { priority: priorities.delete });
  await first.end();
  assert.deepEqual([await urgent.isAtWork(), await list.isAtWork()], [true, false]);
});

test('a place is given back once when work fails, and once when its caller leaves while it works', async () => {
  await using world = createWorld({ idm: { concurrency: 1 } });
  const left = new AbortController();
  const failing = world.ask('idm', { signal: left.signal });
  world.ask('idm');
  world.ask('idm');
  assert.equal(await world.atWork('idm'), 1);
  left.abort(new ScimError('caller-left', 'The caller hung up.'));
  assert.equal(await failing.isAtWork(), true, 'who is gone still works: a write runs to its end');
  await failing.fail(new Error('broken'));
  assert.equal(await world.atWork('idm'), 1);
});

test('who leaves while he waits takes no place', async () => {
  await using world = createWorld({ idm: { concurrency: 1 } });
  const left = new AbortController();
  const first = world.ask('idm');
  const leaving = world.ask('idm', { signal: left.signal });
  const next = world.ask('idm');
  left.abort(new ScimError('caller-left', 'The caller hung up.'));
  assert.equal(await leaving.refusal(), 'caller-left');
  await first.end();
  assert.equal(await next.isAtWork(), true);
});

test('who would wait longer than he is patient is refused, and told why', async () => {
  await using world = createWorld({ idm: { concurrency: 1 } });
  world.ask('idm');
  const hasty = world.ask('idm', { patienceMs: 20 });
  assert.match(
    await hasty.refusal(),
    /^busy: The technical user has more calls at work than it may have.*, 1 s$/,
  );
});

test('a waiting room holds 200 calls of a caller', async () => {
  await using world = createWorld({ idm: { concurrency: 1 } });
  const calls = Array.from({ length: 202 }, () => world.ask('idm'));
  assert.match((await calls.at(-1)?.refusal()) ?? '', /^busy: .* too many are waiting/);
  assert.equal(world.refused, 1);
});

test('calls over the minute’s number wait for their time, and each replica keeps to its part', async () => {
  let clock = 0;
  await using world = createWorld({ idm: { concurrency: 100, perMinute: 120 } }, 2, () => clock);
  const calls = Array.from({ length: 8 }, () => world.ask('idm', { patienceMs: 1500 }));
  assert.equal(await world.atWork('idm'), 6, 'a tenth of 60 at once');
  assert.match((await calls.at(-1)?.refusal()) ?? '', /^busy: /);
  clock = 1000;
  await calls[0]?.end();
  assert.equal(await world.atWork('idm'), 6, 'one has ended and the seventh has begun');
});

test('without a number for the minute calls begin as they come', async () => {
  await using world = createWorld({ idm: { concurrency: 1000 } });
  for (let call = 0; call < 900; call += 1) world.ask('idm');
  assert.equal(await world.atWork('idm'), 900);
});

test('a changed limit holds for those who wait already', async () => {
  await using world = createWorld({ idm: { concurrency: 1 } });
  for (let call = 0; call < 5; call += 1) world.ask('idm');
  assert.equal(await world.atWork('idm'), 1);
  world.limits.adjust({ limits: new Map([['idm', { concurrency: 3 }]]), replicas: 1 });
  assert.equal(await world.atWork('idm'), 3);
});

test('calls of a caller that is not listed any more end by themselves', async () => {
  await using world = createWorld({ idm: { concurrency: 1 } });
  world.ask('idm');
  world.ask('idm');
  world.limits.adjust({ limits: new Map(), replicas: 1 });
  assert.equal(await world.atWork('idm'), 2);
});

interface Asked {
  isAtWork(): Promise<boolean>;
  end(): Promise<void>;
  fail(reason: Error): Promise<void>;
  refusal(): Promise<string>;
}

/** Calls whose work ends when the test says so. */
function createWorld(given: Record<string, CallerLimit>, replicas = 1, now?: () => number) {
  const limits = new CallerLimits({
    limits: new Map(Object.entries(given)),
    replicas,
    ...(now && { now }),
  });
  const working = new Map<string, number>();
  const ends: (() => void)[] = [];
  const world = {
    limits,
    refused: 0,
    ask(caller: string, turn: { priority?: 0 | 3; patienceMs?: number; signal?: AbortSignal } = {}): Asked {
      let state: 'waiting' | 'working' | 'over' = 'waiting';
      const work = Promise.withResolvers<void>();
      ends.push(work.resolve);
      const full = { caller, priority: priorities.read, patienceMs: 60_000, signal: neverAborts, ...turn };
      const ran = limits.run(full, async () => {
        state = 'working';
        working.set(caller, (working.get(caller) ?? 0) + 1);
        await work.promise.finally(() => {
          state = 'over';
          working.set(caller, (working.get(caller) ?? 0) - 1);
        });
      });
      const refusal = ran.then(() => 'none', describe);
      void refusal.then(() => (world.refused += Number(state === 'waiting')));
      return {
        isAtWork: () => settled(() => state === 'working'),
        end: () => settled(work.resolve),
        fail: (reason) => settled(() => work.reject(reason)),
        refusal: () => refusal,
      };
    },
    atWork: (caller: string) => settled(() => working.get(caller) ?? 0),
    async [Symbol.asyncDispose]() {
      limits[Symbol.dispose]();
      await settled(() => ends.forEach((end) => end()));
    },
  };
  return world;
}

const { signal: neverAborts } = new AbortController();

/** Looks, or acts, when nothing is left to do; and what follows from it has happened as well. */
async function settled<T>(act: () => T): Promise<T> {
  await new Promise((resolve) => setImmediate(resolve));
  const seen = act();
  await new Promise((resolve) => setImmediate(resolve));
  return seen;
}

function describe(error: unknown): string {
  if (!(error instanceof ScimError)) return String(error);
  const { kind, message, headers } = error;
  return kind === 'busy' ? `${kind}: ${message}, ${headers['retry-after']} s` : kind;
}
