/** When blocks are asked for, what is cut from them, and when the caller's own pages go up instead. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';

import { cutBlock } from '../../src/pages/block.ts';
import { readListPage } from '../../src/pages/list-page.ts';
import type { Reply } from '../../src/scim/call.ts';
import { ScimError } from '../../src/scim/error.ts';
import { entitiesOf, load, PagingTenant, Side } from './paging-tenant.ts';

const users = (count: number) => entitiesOf(Array<boolean>(count).fill(true));

test('a load asks for its first page as it is, and then for blocks where the page before has ended', async () => {
  const tenant = new PagingTenant(users(430));
  const side = new Side(tenant);
  await load((at) => side.page(at, 25), 'at the total');
  assert.deepEqual(tenant.asked, ['1/25', '26/100', '126/100', '226/100', '326/100', '426/100']);
});

test('with blocks on, the first page begins a block', async () => {
  const tenant = new PagingTenant(users(200));
  const side = new Side(tenant, { settings: { blocks: 'on' } });
  await load((at) => side.page(at, 25), 'at the total');
  assert.deepEqual(tenant.asked, ['1/100', '101/100']);
});

for (const [total, count] of [
  [100, 25],
  [101, 25],
  [21, 1],
  [41, 2],
] as const)
  test(`with blocks on, the first of ${count} out of ${total} users says how many there are`, async () => {
    const side = new Side(new PagingTenant(users(total)), { settings: { blocks: 'on' } });
    assert.equal((await side.page(1, count)).totalResults, total);
    assert.equal((await side.page(1 + count, count)).totalResults, total);
  });

test('with blocks on, a load begins with its own page where totals are estimates, and asks for no other in ten minutes', async () => {
  let now = 0;
  const tenant = new PagingTenant(users(130), '2026');
  const side = new Side(tenant, { settings: { blocks: 'on' }, now: () => now });
  const firstTotal = async () => (await side.page(1, 25)).totalResults;
  assert.equal(await firstTotal(), 26);
  assert.equal((await side.page(26, 25)).totalResults, 51);
  assert.deepEqual(tenant.asked, ['1/100', '1/25', '26/100']);
  now += 60_001;
  assert.equal(await firstTotal(), 26);
  assert.deepEqual(tenant.asked.slice(3), ['1/25']);
  now += 600_000;
  await firstTotal();
  assert.deepEqual(tenant.asked.slice(4), ['1/100', '1/25']);
});

test('a block goes on where the tenant says that the one before has ended', async () => {
  const tenant = new PagingTenant(users(100));
  // A service provider that gives no more than 60 at a time.
  const answer = tenant.answer.bind(tenant);
  tenant.answer = (wanted) => {
    const page = readListPage(answer(wanted));
    if (!page) throw new Error('no page');
    const itemsPerPage = Math.min(60, page.itemsPerPage);
    return page.write({ ...page, itemsPerPage }, page.resources.slice(0, 60));
  };
  const side = new Side(tenant);
  const ids = await load((at) => side.page(at, 25), 'at the total');
  assert.deepEqual(tenant.asked, ['1/25', '26/100', '86/100']);
  assert.equal(new Set(ids).size, 100);
});

for (const [who, targets] of [
  ['filters', ['Users?filter=userName+eq+%22x%22', 'Users?filter=userName+eq+%22x%22&startIndex=26']],
  ['orders', ['Users?sortBy=id&count=25', 'Users?sortBy=id&count=25&startIndex=26']],
  ['wants some attributes', ['Users?attributes=id&count=25', 'Users?attributes=id&count=25&startIndex=26']],
  ['pages by a cursor', ['Users?cursor=&count=25', 'Users?cursor=a&count=25']],
  ['asks for 100', ['Users?count=100', 'Users?count=100&startIndex=101']],
  ['counts pages instead of resources', ['Users?startIndex=1', 'Users?startIndex=2', 'Users?startIndex=3']],
  ['begins in the middle', ['Users?startIndex=51', 'Users?startIndex=76']],
] as const)
  test(`who ${who} gets the tenant's own pages`, async () => {
    const tenant = new PagingTenant(users(430));
    const side = new Side(tenant);
    for (const target of targets) await side.read(target);
    assert.equal(tenant.calls, targets.length);
    assert.ok(tenant.asked.every((asked) => !asked.endsWith('/100') || targets[0].includes('count=100')));
  });

test('another caller in between does not belong to the load', async () => {
  const tenant = new PagingTenant(users(430));
  const side = new Side(tenant);
  await side.read('Users?startIndex=1&count=25', { caller: 'one' });
  await side.read('Users?startIndex=26&count=25', { caller: 'other' });
  assert.deepEqual(tenant.asked, ['1/25', '26/25']);
});

test('a tenant that fails over blocks is asked for the small page at once, and for no block in ten minutes', async () => {
  let now = 0;
  const tenant = new PagingTenant(users(430));
  tenant.largestPage = 50;
  const side = new Side(tenant, { now: () => now });
  for (const at of [1, 26, 51]) assert.equal((await side.page(at, 25)).itemsPerPage, 25);
  assert.deepEqual(tenant.asked, ['1/25', '26/100', '26/25', '51/25']);
  now += 600_001;
  await side.page(1, 25);
  await side.page(26, 25);
  assert.deepEqual(tenant.asked.slice(4), ['1/25', '26/100', '26/25']);
});

test('a list that begins after a write asks the tenant', async () => {
  const tenant = new PagingTenant(users(130));
  const side = new Side(tenant);
  await load((at) => side.page(at, 25), 'at the total');
  await side.write('DELETE', 'Users/u3', () => tenant.entities.splice(3, 1));
  tenant.asked.length = 0;
  const ids = await load((at) => side.page(at, 25), 'at the total');
  assert.deepEqual(tenant.asked, ['1/25', '26/100', '126/100']);
  assert.ok(!ids.includes('u3'));
});

test('the next block is there before its reader when the quota is idle, and none behind the end', async () => {
  const tenant = new PagingTenant(users(325));
  const side = new Side(tenant, { foresees: true });
  for (const at of [1, 26, 51]) await side.page(at, 25);
  await turn();
  assert.deepEqual(tenant.asked, ['1/25', '26/100', '126/100'], 'asked for on the second page of the block');
  for (let at = 76; at <= 325; at += 25) await side.page(at, 25);
  await turn();
  assert.deepEqual(tenant.asked, ['1/25', '26/100', '126/100', '226/100']);
});

test('a caller that waits for what was asked ahead asks itself when there is no turn for it', async () => {
  const tenant = new PagingTenant(users(325));
  const refused = Promise.withResolvers<Reply>();
  const side = new Side(tenant, { foresees: true, askAhead: () => refused.promise });
  for (const at of [1, 26, 51, 76, 101]) await side.page(at, 25);
  const next = side.page(126, 25);
  await turn();
  refused.reject(new ScimError('caller-left', 'Nobody waits for this.'));
  assert.equal((await next).Resources.length, 25);
  assert.deepEqual(tenant.asked, ['1/25', '26/100', '126/100']);
});

test('what was asked ahead in vain is asked for by its reader', async () => {
  const tenant = new PagingTenant(users(325));
  const side = new Side(tenant, {
    foresees: true,
    askAhead: () => Promise.reject(new ScimError('upstream-unreachable', 'The tenant cannot be reached.')),
  });
  const ids = await load((at) => side.page(at, 25), 'at the total');
  assert.equal(new Set(ids).size, 325);
});

test('blocks that a full store does not keep are given up', async () => {
  const tenant = new PagingTenant(users(430));
  const nothing = {
    look: async (_: string, generations: readonly string[]) => ({
      value: undefined,
      tokens: generations.map(() => 'x'),
    }),
    put: () => undefined,
    drop: () => undefined,
    renew: async () => undefined,
    advance: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
  const side = new Side(tenant, { store: nothing });
  await load((at) => side.page(at, 25), 'at the total');
  assert.ok(tenant.asked.filter((asked) => asked.endsWith('/100')).length <= 4, tenant.asked.join(' '));
});

const listOf = (figures: object, resources: string): Reply => ({
  status: 200,
  headers: { 'content-type': 'application/scim+json', etag: 'W/"1"' },
  body: Buffer.from(
    `{"schemas": ["x"], ${JSON.stringify(figures).slice(1, -1)}, "Resources" : [${resources}] }`,
  ),
});

test('resources keep their bytes, and a page has no validators of the block', () => {
  const first = '{"id":"a","n":12345678901234567890,"t":"[\\"}{\\\\"}';
  const block = readListPage(
    listOf({ startIndex: 1, itemsPerPage: 2, totalResults: 2 }, `${first} , {"id":"b"}`),
  );
  const cut = block && cutBlock(block, 1, 1, 'unknown');
  const [one, other] = cut?.pages ?? [];
  assert.equal(
    one?.reply.body.toString(),
    `{"schemas": ["x"], "startIndex":1,"itemsPerPage":1,"totalResults":2, "Resources" : [${first}] }`,
  );
  assert.ok(other?.reply.body.includes('[{"id":"b"}]'));
  assert.deepEqual(Object.keys(one.reply.headers), ['content-type']);
});

for (const [what, figures] of [
  ['another start', { startIndex: 2, itemsPerPage: 1, totalResults: 1 }],
  ['more than was asked for', { startIndex: 1, itemsPerPage: 101, totalResults: 101 }],
  ['more resources than entities', { startIndex: 1, itemsPerPage: 0, totalResults: 1 }],
] as const)
  test(`a block with ${what} is not cut`, () => {
    const block = readListPage(listOf(figures, '{"id":"a"}'));
    assert.ok(block);
    assert.equal(cutBlock(block, 1, 25, 'unknown'), undefined);
  });

test('a reply without figures is no page', () => {
  assert.equal(readListPage(listOf({ totalResults: 1 }, '{"id":"a"}')), undefined);
});

test('a page with a tenth of its resources is one page that leads to the end of the block', () => {
  const resources = Array.from({ length: 10 }, (_, at) => `{"id":"${at}"}`).join(',');
  const block = readListPage(listOf({ startIndex: 26, itemsPerPage: 100, totalResults: 126 }, resources));
  const cut = block && cutBlock(block, 26, 25, 0);
  assert.deepEqual(
    cut?.pages.map(({ startIndex, itemsPerPage, totalResults }) => [startIndex, itemsPerPage, totalResults]),
    [[26, 100, 126]],
  );
});

test('an estimate of the tenant stays one, and a real total is passed on', () => {
  const resources = Array.from({ length: 100 }, (_, at) => `{"id":"${at}"}`).join(',');
  const totals = (totalResults: number, before: 0 | -1 | 'none' | 'unknown') => {
    const block = readListPage(listOf({ startIndex: 26, itemsPerPage: 100, totalResults }, resources));
    return block && cutBlock(block, 26, 50, before)?.pages.map((page) => page.totalResults);
  };
  assert.deepEqual(totals(126, 0), [76, 126]);
  assert.deepEqual(totals(125, -1), [75, 125]);
  assert.deepEqual(totals(500, 0), [500, 500]);
  assert.deepEqual(totals(126, 'none'), [126, 126], 'a real total that looks like an estimate');
  assert.deepEqual(totals(125, 'unknown'), [125, 125], 'an estimate in its place could end a load');
  assert.deepEqual(totals(126, 'unknown'), [126, 126], 'a real total may be 1 behind the block');
});
