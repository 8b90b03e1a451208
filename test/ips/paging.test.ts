/** The sequences of facts/ips.md 3.2, for each of the three documented rules for `totalResults`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Assumptions } from '../../src/ips/assumptions.ts';
import { readWindow, totalResults, type PageRead } from '../../src/ips/paging.ts';
import { proxyId, startedTenant } from './started-tenant.ts';

type Sequence = readonly (readonly [startIndex: number, totalResults: number, itemsPerPage: number])[];

const overHttp: Record<string, Record<Assumptions['totals'], Sequence>> = {
  'a backend with a total': {
    2024: [
      [1, 150, 100],
      [101, 150, 50],
      [201, 150, 0],
    ],
    2025: [
      [1, 150, 100],
      [101, 150, 50],
      [201, 150, 0],
    ],
    2026: [
      [1, 150, 100],
      [101, 150, 50],
      [201, 150, 0],
    ],
  },
  'a backend without a total': {
    2024: [
      [1, 101, 100],
      [101, 201, 50],
      [201, 150, 0],
    ],
    2025: [
      [1, 100, 100],
      [101, 200, 50],
      [201, 150, 0],
    ],
    2026: [
      [1, 101, 100],
      [101, 201, 50],
      [201, 150, 0],
    ],
  },
};

const rules = ['2024', '2025', '2026'] as const;

for (const [backend, sequences] of Object.entries(overHttp))
  for (const totals of rules)
    test(`${backend} pages through 150 users by the rule of ${totals}`, async () => {
      const givesTotal = backend === 'a backend with a total';
      await using started = await startedTenant({
        systems: [{ id: proxyId, backend: { kind: 'directory', users: 150, groups: 0, givesTotal } }],
        assumptions: { totals },
      });
      const seen: [number, number | undefined, number | undefined][] = [];
      for (const startIndex of [1, 101, 201]) {
        const { body } = await started.call('GET', `/Users?startIndex=${startIndex}&count=100`);
        assert.equal(body.Resources?.length, body.itemsPerPage);
        seen.push([startIndex, body.totalResults, body.itemsPerPage]);
      }
      assert.deepEqual(seen, sequences[totals]);
    });

const conditional = (startIndex: number, read: number, changes: Partial<PageRead> = {}): PageRead => ({
  window: { startIndex, count: 50 },
  read,
  total: 100,
  hasCondition: true,
  strategy: 'Calculated',
  countAll: async () => 100,
  ...changes,
});

test('a condition over a backend with a total hides that total, up to the documented last page', async () => {
  const pages = [conditional(1, 50), conditional(51, 50), conditional(101, 0)];
  const totals = await Promise.all(pages.map((page) => totalResults(page, '2026')));
  assert.deepEqual(totals, [51, 101, 150]);
});

test('the strategy Provided shows the total of the backend despite a condition', async () => {
  assert.equal(await totalResults(conditional(1, 50, { strategy: 'Provided' }), '2026'), 100);
});

test('the strategy cannot provide what the backend does not give', async () => {
  const page = conditional(1, 50, { strategy: 'Provided', total: undefined });
  assert.equal(await totalResults(page, '2026'), 51);
});

test('the documented example 6/5 answers 11, then 10, then 11', async () => {
  const page = conditional(6, 5, { window: { startIndex: 6, count: 5 }, total: undefined });
  assert.deepEqual(await Promise.all(rules.map((rule) => totalResults(page, rule))), [11, 10, 11]);
});

test('a property of the system chooses the strategy', async () => {
  await using started = await startedTenant({
    systems: [
      {
        id: proxyId,
        properties: { 'ips.proxy.scim.total.results.strategy': 'Provided' },
        backend: { kind: 'directory', users: 60, groups: 0 },
      },
    ],
  });
  assert.equal((await started.call('GET', '/Users?count=10')).body.totalResults, 60);
});

test('a startIndex below 1 means 1', () => {
  const window = readWindow(new URLSearchParams('startIndex=-3&count=5'), {
    countAbove100: 'cap',
    countZero: 'empty',
  });
  assert.deepEqual(window, { startIndex: 1, count: 5 });
});

test('a count of zero is an empty page with the total', async () => {
  await using started = await startedTenant();
  const { status, body } = await started.call('GET', '/Users?count=0');
  assert.deepEqual([status, body.itemsPerPage, body.totalResults, body.Resources], [200, 0, 30, []]);
});

test('a count above 100 is refused where the tenant is told so', async () => {
  await using started = await startedTenant({ assumptions: { countAbove100: 'refuse' } });
  assert.equal((await started.call('GET', '/Users?count=101')).status, 400);
});

test('a count that is no number is refused', async () => {
  await using started = await startedTenant();
  assert.equal((await started.call('GET', '/Users?count=many')).status, 400);
});

test('the recommended loop reads every user once', async () => {
  await using started = await startedTenant({
    systems: [{ id: proxyId, backend: { kind: 'directory', users: 230, groups: 0, givesTotal: false } }],
  });
  const ids = new Set<string | undefined>();
  for (let startIndex = 1, total = 1; startIndex <= total;) {
    const { body } = await started.call('GET', `/Users?startIndex=${startIndex}`);
    body.Resources?.forEach(({ id }) => ids.add(id));
    startIndex += body.itemsPerPage ?? 0;
    total = body.totalResults ?? 0;
    if (body.itemsPerPage === 0) break;
  }
  assert.equal(ids.size, 230);
});
