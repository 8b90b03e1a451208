import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { Queue, type Waiting } from '../../src/pace/queue.ts';
import { priorities, type Priority } from '../../src/scim/operation.ts';

const step = 5000;

test('callers of one priority take turns, however many calls each has waiting', () => {
  const queue = filled('a a a a', 'b b', 'c');
  assert.equal(order(queue), 'a b c a b a a');
});

test('a call that is given up costs its caller no turn', () => {
  const queue = new Queue<Waiting>(step);
  const [first, second] = ['a', 'a', 'a', 'b', 'b'].map((caller) => add(queue, caller));
  for (const call of [first, second]) if (call) queue.remove(call);
  assert.equal(order(queue), 'a b b');
});

test('a priority that has waited a step longer without a turn counts as one more urgent', () => {
  const queue = new Queue<Waiting>(step);
  add(queue, 'list', priorities.list);
  for (let write = 0; write < 20; write += 1) add(queue, 'write', priorities.write);
  const served = Array.from({ length: 13 }, (_, second) => queue.takeFirst(second * 1000)?.caller);
  assert.equal(served.indexOf('list'), 12, 'writes had the turns of the first two steps, ties included');
});

test('the most urgent have six steps before writes, seven before reads and eight before lists', () => {
  const queue = new Queue<Waiting>(step);
  for (const name of ['write', 'read', 'list'] as const) add(queue, name, priorities[name]);
  for (let call = 0; call < 60; call += 1) add(queue, 'delete', priorities.delete);
  const served = Array.from({ length: 60 }, (_, second) => queue.takeFirst(second * 1000)?.caller);
  assert.deepEqual(
    ['write', 'read', 'list'].map((name) => served.indexOf(name)),
    [32, 37, 42],
    'the turns that a delete had meanwhile count for it',
  );
});

test('many old calls of a priority give it no claim on a more urgent one', () => {
  const queue = new Queue<Waiting>(step);
  for (let list = 0; list < 50; list += 1) add(queue, 'flood', priorities.list);
  for (let second = 0; second < 40; second += 1) queue.takeFirst(second * 1000);
  add(queue, 'other', priorities.delete, 40_000);
  assert.equal(queue.first()?.caller, 'other');
});

test('a turn passes to a more urgent call elsewhere as if that waited here, and comes back after its steps', () => {
  const queue = new Queue<Waiting>(step);
  add(queue, 'list', priorities.list);
  const passed = (priority: Priority): number[] =>
    Array.from({ length: 60 }, (_, second) => second).filter((second) =>
      queue.passTo(priority, second * 1000),
    );
  assert.equal(queue.copy().passTo(priorities.list, 0), false, 'to none as urgent as our own');
  assert.deepEqual(
    passed(priorities.delete),
    Array.from({ length: 41 }, (_, second) => second),
  );
  assert.equal(queue.takeFirst(41_000)?.caller, 'list');
  assert.deepEqual(passed(priorities.delete), [], 'where nobody waits nothing is passed by');
});

test('a turn passes to nobody who would not be first here', () => {
  const queue = new Queue<Waiting>(step);
  add(queue, 'delete', priorities.delete, 60_000);
  add(queue, 'list', priorities.list, 60_000);
  for (const priority of Object.values(priorities)) assert.equal(queue.passTo(priority, 60_000), false);
});

test('a copy tells the order of turns and takes nothing from the queue', () => {
  const queue = filled('a a', 'b b');
  assert.equal(order(queue.copy()), 'a b a b');
  assert.equal(queue.length, 4);
  assert.equal(order(queue), 'a b a b');
});

test('who fills the room makes room, with the latest of the least urgent calls', () => {
  const queue = new Queue<Waiting>(step);
  const lists = [1, 2].map(() => add(queue, 'flood', priorities.list));
  add(queue, 'flood', priorities.delete);
  add(queue, 'other', priorities.list);
  add(queue, 'other', priorities.list);
  assert.equal(queue.lastOfMost(), lists[1]);
});

test('over any time in which two callers are busy, their turns of one priority differ by one at most', () => {
  const names = ['a', 'b', 'c', 'd'];
  const event = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ add: fc.constantFrom(...names), many: fc.integer({ min: 1, max: 20 }) }),
    },
    { weight: 8, arbitrary: fc.constant('turn') },
    { weight: 1, arbitrary: fc.record({ giveUp: fc.nat() }) },
  );
  const priority = fc.constantFrom<Priority>(...Object.values(priorities));
  fc.assert(
    fc.property(fc.array(event, { maxLength: 200 }), priority, (events, given) => {
      const queue = new Queue<Waiting>(step);
      const pairs = names.flatMap((one) =>
        names.filter((name) => name > one).map((other) => [one, other] as const),
      );
      const leads = new Map(pairs.map((pair) => [pair, { now: 0, least: 0, most: 0 }]));
      for (const happens of events) {
        const busy = new Set([...queue].map(({ caller }) => caller));
        if (typeof happens === 'object' && 'add' in happens)
          for (let call = 0; call < happens.many; call += 1) add(queue, happens.add, given);
        else if (typeof happens === 'object') {
          const call = [...queue][happens.giveUp % Math.max(1, queue.length)];
          if (call) queue.remove(call);
        } else {
          const turn = queue.takeFirst(0)?.caller;
          for (const [[one, other], lead] of leads) {
            lead.now += Number(turn === one) - Number(turn === other);
            lead.least = Math.min(lead.least, lead.now);
            lead.most = Math.max(lead.most, lead.now);
            if (busy.has(one) && busy.has(other))
              assert.ok(lead.most - lead.least <= 1, `${one} and ${other}`);
          }
        }
        const stillBusy = new Set([...queue].map(({ caller }) => caller));
        for (const [[one, other], lead] of leads)
          if (!stillBusy.has(one) || !stillBusy.has(other))
            Object.assign(lead, { now: 0, least: 0, most: 0 });
      }
    }),
    { numRuns: 500 },
  );
});

test('a turn goes to the most urgent priority unless another has been passed over for its steps', () => {
  const priority = fc.constantFrom<Priority>(...Object.values(priorities));
  const event = fc.record({
    wait: fc.nat({ max: 900 }),
    add: fc.option(priority),
    caller: fc.constantFrom('a', 'b'),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 300, size: 'max' }), (events) => {
      const queue = new Queue<Waiting>(step);
      const since = new Map<Priority, number>();
      let now = 0;
      for (const { wait, add: given, caller } of events) {
        now += wait;
        if (given !== null) {
          if (![...queue].some((call) => call.priority === given)) since.set(given, now);
          add(queue, caller, given, now);
          continue;
        }
        const waiting = new Set([...queue].map((call) => call.priority));
        const turn = queue.takeFirst(now)?.priority;
        if (turn === undefined) continue;
        const rank = (each: Priority): number =>
          (since.get(each) ?? 0) + (each === priorities.delete ? 0 : each + 5) * step;
        for (const passed of waiting) assert.ok(rank(turn) <= rank(passed));
        since.set(turn, now);
      }
    }),
    { numRuns: 500 },
  );
});

function add(queue: Queue<Waiting>, caller: string, priority: Priority = priorities.read, now = 0): Waiting {
  const call = { caller, priority };
  queue.add(call, now);
  return call;
}

/** One priority, the calls of one caller after those of another. */
function filled(...callers: readonly string[]): Queue<Waiting> {
  const queue = new Queue<Waiting>(step);
  for (const caller of callers.flatMap((names) => names.split(' '))) add(queue, caller);
  return queue;
}

function order(queue: Queue<Waiting>): string {
  const callers: string[] = [];
  for (let call = queue.takeFirst(0); call; call = queue.takeFirst(0)) callers.push(call.caller);
  return callers.join(' ');
}
