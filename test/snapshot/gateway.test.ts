/** Snapshot mode over HTTP, before the embedded tenant with its own ways of paging. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ConfigDocument } from '../../src/gateway/config-schema.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway, systemId, type TestGateway } from '../support/gateway.ts';
import { startRedis } from '../support/redis.ts';

interface List {
  readonly totalResults: number;
  readonly startIndex: number;
  readonly itemsPerPage: number;
  readonly Resources: readonly { readonly id: string; readonly userName: string }[];
}

const pace = { perMinute: 3000, burst: 500, tenantLimit: 100_000, concurrency: 8 };
const snapshot = { enabled: true, full: '2s' };

async function list(gateway: Pick<TestGateway, 'call'>, path: string): Promise<List> {
  const reply = await gateway.call('GET', path);
  assert.equal(reply.status, 200, await reply.clone().text());
  return (await reply.json()) as List;
}

async function isShown(gateway: TestGateway, type = 'Users'): Promise<boolean> {
  const reply = await gateway.call('GET', `/${type}?count=1`);
  await reply.arrayBuffer();
  return reply.headers.get('cache-status')?.includes('snapshot') ?? false;
}

test('lists come out of the snapshot with exact totals, say how old it is, and the trail knows', async () => {
  await using gateway = await startGateway({ system: { snapshot }, tenant: { pace } });
  await eventually(() => isShown(gateway));
  const reply = await gateway.call('GET', '/Users?startIndex=11&count=20');
  const page = (await reply.json()) as List;
  assert.deepEqual(
    [page.totalResults, page.startIndex, page.itemsPerPage, page.Resources.length],
    [60, 11, 20, 20],
  );
  assert.match(reply.headers.get('cache-status') ?? '', /^Gatehouse; hit; ttl=\d+; detail=snapshot$/);
  assert.match(reply.headers.get('age') ?? '', /^\d+$/);
  const records = await gateway.records();
  assert.ok(records.some(({ cache }) => (cache as { result?: string } | undefined)?.result === 'snapshot'));
});
