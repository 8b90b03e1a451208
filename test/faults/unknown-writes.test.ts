/**
 * Creates whose answers are lost, and creates whose callers are: each is carried out at most once, each answer is 201 or
 * “unknown”, and what callers saw, what the trail says and what the tenant did agree. WRITES says how many of each: 60 by
 * default, 500 in `npm run unknown-writes`.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { eventually } from '../support/eventually.ts';
import type { TestGateway } from '../support/gateway.ts';
import { disagreements, type Attempt, type Created, type History } from '../support/history.ts';
import type { Received } from '../support/upstream.ts';
import type { RepeatingTenant } from '../writes/repeating-tenant.ts';
import { begin, openStage, outcomesIn, told, type Stage } from '../writes/stage.ts';

const writes = Number(process.env['WRITES'] ?? 60);
const workers = 8;

/** Carried out and its answer lost; never carried out; carried out later, as when IPS repeats at its backend. */
const fates = ['done', 'undone', 'later'] as const;
const fateOf = (at: number): (typeof fates)[number] => fates[at % fates.length] ?? 'done';

const asThese = (those: readonly (typeof fates)[number][]): number =>
  Array.from({ length: writes }, (_, at) => fateOf(at)).filter((fate) => those.includes(fate)).length;

test(`${writes} resets after the body was sent: nothing is created twice, each answer is 201 or unknown, three logs agree`, async (t) => {
  await using stage = await openStage();
  const { tenant, gateway } = stage;
  const isLate = Promise.withResolvers<void>();
  tenant.fateOf = (request) => {
    const fate = fateOf(Number(nameIn(request).split('-')[1]));
    if (fate === 'later') void isLate.promise.then(() => tenant.carryOut(request));
    return fate === 'done' ? 'reset' : 'reset-before';
  };
  const attempts: Attempt[] = [];
  await forEach(writes, async (at) => void attempts.push(await post(gateway, `reset-${at}`, 1)));
  isLate.resolve();
  await sleep(20);
  const unknown = attempts.filter(({ status }) => status === 504);
  const repeated: Attempt[] = [];
  await forEach(unknown.length, async (at) => {
    const operation = unknown[at]?.operation ?? '';
    repeated.push(await post(gateway, operation, 2));
  });
  const seen = [attempts, repeated].map((some) => [201, 504].map((status) => withStatus(some, status)));
  t.diagnostic(`found and unknown at first, and when repeated: ${JSON.stringify(seen)}`);
  assert.deepEqual(seen, [
    [asThese(['done']), asThese(['undone', 'later'])],
    [asThese(['later']), asThese(['undone'])],
  ]);
  assert.equal(tenant.writes().length, writes, 'no repeat was sent');
  assert.deepEqual(disagreements(await historyOf(stage, [...attempts, ...repeated])), []);
});

test(`${writes} callers hang up in the middle: each write runs to its end, its repeat gets its answer, three logs agree`, async () => {
  await using stage = await openStage();
  const { tenant, gateway } = stage;
  const left = new Map<string, PromiseWithResolvers<void>>();
  tenant.fateOf = (request) => left.get(nameIn(request))?.promise ?? 'answer';
  const attempts: Attempt[] = [];
  await forEach(writes, async (at) => {
    const operation = `left-${at}`;
    const gone = Promise.withResolvers<void>();
    left.set(operation, gone);
    const sent = [{ userName: operation }, [`X-Request-Id: ${operation}.1`]] as const;
    using connection = await begin(gateway, 'POST', '/Users', ...sent);
    await eventually(async () => isThere(tenant, operation));
    connection.reset();
    attempts.push({ name: `${operation}.1`, operation, status: undefined, id: undefined });
    // The gateway sees that its caller left, and the answer comes at any time after that, also before the repeat.
    await sleep(10);
    await sleep(randomInt(10, 30));
    const answered = sleep(randomInt(0, 60)).then(() => gone.resolve());
    await sleep(randomInt(0, 60));
    attempts.push(await post(gateway, operation, 2));
    await answered;
  });
  assert.equal(withStatus(attempts, 201), writes);
  assert.equal(tenant.writes().length, writes, 'no repeat was sent');
  await eventually(async () => (await outcomesIn(gateway)).length === attempts.length);
  assert.deepEqual(disagreements(await historyOf(stage, attempts)), []);
});

test('the three logs are found to disagree when one of them is changed', async () => {
  await using stage = await openStage();
  const { tenant, gateway } = stage;
  tenant.fateOf = () => 'reset';
  const attempts = [await post(gateway, 'reset-0', 1)];
  const history = await historyOf(stage, attempts);
  assert.deepEqual(disagreements(history), []);
  const [attempt] = attempts;
  assert.ok(attempt);
  const lies: readonly [what: string, lie: Partial<History>][] = [
    ['the tenant created it twice', { created: [...history.created, ...history.created] }],
    ['the tenant never created it', { created: [] }],
    ['it was sent twice', { arrived: [...history.arrived, ...history.arrived] }],
    ['its caller was told of another', { attempts: [{ ...attempt, id: 'other' }] }],
    ['its caller saw another status', { attempts: [{ ...attempt, status: 504, id: undefined }] }],
    [
      'the trail has no record of it',
      { trail: history.trail.filter(({ event }) => event !== 'request.outcome') },
    ],
    ['an outcome is missing', { trail: history.trail.filter(({ event }) => event !== 'upstream.outcome') }],
  ];
  for (const [what, lie] of lies) assert.notDeepEqual(disagreements({ ...history, ...lie }), [], what);
});

async function post(gateway: TestGateway, operation: string, turn: number): Promise<Attempt> {
  const name = `${operation}.${turn}`;
  const answer = await gateway.call('POST', '/Users', { userName: operation }, { 'x-request-id': name });
  const { id } = await told(answer);
  return { name, operation, status: answer.status, id };
}

async function historyOf({ tenant, gateway }: Stage, attempts: readonly Attempt[]): Promise<History> {
  const arrived = tenant.upstream.received.map(({ method, headers }) => ({
    requestId: String(headers['x-request-id']),
    method,
  }));
  const created = tenant.executed
    .filter(({ status }) => status === 201)
    .map(({ requestId, id }): Created => ({ requestId, id, operation: userNameOf(tenant, id) }));
  return { attempts, trail: await gateway.records(), arrived, created };
}

async function forEach(count: number, work: (at: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: workers }, worker));
}

function withStatus(attempts: readonly Attempt[], status: number): number {
  return attempts.filter((attempt) => attempt.status === status).length;
}

function nameIn({ body }: Received): string {
  return String(JSON.parse(body).userName);
}

function userNameOf({ resources }: RepeatingTenant, id: string): string {
  return String(resources.get(id)?.['userName']);
}

function isThere({ resources }: RepeatingTenant, userName: string): boolean {
  return resources.values().some((each) => each['userName'] === userName);
}
