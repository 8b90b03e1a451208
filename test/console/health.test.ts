/** What health says: only the audit trail keeps calls away; what the gateway does without is degraded, and it stays ready. */
import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { test } from 'node:test';

import { Secret } from '../../src/gateway/secret.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startRedis } from '../support/redis.ts';

interface Told {
  readonly status: number;
  readonly reasons?: readonly string[];
  readonly parts: Readonly<Record<string, string>>;
}

async function ready({ adminUrl }: TestGateway): Promise<Told> {
  const answer = await fetch(`${adminUrl}/health/ready`);
  const said = (await answer.json()) as Omit<Told, 'status'>;
  return { ...said, status: answer.status };
}

test('without Redis it is degraded and ready, and with it again whole', async () => {
  await using redis = await startRedis();
  const cache = { store: 'redis', redis: { url: new Secret(redis.url), budget: '1s' } } as const;
  await using gateway = await startGateway({ config: { cache, replicas: 2 } });
  const whole = { audit: 'ok', redis: 'ok', 'quota of acme': 'ok' };
  await eventually(
    async () => JSON.stringify((await ready(gateway)).parts) === JSON.stringify(whole),
    30_000,
  );
  await redis.kill();
  // Whoever asks for something notices.
  await eventually(async () => {
    await gateway.call('GET', '/Users?count=1');
    return (await ready(gateway)).parts['redis'] === 'degraded';
  }, 30_000);
  assert.equal((await ready(gateway)).status, 200);
  await redis.restart();
  await eventually(async () => (await ready(gateway)).parts['redis'] === 'ok', 30_000);
});

test('a trail that cannot be written has failed, and the gateway is not ready, but live and started', async () => {
  await using gateway = await startGateway();
  await rename(gateway.auditDirectory, `${gateway.auditDirectory}.away`);
  await eventually(async () => {
    await gateway.call('GET', '/Users?count=1');
    return (await ready(gateway)).parts['audit'] === 'failed';
  }, 30_000);
  const { status, reasons } = await ready(gateway);
  assert.equal(status, 503);
  assert.deepEqual(reasons, ['the audit trail cannot be written']);
  assert.equal((await fetch(`${gateway.adminUrl}/health/live`)).status, 200);
  assert.equal((await fetch(`${gateway.adminUrl}/health/startup`)).status, 200);
  await rename(`${gateway.auditDirectory}.away`, gateway.auditDirectory);
  await eventually(async () => (await ready(gateway)).status === 200, 30_000);
});
