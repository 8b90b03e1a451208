/**
 * Redis stops to answer while equal writes are at work at two replicas. No write that one of them knows to be at work is
 * sent by the other, and its caller is told what the tenant shows; only what nobody can know is 504.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { eventually } from '../support/eventually.ts';
import { sendScim } from '../support/upstream.ts';
import { anna, openReplicas, outcomesIn, type Replicas, told } from './stage.ts';

const create = ['POST', '/Users', anna] as const;

/** One create that the tenant has at work, and its repeat at the other replica, which waits for it. */
async function bothAtWork(
  { tenant, one, other }: Replicas,
  arrived: () => boolean,
): Promise<Promise<Response>[]> {
  const first = one.call(...create);
  await eventually(async () => arrived());
  const repeat = other.call(...create);
  assert.equal(await Promise.race([repeat, sleep(700, 'waits')]), 'waits');
  assert.equal(tenant.writes().length, 1);
  return [first, repeat];
}

const refusal = {
  schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
  status: '400',
  detail: 'No.',
};

/** Writes that the tenant gets wait until `answer` is called; reads are answered. */
function heldWrites({ tenant }: Replicas): { answer(by?: typeof tenant.upstream.answer): void } {
  const { answer } = tenant.upstream;
  const told = Promise.withResolvers<typeof answer>();
  tenant.upstream.answer = (request, response, message) => {
    if (request.method === 'GET') return answer(request, response, message);
    void told.promise.then((by) => by(request, response, message));
  };
  return { answer: (by = answer) => told.resolve(by) };
}

async function statusesOf(calls: readonly Promise<Response>[]): Promise<number[]> {
  return (await Promise.all(calls)).map(({ status }) => status);
}

async function idsOf(calls: readonly Promise<Response>[]): Promise<Set<string | undefined>> {
  return new Set(await Promise.all(calls.map(async (call) => (await told(await call)).id)));
}

const repeatsAt = async (replica: Replicas['one']): Promise<unknown[]> =>
  (await outcomesIn(replica)).map(({ repeat }) => repeat);

describe('equal writes at two replicas', { concurrency: true }, () => {
  for (const { what, strike } of [
    { what: 'freezes', strike: async ({ redis }: Replicas) => redis.freeze() },
    { what: 'is killed', strike: ({ redis }: Replicas) => redis.kill() },
  ])
    test(`Redis ${what} while one waits for the other: one create, and both are told of it`, async () => {
      await using stage = await openReplicas();
      const { tenant, other } = stage;
      // Sooner than dates of whole seconds can tell after from before, and the other waits past the silence.
      tenant.fateOf = () => sleep(2000);
      const calls = await bothAtWork(stage, () => tenant.executed.length === 1);
      await strike(stage);
      assert.deepEqual(await statusesOf(calls), [201, 201]);
      assert.deepEqual(await idsOf(calls), new Set([tenant.executed[0]?.id]));
      assert.equal(tenant.writes().length, 1);
      assert.deepEqual(await repeatsAt(other), ['reconciled']);
    });

  test('a create that takes longer than the first look is found by a later one', async () => {
    await using stage = await openReplicas();
    const { tenant, redis, other } = stage;
    const held = heldWrites(stage);
    const calls = await bothAtWork(stage, () => tenant.writes().length === 1);
    redis.freeze();
    await eventually(async () => tenant.looks().length > 0, 20_000);
    held.answer();
    assert.deepEqual(await statusesOf(calls), [201, 201]);
    assert.equal(tenant.writes().length, 1);
    assert.deepEqual(await repeatsAt(other), ['reconciled']);
  });

  test('Redis comes back empty while one waits for the other: the other goes on waiting and sends nothing', async () => {
    await using stage = await openReplicas();
    const { tenant, redis, other } = stage;
    const late = Promise.withResolvers<void>();
    tenant.fateOf = () => late.promise;
    const calls = await bothAtWork(stage, () => tenant.executed.length === 1);
    await redis.kill();
    await redis.restart();
    await eventually(async () => (await eventsAt(other)).includes('repeats.recovered'), 20_000);
    assert.equal(await Promise.race([calls[1], sleep(1000, 'waits')]), 'waits');
    late.resolve();
    assert.deepEqual(await statusesOf(calls), [201, 201]);
    assert.equal(tenant.writes().length, 1);
  });

  test('an answer that came while Redis hung is told to the other when Redis goes on', async () => {
    await using stage = await openReplicas();
    const { tenant, redis, one, other } = stage;
    const held = heldWrites(stage);
    const calls = await bothAtWork(stage, () => tenant.writes().length === 1);
    redis.freeze();
    await eventually(async () => (await eventsAt(one)).includes('repeats.degraded'), 20_000);
    held.answer((_request, response) => sendScim(response, 400, refusal));
    assert.equal((await calls[0])?.status, 400);
    redis.thaw();
    assert.equal((await calls[1])?.status, 400);
    assert.equal(tenant.writes().length, 1);
    assert.deepEqual(await repeatsAt(other), ['joined']);
  });

  test('an answer that Redis took with it when it died is told to the other when Redis is back', async () => {
    await using stage = await openReplicas({ isByWay: true });
    const { tenant, redis, way, other } = stage;
    const held = heldWrites(stage);
    const calls = await bothAtWork(stage, () => tenant.writes().length === 1);
    // The other asks every 200 ms, and is to hear no more before the end.
    way.delayMs = 60_000;
    held.answer((_request, response) => sendScim(response, 400, refusal));
    assert.equal((await calls[0])?.status, 400);
    await redis.kill();
    way.delayMs = 0;
    assert.equal(await Promise.race([calls[1], sleep(1000, 'waits')]), 'waits');
    await redis.restart();
    assert.equal((await calls[1])?.status, 400);
    assert.equal(tenant.writes().length, 1);
    assert.deepEqual(await repeatsAt(other), ['joined']);
  });

  test('what nobody can know is told as unknown when the patience is over, and nothing is sent', async () => {
    await using stage = await openReplicas({ config: { patience: '1s' } });
    const { tenant, redis, other } = stage;
    const held = heldWrites(stage);
    const [first, repeat] = await bothAtWork(stage, () => tenant.writes().length === 1);
    redis.freeze();
    const unknown = await repeat;
    assert.deepEqual([unknown?.status, unknown?.headers.get('retry-after')], [504, '30']);
    assert.equal((await other.call(...create)).status, 504, 'nor is its repeat sent');
    held.answer();
    assert.equal((await first)?.status, 201);
    assert.equal(tenant.writes().length, 1);
  });

  test('without Redis both go up, and the one that the tenant refuses because of the other is told of its success', async () => {
    await using stage = await openReplicas();
    const { tenant, redis, one, other } = stage;
    await redis.kill();
    tenant.fateOf = () => sleep(500);
    const calls = [one.call(...create), other.call(...create)];
    assert.deepEqual(await statusesOf(calls), [201, 201]);
    assert.deepEqual(await idsOf(calls), new Set(tenant.resources.keys()));
    assert.equal(tenant.resources.size, 1);
  });

  test('without Redis a name that an older resource has is a conflict', async () => {
    await using stage = await openReplicas();
    const { tenant, redis, other } = stage;
    await redis.kill();
    tenant.put(anna, new Date(Date.now() - 3_600_000));
    const refused = await other.call(...create);
    assert.deepEqual([refused.status, (await told(refused)).scimType], [409, 'uniqueness']);
  });

  test('one that was not carried out says so, and the other that waits is sent', async () => {
    await using stage = await openReplicas();
    const { tenant } = stage;
    const { answer } = tenant.upstream;
    const late = Promise.withResolvers<void>();
    tenant.upstream.answer = (_request, response) =>
      void late.promise.then(() => response.writeHead(401).end());
    const calls = await bothAtWork(stage, () => tenant.writes().length === 1);
    tenant.upstream.answer = answer;
    late.resolve();
    assert.deepEqual(await statusesOf(calls), [502, 201]);
    assert.equal(tenant.writes().length, 2);
  });

  test('what ended while Redis hung is nothing unknown afterwards: sent again it goes up', async () => {
    await using stage = await openReplicas();
    const { tenant, redis, one, other } = stage;
    const { id } = tenant.put({ userName: 'bert' });
    const activate = (active: boolean): readonly [string, string, object] => [
      'PATCH',
      `/Users/${id}`,
      { schemas: [], Operations: [{ op: 'replace', path: 'active', value: active }] },
    ];
    // Redis hears of it when it goes on, after its end.
    redis.freeze();
    assert.equal((await one.call(...activate(false))).status, 204);
    redis.thaw();
    await eventually(async () => (await eventsAt(one)).includes('repeats.recovered'), 20_000);
    assert.equal((await one.call(...activate(true))).status, 204);
    for (const replica of [other, one]) assert.equal((await replica.call(...activate(false))).status, 204);
    assert.equal(tenant.writes().length, 4);
  });
});

async function eventsAt(replica: Replicas['one']): Promise<string[]> {
  return (await replica.records()).map(({ event }) => event);
}
