/** What the overview says of a gateway that makes do without something: the same as /health/ready, and whose figures these are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Overview } from '../../src/console/api/overview.ts';
import { Secret } from '../../src/gateway/secret.ts';
import { startConsole, type TestConsole } from '../support/console.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis } from '../support/redis.ts';

/** The names of what is degraded. */
async function degraded({ gateway }: TestConsole): Promise<string[]> {
  const answer = await fetch(`${gateway.adminUrl}/health/ready`);
  const { parts } = (await answer.json()) as { readonly parts: Readonly<Record<string, string>> };
  return Object.keys(parts).filter((part) => parts[part] === 'degraded');
}

test('the overview of one of several replicas says what Redis is missing for, and to which part of the pace it keeps', async () => {
  await using redis = await startRedis();
  const cache = { store: 'redis', redis: { url: new Secret(redis.url), budget: '1s' } } as const;
  await using started = await startConsole({}, {}, { cache, replicas: 2 });
  const operator = await started.logOn('operator');
  const overview = (): Promise<Overview> => operator.get('/overview');
  await eventually(async () => (await overview()).shortages.length === 0, 30_000);
  const [whole] = (await overview()).tenants;
  assert.ok(whole);
  assert.partialDeepStrictEqual(whole, { shared: true, replicas: 2 });
  assert.equal(whole.part, whole.perMinute / 2);
  await redis.kill();
  const missing = [{ kind: 'redis' }, { kind: 'quota', of: 'acme' }];
  // Whoever asks for something notices.
  await eventually(async () => {
    await started.gateway.call('GET', '/Users?count=1');
    return JSON.stringify((await overview()).shortages) === JSON.stringify(missing);
  }, 30_000);
  assert.deepEqual(await degraded(started), ['redis', 'quota of acme']);
  assert.partialDeepStrictEqual((await overview()).tenants, [{ shared: false, part: whole.part }]);
});

test('a gateway that runs alone has the whole pace, and makes do without nothing', async () => {
  await using started = await startConsole();
  const operator = await started.logOn('operator');
  const { shortages, tenants } = await operator.get<Overview>('/overview');
  assert.deepEqual(shortages, []);
  const [gauge] = tenants;
  assert.ok(gauge);
  assert.deepEqual([gauge.replicas, gauge.part], [1, gauge.perMinute]);
});
