/** When a new edition replaces the old one, and when the old one stays. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { MemorySlate } from '../../src/snapshot/memory-slate.ts';
import { eventually } from '../support/eventually.ts';
import { Collection, many } from './collection.ts';
import { Replica } from './replica.ts';

async function built(
  people: number,
): Promise<{ tenant: Collection; replica: Replica; old: readonly string[] }> {
  const tenant = new Collection(many(people));
  const replica = new Replica(tenant, new MemorySlate('k'));
  assert.equal(await replica.build(), undefined);
  return { tenant, replica, old: tenant.ids() };
}

test('an edition that is 6 % smaller is refused and the old one stays', async () => {
  const { tenant, replica, old } = await built(100);
  tenant.people.splice(10, 6);
  assert.equal(await replica.build(), 'shrunk');
  assert.deepEqual(await replica.ids(), old);
});

test('an edition that is 5 % smaller replaces the old one', async () => {
  const { tenant, replica } = await built(100);
  tenant.people.splice(10, 5);
  assert.equal(await replica.build(), undefined);
  assert.deepEqual(await replica.ids(), tenant.ids());
});

test('an edition that a guard has released may be of any size', async () => {
  const { tenant, replica } = await built(100);
  tenant.people.splice(10, 60);
  assert.equal(await replica.build({ isReleased: true }), undefined);
  assert.deepEqual(await replica.ids(), tenant.ids());
});

test('who was deleted through the gateway does not count as missing', async () => {
  const { tenant, replica } = await built(100);
  const gone = tenant.people.splice(10, 20);
  await replica.board.append(gone.map(({ id }) => ({ kind: 'gone', id })));
  assert.equal(await replica.build(), undefined);
  assert.deepEqual(await replica.ids(), tenant.ids());
});

for (const [how, deleted] of [
  ['when the board is full', 1001],
  ['when their changes became one', 2500],
] as const)
  test(`nor does he ${how}, and who is missing besides counts`, async () => {
    const { tenant, replica, old } = await built(5000);
    const gone = tenant.people.splice(10, deleted);
    await replica.board.append(gone.map(({ id }) => ({ kind: 'gone', id })));
    await eventually(async () => (await replica.board.read())?.isFull === deleted < 2000);
    const lost = tenant.people.splice(10, 400);
    assert.equal(await replica.build(), 'shrunk');
    tenant.people.splice(10, 0, ...lost);
    tenant.asked.length = 0;
    assert.equal(await replica.build(), undefined);
    assert.deepEqual(await replica.ids(), tenant.ids());
    assert.ok(!gone.some(({ id }) => tenant.asked.includes(id)), 'the tenant has said it of each');
    assert.equal(old.length, 5000);
  });

test('nor does who was deleted while the collection was read', async () => {
  const { tenant, replica } = await built(500);
  const start = await replica.begin();
  const gone = tenant.people.splice(10, 100);
  await replica.board.append(gone.map(({ id }) => ({ kind: 'gone', id })));
  assert.equal(await replica.build({ start }), undefined);
  assert.deepEqual(await replica.ids(), tenant.ids());
});

test('nor does of whom nobody knows whether he was deleted, once the tenant has said that he was', async () => {
  const { tenant, replica } = await built(100);
  const leaving = tenant.people.splice(10, 20);
  await replica.board.append(leaving.map(({ id }) => ({ kind: 'leaving', id })));
  tenant.singleStatus = 500;
  assert.equal(await replica.build(), 'tenant-error');
  tenant.singleStatus = undefined;
  assert.equal(await replica.build(), undefined);
  assert.deepEqual(await replica.ids(), tenant.ids());
});

test('an empty reading never replaces an edition', async () => {
  const { tenant, replica, old } = await built(10);
  tenant.people = [];
  assert.equal(await replica.build(), 'empty');
  assert.deepEqual(await replica.ids(), old);
});

test('a collection that has nobody yet has an edition that says so', async () => {
  const { tenant, replica } = await built(0);
  assert.equal((await replica.page(1, 10))?.totalResults, 0);
  tenant.people = many(3);
  assert.equal(await replica.build(), undefined);
  assert.deepEqual(await replica.ids(), tenant.ids());
});

test('whom a condition drops is gone, also where the tenant answers his single read with an empty object', async () => {
  const { tenant, replica } = await built(100);
  tenant.singleStatus = 200;
  for (const at of [10, 20]) tenant.people[at]!.passes = false;
  assert.equal(await replica.build(), undefined);
  assert.deepEqual(await replica.ids(), tenant.ids());
});

test('a tenant that answers with somebody else leaves the old edition in force', async () => {
  const { tenant, replica, old } = await built(100);
  const answer = { headers: {}, status: 200, body: Buffer.from('{"id":"u11"}') };
  tenant.people.splice(10, 1);
  assert.equal(
    await replica.build({
      source: { page: tenant.page, changed: tenant.changed, single: async () => answer },
    }),
    'tenant-error',
  );
  assert.deepEqual(await replica.ids(), old);
});

test('a tenant that fails half way leaves the old edition in force', async () => {
  const { tenant, replica, old } = await built(250);
  tenant.onPage = (startIndex) => void (tenant.status = startIndex > 100 ? 500 : 200);
  assert.equal(await replica.build(), 'tenant-error');
  assert.deepEqual(await replica.ids(), old);
});

test('whom the pages do not show stays when the tenant still has him', async () => {
  const { tenant, replica, old } = await built(250);
  // Between two pages somebody moves from behind to the front, as in a collection that is sorted by names.
  tenant.onPage = (startIndex) => {
    if (startIndex > 1 && tenant.people[0]?.id === 'u0')
      tenant.people.unshift(...tenant.people.splice(240, 1));
  };
  assert.equal(await replica.build(), undefined);
  assert.ok(tenant.asked.includes('u240'), 'he was not asked for');
  assert.deepEqual((await replica.ids())?.toSorted(), old.toSorted());
});

test('a build that was begun earlier does not replace the edition of one that was begun later', async () => {
  const { tenant, replica } = await built(50);
  const early = await replica.begin();
  tenant.people.push({ id: 'new', passes: true, version: 0 });
  await replica.board.append([{ kind: 'born', id: 'new' }]);
  assert.equal(await replica.build(), undefined);
  tenant.remove('new');
  await replica.build({ start: early });
  assert.ok((await replica.ids())?.includes('new'));
});

test('an edition that is older than it may be is not shown', async () => {
  const { replica } = await built(10);
  assert.equal(await replica.page(1, 10, { maxAgeMs: -1 }), undefined);
});

test('a page that would be larger than a reply may be is shorter and leads to the rest', async () => {
  const { replica } = await built(100);
  const page = await replica.page(1, 100, { maxReplyBytes: 300 });
  assert.ok(page && page.itemsPerPage > 0 && page.itemsPerPage < 20);
  assert.equal(page.Resources.length, page.itemsPerPage);
  assert.equal(page.totalResults, 100);
});

test('a write that may have changed anybody ends the snapshot until it is read anew', async () => {
  const { replica } = await built(10);
  await replica.board.append([{ kind: 'all' }]);
  assert.equal(await replica.ids(), undefined);
  assert.equal(await replica.build(), undefined);
  assert.equal((await replica.ids())?.length, 10);
});

test('a resource that was written is asked for once, however many lists show it', async () => {
  const { tenant, replica } = await built(10);
  tenant.people[3]!.version = 1;
  await replica.board.append([{ kind: 'one', id: 'u3' }]);
  tenant.asked.length = 0;
  for (let time = 0; time < 3; time += 1) assert.equal((await replica.page(1, 10))?.Resources[3]?.version, 1);
  assert.deepEqual(tenant.asked, ['u3']);
});

test('a page whose changed resource the tenant does not tell is not answered from the snapshot', async () => {
  const { tenant, replica } = await built(10);
  await replica.board.append([{ kind: 'one', id: 'u3' }]);
  tenant.singleStatus = 500;
  assert.equal(await replica.page(1, 10), undefined);
});
