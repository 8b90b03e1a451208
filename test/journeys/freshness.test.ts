/** How old an answer may be, as callers ask for it and are told of it. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Secret } from '../../src/gateway/secret.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway } from '../support/gateway.ts';
import { startRedis } from '../support/redis.ts';
import { sendScim, startUpstream } from '../support/upstream.ts';

const statusOf = ({ headers }: Response): string => headers.get('cache-status') ?? '';

test('with staleOnError a tenant that fails does not keep a reader from what was known, and it says so', async () => {
  await using upstream = await startUpstream();
  const system = { cache: { lifetime: '1s', staleOnError: true } };
  await using gateway = await startGateway({ upstream: upstream.url, system });
  const known = await (await gateway.call('GET', '/Users/1')).text();
  await sleep(1100);
  upstream.answer = (_request, response) => sendScim(response, 503, { schemas: [], status: '503' });
  const stale = await gateway.call('GET', '/Users/1');
  assert.equal(stale.status, 200);
  assert.match(statusOf(stale), /^Gatehouse; fwd=stale; ttl=-\d+; detail=tenant-error$/);
  assert.ok(Number(stale.headers.get('age')) >= 1);
  assert.equal(await stale.text(), known);
  const unknown = await gateway.call('GET', '/Users/2');
  assert.ok(unknown.status >= 500);
  const told = (await gateway.records()).map(({ cache }) => JSON.stringify(cache ?? ''));
  assert.ok(told.some((cache) => cache.includes('"stale"')));
});

test('after the clock was set back nothing old is told as fresh, in memory or in Redis', async ({ mock }) => {
  const now = Date.now;
  let backMs = 0;
  mock.method(Date, 'now', () => now() - backMs);
  await using redis = await startRedis();
  await using upstream = await startUpstream();
  const system = { cache: { lifetime: '1m', staleOnError: true } };
  const keys = new Secret(randomBytes(32).toString('hex'));
  const shared = { store: 'redis' as const, keys, redis: { url: new Secret(redis.url) } };
  await using alone = await startGateway({ upstream: upstream.url, system });
  await using sharing = await startGateway({ upstream: upstream.url, system, config: { cache: shared } });
  for (const gateway of [alone, sharing]) {
    const status = async (headers = {}): Promise<string> =>
      statusOf(await gateway.call('GET', '/Users/1', undefined, headers));
    await eventually(async () => / hit;/.test(await status()));
    backMs += 3_600_000;
    assert.match(await status(), /fwd=miss/);
    await eventually(async () => / hit;/.test(await status()));
    backMs += 3_600_000;
    assert.match(await status({ 'cache-control': 'max-age=30' }), /fwd=miss/);
  }
});

test('without staleOnError a tenant that fails is an error', async () => {
  await using upstream = await startUpstream();
  const system = { cache: { lifetime: '1s' } };
  await using gateway = await startGateway({ upstream: upstream.url, system });
  await gateway.call('GET', '/Users/1');
  await sleep(1100);
  upstream.answer = (_request, response) => sendScim(response, 503, { schemas: [], status: '503' });
  assert.ok((await gateway.call('GET', '/Users/1')).status >= 500);
});

test('with staleWhileRevalidate nobody waits for the tenant after the lifetime', async () => {
  await using upstream = await startUpstream();
  const system = { cache: { lifetime: '1s', staleWhileRevalidate: true } };
  await using gateway = await startGateway({ upstream: upstream.url, system });
  await gateway.call('GET', '/Users/1');
  await sleep(1100);
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const echo = upstream.answer;
  upstream.answer = (...asked) => void released.then(() => echo(...asked));
  const stale = await gateway.call('GET', '/Users/1');
  assert.match(statusOf(stale), /^Gatehouse; hit; ttl=-\d+; detail=revalidating$/);
  release();
  await gateway.call('PUT', '/Users/1', { schemas: [] });
  assert.match(statusOf(await gateway.call('GET', '/Users/1')), /fwd=miss/, 'a write ends it');
});

test('a caller that asks anew with every call is answered from the cache beyond its allowance', async () => {
  await using upstream = await startUpstream();
  const system = { cache: { refreshesPerMinute: 2 } };
  await using gateway = await startGateway({ upstream: upstream.url, system });
  const anew = (): Promise<Response> =>
    gateway.call('GET', '/Users/1', undefined, { 'cache-control': 'no-cache' });
  const told: string[] = [];
  for (let time = 0; time < 5; time += 1) told.push(statusOf(await anew()).replace(/ttl=\d+/, 'ttl'));
  const limited = 'Gatehouse; hit; ttl; detail=refresh-limit';
  const request = 'Gatehouse; fwd=request; stored';
  assert.deepEqual(told, ['Gatehouse; fwd=miss; stored', request, request, limited, limited]);
  assert.equal(upstream.received.length, 3);
});
