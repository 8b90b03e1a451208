/** A load whose pages come to several replicas gets what it gets at one: each resource once, for as few calls. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import * as fc from 'fast-check';

import { openRedis } from '../../src/gateway/redis.ts';
import { type Loads, noLoads, OwnLoads } from '../../src/pages/loads.ts';
import { RedisLoads } from '../../src/pages/redis-loads.ts';
import { RecordSeal } from '../../src/writes/record-seal.ts';
import { openStore } from '../cache/redis-place.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis } from '../support/redis.ts';
import { directoriesOf, endings, sameLoad, totals } from './directories.ts';
import { entitiesOf, load, type PageBody, PagingTenant, Side } from './paging-tenant.ts';
import { visit } from './visitor.ts';

const server = await startRedis();
after(() => server[Symbol.asyncDispose]());
const key = Buffer.alloc(32, 5);
/** A busy machine must not look like a Redis that is away. */
const budgetMs = 10_000;

async function openReplicas(count: number, url = server.url) {
  await using opening = new AsyncDisposableStack();
  const open = async () => {
    const { redis } = opening.use(openRedis(url));
    const loads = opening.use(new RedisLoads({ redis, key, seal: new RecordSeal(key), budgetMs }));
    const store = opening.use(openStore(url, { budgetMs }));
    await eventually(
      async () => loads.mayBegin(1) && (await store.look('gh1:{a}:a', [])) !== undefined,
      30_000,
    );
    return { loads, store };
  };
  const replicas = [];
  for (let at = 0; at < count; at += 1) replicas.push(await open());
  const opened = opening.move();
  return { replicas, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

const directory = directoriesOf({ entities: 330, run: 110, runs: 5 });
const counts = fc.constantFrom(undefined, 9, 25, 50, 99);

let runs = 0;

test('a load that wanders over replicas gets each resource once, for as many calls as at one', async () => {
  await using opened = await openReplicas(3);
  const calls = { direct: 0, one: 0, several: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        directory,
        totals,
        count: counts,
        start: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 200 })),
        ending: endings,
        blocks: fc.constantFrom('on', 'auto', 'off'),
        wander: fc.array(fc.nat({ max: 2 }), { minLength: 1, maxLength: 12 }),
      }),
      async ({ directory: passes, totals: rule, count, start, ending, blocks, wander }) => {
        const system = `system-${(runs += 1)}`;
        const tenant = new PagingTenant(entitiesOf(passes), rule);
        const read = async (sides: readonly Side[]) => {
          const before = tenant.calls;
          let pages = 0;
          const page = (at: number): Promise<PageBody> => {
            const side = sides[(wander[(pages += 1) % wander.length] ?? 0) % sides.length];
            return side?.page(at, count) ?? assert.fail();
          };
          const ids = await load(page, ending, undefined, start);
          return { ids: ids.toSorted(), calls: tenant.calls - before };
        };
        const direct = await read([new Side(tenant, { settings: { blocks: 'off' }, lifetimeMs: 0 })]);
        const one = await read([new Side(tenant, { settings: { blocks } })]);
        const several = await read(
          opened.replicas.map((replica) => new Side(tenant, { ...replica, settings: { blocks }, system })),
        );
        sameLoad(several.ids, direct.ids, { rule, ending });
        // A short load has hardly a block, and costs one call more where it begins with one of unclear total.
        if (direct.calls < 5) return;
        calls.direct += direct.calls;
        calls.one += one.calls;
        calls.several += several.calls;
      },
    ),
    { numRuns: 100 },
  );
  // Who begins with blocks in the middle asks for one page first; and what one replica keeps another may look for too early.
  assert.ok(calls.several <= calls.one * 1.1 + 5, JSON.stringify(calls));
  assert.ok(calls.one < calls.direct * 0.9, 'blocks were cut');
});

test('loads side by side over replicas all get every resource, whatever becomes of entries', async () => {
  await using opened = await openReplicas(2);
  const step = fc.record({
    load: fc.nat({ max: 3 }),
    pages: fc.integer({ min: 1, max: 5 }),
    replica: fc.nat({ max: 1 }),
    lost: fc.nat({ max: 6 }),
  });
  await fc.assert(
    fc.asyncProperty(
      directory,
      fc.constantFrom('on', 'auto'),
      fc.constantFrom(10, 25),
      fc.array(step, { minLength: 4, maxLength: 25 }),
      async (passes, blocks, count, steps) => {
        const tenant = new PagingTenant(entitiesOf(passes));
        const system = `system-${(runs += 1)}`;
        let now = Date.now();
        const sides = opened.replicas.map(
          (replica) => new Side(tenant, { ...replica, settings: { blocks }, system, now: () => now }),
        );
        const loads = ['one', 'one', 'one', 'other'].map((caller) => ({
          caller,
          at: 1,
          ids: [] as string[],
        }));
        const advance = async (each: (typeof loads)[number], replica: number): Promise<boolean> => {
          const { reply } =
            (await sides[replica]?.read(`Users?startIndex=${each.at}&count=${count}`, each)) ?? assert.fail();
          const body = JSON.parse(reply.body.toString()) as PageBody;
          each.ids.push(...body.Resources.map(({ id }) => id));
          each.at += body.itemsPerPage;
          return body.itemsPerPage > 0;
        };
        for (const { load: which, pages, replica, lost } of steps) {
          if (lost === 0) now += 60_001;
          const each = loads[which] ?? assert.fail();
          for (let page = 0; page < pages; page += 1) await advance(each, (replica + page) % 2);
        }
        const there = tenant.entities.filter((each) => each.passes).map(({ id }) => id);
        for (const each of loads) {
          for (let page = 0; await advance(each, page % 2); page += 1);
          // Where two loads of a caller stand at one index, some may be told twice rather than not at all.
          assert.deepEqual([...new Set(each.ids)].toSorted(), there.toSorted());
        }
      },
    ),
    { numRuns: 40 },
  );
});

/** Places that are found at times only, or were not kept. */
const faulty = (own: Loads, faults: readonly ('none' | 'away' | 'lost')[]): Loads => {
  let at = 0;
  const next = () => faults[(at += 1) % faults.length];
  return {
    mayBegin: (startIndex) => startIndex === 1 && next() !== 'away',
    at: async (...place) => (next() === 'none' ? own.at(...place) : undefined),
    async expect(...place) {
      const fault = next();
      if (fault === 'none') await own.expect(...place);
      return fault !== 'away';
    },
  };
};

test('a load whose places are lost at times misses nobody, and without any gets each resource once', async () => {
  await fc.assert(
    fc.asyncProperty(
      directory,
      totals,
      fc.constantFrom('on', 'auto'),
      fc.constantFrom(9, 25, 50),
      fc.array(fc.constantFrom('none', 'away', 'lost'), { minLength: 1, maxLength: 20 }),
      async (passes, rule, blocks, count, faults) => {
        const tenant = new PagingTenant(entitiesOf(passes), rule);
        const read = (loads: Loads): Promise<string[]> => {
          const side = new Side(tenant, { settings: { blocks }, loads });
          return load((at) => side.page(at, count), 'at an empty page');
        };
        const there = tenant.entities.filter((each) => each.passes).map(({ id }) => id);
        const now = performance.now();
        const ids = await read(faulty(new OwnLoads(() => now), faults));
        assert.deepEqual([...new Set(ids)].toSorted(), there.toSorted());
        const away: Loads = { ...noLoads, mayBegin: () => true };
        for (const loads of [noLoads, away])
          assert.deepEqual((await read(loads)).toSorted(), there.toSorted());
      },
    ),
    { numRuns: 200 },
  );
});

test('a load over replicas misses nobody when Redis is emptied, and is exact while Redis is away', async () => {
  await using redis = await startRedis();
  await using opened = await openReplicas(3, redis.url);
  const tenant = new PagingTenant(entitiesOf(Array.from({ length: 430 }, (_, at) => (at * 7919) % 13 < 6)));
  const there = tenant.entities.filter((each) => each.passes).map(({ id }) => id);
  using visitor = await visit(redis.url);
  for (const blocks of ['on', 'auto'] as const) {
    const sides = opened.replicas.map(
      (replica) => new Side(tenant, { ...replica, settings: { blocks }, system: blocks }),
    );
    let pages = 0;
    const page = (at: number): Promise<PageBody> => sides[(pages += 1) % 3]?.page(at, 25) ?? assert.fail();
    const ids = await load(page, 'at the total', async () => {
      if (pages % 4 === 3) await visitor.client.flushall();
    });
    assert.deepEqual([...new Set(ids)].toSorted(), there.toSorted());
  }
  await redis.kill();
  await eventually(async () => opened.replicas.every(({ loads }) => !loads.mayBegin(1)), 30_000);
  const asked = tenant.calls;
  const sides = opened.replicas.map(
    (replica) => new Side(tenant, { ...replica, settings: { blocks: 'on' } }),
  );
  let pages = 0;
  const ids = await load((at) => sides[(pages += 1) % 3]?.page(at, 25) ?? assert.fail(), 'at the total');
  assert.deepEqual(ids.toSorted(), there.toSorted());
  assert.equal(tenant.calls - asked, 18, 'no block goes up of which nothing could be kept');
});

test('who begins where another’s block begins gets each resource once', async () => {
  const tenant = new PagingTenant(entitiesOf(Array.from({ length: 200 }, (_, at) => at % 3 > 0)));
  const side = new Side(tenant);
  await load((at) => side.page(at, 25), 'at the total');
  const ids = await load(
    async (at) => {
      const { reply } = await side.read(`Users?startIndex=${at}&count=25`, { caller: 'other' });
      return JSON.parse(reply.body.toString()) as PageBody;
    },
    'at the total',
    undefined,
    26,
  );
  const there = tenant.entities.slice(25).filter((each) => each.passes);
  assert.deepEqual(ids.toSorted(), there.map(({ id }) => id).toSorted());
});

test('who begins where an earlier load of his has stood gets all from there', async () => {
  const tenant = new PagingTenant(entitiesOf(Array.from({ length: 330 }, (_, at) => at % 3 > 0)));
  const side = new Side(tenant);
  const starts: number[] = [];
  await load(
    (at) => side.page(at, 25),
    'at an empty page',
    async (at) => void starts.push(at),
  );
  for (const start of starts) {
    const ids = await load((at) => side.page(at, 25), 'at an empty page', undefined, start);
    const there = tenant.entities.slice(start - 1).filter((each) => each.passes);
    assert.deepEqual(ids.toSorted(), there.map(({ id }) => id).toSorted(), `from ${start}`);
  }
});
