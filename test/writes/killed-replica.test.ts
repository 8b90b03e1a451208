/** A replica dies at a write. Nobody knows what became of it, so a repeat at another looks before anything is sent. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { parse, stringify } from 'yaml';

import { startChild } from '../support/child.ts';
import { eventually } from '../support/eventually.ts';
import { systemId } from '../support/gateway.ts';
import { prepareInstallation } from '../support/installation.ts';
import { startRedis } from '../support/redis.ts';
import { startRepeatingTenant } from './repeating-tenant.ts';
import { anna, told } from './stage.ts';

test('a replica is killed at a write: the repeat at another is not sent, it is looked for', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-killed-'));
  t.after(() => rm(directory, { recursive: true }));
  await using tenant = await startRepeatingTenant();
  await using redis = await startRedis();
  const { file, authorization } = await prepareInstallation(directory, tenant.url);
  const document: Record<string, object> = parse(await readFile(file, 'utf8'));
  const shared = { store: 'redis', redis: { url: `redis://127.0.0.1:${redis.port}`, budget: '2s' } };
  const configure = (name: string, more: object): Promise<void> =>
    writeFile(name, stringify({ ...document, cache: shared, replicas: 2, ...more }));
  await configure(file, {});
  const second = join(directory, 'second.yaml');
  await configure(second, { audit: { ...document['audit'], directory: 'audit-2' } });
  const [doomed, survivor] = await Promise.all([startChild(file), startChild(second)]);
  t.after(() => survivor.end('SIGKILL'));
  const post = (url: string): Promise<Response> =>
    fetch(`${url}/ipsproxy/service/api/v1/scim/${systemId}/Users`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/scim+json' },
      body: JSON.stringify(anna),
    });
  tenant.fateOf = () => new Promise(() => {});
  const first = post(doomed.url).catch(() => 'killed');
  await eventually(async () => tenant.executed.length === 1);
  await doomed.end('SIGKILL');
  assert.equal(await first, 'killed');
  const repeat = await post(survivor.url);
  assert.deepEqual([repeat.status, (await told(repeat)).id], [201, tenant.executed[0]?.id]);
  assert.equal(tenant.writes().length, 1);
});
