/** `gatehouse audit worklist` over trails of gateways whose tenant fails, breaks off and recovers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { worklist, type Work } from '../../src/audit/worklist.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { sendScim, startUpstream, type TestUpstream } from '../support/upstream.ts';
import { audit } from './command.ts';
import { temporaryDirectory } from './support.ts';
import { anEntry, chainA, chainB, writeTrail } from './written-trail.ts';

const failing: TestUpstream['answer'] = (_, response) => sendScim(response, 500, { status: '500' });
const working: TestUpstream['answer'] = (_, response) => sendScim(response, 200, { id: '1', userName: 'a' });
const breaking: TestUpstream['answer'] = ({ method }, response) =>
  method === 'GET' ? sendScim(response, 404, { status: '404' }) : response.destroy();

async function worksOf(gateway: TestGateway, ...args: readonly string[]): Promise<Work[]> {
  const { stdout, code } = await audit('worklist', gateway.auditDirectory, '--json', ...args);
  const works = stdout
    .split('\n')
    .filter(Boolean)
    .map((line): Work => JSON.parse(line));
  assert.equal(code, works.length > 0 ? 1 : 0);
  return works;
}

const system = { repeats: { lookFor: '0s' } } as const;
const wordOf = ({ state, kind, status }: Work): string => `${state} ${kind} ${status}`;

test('a write that failed is listed until a later one succeeds, with what it takes to find it', async () => {
  await using upstream = await startUpstream({ answer: failing });
  await using gateway = await startGateway({ upstream: upstream.url, system });
  const failed = await gateway.call('PUT', '/Users/1', { userName: 'a' });
  await gateway.call('PUT', '/Users/2', { userName: 'b' });
  const works = await worksOf(gateway);
  assert.deepEqual(works.map(wordOf), ['failed replace 500', 'failed replace 500']);
  const [first] = works;
  assert.equal(first?.request, failed.headers.get('x-request-id'));
  assert.equal(first?.caller, 'identity-manager');
  assert.match(first?.id ?? '', /^p\d{4}q\d:/);
  upstream.answer = working;
  await gateway.call('PUT', '/Users/1', { userName: 'a2' });
  assert.deepEqual(
    (await worksOf(gateway)).map(({ id }) => id),
    [works[1]?.id],
  );
});

test('a creation that stayed unknown is listed until one of the same user name succeeds', async () => {
  await using upstream = await startUpstream({ answer: breaking });
  await using gateway = await startGateway({ upstream: upstream.url, system });
  assert.equal((await gateway.call('POST', '/Users', { userName: 'new' })).status, 504);
  const [work] = await worksOf(gateway);
  assert.equal(work && wordOf(work), 'unknown create 504');
  assert.match(work?.userName ?? '', /^p\d{4}q\d:/);
  upstream.answer = (_, response) => sendScim(response, 201, { id: '9', userName: 'new' });
  assert.equal((await gateway.call('POST', '/Users', { userName: 'new', active: true })).status, 201);
  assert.deepEqual(await worksOf(gateway), []);
});

test('a write without an answer that was found at the tenant is no work', async () => {
  const answer: TestUpstream['answer'] = ({ method }, response) => {
    const user = { id: '9', userName: 'new', meta: { created: new Date().toISOString() } };
    if (method !== 'GET') response.destroy();
    else sendScim(response, 200, { totalResults: 1, itemsPerPage: 1, startIndex: 1, Resources: [user] });
  };
  await using upstream = await startUpstream({ answer });
  await using gateway = await startGateway({ upstream: upstream.url, system });
  assert.equal((await gateway.call('POST', '/Users', { userName: 'new' })).status, 201);
  const results = (await gateway.records()).map(({ outcome }) => outcome?.result);
  assert.ok(results.includes('unknown'), 'the call itself has no known end');
  assert.deepEqual(await worksOf(gateway), []);
});

test('a PATCH is made up for by the same one, or by a PUT, and not by another', async () => {
  const add = (value: string) => ({ Operations: [{ op: 'add', path: 'members', value: [{ value }] }] });
  await using upstream = await startUpstream({ answer: failing });
  await using gateway = await startGateway({ upstream: upstream.url, system });
  await gateway.call('PATCH', '/Groups/1', add('a'));
  await gateway.call('PATCH', '/Groups/1', add('b'));
  upstream.answer = working;
  await gateway.call('PATCH', '/Groups/1', add('c'));
  assert.equal((await worksOf(gateway)).length, 2);
  await gateway.call('PATCH', '/Groups/1', add('b'));
  assert.equal((await worksOf(gateway)).length, 1);
  await gateway.call('PUT', '/Groups/1', { displayName: 'g', members: [] });
  assert.deepEqual(await worksOf(gateway), []);
});

test('what nobody may do, and a deletion of what is not there, is no work', async () => {
  await using upstream = await startUpstream({
    answer: (_, response) => sendScim(response, 404, { status: '404' }),
  });
  await using gateway = await startGateway({ upstream: upstream.url, system });
  assert.equal((await gateway.call('DELETE', '/Users/1')).status, 404);
  const authorization = gateway.logOn('auditor');
  assert.equal((await gateway.call('DELETE', '/Users/2', undefined, { authorization })).status, 403);
  assert.deepEqual(await worksOf(gateway), []);
});

const op = {
  api: 'proxy',
  kind: 'replace',
  effect: 'write',
  tenant: 'acme',
  system: 's1',
  resourceType: 'Users',
};
const intent = (ts: string, id: string) => ({
  ts,
  event: 'upstream.intent',
  req: `r-${id}`,
  actor: { name: 'idm' },
  op: { ...op, id },
  upstream: { method: 'PUT' },
});
const done = (ts: string, id: string) => ({
  ts,
  event: 'request.outcome',
  req: `d-${id}`,
  actor: { name: 'idm' },
  op: { ...op, id },
  outcome: { result: 'success', http: 200 },
});

test('what a stopped process left is lost work, unless another replica has made up for it', async () => {
  const directory = await temporaryDirectory();
  const records = [
    intent('2026-11-21T08:00:00.000Z', 'one'),
    intent('2026-11-21T08:00:01.000Z', 'two'),
    { ts: '2026-11-21T08:01:00.000Z', event: 'request.outcome_unknown', intent: 2, req: 'r-one' },
    { ts: '2026-11-21T08:01:00.000Z', event: 'request.outcome_unknown', intent: 3, req: 'r-two' },
  ];
  await writeTrail(directory, 'gw-1', chainA, [{ records, reason: 'stopped' }]);
  const alone = await audit('worklist', directory);
  assert.equal(alone.code, 1);
  assert.match(alone.stdout, /lost +idm +s1 +replace Users +r-one\n.+r-two\n$/);
  await writeTrail(directory, 'gw-2', chainB, [
    { records: [done('2026-11-21T09:00:00.000Z', 'two')], reason: 'stopped' },
  ]);
  const both = await audit('worklist', directory, '--since', '2026-11-21', '--until', '2026-11-21T08:30');
  assert.match(both.stdout, /r-one\n$/);
  assert.doesNotMatch(both.stdout, /r-two/);
  assert.equal((await audit('worklist', directory, '--until', '2026-11-20')).code, 0);
  assert.equal((await audit('worklist', directory, '--system', 's2')).code, 0);
});

test('of more work than there is room for the earliest is let go, and told', async () => {
  async function* entries() {
    for (let at = 0; at < 5; at += 1)
      yield anEntry({
        req: `r${at}`,
        ts: `2026-11-21T08:00:0${at}.000Z`,
        op: { ...op, id: `p${at}` },
        outcome: { result: 'failure', http: 500 },
      });
  }
  const { works, left } = await worklist(entries(), { most: 3 });
  assert.deepEqual(
    works.map(({ request }) => request),
    ['r2', 'r3', 'r4'],
  );
  assert.equal(left, 2);
});
