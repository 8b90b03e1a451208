/** What of a call's circumstances is in the trail: first log-ons, correlation, repeats, replies that were no replies. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startGateway, systemId, type TrailRecord } from '../support/gateway.ts';
import { sendScim, startUpstream } from '../support/upstream.ts';

const named = (records: readonly TrailRecord[], event: string): TrailRecord[] =>
  records.filter((record) => record.event === event);

const traceId = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;

test('a trace goes on to the tenant with a span of ours, which is in the trail', async () => {
  await using tenant = await startUpstream();
  await using gateway = await startGateway({ upstream: tenant.url });
  const headers = { traceparent, tracestate: 'rojo=1', 'x-correlation-id': 'sap-1', 'x-request-id': 'mine' };
  await gateway.call('POST', '/Users', { userName: 'u' }, headers);

  const sent = tenant.received[0]?.headers;
  const [intent] = named(await gateway.records(), 'upstream.intent');
  const { span } = { span: '', ...intent?.upstream };
  assert.equal(sent?.['traceparent'], `00-${traceId}-${span}-01`);
  assert.notEqual(span, 'b7ad6b7169203331');
  assert.equal(sent?.['tracestate'], 'rojo=1');
  assert.equal(sent?.['x-correlation-id'], undefined);
  const { agent: _, ...corr } = { agent: '', ...(intent?.['corr'] as object) };
  assert.deepEqual(corr, { callerId: 'mine', correlationId: 'sap-1', traceparent });
});

test('what is no trace does not go on, and nothing goes on without one', async () => {
  await using tenant = await startUpstream();
  await using gateway = await startGateway({ upstream: tenant.url });
  await gateway.call('GET', '/Users/1', undefined, { traceparent: `${traceparent}-x`, tracestate: 'rojo=1' });
  await gateway.call('GET', '/Users/2', undefined, { tracestate: 'rojo=1' });
  for (const { headers } of tenant.received)
    assert.deepEqual([headers['traceparent'], headers['tracestate']], [undefined, undefined]);
});

test("the tenant's own id of a call is in the trail", async () => {
  const answers = ['tenant-7', 'x'.repeat(200), undefined];
  await using tenant = await startUpstream({
    answer: (request, response) => {
      const id = answers.shift() ?? request.headers['x-request-id'];
      sendScim(response, 200, { schemas: [] }, { 'x-request-id': id });
    },
  });
  await using gateway = await startGateway({ upstream: tenant.url });
  for (const n of [1, 2, 3]) await gateway.call('GET', `/Users/${n}`);
  const ids = named(await gateway.records(), 'upstream.outcome').map(
    ({ upstream }) => (upstream as { requestId?: string }).requestId,
  );
  assert.deepEqual(ids, ['tenant-7', undefined, undefined]);
});

test('the first log-on of a technical user is recorded, and those after it are not', async () => {
  await using tenant = await startUpstream();
  await using gateway = await startGateway({ upstream: tenant.url });
  await gateway.call('GET', '/Users/1');
  await gateway.call('GET', '/Users/2');
  await gateway.call('GET', '/Users/1', undefined, { authorization: gateway.logOn('auditor') });

  const first = named(await gateway.records(), 'authn.success').map(
    ({ actor }) => (actor as { name: string }).name,
  );
  assert.deepEqual(first, ['identity-manager', 'auditor']);
});

test('a call that goes up again says so, and why', async () => {
  let refusals = 1;
  await using tenant = await startUpstream({
    answer: (_request, response) => {
      if (refusals-- > 0) sendScim(response, 429, {}, { 'retry-after': '1' });
      else sendScim(response, 200, { schemas: [] });
    },
  });
  await using gateway = await startGateway({ upstream: tenant.url });
  await gateway.call('PATCH', '/Users/1', { Operations: [] });

  const records = await gateway.records();
  const told = named(records, 'retry.performed').map(({ upstream }) => upstream);
  assert.deepEqual(told, [{ tenant: 'acme', system: systemId, attempt: 2, after: 'busy' }]);
  const intents = named(records, 'upstream.intent').map(({ upstream }) => upstream?.attempt);
  assert.deepEqual(intents, [1, 2]);
});

const unsound = [
  ['a page of HTML', 200, 'text/html', '<html>'],
  ['a redirect', 302, 'application/scim+json', '{}'],
  ['an empty answer', 200, 'application/scim+json', ''],
] as const;

for (const [what, status, type, body] of unsound) {
  test(`${what} from the tenant is recorded as an invalid response`, async () => {
    await using tenant = await startUpstream({
      answer: (_request, response) => void response.writeHead(status, { 'content-type': type }).end(body),
    });
    await using gateway = await startGateway({ upstream: tenant.url });
    await gateway.call('GET', '/Users/1');
    const [told] = named(await gateway.records(), 'upstream.invalid_response');
    assert.deepEqual([told?.upstream?.status, told?.outcome?.error], [status, 'upstream-broke']);
  });
}

test('what is no HTTP is recorded as an invalid response, and a 404 is not', async () => {
  await using tenant = await startUpstream({
    answer: (request, response, { socket }) => {
      if (request.method === 'GET') sendScim(response, 404, { schemas: [], status: '404' });
      else socket.end('SSH-2.0-OpenSSH_9.9\r\n');
    },
  });
  await using gateway = await startGateway({ upstream: tenant.url });
  await gateway.call('GET', '/Users/1');
  assert.equal(named(await gateway.records(), 'upstream.invalid_response').length, 0);
  await gateway.call('DELETE', '/Users/1');
  assert.equal(named(await gateway.records(), 'upstream.invalid_response').length, 1);
});

test('the start says what runs', async () => {
  await using gateway = await startGateway();
  const [start] = named(await gateway.records(), 'process.start');
  const { configHash, ...facts } = { configHash: '', ...start?.facts };
  assert.deepEqual(facts, { node: process.version, version: '0.0.0' });
  assert.match(configHash, /^[0-9a-f]{64}$/);
});
