/** Reading a whole collection, while others change it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { collect, CollectFault, type Fault } from '../../src/snapshot/collect.ts';
import { Collection, many, peopleOf, type Totals } from './collection.ts';

const maxBytes = 50_000_000;
const read = (from: Collection, pageSize = 100) =>
  collect({ askPage: from.page, maxBytes, pageSize }).then(({ bodies }) => [...bodies.keys()]);
const fails = (fault: Fault) => (thrown: unknown) => thrown instanceof CollectFault && thrown.fault === fault;

/** Whom a reading does not have, though the tenant has him. */
const missing = async (from: Collection): Promise<string[]> => {
  const found = await read(from);
  return from.ids().filter((id) => !found.includes(id));
};
const lastly = ['a', 'b', 'c'].map((id) => ({ id, passes: true, version: 0 }));

const directory = fc.record({
  passes: fc.array(fc.boolean(), { maxLength: 120 }),
  totals: fc.constantFrom<Totals>('provided', '2025', '2026'),
  pageSize: fc.integer({ min: 6, max: 40 }),
});

test('a collection at rest is read as a whole, in its order, whatever conditions drop and totals say', async () => {
  await fc.assert(
    fc.asyncProperty(directory, async ({ passes, totals, pageSize }) => {
      const tenant = new Collection(peopleOf(passes), totals);
      assert.deepEqual(await read(tenant, pageSize), tenant.ids());
    }),
  );
});

test('nobody who stays is missed while others are deleted between two pages', async () => {
  const deletions = fc.array(fc.array(fc.nat(200), { maxLength: 5 }), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(directory, deletions, async ({ passes, totals, pageSize }, bursts) => {
      const tenant = new Collection(peopleOf(passes), totals);
      const left = [...bursts];
      tenant.onPage = (startIndex) => {
        if (startIndex === 1) return;
        for (const at of left.shift() ?? []) tenant.people.splice(at, 1);
      };
      const found = await read(tenant, pageSize).catch((thrown: unknown) => {
        assert.ok(thrown instanceof CollectFault);
        return undefined;
      });
      if (found)
        assert.deepEqual(
          tenant.ids().filter((id) => !found.includes(id)),
          [],
        );
    }),
  );
});

test('whoever moves behind by additions while the pages are read is there once', async () => {
  const tenant = new Collection(many(250));
  tenant.onPage = (startIndex) => {
    if (startIndex > 1 && tenant.people.length < 260)
      tenant.people.unshift({ id: `new${tenant.people.length}`, passes: true, version: 0 });
  };
  const found = await read(tenant);
  assert.equal(new Set(found).size, found.length);
  assert.ok(many(250).every(({ id }) => found.includes(id)));
});

test('where a page shows nobody of the one before, half a page is read again', async () => {
  const tenant = new Collection(many(250));
  tenant.onPage = (startIndex) => {
    if (startIndex === 96 && tenant.people.length === 250) tenant.people.splice(0, 20);
  };
  assert.deepEqual(await missing(tenant), []);
  assert.deepEqual(tenant.asked.slice(0, 3), ['1/100', '96/100', '51/100']);
});

test('where half a page shows nobody of the one before, that is read again and led on from', async () => {
  const tenant = new Collection(many(250));
  tenant.onPage = (startIndex) => {
    if (startIndex === 96 && tenant.people.length === 250) tenant.people.splice(0, 60);
  };
  assert.deepEqual(await missing(tenant), []);
  assert.deepEqual(tenant.asked.slice(0, 5), ['1/100', '96/100', '51/100', '1/100', '96/100']);
});

test('a deletion beside positions that a condition drops loses nobody', async () => {
  const tenant = new Collection(peopleOf(Array.from({ length: 250 }, (_, at) => at < 90 || at >= 100)));
  for (const call of [2, 3, 4]) {
    tenant.asked.length = 0;
    tenant.onPage = () => void (tenant.asked.length === call && tenant.people.splice(0, 1));
    assert.deepEqual(await missing(tenant), []);
  }
});

test('a page of which conditions left nobody is followed by one that has half of it again', async () => {
  const tenant = new Collection(peopleOf(Array.from({ length: 400 }, (_, at) => at >= 300)));
  tenant.onPage = () => void (tenant.people.length > 350 && tenant.people.splice(0, 16));
  assert.deepEqual(await missing(tenant), []);
  assert.deepEqual(tenant.asked.slice(0, 3), ['1/100', '51/100', '101/100']);
});

test('a real total that falls by more than was read again, where nobody is there to compare, is a fault', async () => {
  const tenant = new Collection(peopleOf(Array.from({ length: 400 }, (_, at) => at >= 300)));
  tenant.onPage = (startIndex) => void (startIndex === 251 && tenant.people.splice(0, 60));
  await assert.rejects(read(tenant), fails('moved'));
});

test('a page that ends as before when it is read again proves that conditions dropped what the next has of it', async () => {
  const tenant = new Collection(peopleOf(Array.from({ length: 250 }, (_, at) => at < 40 || at >= 100)));
  assert.deepEqual(await read(tenant), tenant.ids());
  assert.deepEqual(tenant.asked.slice(0, 5), ['1/100', '88/100', '51/100', '1/100', '141/100']);
  const other = new Collection(tenant.people);
  other.onPage = () => void (other.asked.length === 3 && other.people.splice(0, 55));
  assert.deepEqual(await missing(other), []);
});

test('positions that come back after many have gone do not hide whom conditions cannot have dropped', async () => {
  const tenant = new Collection(many(250), '2026');
  const others = many(60).map((each) => ({ ...each, id: `n${each.id}` }));
  tenant.onPage = () => {
    if (tenant.asked.length === 2) tenant.people.splice(0, 60);
    if (tenant.asked.length === 4) tenant.people.unshift(...others);
  };
  assert.deepEqual(await missing(tenant), []);
});

test('one who is moved behind does not prove that a page begins where the last one ended', async () => {
  const tenant = new Collection(many(250));
  tenant.onPage = () => {
    if (tenant.asked.length !== 2) return;
    tenant.people.splice(150, 0, ...tenant.people.splice(99, 1));
    tenant.people.splice(0, 20);
  };
  assert.deepEqual(await missing(tenant), []);
});

test('a tenant that gives fewer positions than it is asked for is read as a whole', async () => {
  for (const passes of [true, false]) {
    const tenant = new Collection([...peopleOf(Array.from({ length: 120 }, () => passes)), ...lastly]);
    const few = (startIndex: number, count: number) => tenant.page(startIndex, Math.min(count, 30));
    const { bodies } = await collect({ askPage: few, maxBytes });
    assert.deepEqual([...bodies.keys()], tenant.ids());
  }
});

test('a collection that moves by more than a page between two pages is given up', async () => {
  const tenant = new Collection(many(500));
  tenant.onPage = (startIndex) => {
    if (startIndex > 1) tenant.people.splice(0, 120);
  };
  await assert.rejects(read(tenant), fails('moved'));
});

test('a real total that is greater than the positions that were read is a fault', async () => {
  const tenant = new Collection(many(60));
  const short = async (startIndex: number, count: number) =>
    startIndex > 50
      ? new Collection([]).page(startIndex, count)
      : tenant.page(startIndex, Math.min(count, 51 - startIndex));
  await assert.rejects(collect({ askPage: short, maxBytes, pageSize: 10 }), fails('unread-positions'));
});

test('a collection that is larger than it may be is given up', async () => {
  await assert.rejects(
    collect({ askPage: new Collection(many(300)).page, maxBytes: 1000 }),
    fails('too-large'),
  );
});

test('a tenant that answers every index with the first page is not a collection', async () => {
  const tenant = new Collection(many(300));
  const stuck = (_: number, count: number) => tenant.page(1, count);
  await assert.rejects(collect({ askPage: stuck, maxBytes }), fails('not-a-page'));
});
