/** The end of the process as operators and supervisors see it. */
import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { startChild } from '../support/child.ts';
import { readRecords, startGateway, systemId } from '../support/gateway.ts';
import { prepareInstallation } from '../support/installation.ts';
import { sendScim, startUpstream } from '../support/upstream.ts';

test('health is answered while a write drains: alive, and not ready', async () => {
  const arrived = Promise.withResolvers<void>();
  await using upstream = await startUpstream({
    answer: (_request, response) => {
      arrived.resolve();
      setTimeout(() => sendScim(response, 200, { id: '1' }), 500);
    },
  });
  const gateway = await startGateway({ upstream: upstream.url });
  const write = gateway.call('PUT', '/Users/1', { userName: 'a' });
  await arrived.promise;
  const ended = gateway[Symbol.asyncDispose]();
  assert.equal((await fetch(`${gateway.adminUrl}/health/live`)).status, 200);
  const ready = await fetch(`${gateway.adminUrl}/health/ready`);
  assert.deepEqual(
    [ready.status, await ready.json()],
    [503, { status: 'not ready', reasons: ['the gateway is shutting down'] }],
  );
  assert.equal((await write).status, 200);
  await ended;
});

test('a fault that nobody expected is in the trail without its words, and a write that runs is answered', async () => {
  const arrived = Promise.withResolvers<void>();
  await using upstream = await startUpstream({
    answer: (_request, response) => {
      arrived.resolve();
      setTimeout(() => sendScim(response, 200, { id: '1' }), 500);
    },
  });
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-fault-'));
  const { file, authorization } = await prepareInstallation(directory.path, upstream.url);
  const preload = join(directory.path, 'fault.mjs');
  await writeFile(preload, "process.on('SIGUSR2', () => { throw new RangeError('words-of-the-fault'); });");
  const child = await startChild(file, ['--import', preload]);
  const write = fetch(`${child.url}/ipsproxy/service/api/v1/scim/${systemId}/Users/1`, {
    method: 'PUT',
    headers: { authorization, 'content-type': 'application/scim+json' },
    body: '{"userName":"a"}',
  });
  await arrived.promise;
  const ended = child.end('SIGUSR2');
  assert.equal((await write).status, 200);
  assert.equal(await ended, 1);
  const records = await readRecords(join(directory.path, 'audit'));
  assert.match(
    JSON.stringify(records.find(({ event }) => event === 'process.fault')),
    /"name":"RangeError","at":"[^"]+"/,
  );
  assert.ok(!JSON.stringify(records).includes('words-of-the-fault'));
  assert.equal(records.at(-1)?.event, 'audit.segment_closed');
});
