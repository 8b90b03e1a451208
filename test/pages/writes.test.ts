/** Pages while somebody writes: nothing older than an answered write is told, and no load misses what stays. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import * as fc from 'fast-check';

import { createMemoryStore } from '../../src/cache/memory-store.ts';
import type { Store } from '../../src/cache/store.ts';
import { openStore } from '../cache/redis-place.ts';
import { startRedis } from '../support/redis.ts';
import { entitiesOf, load, type PageBody, PagingTenant, Side } from './paging-tenant.ts';

const server = await startRedis();
after(() => server[Symbol.asyncDispose]());

/** The promise holds while Redis answers, and a busy machine must not make it look away. */
const openPatient = (): Store => openStore(server.url, { budgetMs: 5000 });

const event = fc.record({
  replica: fc.nat({ max: 1 }),
  does: fc.constantFrom('load', 'load', 'get', 'get', 'put', 'put', 'drop', 'delete', 'create'),
  at: fc.nat({ max: 129 }),
  pause: fc.nat({ max: 40 }),
});

for (const [name, numRuns, turnMs, open] of [
  ['memory', 150, 0, (): Store[] => [createMemoryStore({ maxBytes: 50_000_000 })]],
  ['Redis', 40, 1, (): Store[] => [openPatient(), openPatient()]],
] as const)
  test(`no page and no single read shows what was before an answered write, with ${name}`, async () => {
    const stores = open();
    await using closing = new AsyncDisposableStack();
    for (const store of stores) closing.use(store);
    const results = new Set<string>();
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { minLength: 3, maxLength: 25 }),
        fc.array(fc.boolean(), { minLength: 60, maxLength: 130 }),
        async (events, passes) => {
          run += 1;
          const tenant = new PagingTenant(entitiesOf(passes));
          const pass = (turns: number): Promise<void> => pause(turns, turnMs);
          let seed = run;
          // Every way up and down takes its own time, so that answers overtake each other.
          const random = (): number => (seed = (seed * 16_807) % 2_147_483_647);
          const sides = [0, 1].map(
            (at) =>
              new Side(tenant, {
                ...stores
                  .slice(at % stores.length)
                  .slice(0, 1)
                  .map((store) => ({ store }))[0],
                pause: () => pass(random() % 4),
                system: `${name}-${run}`,
                foresees: run % 2 === 0,
              }),
          );
          await play(tenant, sides, events, pass);
          for (const side of sides) for (const result of side.results) results.add(result);
        },
      ),
      { numRuns, endOnFailure: true },
    );
    assert.deepEqual([...results].toSorted(), ['collapsed', 'hit', 'miss'], 'every way was taken');
  });

async function play(
  tenant: PagingTenant,
  sides: readonly Side[],
  events: readonly (typeof event extends fc.Arbitrary<infer T> ? T : never)[],
  pass: (turns: number) => Promise<void>,
): Promise<void> {
  /** What was answered to writers: versions, and what is gone. */
  const versions = new Map<string, number>();
  const gone = new Set<string>();
  const check = (shown: PageBody['Resources'], oldest: Map<string, number>, wereGone: Set<string>): void => {
    for (const { id, version } of shown) {
      assert.ok(!wereGone.has(id), `${id} is shown after its deletion was answered`);
      assert.ok(version >= (oldest.get(id) ?? 0), `${id} is ${version} after ${oldest.get(id)} was answered`);
    }
  };
  const does = {
    load: (side: Side) =>
      load(async (startIndex) => {
        const before = [new Map(versions), new Set(gone)] as const;
        const body = await side.page(startIndex, 10);
        check(body.Resources, ...before);
        return body;
      }, 'at an empty page'),
    get: async (side: Side, at: number) => {
      const before = [new Map(versions), new Set(gone)] as const;
      const { reply } = await side.read(`Users/u${at}`);
      if (reply.status === 200) check([JSON.parse(reply.body.toString())], ...before);
    },
    put: (side: Side, at: number) => change(side, 'PUT', at, () => undefined),
    drop: (side: Side, at: number) => change(side, 'PATCH', at, (each) => (each.passes = !each.passes)),
    delete: async (side: Side, at: number) => {
      await side.write('DELETE', `Users/u${at}`, () => {
        tenant.entities = tenant.entities.filter(({ id }) => id !== `u${at}`);
      });
      gone.add(`u${at}`);
    },
    create: (side: Side, at: number) =>
      side.write('POST', 'Users', () => {
        tenant.entities.splice(at, 0, { id: `new ${Math.random()}`, passes: true, version: 0 });
      }),
  };
  async function change(
    side: Side,
    method: string,
    at: number,
    also: (entity: PagingTenant['entities'][number]) => void,
  ) {
    let version = 0;
    await side.write(method, `Users/u${at}`, () => {
      const entity = tenant.entities.find(({ id }) => id === `u${at}`);
      if (!entity) return;
      version = entity.version += 1;
      also(entity);
    });
    versions.set(`u${at}`, Math.max(versions.get(`u${at}`) ?? 0, version));
  }
  const running: Promise<unknown>[] = [];
  for (const each of events) {
    const side = sides[each.replica];
    assert.ok(side);
    running.push(does[each.does](side, each.at));
    await pass(each.pause);
  }
  await Promise.all(running);
}

async function pause(times: number, turnMs: number): Promise<void> {
  if (turnMs > 0) return sleep(times * turnMs);
  for (let time = 0; time < times; time += 1) await new Promise((resolve) => setImmediate(resolve));
}

const writes = fc.array(
  fc.record({ page: fc.integer({ min: 2, max: 25 }), at: fc.nat({ max: 259 }), toggles: fc.boolean() }),
  { maxLength: 12 },
);

for (const replicas of [1, 2])
  test(`a load during changes through ${replicas} replica${replicas === 1 ? '' : 's'} misses nothing that was there all the time`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.boolean(), { minLength: 30, maxLength: 260 }),
        writes,
        fc.constantFrom('on', 'auto'),
        async (passes, changes, blocks) => {
          const tenant = new PagingTenant(entitiesOf(passes));
          const store = createMemoryStore({ maxBytes: 50_000_000 });
          const sides = Array.from(
            { length: replicas },
            () => new Side(tenant, { store, settings: { blocks } }),
          );
          const touched = new Set<string>();
          let pages = 0;
          const sideNow = (): Side => sides[pages % replicas] ?? new Side(tenant);
          const ids = await load(
            (at) => sideNow().page(at, 10),
            'at an empty page',
            async () => {
              pages += 1;
              for (const { at, toggles } of changes.filter(({ page }) => page === pages))
                await sideNow().write('PUT', `Users/u${at}`, () => {
                  const entity = tenant.entities[at];
                  if (!entity) return;
                  entity.version += 1;
                  if (!toggles) return;
                  entity.passes = !entity.passes;
                  touched.add(entity.id);
                });
            },
          );
          const seen = ids.filter((id) => !touched.has(id)).toSorted();
          const there = tenant.entities.filter(({ id, passes: each }) => each && !touched.has(id));
          const expected = there.map(({ id }) => id).toSorted();
          // Another replica does not know what a block gave early, and tells it again rather than not at all.
          assert.deepEqual(replicas === 1 ? seen : [...new Set(seen)], expected);
        },
      ),
      { numRuns: 300 },
    );
  });
