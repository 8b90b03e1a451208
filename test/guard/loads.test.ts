/** Loads followed page by page: when they have ended, what their reports say, and which of them are kept back. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtempDisposable, readdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import type { LoadCeiling } from '../../src/guard/ceiling.ts';
import { Holds } from '../../src/guard/holds.ts';
import { judgeLoad } from '../../src/guard/judge-load.ts';
import { LastLoads } from '../../src/guard/last-loads.ts';
import { LoadGuard } from '../../src/guard/load-guard.ts';
import { LoadReports } from '../../src/guard/load-reports.ts';
import { LocalBook } from '../../src/guard/local-book.ts';
import type { LoadPage, Pseudonyms } from '../../src/guard/running-load.ts';

const alert: LoadCeiling = { share: 10, above: 'alert' };
const refuse: LoadCeiling = { share: 10, above: 'refuse' };

interface Told {
  readonly event: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** How a tenant tells the total of what it has. */
type Totals = 'real' | 'estimate of 2025' | 'estimate of 2026';

interface LoadOptions {
  readonly count?: number;
  readonly totals?: Totals;
  readonly ceiling?: LoadCeiling;
  readonly isHit?: boolean;
  /** Whether it reads on until nothing comes, whatever the total says. */
  readonly isThorough?: boolean;
  readonly caller?: string;
}

const pseudonymOf = (id: string, period: string): string =>
  `p${period}:${createHmac('sha256', period).update(id).digest().subarray(0, 16).toString('base64url')}`;

async function stage() {
  const directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-loads-'));
  const told: Told[] = [];
  let period = '2026q4';
  const open = async () => {
    const tell = (event: string, facts: Readonly<Record<string, unknown>>): void =>
      void told.push({ event, facts });
    const local = await LocalBook.open(join(directory.path, 'state.json'));
    const record = (...said: Parameters<typeof tell>): Promise<void> => Promise.resolve(tell(...said));
    const holds = new Holds({ key: Buffer.alloc(32, 7), local, record, tell });
    const pseudonyms = (): Pseudonyms => ({ period, of: pseudonymOf });
    const reports = new LoadReports({ holds, last: new LastLoads(directory.path), tell });
    return { holds, loads: new LoadGuard({ reports, pseudonyms }) };
  };
  let parts = await open();
  return {
    told,
    directory: directory.path,
    get holds() {
      return parts.holds;
    },
    get loads() {
      return parts.loads;
    },
    restart: async () => void (parts = await open()),
    startPeriod: (name: string) => void (period = name),
    reports: () => told.flatMap(({ event, facts }) => (event === 'load.completed' ? [facts] : [])),
    /** Reads all pages; false when it was kept back. */
    load: (ids: readonly (string | undefined)[], options: LoadOptions = {}) =>
      load(parts.loads, ids, options),
    [Symbol.asyncDispose]: () => directory.remove(),
  };
}

/** @param ids undefined for what the tenant read and a condition dropped */
async function load(
  loads: LoadGuard,
  ids: readonly (string | undefined)[],
  {
    count = 10,
    totals = 'real',
    ceiling = alert,
    isHit = false,
    isThorough = false,
    caller = 'idm',
  }: LoadOptions,
): Promise<boolean> {
  for (let startIndex = 1; ;) {
    const read = ids.slice(startIndex - 1, startIndex - 1 + count);
    const isLast = read.length === 0;
    const estimate = startIndex + count - (totals === 'estimate of 2025' ? 1 : 0);
    const totalResults = totals === 'real' || isLast ? ids.length : estimate;
    const itemsPerPage = read.length;
    const page: LoadPage = {
      caller,
      system: 'S1',
      resourceType: 'Users',
      startIndex,
      count,
      itemsPerPage,
      totalResults,
      ids: read.filter((id) => id !== undefined),
      isHit,
    };
    try {
      await loads.see(page, ceiling);
    } catch (thrown) {
      assert.equal((thrown as { kind?: string }).kind, 'load-held');
      return false;
    }
    startIndex += itemsPerPage;
    if (isLast || (!isThorough && totals !== 'estimate of 2025' && startIndex > totalResults)) return true;
  }
}

const users = (many: number, from = 0): string[] => Array.from({ length: many }, (_, at) => `u${from + at}`);

for (const totals of ['real', 'estimate of 2025', 'estimate of 2026'] as const)
  test(`a load is reported once, at its end, where totals are ${totals === 'real' ? totals : `an ${totals}`}`, async () => {
    await using set = await stage();
    await set.load(users(34), { totals });
    const [report, ...others] = set.reports();
    assert.deepEqual(others, []);
    assert.deepEqual(
      [report?.['ids'], report?.['duplicates'], report?.['verdict'], report?.['accepted']],
      [34, 0, 'first', true],
    );
    assert.equal(report?.['pages'], totals === 'real' ? 4 : 5);
  });

test('a load that fills its last page ends there', async () => {
  await using set = await stage();
  await set.load(users(30));
  assert.equal(set.reports()[0]?.['ids'], 30);
});

test('a report counts pages without a resource, resources that came twice, new ones and missing ones', async () => {
  await using set = await stage();
  await set.load(users(40));
  const dropped = Array.from({ length: 10 }, () => undefined);
  await set.load([...users(20), ...dropped, ...users(22, 18)]);
  const [, report] = set.reports();
  const { pages, emptyPages, ids, duplicates, missing, verdict, new: fresh } = report ?? {};
  assert.deepEqual(
    { pages, emptyPages, ids, duplicates, missing, verdict, fresh },
    { pages: 6, emptyPages: 1, ids: 40, duplicates: 2, missing: 0, verdict: 'whole', fresh: 0 },
  );
});

test('a load that is more than a tenth smaller is told of with those who are missing, and compared with no later one', async () => {
  await using set = await stage();
  await set.load(users(40));
  assert.equal(await set.load(users(20)), true);
  const [, report] = set.reports();
  assert.deepEqual(
    [report?.['verdict'], report?.['missing'], report?.['new'], report?.['accepted']],
    ['smaller', 20, 0, false],
  );
  const missing = set.told.flatMap(({ event, facts }) =>
    event === 'load.missing' ? (facts['ids'] as string[]) : [],
  );
  assert.deepEqual(new Set(missing), new Set(users(20, 20).map((id) => pseudonymOf(id, '2026q4'))));
  assert.equal(await set.load(users(36)), true);
  assert.equal(set.reports()[2]?.['verdict'], 'whole');
  assert.deepEqual(set.holds.all, []);
});

test('an empty load is told of, and one that is a tenth smaller is not', async () => {
  await using set = await stage();
  await set.load(users(40));
  await set.load([]);
  await set.load(users(36));
  assert.deepEqual(
    set.reports().map(({ verdict }) => verdict),
    ['first', 'empty', 'whole'],
  );
});

test('where loads are kept back the last page is not told, also when it is asked for again', async () => {
  await using set = await stage();
  await set.load(users(40), { ceiling: refuse });
  assert.equal(await set.load(users(25), { ceiling: refuse }), false);
  const last: LoadPage = {
    caller: 'idm',
    system: 'S1',
    resourceType: 'Users',
    startIndex: 21,
    count: 10,
    itemsPerPage: 5,
    totalResults: 25,
    ids: users(5, 20),
    isHit: true,
  };
  await assert.rejects(set.loads.see(last, refuse), { kind: 'load-held' });
  assert.equal(set.reports().length, 2);
});

test('a release lets one load pass that misses no more than it names, and later ones are compared with that', async () => {
  await using set = await stage();
  await set.load(users(40), { ceiling: refuse });
  await set.load(users(25), { ceiling: refuse });
  const [hold] = set.holds.all;
  const release = { hold: hold?.id ?? '', lifetimeMs: 60_000, reason: 'a plant was sold', actor: {} };
  await set.holds.release({ ...release, count: 14 });
  assert.equal(await set.load(users(25), { ceiling: refuse }), false);
  await set.holds.release({ ...release, count: 15 });
  assert.equal(await set.load(users(25), { ceiling: refuse }), true);
  assert.equal(await set.load(users(25), { ceiling: refuse }), true);
  assert.equal(set.reports().at(-1)?.['verdict'], 'whole');
  assert.equal(await set.load(users(10), { ceiling: refuse }), false);
});

test('what the last load had outlives the process, in 16 bytes for each resource', async () => {
  await using set = await stage();
  await set.load(users(1000), { count: 100 });
  const file = (await readdir(set.directory)).find((name) => name.startsWith('load-')) ?? '';
  const { size } = await stat(join(set.directory, file));
  assert.ok(size > 16_000 && size < 16_200, `${size}`);
  await set.restart();
  await set.load(users(500), { count: 100 });
  assert.equal(set.reports()[1]?.['missing'], 500);
});

test('a load of a new quarter is compared with that of the one before', async () => {
  await using set = await stage();
  await set.load(users(40));
  set.startPeriod('2027q1');
  await set.load(users(39, 1));
  await set.load(users(38, 2));
  assert.deepEqual(
    set.reports().map(({ missing, new: fresh }) => [missing, fresh]),
    [
      [undefined, undefined],
      [1, 0],
      [1, 0],
    ],
  );
});

test('a load that came out of the cache as a whole says nothing new, and one look at a first page is no load', async () => {
  await using set = await stage();
  await set.load(users(40), { isHit: true });
  for (let time = 0; time < 3; time += 1)
    await set.load(users(200).slice(0, 10), { count: 10, totals: 'estimate of 2026', isHit: true });
  assert.deepEqual(set.reports(), []);
});

test('a load whose first page came out of the cache is read from it when it goes on', async () => {
  await using set = await stage();
  const first: LoadPage = {
    caller: 'idm',
    system: 'S1',
    resourceType: 'Users',
    startIndex: 1,
    count: 10,
    itemsPerPage: 10,
    totalResults: 15,
    ids: users(10),
    isHit: true,
  };
  let reads = 0;
  const read = (): LoadPage => ((reads += 1), first);
  set.loads.glance(first, read);
  set.loads.glance(first, read);
  assert.equal(reads, 0);
  await set.loads.see({ ...first, startIndex: 11, itemsPerPage: 5, ids: users(5, 10), isHit: false }, alert);
  assert.equal(reads, 1);
  assert.deepEqual(
    set.reports().map(({ ids, pages }) => [ids, pages]),
    [[15, 2]],
  );
});

test('two loads of one caller that overtake each other are both reported', async () => {
  await using set = await stage();
  await Promise.all([
    set.load(users(40)),
    set.load(users(40), { count: 7 }),
    set.load(users(40), { caller: 'other' }),
  ]);
  assert.deepEqual(
    set.reports().map(({ ids }) => ids),
    [40, 40, 40],
  );
});

test('a load is worth as much as its share of the last one', () => {
  assert.equal(judgeLoad(undefined, { count: 0 }), 'first');
  assert.equal(judgeLoad({ count: 0 }, { count: 0 }), 'whole');
  assert.equal(judgeLoad({ count: 100 }, { count: 90 }), 'whole');
  assert.equal(judgeLoad({ count: 100 }, { count: 89 }), 'smaller');
  assert.equal(judgeLoad({ count: 1 }, { count: 0 }), 'empty');
  assert.equal(judgeLoad({ count: 100 }, { count: 60 }, 40), 'whole');
});
