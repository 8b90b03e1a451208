/**
 * The promise of the cache under every order of events: a read that begins after a write was answered never
 * sees what was there before it, on any replica.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import * as fc from 'fast-check';

import type { Cache } from '../../src/cache/cache.ts';
import { createMemoryStore } from '../../src/cache/memory-store.ts';
import { createCache } from '../../src/cache/read-through.ts';
import { Sealer } from '../../src/cache/seal.ts';
import { ScimError } from '../../src/scim/error.ts';
import { startRedis } from '../support/redis.ts';
import { defaults, operation, reply, rules } from './operations.ts';
import { openStore } from './redis-place.ts';

const server = await startRedis();
after(() => server[Symbol.asyncDispose]());

/** What each write changes at a tenant whose users show their groups and whose groups show their members. */
const changes: Readonly<Record<string, readonly string[]>> = {
  'PUT Users/1': ['Users/1', 'Users', 'Groups/7'],
  'POST Users': ['Users', 'Groups/7'],
  'PATCH Groups/7': ['Groups/7', 'Users/1', 'Users'],
  'DELETE Users/1': ['Users/1', 'Users', 'Groups/7'],
};

const reads = ['Users/1', 'Users', 'Groups/7'];

/** An entry is stale at once, and may be told for long. */
const patient = { ...rules, lifetimeMs: 1 };

const rarely = fc.nat({ max: 5 }).map((number) => number === 5);
const mostly = rarely.map((isSo) => !isSo);

const event = fc.record({
  replica: fc.nat({ max: 2 }),
  asks: fc.constantFrom(...reads, ...reads, ...Object.keys(changes)),
  mayServe: mostly,
  asksAnew: rarely,
  /** What entries are to this reader: fresh, past their lifetime and told meanwhile, or told when the tenant fails. */
  rules: fc.constantFrom(
    rules,
    { ...patient, staleWhileRevalidate: true },
    { ...patient, staleOnError: true },
  ),
  fails: rarely,
  /** Turns that the tenant takes before and after its data are read or changed. */
  before: fc.nat({ max: 4 }),
  afterwards: fc.nat({ max: 12 }),
  /** Turns until the next event begins. */
  pause: fc.nat({ max: 3 }),
});
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

for (const [name, numRuns, turnMs, open] of [
  ['memory', 300, 0, () => [createMemoryStore({ maxBytes: 1_000_000 })]],
  ['Redis', 60, 1, () => [1, 2, 3].map(() => openStore(server.url))],
] as const)
  test(`no read sees what was there before an answered write, with ${name}`, async () => {
    const key = Buffer.alloc(32, 7);
    const stores = open();
    const caches = stores.map((store) => createCache({ store, key, seal: new Sealer([key]) }));
    const results = new Set<string>();
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 2, maxLength: 40, size: 'max' }), async (events) => {
        run += 1;
        await play(caches, events, { system: `${name}-${run}`, results, turnMs });
      }),
      { numRuns, endOnFailure: true },
    );
    assert.deepEqual([...results].toSorted(), ['collapsed', 'hit', 'miss', 'stale'], 'every way was taken');
    for (const cache of caches) await cache[Symbol.asyncDispose]();
  });

async function play(
  caches: readonly Cache[],
  events: readonly Event[],
  { system, results, turnMs }: { system: string; results: Set<string>; turnMs: number },
): Promise<void> {
  const turns = (times: number): Promise<void> => pass(times, turnMs);
  const versions = new Map<string, number>();
  const answered = new Map<string, number>();

  async function write(cache: Cache, { asks, before, afterwards }: Event): Promise<void> {
    await turns(before);
    const changed = (changes[asks] ?? []).map((path) => [path, (versions.get(path) ?? 0) + 1] as const);
    for (const [path, version] of changed) versions.set(path, version);
    await turns(afterwards);
    const [method = '', target = ''] = asks.split(' ');
    await cache.forget(operation(method, target, system));
    for (const [path, version] of changed) answered.set(path, Math.max(answered.get(path) ?? 0, version));
  }

  async function read(cache: Cache, each: Event): Promise<void> {
    const { asks, mayServe, before, afterwards } = each;
    const oldest = answered.get(asks) ?? 0;
    const ask = { ...defaults, mayServe, rules: each.rules, maxAgeMs: each.asksAnew ? 0 : Infinity };
    const reading = cache.read(operation('GET', asks, system), ask, async () => {
      await turns(before);
      const version = versions.get(asks) ?? 0;
      await turns(afterwards);
      if (each.fails) throw new ScimError('upstream-unreachable', 'The tenant cannot be reached.');
      return reply(String(version));
    });
    const answer = await reading.catch(() => undefined);
    if (!answer) return;
    const { content } = JSON.parse(answer.reply.body.toString());
    results.add(answer.result);
    assert.ok(Number(content) >= oldest, `${asks} is ${content} after ${oldest} was answered`);
  }

  const running: Promise<void>[] = [];
  for (const each of events) {
    const cache = caches[each.replica % caches.length];
    assert.ok(cache);
    running.push(each.asks in changes ? write(cache, each) : read(cache, each));
    await turns(each.pause);
  }
  await Promise.all(running);
}

/** Turns of the event loop, or as many milliseconds where a store must be able to answer meanwhile. */
async function pass(times: number, turnMs: number): Promise<void> {
  if (turnMs > 0) return sleep(times * turnMs);
  for (let time = 0; time < times; time += 1) await new Promise((resolve) => setImmediate(resolve));
}
