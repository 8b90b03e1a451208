/** A write that is repeated goes up once, at one replica. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { eventually } from '../support/eventually.ts';
import { anna, begin, leave, leaveUnheard, openStage, outcomesIn, type Stage, told } from './stage.ts';

const repeatsIn = async ({ gateway }: Stage): Promise<unknown[]> =>
  (await outcomesIn(gateway)).map(({ repeat }) => repeat);

test('a caller that left before the answer and repeats gets 201 with the same id, and there is one create', async () => {
  await using stage = await openStage();
  const { tenant, gateway } = stage;
  const answerFirst = await leave(stage, 'POST', '/Users', anna);
  const repeat = gateway.call('POST', '/Users', anna);
  await sleep(50);
  answerFirst();
  const answer = await repeat;
  assert.equal(answer.status, 201);
  assert.equal((await told(answer)).id, tenant.executed[0]?.id);
  assert.equal(tenant.writes().length, 1);
  await eventually(async () => (await repeatsIn(stage)).includes('joined'));
});

test('an answer that nobody took is told to the repeat', async () => {
  await using stage = await openStage();
  const { tenant, gateway } = stage;
  await leaveUnheard(stage, 'POST', '/Users', anna);
  const answers = [await gateway.call('POST', '/Users', anna), await gateway.call('POST', '/Users', anna)];
  assert.deepEqual(
    await Promise.all(answers.map(async (each) => [each.status, (await told(each)).id])),
    [1, 2].map(() => [201, tenant.executed[0]?.id]),
  );
  assert.equal(tenant.writes().length, 1);
  assert.deepEqual(await repeatsIn(stage), [undefined, 'replayed', 'replayed']);
});

test('a write that was answered goes up again when it is sent again', async () => {
  await using stage = await openStage();
  const { tenant, gateway } = stage;
  const { id } = tenant.put({ userName: 'bert' });
  const patch = { schemas: [], Operations: [{ op: 'replace', path: 'active', value: false }] };
  for (let turn = 0; turn < 2; turn += 1)
    assert.equal((await gateway.call('PATCH', `/Users/${id}`, patch)).status, 204);
  assert.equal(tenant.writes().length, 2);
});

test('a repeat of an answer that nobody took goes up when the resource was written meanwhile', async () => {
  await using stage = await openStage();
  const { tenant, gateway } = stage;
  const { id } = tenant.put({ userName: 'bert' });
  await leaveUnheard(stage, 'PUT', `/Users/${id}`, { userName: 'bert', title: 'A' });
  const operations = [{ op: 'replace', path: 'title', value: 'B' }];
  await gateway.call('PATCH', `/Users/${id.toUpperCase()}`, { schemas: [], Operations: operations });
  assert.equal((await gateway.call('PUT', `/Users/${id}`, { userName: 'bert', title: 'A' })).status, 200);
  assert.deepEqual(
    tenant.writes().map(({ method }) => method),
    ['PUT', 'PATCH', 'PUT'],
  );
});

test('a create whose resource was deleted meanwhile goes up again', async () => {
  await using stage = await openStage();
  const { tenant, gateway } = stage;
  await leaveUnheard(stage, 'POST', '/Users', anna);
  await gateway.call('DELETE', `/Users/${tenant.executed[0]?.id}`);
  assert.equal((await gateway.call('POST', '/Users', anna)).status, 201);
  assert.equal(tenant.resources.size, 1);
});

test('a create of which nobody knows is told as unknown, and its repeat is not sent but looked for', async () => {
  await using stage = await openStage();
  const { tenant, gateway } = stage;
  tenant.fateOf = () => 'reset-before';
  for (let turn = 0; turn < 2; turn += 1) {
    const answer = await gateway.call('POST', '/Users', anna);
    assert.deepEqual([answer.status, answer.headers.get('retry-after')], [504, '30']);
  }
  const { id } = tenant.put(anna);
  const answer = await gateway.call('POST', '/Users', anna);
  assert.deepEqual([answer.status, (await told(answer)).id], [201, id]);
  assert.match(answer.headers.get('location') ?? '', new RegExp(`^${gateway.base}/Users/${id}$`));
  assert.equal(tenant.writes().length, 1);
  const ways = (await outcomesIn(gateway)).map(({ repeat, reconciled, outcome }) => [
    repeat,
    reconciled,
    outcome?.result,
  ]);
  assert.deepEqual(ways, [
    [undefined, 'absent', 'unknown'],
    ['reconciled', 'absent', 'unknown'],
    ['reconciled', 'found', 'success'],
  ]);
});

test('a create that never arrived goes up again when the window is over', async () => {
  await using stage = await openStage({ system: { repeats: { lookFor: '0ms', window: '1s' } } });
  const { tenant, gateway } = stage;
  tenant.fateOf = () => 'reset-before';
  assert.equal((await gateway.call('POST', '/Users', anna)).status, 504);
  tenant.fateOf = () => 'answer';
  await eventually(async () => (await gateway.call('POST', '/Users', anna)).status === 201);
  assert.equal(tenant.writes().length, 2);
});

test('a create that finds somebody else’s resource is told 409 uniqueness', async () => {
  await using stage = await openStage();
  const { tenant, gateway } = stage;
  tenant.put(anna, new Date(Date.now() - 3_600_000));
  tenant.fateOf = () => 'reset';
  const answer = await gateway.call('POST', '/Users', anna);
  assert.deepEqual([answer.status, (await told(answer)).scimType], [409, 'uniqueness']);
});

test('a second create, refused unseen, is not told as the first one’s success', async () => {
  await using stage = await openStage();
  const { tenant, gateway } = stage;
  assert.equal((await gateway.call('POST', '/Users', anna)).status, 201);
  tenant.fateOf = () => 'reset';
  assert.equal((await gateway.call('POST', '/Users', anna)).status, 504);
});

test('PUT, PATCH and DELETE that were carried out unseen get their true answers', async () => {
  await using stage = await openStage();
  const { tenant, gateway } = stage;
  const { id } = tenant.put({ userName: 'bert' });
  tenant.fateOf = () => 'reset';
  const answers = [
    await gateway.call('PUT', `/Users/${id}`, { userName: 'bert', title: 'A' }),
    await gateway.call('PATCH', `/Users/${id}`, {
      schemas: [],
      Operations: [{ op: 'replace', path: 'title', value: 'B' }],
    }),
    await gateway.call('DELETE', `/Users/${id}`),
  ];
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 204, 204],
  );
  const purposes = (await gateway.records())
    .filter(({ event }) => event === 'upstream.intent')
    .map(({ upstream }) => (upstream as { purpose?: string }).purpose);
  assert.deepEqual(
    purposes.filter((purpose) => purpose !== 'probe'),
    ['call', 'reconcile', 'call', 'reconcile', 'call', 'reconcile', 'reconcile'],
  );
});

test('a create that is seen later than at once is found by a later look', async () => {
  await using stage = await openStage({ system: { repeats: { lookFor: '2s' } } });
  const { tenant, gateway } = stage;
  tenant.fateOf = () => 'reset-before';
  const answer = gateway.call('POST', '/Users', anna);
  await eventually(async () => tenant.looks().length === 1);
  const { id } = tenant.put(anna);
  assert.deepEqual([(await answer).status, (await told(await answer)).id], [201, id]);
});

test('a caller that left gets its look all the same, for the trail and for its repeat', async () => {
  await using stage = await openStage();
  const { tenant, gateway } = stage;
  const cut = Promise.withResolvers<void>();
  const { answer } = tenant.upstream;
  tenant.upstream.answer = (request, response, message) => {
    if (request.method === 'GET') return answer(request, response, message);
    tenant.put(JSON.parse(request.body));
    void cut.promise.then(() => message.socket.resetAndDestroy());
  };
  const first = await begin(gateway, 'POST', '/Users', anna);
  await eventually(async () => tenant.resources.size === 1);
  first.reset();
  await sleep(50);
  cut.resolve();
  await eventually(async () => (await outcomesIn(gateway)).length === 1);
  const [record] = await outcomesIn(gateway);
  assert.deepEqual([record?.['reconciled'], record?.outcome?.result], ['found', 'success']);
  assert.equal((await gateway.call('POST', '/Users', anna)).status, 201);
  assert.equal(tenant.writes().length, 1);
});

test('two callers that send the same are two, and each is sent', async () => {
  await using stage = await openStage({
    callers: {
      iag: {
        permissions: [{ permission: 'Access Proxy System API', systems: 'all', access: ['read', 'write'] }],
      },
    },
  });
  const { tenant, gateway } = stage;
  tenant.fateOf = () => 'reset-before';
  await gateway.call('POST', '/Users', anna);
  await gateway.call('POST', '/Users', anna, { authorization: gateway.logOn('iag') });
  assert.equal(tenant.writes().length, 2);
});

test('where repeats are off each is sent, and unknown outcomes are looked for all the same', async () => {
  await using stage = await openStage({ system: { repeats: { enabled: false, lookFor: '0ms' } } });
  const { tenant, gateway } = stage;
  tenant.fateOf = () => 'reset-before';
  for (let turn = 0; turn < 2; turn += 1)
    assert.equal((await gateway.call('POST', '/Users', anna)).status, 504);
  assert.deepEqual([tenant.writes().length, tenant.looks().length], [2, 2]);
});

test('a conflict with what IPS itself has created at its second attempt is told as the success that it is', async (t) => {
  await using stage = await openStage();
  const { tenant, gateway } = stage;
  const { answer } = tenant.upstream;
  tenant.upstream.answer = (request, response, message) => {
    if (request.method === 'GET') return answer(request, response, message);
    tenant.put(JSON.parse(request.body));
    // What IPS waits before it tries again, shortened as far as it is still taken for that, has passed on the clock alone.
    const now = performance.now.bind(performance);
    t.mock.method(performance, 'now', () => now() + 21_000);
    answer(request, response, message);
  };
  const created = await gateway.call('POST', '/Users', anna);
  const [made] = tenant.resources.values();
  assert.deepEqual([created.status, (await told(created)).id], [201, made?.id]);
  tenant.upstream.answer = answer;
  const refused = await gateway.call('POST', '/Users', { ...anna, title: 'Prof.' });
  assert.deepEqual([refused.status, (await told(refused)).scimType], [409, 'uniqueness']);
});
