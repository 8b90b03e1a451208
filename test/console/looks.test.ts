/** That somebody looked or acted is in the trail, before it is shown or done, and without what they typed. */
import assert from 'node:assert/strict';
import { chmod } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';

import type { Overview } from '../../src/console/api/overview.ts';
import type { ActionReply, Parties } from '../../src/console/api/parties.ts';
import type { ProofReply, RecordDetail, VerifyJob } from '../../src/console/api/record.ts';
import type { Security } from '../../src/console/api/security.ts';
import type { AuditHealth, Histogram, PseudonymReply, RecordPage } from '../../src/console/api/trail.ts';
import { roles, startConsole, type Person, type TestConsole } from '../support/console.ts';
import { eventually } from '../support/eventually.ts';
import { systemId } from '../support/gateway.ts';

let started: TestConsole;
let auditor: Person;
let operator: Person;
let administrator: Person;

before(async () => {
  started = await startConsole();
  [auditor, operator, administrator] = (await Promise.all([...roles].map((role) => started.logOn(role)))) as [
    Person,
    Person,
    Person,
  ];
  for (const path of ['/Users?count=2', '/Users?count=2', '/Groups', '/Users/nobody'])
    await started.gateway.call('GET', path);
});
after(() => started[Symbol.asyncDispose]());

const looks = async (): Promise<readonly Readonly<Record<string, unknown>>[]> =>
  started.events('console.viewed');

test('a search is recorded with who asked what', async () => {
  await auditor.get('/audit/records?caller=identity-manager&outcome=answered&limit=5');
  const query = { caller: 'identity-manager', outcome: 'answered' };
  assert.partialDeepStrictEqual((await looks()).at(-1), {
    user: 'auditor',
    role: 'auditor',
    what: 'search',
    query,
  });
});

test('a typed value is looked for and never stands in the trail or in an address', async () => {
  const value = 'ada.lovelace@example.com';
  const reply = await auditor.ask('POST', '/audit/pseudonyms', { value });
  const { pseudonyms } = (await reply.json()) as PseudonymReply;
  assert.equal(pseudonyms.length % 3, 0);
  for (const name of ['caller', 'request', 'address', 'system'])
    await auditor.get(`/audit/records?${name}=${encodeURIComponent(value)}`);
  assert.doesNotMatch(JSON.stringify(await started.gateway.records()), /lovelace/);
  const told = (await looks()).find(({ what }) => what === 'pseudonyms');
  assert.partialDeepStrictEqual(told, { query: { type: 'any', pseudonyms } });
});

test('one is not told of the own looks for a person, but of those of others', async () => {
  const reply = await auditor.ask('POST', '/audit/pseudonyms', { value: 'nobody.yet' });
  const { pseudonyms } = (await reply.json()) as PseudonymReply;
  const person = pseudonyms.map((each) => `pseudonym=${each}`).join('&');
  const eventsFor = async (who: Person, more = ''): Promise<string[]> => {
    const { records } = await who.get<RecordPage>(`/audit/records?${person}${more}`);
    const { total } = await who.get<Histogram>(`/audit/histogram?${person}${more}`);
    assert.equal(total, records.length);
    return records.map(({ event }) => event);
  };
  assert.deepEqual(await eventsFor(auditor), []);
  assert.deepEqual(await eventsFor(administrator), ['console.viewed', 'console.viewed']);
  const all = await eventsFor(auditor, '&event=console.viewed');
  assert.ok(all.length > 2);
});

test('who created an account is found by the id that it got', async () => {
  const created = await started.gateway.call('POST', '/Users', {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    userName: 'created.lately',
  });
  const { id } = (await created.json()) as { readonly id: string };
  const reply = await auditor.ask('POST', '/audit/pseudonyms', { value: id, type: 'id' });
  const { pseudonyms } = (await reply.json()) as PseudonymReply;
  const person = pseudonyms.map((each) => `pseudonym=${each}`).join('&');
  const { records } = await auditor.get<RecordPage>(`/audit/records?${person}`);
  assert.partialDeepStrictEqual(records, [
    { event: 'request.outcome', caller: 'identity-manager', status: 201 },
  ]);
  assert.ok(pseudonyms.includes(records[0]?.resource ?? ''));
});

test('histogram and page of the same question are one look', async () => {
  await auditor.get('/audit/histogram?kind=list');
  await auditor.get('/audit/records?kind=list');
  const told = (await looks()).filter(({ query }) => (query as { kind?: string }).kind === 'list');
  assert.equal(told.length, 1);
});

test('histogram and page that are asked for at once are one look as well', async () => {
  const paths = [
    '/audit/histogram?kind=patch',
    '/audit/records?kind=patch',
    '/audit/records?kind=patch&limit=5',
  ];
  await Promise.all(paths.map((path) => auditor.get(path)));
  const told = (await looks()).filter(({ query }) => (query as { kind?: string }).kind === 'patch');
  assert.equal(told.length, 1);
});

test('a record, its proof and an export are each a look of their own', async () => {
  const { records } = await auditor.get<RecordPage>('/audit/records?event=request.*&order=oldest&limit=1');
  const id = records[0]?.id ?? '';
  const detail = await auditor.get<RecordDetail>(`/audit/records/${id}`);
  assert.equal(detail.row.id, id);
  await eventually(async () => (await auditor.ask('GET', `/audit/records/${id}/proof`)).status === 200);
  const { holds } = await auditor.get<ProofReply>(`/audit/records/${id}/proof`);
  assert.equal(holds, true);
  const exported = await auditor.ask('GET', '/audit/export?format=csv&event=request.*');
  assert.match(
    exported.headers.get('content-disposition') ?? '',
    /^attachment; filename="gatehouse-audit-csv\.csv"$/,
  );
  assert.match(await exported.text(), /request\./);
  for (const what of ['record', 'proof', 'export'])
    assert.ok(
      (await looks()).some((told) => told['what'] === what),
      what,
    );
});

test('a call is shown with its physical call and the steps that it took', async () => {
  const { records } = await auditor.get<RecordPage>(
    '/audit/records?event=request.outcome&kind=list&order=oldest&limit=1',
  );
  const { call, physical, trace } = await auditor.get<RecordDetail>(`/audit/records/${records[0]?.id}`);
  assert.deepEqual(new Set(call.map(({ row }) => row.request)).size, 1);
  assert.partialDeepStrictEqual(physical, [{ method: 'GET', status: 200, attempt: 1, result: 'success' }]);
  const steps = trace.map(({ step }) => step);
  assert.deepEqual(steps, [
    'received',
    'identified',
    'asked',
    'authorised',
    'cache',
    'turn',
    'intent',
    'tenant',
    'answered',
  ]);
});

test('a record that does not exist is 404, and one without a form too', async () => {
  for (const id of [`${'0'.repeat(32)}:1`, 'x', '1:1'])
    assert.equal((await auditor.ask('GET', `/audit/records/${id}`)).status, 404);
});

test('a question that is not understood is refused without quoting it', async () => {
  for (const query of [
    'limit=0',
    'limit=x',
    'colour=red',
    'status=abc',
    'pseudonym=ada',
    'from=yesterday',
    'cursor=xx',
    'kind=a&kind=b',
  ]) {
    const response = await auditor.ask('GET', `/audit/records?${query}`);
    assert.equal(response.status, 400, query);
    assert.doesNotMatch(await response.text(), /red|yesterday|ada/);
  }
});

test('a verification runs beside, tells its verdict and how far it reaches', async () => {
  const begun = await auditor.ask('POST', '/audit/verifications', {});
  assert.equal(begun.status, 202);
  const { id } = (await begun.json()) as VerifyJob;
  let job: VerifyJob | undefined;
  await eventually(
    async () => (job = await auditor.get<VerifyJob>(`/audit/verifications/${id}`)).state === 'done',
  );
  assert.equal(job?.bytesDone, job?.bytesTotal);
  assert.notEqual(job?.verdict, 'tampered');
  assert.equal(job?.instances?.[0]?.instance, 'test');
  const { pulse, trails, indexed } = await auditor.get<AuditHealth>('/audit/trails');
  assert.ok(pulse.verifiedUntil);
  assert.equal(indexed, 1);
  assert.partialDeepStrictEqual(trails, [{ instance: 'test', running: true, silent: false }]);
});

test('a verification is given up by somebody whom the trail names', async () => {
  let id = '';
  const stop = async (): Promise<VerifyJob> =>
    (await (await administrator.ask('DELETE', `/audit/verifications/${id}`)).json()) as VerifyJob;
  // It may be done before anybody can stop it.
  await eventually(async () => {
    ({ id } = (await (await auditor.ask('POST', '/audit/verifications', {})).json()) as VerifyJob);
    return (await stop()).state === 'cancelled';
  });
  const stops = async (): Promise<readonly object[]> =>
    (await started.events('console.acted')).filter(({ action }) => action === 'cancel-verification');
  const told = await stops();
  assert.partialDeepStrictEqual(told.at(-1), { user: 'administrator', begunBy: 'auditor' });
  // One that has ended is not ended again.
  await stop();
  assert.equal((await stops()).length, told.length);
});

test('who stops a verification that is done looks at what it found, and that is recorded', async () => {
  const { id } = (await (await auditor.ask('POST', '/audit/verifications', {})).json()) as VerifyJob;
  await eventually(async () => (await auditor.get<VerifyJob>(`/audit/verifications/${id}`)).state === 'done');
  await administrator.ask('DELETE', `/audit/verifications/${id}`);
  assert.ok((await looks()).some(({ user, what }) => user === 'administrator' && what === 'verification'));
});

test('forgetting what is remembered of a system sends the next read to the tenant, with who and why in the trail', async () => {
  const cacheStatus = async (): Promise<string> =>
    (await started.gateway.call('GET', '/Users?count=2')).headers.get('cache-status') ?? '';
  await cacheStatus();
  assert.match(await cacheStatus(), /hit/);
  const reply = await operator.ask('POST', `/systems/${systemId}/forget`, {
    reason: 'restored from a backup',
  });
  assert.equal(reply.status, 200);
  assert.match(((await reply.json()) as ActionReply).done, new RegExp(systemId));
  assert.match(await cacheStatus(), /fwd=miss/);
  const acted = { user: 'operator', action: 'forget', system: systemId, reason: 'restored from a backup' };
  await started.untilTold('console.acted', acted);
});

test('a paused tenant gets nothing until it is resumed', async () => {
  const pause = { reason: 'maintenance window', minutes: 5 };
  assert.equal((await operator.ask('POST', '/tenants/acme/pause', pause)).status, 200);
  const { tenants } = await operator.get<Overview>('/overview');
  assert.partialDeepStrictEqual(tenants, [
    { tenant: 'acme', paused: { by: 'operator', reason: 'maintenance window' } },
  ]);
  const refused = await started.gateway.call('GET', '/Users?count=7');
  assert.equal(refused.status, 429);
  assert.equal((await operator.ask('POST', '/tenants/acme/resume', { reason: 'it is over' })).status, 200);
  assert.equal((await started.gateway.call('GET', '/Users?count=7')).status, 200);
  await started.untilTold('console.acted', { action: 'pause', tenant: 'acme', minutes: 5 });
  await started.untilTold('console.acted', { action: 'resume', tenant: 'acme' });
});

test('a system is said to agree with its pages after a probe has compared, and not before', async () => {
  await using fresh = await startConsole();
  const own = await fresh.logOn('operator');
  const probe = async (): Promise<string | undefined> =>
    (await own.get<Parties>('/parties')).systems[0]?.probe.state;
  assert.equal(await probe(), 'untried');
  const list = await fresh.gateway.call('GET', '/Users?count=2');
  const { Resources } = (await list.json()) as { readonly Resources: readonly { readonly id: string }[] };
  assert.equal(await probe(), 'untried');
  await fresh.gateway.call('GET', `/Users/${Resources[0]?.id}`);
  assert.equal(await probe(), 'agrees');
});

test('what there is not cannot be acted on, and nothing is recorded of it', async () => {
  const before = (await started.events('console.acted')).length;
  for (const path of [
    '/systems/none/forget',
    '/tenants/none/resume',
    '/guard/none/release',
    '/systems/__proto__/forget',
  ])
    assert.equal((await operator.ask('POST', path, { reason: 'whatever it is' })).status, 404, path);
  assert.equal((await started.events('console.acted')).length, before);
});

test('the operator sees what callers may do and did, and what a system costs', async () => {
  const { systems, callers } = await operator.get<Parties>('/parties');
  const [system] = systems;
  assert.ok(system && system.calls > 0 && system.up > 0 && system.saved > 0);
  const caller = callers.find(({ name }) => name === 'identity-manager');
  assert.ok(caller && caller.calls > 0 && caller.reads > 0);
  assert.partialDeepStrictEqual(caller.may, [
    { what: ['read', 'write'], resourceTypes: 'all', systems: 'all', without: [] },
  ]);
});

test('a look-up of what the tenant does not have is answered, in overview and trail alike', async () => {
  const failed = async (): Promise<number> => (await operator.get<Overview>('/overview')).outcomes.failed;
  const before = await failed();
  assert.equal((await started.gateway.call('GET', '/Users/nobody-of-that-id')).status, 404);
  assert.equal(await failed(), before);
  await eventually(async () => {
    const { records } = await auditor.get<RecordPage>('/audit/records?status=404');
    return records[0]?.outcome === 'answered';
  });
});

test('the overview counts what was answered and what the cache spared', async () => {
  const { outcomes, cache, latency, ready } = await operator.get<Overview>('/overview');
  assert.ok(outcomes.answered > 0 && cache.hits > 0 && ready);
  assert.ok(
    latency && latency.p50 <= latency.p90 && latency.p90 <= latency.p99 && latency.p99 <= latency.max,
  );
});

test('the administrator sees what is safe and what to do about the rest', async () => {
  const { checks } = await administrator.get<Security>('/security');
  assert.equal(new Set(checks.map(({ id }) => id)).size, checks.length);
  for (const { state, title, detail, remedy, id } of checks) {
    assert.equal(remedy === undefined, state === 'good', id);
    assert.doesNotMatch(`${title} ${detail} ${remedy}`, /[{}]/, id);
  }
  assert.partialDeepStrictEqual(
    checks.find(({ id }) => id === 'audit.witness'),
    { area: 'audit', state: 'advice', setting: 'audit.witness' },
  );
});

test('the administrator sees at once that others can replace a file that decides', async () => {
  const stateOfFiles = async () =>
    (await administrator.get<Security>('/security')).checks.find(
      ({ words }) => words.title === 'process.files',
    )?.state;
  const keys = join(dirname(started.gateway.auditDirectory), 'keys');
  assert.equal(await stateOfFiles(), 'good');
  await chmod(keys, 0o777);
  assert.equal(await stateOfFiles(), 'danger');
  await chmod(keys, 0o700);
});
