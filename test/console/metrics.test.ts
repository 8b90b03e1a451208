/** What Prometheus gets to see: the truth about calls, and nothing that a stranger could fill it with. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { startGateway, systemId, type TestGateway } from '../support/gateway.ts';
import { startUpstream } from '../support/upstream.ts';

async function scrape({ adminUrl }: TestGateway): Promise<string> {
  const response = await fetch(`${adminUrl}/metrics`);
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  return response.text();
}

/** The value of the one series that has all these labels. */
function valueOf(text: string, name: string, labels: Record<string, string> = {}): number | undefined {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const found = text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => wanted.every((label) => line.includes(label)));
  assert.ok(found.length <= 1, `${name} is ambiguous: ${found.join(' ')}`);
  return found[0] === undefined ? undefined : Number(found[0].split(' ').at(-1));
}

test('calls are counted by caller, system, operation, status and use of the cache', async () => {
  await using gateway = await startGateway();
  await gateway.call('GET', '/Users?count=2');
  await gateway.call('GET', '/Users?count=2');
  await gateway.call('GET', '/Users/nobody');
  const text = await scrape(gateway);
  const listing = { caller: 'identity-manager', system: systemId, operation: 'list', status: '200' };
  assert.equal(valueOf(text, 'gatehouse_calls_total', { ...listing, cache: 'miss' }), 1);
  assert.equal(valueOf(text, 'gatehouse_calls_total', { ...listing, cache: 'hit' }), 1);
  assert.equal(valueOf(text, 'gatehouse_calls_total', { operation: 'get', status: '404' }), 1);
  assert.equal(valueOf(text, 'gatehouse_upstream_calls_total', { tenant: 'acme', status: '200' }), 1);
  assert.equal(valueOf(text, 'gatehouse_upstream_seconds_count', { tenant: 'acme' }), 2);
  assert.equal(valueOf(text, 'gatehouse_quota_wait_seconds_count', { tenant: 'acme' }), 2);
  assert.equal(valueOf(text, 'gatehouse_ready'), 1);
  assert.equal(valueOf(text, 'gatehouse_quota_queued', { tenant: 'acme' }), 0);
});

test('what a stranger sends becomes no label', async () => {
  await using gateway = await startGateway();
  const marks = ['intruder-name', 'intruder-system', 'intruder-id', 'INTRUDE'];
  await fetch(`${gateway.base}/Users`, {
    headers: { authorization: `Basic ${btoa('intruder-name:wrong')}` },
  });
  await gateway.call('GET', '/../intruder-system/Users');
  await fetch(`${gateway.url}/ipsproxy/service/api/v1/scim/intruder-system/Users/intruder-id`, {
    headers: { authorization: gateway.logOn() },
  });
  await fetch(gateway.base, { method: 'INTRUDE', headers: { authorization: gateway.logOn() } });
  const text = await scrape(gateway);
  assert.equal(valueOf(text, 'gatehouse_refusals_total', { error: 'unauthenticated' }), 1);
  assert.equal(valueOf(text, 'gatehouse_records_total', { event: 'authn.failure' }), 1);
  for (const mark of marks) assert.ok(!text.includes(mark), mark);
});

test('a tenant that does not answer is counted without a status', async () => {
  const upstream = await startUpstream();
  await upstream[Symbol.asyncDispose]();
  await using gateway = await startGateway({ upstream: upstream.url });
  await gateway.call('PUT', '/Users/1', { userName: 'somebody' });
  const text = await scrape(gateway);
  assert.equal(valueOf(text, 'gatehouse_upstream_calls_total', { tenant: 'acme', status: '' }), 1);
});

test('the operations page names every figure, and none that does not exist', async () => {
  await using gateway = await startGateway();
  const page = await readFile(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const shown = [...(await scrape(gateway)).matchAll(/^# TYPE (gatehouse_\w+)/gm)].map(([, name]) => name);
  const told = [...page.matchAll(/`(gatehouse_\w+)`/g)].map(([, name]) => name);
  assert.deepEqual(new Set(told), new Set(shown));
});

test('the public listener has no figures', async () => {
  await using gateway = await startGateway();
  const response = await fetch(`${gateway.url}/metrics`, { headers: { authorization: gateway.logOn() } });
  assert.equal(response.status, 404);
});
