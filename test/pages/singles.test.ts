/** Single reads out of pages: only what the tenant itself would say, and only while it says so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';

import { createMemoryStore } from '../../src/cache/memory-store.ts';
import { entitiesOf, type Entity, load, PagingTenant, Side, type SideOptions } from './paging-tenant.ts';

const users = (count: number) => entitiesOf(Array<boolean>(count).fill(true));

/** A side that has read all pages, and what it asked the tenant for since. */
async function loaded(tenant: PagingTenant, options: SideOptions = {}) {
  const side = new Side(tenant, options);
  await load((at) => side.page(at, 25), 'at an empty page');
  await turn();
  tenant.asked.length = 0;
  return side;
}

const versionIn = (body: Buffer): unknown => Reflect.get(JSON.parse(body.toString()), 'version');

test('the first single read is a probe, and the next ones come out of the pages', async () => {
  const tenant = new PagingTenant(users(60));
  const side = await loaded(tenant);
  for (let at = 0; at < 60; at += 1) await side.read(`Users/u${at}`);
  assert.deepEqual(tenant.asked, ['u0']);
});

test('one single read in 500 is compared again', async () => {
  const tenant = new PagingTenant(users(1200));
  const side = await loaded(tenant);
  for (let at = 0; at < 1200; at += 1) await side.read(`Users/u${at}`);
  assert.deepEqual(tenant.asked, ['u0', 'u500', 'u1000']);
});

test('reads that are served while one is compared count as well', async () => {
  const tenant = new PagingTenant(users(5000));
  const slowly = async (): Promise<void> => {
    for (let turns = 0; turns < 10; turns += 1) await turn();
  };
  const side = await loaded(tenant, { pause: slowly });
  const rest = tenant.entities.values();
  const worker = async (): Promise<void> => {
    for (const { id } of rest) {
      await side.read(`Users/${id}`);
      await turn();
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  assert.equal(tenant.asked.length, 10);
});

test('many at the same time wait for one probe', async () => {
  const tenant = new PagingTenant(users(60));
  const side = await loaded(tenant, { pause: () => turn() });
  await Promise.all(Array.from({ length: 60 }, (_, at) => side.read(`Users/u${at}`)));
  assert.equal(tenant.asked.length, 1);
});

test('a system whose single reads say more than its pages is asked for each, and that is told once', async () => {
  const tenant = new PagingTenant(users(60), 'provided', { groups: ['g'] });
  const side = await loaded(tenant);
  for (let at = 0; at < 60; at += 1) {
    const { reply } = await side.read(`Users/u${at}`);
    assert.ok(reply.body.includes('groups'));
  }
  assert.equal(tenant.asked.length, 60);
  assert.deepEqual(side.differences, [
    { system: 'hr', resourceType: 'Users', of: 'page', attributes: ['groups'] },
  ]);
});

const versioned = ({ version }: Entity): object => ({ version: `W/"${version}"` });

test('a tenant whose resources have versions and whose single reads have no ETag is not asked again, and none is made up', async () => {
  const tenant = new PagingTenant(users(60));
  tenant.metaOf = versioned;
  const side = await loaded(tenant);
  const tags = new Set<string | undefined>();
  for (let at = 0; at < 60; at += 1) tags.add((await side.read(`Users/u${at}`)).reply.headers['etag']);
  assert.deepEqual(tenant.asked, ['u0']);
  assert.deepEqual([...tags], [undefined]);
  assert.deepEqual(side.differences, []);
});

test('where single reads carry the version as their ETag, those out of pages do as well', async () => {
  const tenant = new PagingTenant(users(60));
  tenant.metaOf = versioned;
  tenant.tagOf = ({ version }) => `W/"${version}"`;
  const side = await loaded(tenant);
  const tags = new Set<string | undefined>();
  for (let at = 0; at < 60; at += 1) tags.add((await side.read(`Users/u${at}`)).reply.headers['etag']);
  assert.deepEqual(tenant.asked, ['u0']);
  assert.deepEqual([...tags], ['W/"0"']);
});

test('single reads with ETags that no page can tell are asked for each', async () => {
  const tenant = new PagingTenant(users(60));
  tenant.metaOf = versioned;
  tenant.tagOf = ({ id }) => `"${id}"`;
  const side = await loaded(tenant);
  for (let at = 0; at < 60; at += 1)
    assert.equal((await side.read(`Users/u${at}`)).reply.headers['etag'], `"u${at}"`);
  assert.equal(tenant.asked.length, 60);
});

test('an ETag that no probe has seen is not told', async () => {
  const tenant = new PagingTenant(users(60));
  // The first, which is the probe, says nothing of versions.
  tenant.metaOf = (entity) => (entity.id === 'u0' ? {} : versioned(entity));
  const side = await loaded(tenant);
  await side.read('Users/u0');
  assert.equal((await side.read('Users/u1')).reply.headers['etag'], undefined);
  assert.deepEqual(tenant.asked, ['u0']);
});

test('pages that were cut by attributes never count as the resource', async () => {
  const tenant = new PagingTenant(users(60));
  const side = new Side(tenant);
  await side.read('Users?attributes=id');
  await side.read('Users?startIndex=1&count=100&attributes=id');
  tenant.asked.length = 0;
  for (let at = 0; at < 3; at += 1) await side.read(`Users/u${at}`);
  assert.deepEqual(tenant.asked, ['u0', 'u1', 'u2']);
});

test('a write makes the next single read ask the tenant, and leaves the other resources of the page', async () => {
  const tenant = new PagingTenant(users(60));
  const side = await loaded(tenant);
  await side.read('Users/u0');
  await side.write('PUT', 'Users/u7', () => {
    const entity = tenant.entities[7];
    if (entity) entity.version = 1;
  });
  tenant.asked.length = 0;
  assert.equal(versionIn((await side.read('Users/u7')).reply.body), 1);
  await side.read('Users/u8');
  assert.deepEqual(tenant.asked, ['u7']);
});

for (const through of ['this replica', 'another replica'])
  test(`a page that was asked for before a write through ${through} fills no single read after it`, async () => {
    const tenant = new PagingTenant(users(60));
    const store = createMemoryStore({ maxBytes: 50_000_000 });
    const started = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    let pauses = 0;
    const side = new Side(tenant, {
      store,
      pause: async () => {
        pauses += 1;
        // Behind the tenant's data of the page, and before its answer is here.
        if (pauses !== 2) return;
        started.resolve();
        await goOn.promise;
      },
    });
    const page = side.page(1, 50);
    await started.promise;
    const writer = through === 'this replica' ? side : new Side(tenant, { store });
    await writer.write('PUT', 'Users/u7', () => {
      const entity = tenant.entities[7];
      if (entity) entity.version = 1;
    });
    goOn.resolve();
    await page;
    await turn();
    // A probe of another resource finds nothing wrong.
    await side.read('Users/u1');
    assert.equal(versionIn((await side.read('Users/u7')).reply.body), 1);
  });

test('who wants the tenant’s own word gets it', async () => {
  const tenant = new PagingTenant(users(60));
  const side = await loaded(tenant);
  await side.read('Users/u0');
  tenant.asked.length = 0;
  await side.read('Users/u1', { mayServe: false });
  assert.deepEqual(tenant.asked, ['u1']);
});

test('a system without the feature is asked for every single read', async () => {
  const tenant = new PagingTenant(users(60));
  const side = await loaded(tenant, { settings: { singleReads: false } });
  for (let at = 0; at < 3; at += 1) await side.read(`Users/u${at}`);
  assert.equal(tenant.asked.length, 3);
});
