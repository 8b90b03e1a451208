/** The trail as the line uses it, on a real disk: what is recorded, what is never recorded, what a restart adds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { verifyTrail } from '../../src/audit/verify.ts';
import { ScimError } from '../../src/scim/error.ts';
import { noQuery, Query } from '../../src/scim/target.ts';
import { aCall, anOperation, openTrail, readRecords, upstreamCall } from './support.ts';

test('a call that goes up leaves an intent, its outcome and a request record, in this order', async () => {
  await using opened = await openTrail();
  const entry = opened.trail.open(aCall({ id: 'r-1' }));
  const upstream = await entry.intend(upstreamCall);
  assert.equal(await upstream.close({ result: 'success', sent: true, status: 200 }), true);
  assert.equal(await entry.close({ status: 200, bytes: 17 }), true);

  const [intent, outcome, request] = (await readRecords(opened.directory)).slice(-3);
  assert.deepEqual(
    [intent, outcome, request].map((record) => [record?.event, record?.req]),
    [
      ['upstream.intent', 'r-1'],
      ['upstream.outcome', 'r-1'],
      ['request.outcome', 'r-1'],
    ],
  );
  assert.equal(outcome?.intent, intent?.seq);
});

const endings = [
  { error: 'unauthenticated', status: 401, event: 'authn.failure', result: 'denied' },
  { error: 'forbidden', status: 403, event: 'authz.denied', result: 'denied' },
  { error: 'invalid-filter', status: 400, event: 'request.rejected', result: 'denied' },
  { error: 'caller-left', status: 499, event: 'request.aborted_by_client', result: 'aborted' },
  { error: 'outcome-unknown', status: 504, event: 'request.outcome', result: 'unknown' },
  { error: undefined, status: 404, event: 'request.outcome', result: 'failure' },
] as const;

for (const { error, status, event, result } of endings) {
  test(`a call that ends with ${error ?? status} is recorded as ${event}, ${result}`, async () => {
    await using opened = await openTrail();
    const entry = opened.trail.open(aCall({}));
    entry.add({ error });
    await entry.close({ status });

    const record = (await readRecords(opened.directory)).at(-1);
    assert.equal(record?.event, event);
    assert.deepEqual(record?.outcome, { result, http: status, ...(error && { error }) });
  });
}

test('a cache hit is one record', async () => {
  await using opened = await openTrail();
  const before = (await readRecords(opened.directory)).length;
  const entry = opened.trail.open(aCall({}));
  entry.add({ cache: 'hit', ageMs: 1200 });
  await entry.close({ status: 200 });

  const records = (await readRecords(opened.directory)).slice(before);
  assert.deepEqual(
    records.map(({ event, cache }) => [event, cache]),
    [['request.cache_hit', { result: 'hit', ageMs: 1200 }]],
  );
});

test('no identifier, filter value, body or claimed name stands in the trail in clear', async () => {
  const canaries = [
    'CANARY-id',
    'CANARY-value',
    'CANARY-body',
    'CANARY-name',
    'CANARY-param',
    'CANARY-secret',
  ];
  const [id = '', value = '', body = '', claimed = '', parameter = '', secret = ''] = canaries;
  await using opened = await openTrail();
  const { trail, directory } = opened;
  const entry = trail.open(
    aCall({ target: `/ipsproxy/service/api/v1/scim/S1/Users/${id}?${parameter}=${value}` }),
  );
  const filter = `userName eq "${value}" and ${value}`;
  const query = new Query([{ name: 'filter', value: filter, encoded: '' }]);
  entry.add({ operation: anOperation({ id, query }), body: Buffer.from(`{"password":"${body}"}`), claimed });
  const upstream = await entry.intend({ ...upstreamCall, path: `/Users/${id}?filter=${value}` });
  await upstream.close({ result: 'success', sent: true });
  await entry.close({ status: 200 });
  await trail.note('config.changed', { tenants: { acme: { clientSecret: secret, passwords: [secret] } } });

  const text = JSON.stringify(await readRecords(directory));
  assert.deepEqual(
    canaries.filter((canary) => text.toLowerCase().includes(canary.toLowerCase())),
    [],
  );
  assert.match(text, /"shape":"userName eq \? and \?"/);
});

test('the same identifier has the same pseudonym under one key and another under another', async () => {
  const one = await recordedOperation(Buffer.alloc(32, 1));
  assert.deepEqual(await recordedOperation(Buffer.alloc(32, 1)), one);
  assert.notDeepEqual(await recordedOperation(Buffer.alloc(32, 2)), one);
});

async function recordedOperation(secret: Buffer): Promise<unknown> {
  await using opened = await openTrail({ periodKey: { period: '2026q1', secret } });
  const entry = opened.trail.open(aCall({}));
  entry.add({ operation: anOperation({ id: '4711', query: noQuery }) });
  await entry.close({ status: 200 });
  return (await readRecords(opened.directory)).at(-1)?.op;
}

test('strings of the caller are cut to a length and stay one line', async () => {
  await using opened = await openTrail();
  const headers = { 'x-request-id': `a\r\n{"event":"forged"}\u2028${'x'.repeat(10_000)}` };
  await opened.trail.open(aCall({ headers })).close({ status: 200 });

  const record = (await readRecords(opened.directory)).at(-1);
  const corr = record?.corr;
  assert.ok(JSON.stringify(corr).length < 400);
  assert.equal((await verifyTrail(opened.directory)).verdict, 'ok');
});

test('a call whose outcome a stopped process never learnt is unknown after the restart', async () => {
  await using opened = await openTrail();
  await opened.trail.open(aCall({ id: 'lost' })).intend(upstreamCall);
  await opened.restart();

  const records = await readRecords(opened.directory);
  const intent = records.find(({ event }) => event === 'upstream.intent');
  const unknown = records.filter(({ event }) => event === 'request.outcome_unknown');
  assert.deepEqual(
    unknown.map((record) => [record.intent, record.req]),
    [[intent?.seq, 'lost']],
  );
});

test('the sequence goes on over restarts', async () => {
  await using opened = await openTrail();
  await opened.trail.note('process.start');
  await opened.restart();
  await opened.trail.note('process.start');

  const seqs = (await readRecords(opened.directory)).map(({ seq }) => seq);
  assert.deepEqual(
    seqs,
    seqs.map((_, at) => at + 1),
  );
});

test('a second trail on the same directory is refused, and the first goes on', async () => {
  await using opened = await openTrail();
  await assert.rejects(openTrail({ directory: opened.directory }), { name: 'DirectoryTaken' });
  await opened.trail.note('process.start');
});

test('a closed trail takes no calls', async () => {
  const opened = await openTrail();
  await opened[Symbol.asyncDispose]();
  assert.equal(opened.trail.ready, false);
  assert.throws(
    () => opened.trail.open(aCall({})),
    (error) => error instanceof ScimError && error.kind === 'audit-unavailable',
  );
});
