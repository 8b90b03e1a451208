/** Faults on demand, as a caller feels them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startedTenant } from './started-tenant.ts';

const named = (userName: string) => `/Users?filter=${encodeURIComponent(`userName eq "${userName}"`)}`;

test('a reset after the work leaves the write done and the caller without an answer', async () => {
  await using started = await startedTenant();
  started.tenant.faults.order([{ fault: { kind: 'reset-after' }, method: 'POST', times: 1 }]);
  await assert.rejects(started.call('POST', '/Users', { userName: 'jane' }), TypeError);
  assert.equal((await started.call('GET', named('jane'))).body.totalResults, 1);
});

test('a reset before the work leaves nothing done', async () => {
  await using started = await startedTenant();
  started.tenant.faults.order([{ fault: { kind: 'reset-before' }, method: 'POST', times: 1 }]);
  await assert.rejects(started.call('POST', '/Users', { userName: 'jane' }), TypeError);
  assert.equal((await started.call('GET', named('jane'))).body.totalResults, 0);
});

test('a black hole never answers and does nothing', async () => {
  await using started = await startedTenant();
  started.tenant.faults.order([{ fault: { kind: 'black-hole' }, times: 1 }]);
  const path = started.tenant.url;
  await assert.rejects(fetch(path, { signal: AbortSignal.timeout(100) }), { name: 'TimeoutError' });
});

test('a truncated body breaks off before the announced length', async () => {
  await using started = await startedTenant();
  started.tenant.faults.order([{ fault: { kind: 'truncate', bytes: 10 } }]);
  await assert.rejects(started.call('GET', '/Users'), TypeError);
});

test('a trickling body is whole in the end', async () => {
  await using started = await startedTenant();
  started.tenant.faults.order([{ fault: { kind: 'trickle', bytes: 200, everyMs: 1 } }]);
  assert.equal((await started.call('GET', '/Users?count=2')).body.Resources?.length, 2);
});

test('a storm answers so many calls with its status and is over then', async () => {
  await using started = await startedTenant();
  started.tenant.faults.order([{ fault: { kind: 'status', status: 503, retryAfter: 2 }, times: 2 }]);
  const answers = [];
  for (let n = 0; n < 3; n++) answers.push(await started.call('GET', '/Users?count=1'));
  assert.deepEqual(
    answers.map(({ status }) => status),
    [503, 503, 200],
  );
  assert.equal(answers[0]?.headers.get('retry-after'), '2');
  assert.equal(started.tenant.figures.byStatus['503'], 2);
});

test('an expired token is 401 whatever was sent', async () => {
  await using started = await startedTenant();
  started.tenant.faults.order([{ fault: { kind: 'expired-token' }, times: 1 }]);
  const { status, headers } = await started.call('GET', '/Users');
  assert.equal(status, 401);
  assert.match(headers.get('www-authenticate') ?? '', /^Bearer/);
});

test('a page for people comes where JSON is due', async () => {
  await using started = await startedTenant();
  started.tenant.faults.order([{ fault: { kind: 'html' } }]);
  const { status, headers } = await started.call('GET', '/Users');
  assert.deepEqual([status, headers.get('content-type')], [200, 'text/html;charset=UTF-8']);
});

test('latency after the work delays an answer that tells what was done', async () => {
  await using started = await startedTenant();
  started.tenant.faults.order([{ fault: { kind: 'latency', ms: 50, when: 'after' }, method: 'POST' }]);
  const startedAt = performance.now();
  assert.equal((await started.call('POST', '/Users', { userName: 'jane' })).status, 201);
  assert.ok(performance.now() - startedAt >= 45);
});

const json = { 'content-type': 'application/json' };

test('an administrator on the same machine orders, sees and clears faults over HTTP', async () => {
  await using started = await startedTenant();
  const orders = [{ fault: { kind: 'status', status: 429 }, times: 5, path: '/Groups' }];
  const ordered = await started.fetch('/rehearsal/faults', {
    method: 'PUT',
    headers: json,
    body: JSON.stringify(orders),
  });
  assert.equal(ordered.status, 200);
  assert.equal((await started.call('GET', '/Users')).status, 200);
  assert.equal((await started.call('GET', '/Groups')).status, 429);
  assert.match((await started.fetch('/rehearsal/faults')).text, /"times":4/);
  assert.equal((await started.fetch('/rehearsal/faults', { method: 'DELETE' })).status, 204);
  assert.equal((await started.call('GET', '/Groups')).status, 200);
});

test('a faulty order of faults is refused with what is wrong', async () => {
  await using started = await startedTenant();
  const { status, body } = await started.fetch('/rehearsal/faults', {
    method: 'PUT',
    headers: json,
    body: '[{"fault":{"kind":"latency"}}]',
  });
  assert.equal(status, 400);
  assert.match(body.detail ?? '', /ms/);
});
