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
    [503, { status: 'not ready', reasons: ['the gateway is shutting down'], parts: { audit: 'ok' } }],
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

test('on SIGTERM a write whose caller has left is carried to its end, and the trail has its outcome', async () => {
  const arrived = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  let isAnswered = false;
  await using upstream = await startUpstream({
    answer: (_request, response) => {
      arrived.resolve();
      // Behind the caller's leaving and the signal, so that only the drain can wait for it.
      void left.promise.then(() =>
        setTimeout(() => {
          isAnswered = !response.destroyed;
          sendScim(response, 200, { id: '1', userName: 'a' });
        }, 1500),
      );
    },
  });
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-drain-'));
  const { file, authorization } = await prepareInstallation(directory.path, upstream.url);
  const child = await startChild(file);
  const caller = new AbortController();
  const write = fetch(`${child.url}/ipsproxy/service/api/v1/scim/${systemId}/Users/1`, {
    method: 'PUT',
    headers: { authorization, 'content-type': 'application/scim+json' },
    body: '{"userName":"a"}',
    signal: caller.signal,
  });
  await arrived.promise;
  caller.abort();
  await assert.rejects(write, { name: 'AbortError' });
  const ended = child.end('SIGTERM');
  left.resolve();
  assert.equal(await ended, 0);
  assert.ok(isAnswered, 'the tenant was still listened to');
  const records = await readRecords(join(directory.path, 'audit'));
  const outcome = records.find(({ event }) => event === 'upstream.outcome');
  assert.equal(outcome?.outcome?.result, 'success');
  const own = records.find(({ op, outcome: end }) => op !== undefined && end?.http === 200);
  assert.equal((own?.outcome as { delivered?: boolean } | undefined)?.delivered, false);
  assert.equal(records.at(-1)?.event, 'audit.segment_closed');
});
