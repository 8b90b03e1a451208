/** The promise of pages: a caller that pages correctly sees through them what it sees directly, each resource once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { blockSize } from '../../src/pages/block.ts';
import { allEndings, allTotals, directoriesOf, endings, sameLoad, totals } from './directories.ts';
import { entitiesOf, load, type PageBody, PagingTenant, Side } from './paging-tenant.ts';

const counts = fc.oneof(
  fc.constant(undefined),
  fc.constantFrom(1, 7, 10, 25, 50, 99, 100),
  fc.integer({ min: 1, max: 120 }),
);
const directory = directoriesOf({ entities: 420, run: 130, runs: 6 });
const blocks = fc.constantFrom('on', 'auto', 'off');

const directPage =
  (tenant: PagingTenant, count: number | undefined) =>
  async (startIndex: number): Promise<PageBody> => {
    const side = new Side(tenant, { settings: { blocks: 'off' }, lifetimeMs: 0 });
    return side.page(startIndex, count);
  };

test('a load gives the same resources as without the gateway, each once, in every mode', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        directory,
        totals,
        count: counts,
        start: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 430 })),
        ending: endings,
        blocks,
        foresees: fc.boolean(),
        /** Who has loaded before, so that some of it is remembered. */
        before: fc.array(fc.record({ count: counts, start: fc.integer({ min: 1, max: 60 }) }), {
          maxLength: 2,
        }),
      }),
      async ({ directory: passes, totals: rule, count, start, ending, blocks: mode, foresees, before }) => {
        const tenant = new PagingTenant(entitiesOf(passes), rule);
        const direct = await load(directPage(tenant, count), ending, undefined, start);
        const directCalls = tenant.calls;
        const side = new Side(tenant, { settings: { blocks: mode }, foresees });
        for (const each of before)
          await load((at) => side.page(at, each.count), 'at an empty page', undefined, each.start);
        const warmCalls = tenant.calls;
        const first = await load((at) => side.page(at, count), ending, undefined, start);
        sameLoad(first, direct, { rule, ending });
        assert.ok(tenant.calls - warmCalls <= directCalls + 1, 'never more calls than directly');
        const again = await load((at) => side.page(at, count), ending, undefined, start);
        sameLoad(again, direct, { rule, ending });
      },
    ),
    { numRuns: 500 },
  );
});

for (const rule of allTotals)
  test(`a load gives the same resources where the collection ends about where a block does, totals ${rule}`, async () => {
    for (const count of [1, 2, 25, 99])
      for (const over of [-1, 0, 1])
        for (const length of [blockSize(count) + over, 2 * blockSize(count) + over])
          for (const ending of allEndings)
            for (const mode of ['on', 'auto'] as const) {
              const tenant = new PagingTenant(entitiesOf(Array<boolean>(length).fill(true)), rule);
              const side = new Side(tenant, { settings: { blocks: mode } });
              const told = await load((at) => side.page(at, count), ending);
              const direct = await load(directPage(tenant, count), ending);
              assert.deepEqual(
                told,
                direct,
                `${length} at ${count} a page, ${mode}, until it ends ${ending}`,
              );
            }
  });

test('a load whose blocks are lost on the way still gives each resource once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        directory,
        totals,
        count: fc.constantFrom(undefined, 7, 10, 25, 50),
        blocks,
        lostAt: fc.uniqueArray(fc.nat({ max: 30 }), { maxLength: 8 }),
      }),
      async ({ directory: passes, totals: rule, count, blocks: mode, lostAt }) => {
        const tenant = new PagingTenant(entitiesOf(passes), rule);
        let now = 0;
        const side = new Side(tenant, { settings: { blocks: mode }, now: () => now });
        let pages = 0;
        const ids = await load(
          (at) => side.page(at, count),
          'at an empty page',
          async () => {
            if (lostAt.includes((pages += 1))) now += 60_001;
          },
        );
        const direct = tenant.entities.filter((each) => each.passes).map(({ id }) => id);
        assert.deepEqual(ids.toSorted(), direct.toSorted());
      },
    ),
    { numRuns: 400 },
  );
});

test('loads side by side, of one caller and of others, all get every resource', async () => {
  const step = fc.record({
    load: fc.nat({ max: 3 }),
    pages: fc.integer({ min: 1, max: 6 }),
    lost: fc.nat({ max: 5 }),
  });
  await fc.assert(
    fc.asyncProperty(
      directory,
      fc.constantFrom('on', 'auto'),
      fc.constantFrom(10, 25),
      fc.array(step, { minLength: 4, maxLength: 40 }),
      async (passes, mode, count, steps) => {
        const tenant = new PagingTenant(entitiesOf(passes));
        let now = 0;
        const side = new Side(tenant, { settings: { blocks: mode }, now: () => now });
        const loads = ['one', 'one', 'one', 'other'].map((caller) => ({
          caller,
          at: 1,
          ids: [] as string[],
        }));
        const advance = async (each: (typeof loads)[number]): Promise<boolean> => {
          const { reply } = await side.read(`Users?startIndex=${each.at}&count=${count}`, each);
          const body = JSON.parse(reply.body.toString()) as PageBody;
          each.ids.push(...body.Resources.map(({ id }) => id));
          each.at += body.itemsPerPage;
          return body.itemsPerPage > 0;
        };
        for (const { load: which, pages, lost } of steps) {
          if (lost === 0) now += 60_001;
          const each = loads[which];
          assert.ok(each);
          for (let page = 0; page < pages; page += 1) await advance(each);
        }
        const there = tenant.entities.filter((each) => each.passes).map(({ id }) => id);
        for (const each of loads) {
          while (await advance(each));
          // Where two loads of a caller stand at one index, some may be told twice rather than not at all.
          assert.deepEqual([...new Set(each.ids)].toSorted(), there.toSorted());
        }
      },
    ),
    { numRuns: 400 },
  );
});
