/** Alerts whose causes lie outside: each arrives from a running gateway, and so does its end once the cause is gone. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock, test } from 'node:test';

import { Redis } from 'ioredis';

import type { Alert } from '../../src/alerts/alert.ts';
import type { AlertName } from '../../src/alerts/matters.ts';
import { Secret } from '../../src/gateway/secret.ts';
import { createCertificate } from '../support/certificate.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway, systemId } from '../support/gateway.ts';
import { startRedis } from '../support/redis.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const patienceMs = 40_000;
const alertsTo = ({ url }: TestUpstream, only: AlertName) => {
  const secret = new Secret('shared with the hook');
  return { channels: { hook: { type: 'webhook' as const, url, secret, only: [only] } } };
};
const sharedIn = ({ url }: { readonly url: string }) => ({
  store: 'redis' as const,
  redis: { url: new Secret(url) },
});
const told = ({ received }: TestUpstream): string[] =>
  received.map(({ body }) => {
    const { name, state, subject } = JSON.parse(body) as Alert;
    return `${name} ${state}: ${subject}`;
  });
const hears = (hook: TestUpstream, count: number): Promise<void> =>
  eventually(async () => told(hook).length >= count, patienceMs);

test('a snapshot that cannot be made is told of, and that there is one', async () => {
  await using hook = await startUpstream();
  await using upstream = await startUpstream({
    answer: (_asked, response) => void response.writeHead(500).end(),
  });
  await using gateway = await startGateway({
    upstream: upstream.url,
    system: { snapshot: { enabled: true, full: '1s' } },
    config: { alerts: alertsTo(hook, 'snapshot-failing') },
  });
  await hears(hook, 2);
  upstream.answer = ({ url }, response) => {
    const startIndex = Number(new URLSearchParams(url.split('?')[1]).get('startIndex'));
    const Resources = startIndex === 1 ? [{ id: 'one' }] : [];
    const page = { totalResults: 1, startIndex, itemsPerPage: Resources.length, Resources };
    response.setHeader('content-type', 'application/scim+json').end(JSON.stringify(page));
  };
  await hears(hook, 4);
  const list = await gateway.call('GET', '/Users');
  assert.match(list.headers.get('cache-status') ?? '', /hit/);
  for (const type of ['Users', 'Groups'])
    assert.deepEqual(
      told(hook).filter((each) => each.endsWith(type)),
      [`snapshot-failing raised: ${systemId} ${type}`, `snapshot-failing resolved: ${systemId} ${type}`],
    );
});

test('a tenant whose certificate is not believed is told of, and that it is believed again', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-arrivals-'));
  const file = join(directory.path, 'ca.pem');
  const trusted = createCertificate();
  await writeFile(file, trusted.certificate);
  const strange = createCertificate();
  const shown = ({ key, certificate }: typeof trusted) => ({ key, cert: certificate });
  await using tenant = https.createServer(shown(strange), (_, response) => void response.end('{"id":"1"}'));
  await once(tenant.listen(0, '127.0.0.1'), 'listening');
  const { port } = tenant.address() as AddressInfo;
  await using hook = await startUpstream();
  await using gateway = await startGateway({
    upstream: `https://localhost:${port}`,
    tenant: { ca: { file } },
    config: { alerts: alertsTo(hook, 'tenant-untrusted') },
  });
  assert.equal((await gateway.call('GET', '/Users/1')).status, 502);
  await hears(hook, 1);
  tenant.setSecureContext(shown(trusted));
  await gateway.call('GET', '/Users/2');
  await hears(hook, 2);
  const subject = `acme localhost:${port}`;
  assert.deepEqual(told(hook), [
    `tenant-untrusted raised: ${subject}`,
    `tenant-untrusted resolved: ${subject}`,
  ]);
});

test('what somebody else wrote to Redis is told of once, however much it is', async () => {
  await using hook = await startUpstream();
  await using upstream = await startUpstream();
  await using redis = await startRedis();
  await using gateway = await startGateway({
    upstream: upstream.url,
    config: { cache: sharedIn(redis), alerts: alertsTo(hook, 'cache-tampered') },
  });
  await eventually(async () => {
    await gateway.call('GET', '/Users/1');
    return (await gateway.call('GET', '/Users/1')).headers.has('age');
  }, patienceMs);
  const client = new Redis(redis.url);
  for (const each of await client.keys('gh1:*'))
    if ((await client.strlen(each)) > 100) await client.set(each, 'x'.repeat(200));
  client.disconnect();
  for (let time = 0; time < 3; time += 1) await gateway.call('GET', '/Users/1');
  await hears(hook, 1);
  assert.deepEqual(told(hook), ['cache-tampered raised: Redis']);
});

test('a Redis that is away for five minutes is told of, and that it is back', async () => {
  await using hook = await startUpstream();
  await using upstream = await startUpstream();
  await using redis = await startRedis();
  await using gateway = await startGateway({
    upstream: upstream.url,
    config: { replicas: 2, cache: sharedIn(redis), alerts: alertsTo(hook, 'redis-away') },
  });
  const events = async () => (await gateway.records()).map(({ event }) => event);
  const degraded = new Set(['cache.degraded', 'quota.degraded', 'guard.degraded', 'snapshot.unreachable']);
  await eventually(async () => (await gateway.call('GET', '/Users/1')).status === 200, patienceMs);
  await redis.kill();
  await eventually(
    async () => (await events()).filter((event) => degraded.has(event)).length === degraded.size,
    patienceMs,
  );
  assert.deepEqual(told(hook), []);
  // The clock of the day alone: timers and sockets go on as they are.
  mock.timers.enable({ apis: ['Date'], now: Date.now() + 5 * 60_000 });
  try {
    await hears(hook, 1);
  } finally {
    mock.timers.reset();
  }
  await redis.restart();
  await hears(hook, 2);
  assert.deepEqual(told(hook), ['redis-away raised: Redis', 'redis-away resolved: Redis']);
});
