/** What a 429 does that came over real HTTP: the tenant's own, and one of a backend behind it. */
import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Secret } from '../../src/gateway/secret.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway, systemId } from '../support/gateway.ts';
import { startRedis } from '../support/redis.ts';
import { sendScim, startUpstream, type Received } from '../support/upstream.ts';

const backendBusy = {
  schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
  detail:
    'Failed to create entity. HTTP operation failed invoking https://b.example/scim/Users with statusCode: 429 and response: {}',
  status: 429,
};
const roomy = { pace: { perMinute: 90_000, burst: 10_000, tenantLimit: 100_000 } } as const;

for (const [how, value] of [
  ['in seconds', () => '1'],
  ['as a date', () => new Date(Date.now() + 2000).toUTCString()],
] as const)
  for (const [method, path, status] of [
    ['POST', '/Users', 201],
    ['PATCH', '/Users/1', 200],
    ['DELETE', '/Users/1', 204],
  ] as const)
    test(`a ${method} that the tenant refuses for a time ${how} goes up again after it, and not before`, async () => {
      const arrivals: number[] = [];
      await using upstream = await startUpstream({
        answer: (_request, response) => {
          arrivals.push(performance.now());
          if (arrivals.length === 1) sendScim(response, 429, {}, { 'retry-after': value() });
          else if (status === 204) response.writeHead(204).end();
          else sendScim(response, status, { schemas: [], id: '1' });
        },
      });
      await using gateway = await startGateway({ upstream: upstream.url, tenant: roomy });
      const body = method === 'DELETE' ? undefined : { userName: 'a' };
      assert.equal((await gateway.call(method, path, body)).status, status);
      assert.equal(arrivals.length, 2);
      assert.ok((arrivals[1] ?? 0) - (arrivals[0] ?? 0) >= 990);
    });

test('a write that the tenant refuses until its caller’s patience ends reaches it as 429, and was not carried out', async () => {
  await using upstream = await startUpstream({
    answer: (_request, response) => sendScim(response, 429, {}, { 'retry-after': '1' }),
  });
  await using gateway = await startGateway({
    upstream: upstream.url,
    tenant: roomy,
    config: { patience: '2500ms' },
  });
  const answer = await gateway.call('POST', '/Users', { userName: 'a' });
  assert.equal(answer.status, 429);
  assert.ok(Number(answer.headers.get('retry-after')) >= 1);
  assert.ok(upstream.received.length >= 2, 'it was tried again before');
  const records = await gateway.records();
  assert.ok(!JSON.stringify(records).includes('outcome-unknown'));
});

for (const [method, path] of [
  ['POST', '/Users'],
  ['GET', '/Users/1'],
] as const)
  test(`a backend’s 429 to a ${method} is passed on as it came, after one call`, async () => {
    await using upstream = await startUpstream({
      answer: (_request, response) => sendScim(response, 429, backendBusy),
    });
    await using gateway = await startGateway({ upstream: upstream.url, tenant: roomy });
    const answer = await gateway.call(method, path, method === 'POST' ? { userName: 'a' } : undefined);
    assert.equal(answer.status, 429);
    assert.deepEqual(await answer.json(), backendBusy);
    assert.equal(upstream.received.length, 1);
  });

test('a backend’s 429 slows its system and no other of the tenant', async () => {
  const other = 'c2f0e7a2-0000-4000-8000-000000000002';
  let isBusy = true;
  const seen: { readonly at: number; readonly url: string }[] = [];
  await using upstream = await startUpstream({
    answer: ({ url }, response) => {
      seen.push({ at: performance.now(), url });
      if (isBusy && url.includes(systemId)) sendScim(response, 429, backendBusy);
      else sendScim(response, 200, { schemas: [], id: '1' });
    },
  });
  await using gateway = await startGateway({
    upstream: upstream.url,
    tenant: roomy,
    config: { systems: { [systemId]: { tenant: 'acme' }, [other]: { tenant: 'acme' } } },
  });
  const write = (system: string, id: number): Promise<Response> =>
    fetch(`${gateway.base.replace(systemId, system)}/Users/${id}`, {
      method: 'DELETE',
      headers: { authorization: gateway.logOn() },
    });
  const refusedAt = performance.now();
  assert.equal((await write(systemId, 0)).status, 429);
  isBusy = false;
  const slowed = [1, 2, 3].map((id) => write(systemId, id));
  const free = [1, 2, 3].map((id) => write(other, id));
  await Promise.all(free);
  const elsewhere = seen.filter(({ url }) => url.includes(other));
  assert.ok(
    elsewhere.every(({ at }) => at - refusedAt < 900),
    'the other system’s went up at once',
  );
  assert.equal(seen.filter(({ url }) => url.includes(systemId)).length, 1);
  await Promise.all(slowed);
  const [, first = 0, second = 0] = seen.filter(({ url }) => url.includes(systemId)).map(({ at }) => at);
  assert.ok(first - refusedAt >= 990);
  assert.ok(second - first >= 500, 'and one after the other');
});

for (const [how, body] of [
  ['PATCH', { Operations: [{ op: 'replace', path: 'active', value: false }] }],
  ['PUT', { userName: 'leaver', active: false }],
] as const)
  test(`a ${how} that switches a user off overtakes the writes and lists that wait`, async () => {
    await using upstream = await startUpstream();
    await using gateway = await startGateway({
      upstream: upstream.url,
      tenant: { pace: { perMinute: 240, burst: 1, tenantLimit: 300 } },
    });
    const waiting = Array.from({ length: 8 }, (_, id) =>
      id % 2 === 0
        ? gateway.call('PATCH', `/Users/${id}`, { Operations: [] })
        : gateway.call('GET', `/Users?startIndex=${id}`),
    );
    await eventually(async () => upstream.received.length === 2);
    await gateway.call(how, '/Users/leaver', body);
    const ahead = upstream.received.findIndex(({ url }: Received) => url.endsWith('/leaver'));
    assert.ok(ahead <= 4, `${ahead} were ahead`);
    await Promise.all(waiting);
    assert.equal(upstream.received.length, 9);
  });

test('what the tenant refuses one replica makes the others wait too', async () => {
  await using redis = await startRedis();
  const arrivals: { readonly at: number; readonly id: string }[] = [];
  await using upstream = await startUpstream({
    answer: ({ url }, response) => {
      const id = url.split('/').at(-1) ?? '';
      arrivals.push({ at: performance.now(), id });
      if (arrivals.length === 1) sendScim(response, 429, {}, { 'retry-after': '3' });
      else sendScim(response, 200, { schemas: [], id });
    },
  });
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-quota-'));
  const settings = {
    upstream: upstream.url,
    tenant: { pace: { minute: '5s' } },
    config: {
      replicas: 2,
      audit: { directory: 'audit', instance: 'test', keyFile: join(directory.path, 'key'), ballast: '0B' },
      cache: { store: 'redis', redis: { url: new Secret(redis.url) } },
    },
  } as const;
  await using one = await startGateway(settings);
  await using other = await startGateway(settings);
  await sleep(1000);
  const refused = one.call('GET', '/Users/refused');
  await eventually(async () => arrivals.length === 1);
  await sleep(300);
  const answers = await Promise.all([refused, other.call('GET', '/Users/other')]);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200],
  );
  const since = (id: string): number =>
    (arrivals.findLast((each) => each.id === id)?.at ?? 0) - (arrivals[0]?.at ?? 0);
  assert.ok(since('refused') >= 2900 && since('other') >= 2900, `${since('refused')}, ${since('other')}`);
});
