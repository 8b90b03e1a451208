/**
 * The promise of the whole reading side under every order of events, with pages, filters and what writes bring back all
 * remembered: a read that begins after a write was answered never shows what was before it, on any replica.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import * as fc from 'fast-check';

import { createMemoryStore } from '../../src/cache/memory-store.ts';
import type { Store } from '../../src/cache/store.ts';
import { openStore } from '../cache/redis-place.ts';
import { startRedis } from '../support/redis.ts';
import { Directory } from './directory.ts';
import { Side } from './paging-tenant.ts';

const server = await startRedis();
after(() => server[Symbol.asyncDispose]());

const names = ['ada', 'bob', 'cyd'];
const lookUp = (name: string): string => `Users?filter=userName%20eq%20%22${name}%22`;

const event = fc.record({
  replica: fc.nat({ max: 2 }),
  does: fc.constantFrom(
    ...(['get', 'get', 'get', 'get', 'list', 'look up', 'look up', 'look up'] as const),
    ...(['replace', 'replace', 'create', 'patch', 'remove', 'join', 'replace unknown'] as const),
  ),
  at: fc.nat({ max: 1 }),
  name: fc.constantFrom(...names),
  pause: fc.oneof(fc.nat({ max: 2 }), fc.nat({ max: 20 })),
});
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

for (const [name, numRuns, turnMs, open] of [
  ['memory', 400, 0, (): Store[] => [createMemoryStore({ maxBytes: 50_000_000 })]],
  // The promise holds while Redis answers, and a busy machine must not make it look away.
  ['Redis', 60, 1, (): Store[] => [1, 2, 3].map(() => openStore(server.url, { budgetMs: 5000 }))],
] as const)
  test(`no read shows what was before an answered write, filters and replies of writes among it, with ${name}`, async () => {
    const stores = open();
    await using closing = new AsyncDisposableStack();
    for (const store of stores) closing.use(store);
    const seen = { hits: 0, absent: 0, kept: 0 };
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 6, maxLength: 40, size: 'max' }), async (events) => {
        run += 1;
        const directory = new Directory(names.slice(0, 2));
        let seed = run;
        const random = (): number => (seed = (seed * 16_807) % 2_147_483_647);
        const pass = (turns: number): Promise<void> => pause(turns, turnMs);
        const sides = [0, 1, 2].map(
          (at) =>
            new Side(directory, {
              store: stores[at % stores.length] ?? assert.fail(),
              // Every way up and down takes its own time, so that answers overtake each other.
              pause: () => pass(random() % (random() % 4 === 0 ? 24 : 3)),
              system: `${name}-${run}`,
              settings: { blocks: 'on' },
              absenceMs: 60_000,
            }),
        );
        for (const side of sides) await prime(side, directory);
        await play(directory, sides, events, { pass, seen });
        for (const side of sides) seen.kept += side.kept.length;
      }),
      { numRuns, endOnFailure: true },
    );
    assert.ok(Math.min(seen.hits / 10, seen.absent, seen.kept / 2) > numRuns / 20, JSON.stringify(seen));
  });

/** Probes find that replies to writes are equal to reads. */
async function prime(side: Side, directory: Directory): Promise<void> {
  await side.send('POST', 'Users', () => directory.create('first'));
  await side.probed();
  await side.send('PUT', 'Users/u0', () => directory.change('u0', {}));
  await side.probed();
}

interface Play {
  readonly pass: (turns: number) => Promise<void>;
  readonly seen: { hits: number; absent: number };
}

async function play(
  directory: Directory,
  sides: readonly Side[],
  events: readonly Event[],
  { pass, seen }: Play,
): Promise<void> {
  /** How often what was answered to writers had changed each answer. */
  const answered = new Map<string, number>();

  /** Here and then elsewhere, so that what the first brought has a reader. */
  async function read(side: Side, target: string, what: string): Promise<void> {
    await readOnce(side, target, what);
    await readOnce(sides[(sides.indexOf(side) + 1) % sides.length] ?? side, target, what);
  }

  async function readOnce(side: Side, target: string, what: string): Promise<void> {
    const oldest = answered.get(what) ?? 0;
    const { reply, result } = await side.read(target);
    const { changes, Resources } = JSON.parse(reply.body.toString());
    assert.ok(changes >= oldest, `${target} is ${changes} (${result}) after ${oldest} was answered`);
    if (result === 'hit') seen.hits += 1;
    if (result === 'hit' && Resources?.length === 0) seen.absent += 1;
  }

  async function write(
    side: Side,
    method: string,
    target: string,
    act: () => ReturnType<Directory['remove']>,
    isKnown = true,
  ): Promise<void> {
    let made = new Map<string, number>();
    await side.send(method, target, () => {
      const before = new Map(directory.changes);
      const reply = act();
      made = new Map(directory.changes.entries().filter(([what, count]) => before.get(what) !== count));
      return isKnown ? reply : undefined;
    });
    for (const [what, count] of made) answered.set(what, Math.max(answered.get(what) ?? 0, count));
  }

  const does: Readonly<Record<Event['does'], (side: Side, id: string, each: Event) => Promise<void>>> = {
    get: (side, id) => read(side, `Users/${id}`, id),
    list: (side, _, { at }) => read(side, `Users?startIndex=${1 + at}&count=3`, 'list'),
    'look up': (side, _, { name }) => read(side, lookUp(name), name),
    create: (side, _, { name }) => write(side, 'POST', 'Users', () => directory.create(name)),
    replace: (side, id, { name }) =>
      write(side, 'PUT', `Users/${id}`, () => directory.change(id, { userName: name })),
    'replace unknown': (side, id, { name }) =>
      write(side, 'PUT', `Users/${id}`, () => directory.change(id, { userName: name }), false),
    patch: (side, id, { name }) =>
      write(side, 'PATCH', `Users/${id}`, () => directory.change(id, { userName: name })),
    remove: (side, id) => write(side, 'DELETE', `Users/${id}`, () => directory.remove(id)),
    join: (side, id) => write(side, 'PATCH', 'Groups/7', () => directory.join(id)),
  };

  const running: Promise<void>[] = [];
  for (const each of events) {
    const side = sides[each.replica];
    // The latest are those that writes have just brought back.
    const id = directory.ids.at(-1 - each.at);
    assert.ok(side && id !== undefined);
    running.push(does[each.does](side, id, each));
    await pass(each.pause);
  }
  await Promise.all(running);
}

async function pause(times: number, turnMs: number): Promise<void> {
  if (turnMs > 0) return sleep(times * turnMs);
  for (let time = 0; time < times; time += 1) await new Promise((resolve) => setImmediate(resolve));
}
