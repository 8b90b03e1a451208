/** A write that is repeated goes up once, whichever replica it comes to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';

import { eventually } from '../support/eventually.ts';
import { inClear } from '../support/in-clear.ts';
import { anna, begin, leaveUnheard, openReplicas, outcomesIn, type Replicas, told } from './stage.ts';

/** What takes the tenant 90 s, and its caller gives up after 60 s, in a hundredth of the time. */
const tenantMs = 900;
const callerMs = 600;

/** The first call ended unheard at one replica. */
const leaveOne = ({ tenant, one }: Replicas): Promise<void> =>
  leaveUnheard({ tenant, gateway: one }, 'POST', '/Users', anna);

test('the tenant takes 90 s, the caller leaves at 60 s and repeats at another replica: one create, 201, the same id', async () => {
  await using stage = await openReplicas();
  const { tenant, one, other } = stage;
  tenant.fateOf = () => sleep(tenantMs);
  const first = await begin(one, 'POST', '/Users', anna);
  await sleep(callerMs);
  first.reset();
  const repeat = await other.call('POST', '/Users', anna);
  assert.deepEqual([repeat.status, (await told(repeat)).id], [201, tenant.executed[0]?.id]);
  assert.equal(tenant.writes().length, 1);
});

test('a repeat at another replica waits for the answer of the one that runs', async () => {
  await using stage = await openReplicas();
  const { tenant, one, other } = stage;
  const late = Promise.withResolvers<void>();
  tenant.fateOf = () => late.promise;
  const first = one.call('POST', '/Users', anna);
  await eventually(async () => tenant.executed.length === 1);
  const repeat = other.call('POST', '/Users', anna);
  await sleep(1500);
  late.resolve();
  assert.deepEqual([(await first).status, (await repeat).status], [201, 201]);
  assert.equal(tenant.writes().length, 1);
  assert.deepEqual(
    (await outcomesIn(other)).map(({ repeat: how }) => how),
    ['joined'],
  );
});

test('an answer that nobody took at one replica is told at the other', async () => {
  await using stage = await openReplicas();
  const { tenant, other } = stage;
  await leaveOne(stage);
  const repeat = await other.call('POST', '/Users', anna);
  assert.deepEqual([repeat.status, (await told(repeat)).id], [201, tenant.executed[0]?.id]);
  assert.equal(tenant.writes().length, 1);
  assert.deepEqual(
    (await outcomesIn(other)).map(({ repeat: how }) => how),
    ['replayed'],
  );
});

test('a lease lasts as long as its write, however long that takes', async () => {
  await using stage = await openReplicas();
  const { tenant, redis, one } = stage;
  using client = new DisposableRedis(redis.url);
  const late = Promise.withResolvers<void>();
  tenant.fateOf = () => late.promise;
  const first = one.call('POST', '/Users', anna);
  await eventually(async () => tenant.executed.length === 1);
  const [lease = ''] = await client.redis.keys('gr1:{writes}:lease:*');
  await eventually(async () => (await client.redis.pttl(lease)) < 9000);
  await eventually(async () => (await client.redis.pttl(lease)) > 9000);
  late.resolve();
  assert.equal((await first).status, 201);
  assert.equal(await client.redis.exists(lease), 0);
});

test('what was written meanwhile at one replica sends the repeat at the other up', async () => {
  await using stage = await openReplicas();
  const { tenant, one, other } = stage;
  await leaveOne(stage);
  tenant.fateOf = () => 'answer';
  assert.equal((await one.call('DELETE', `/Users/${tenant.executed[0]?.id}`)).status, 204);
  assert.equal((await other.call('POST', '/Users', anna)).status, 201);
  assert.equal(tenant.resources.size, 1);
});

test('an earlier write at the other replica is no reason to send a repeat there', async () => {
  await using stage = await openReplicas();
  const { tenant, one, other } = stage;
  const { id } = tenant.put({ userName: 'bert' });
  const patch = { schemas: [], Operations: [{ op: 'replace', path: 'title', value: 'A' }] };
  assert.equal((await other.call('PATCH', `/Users/${id}`, patch)).status, 204);
  tenant.fateOf = () => 'reset-before';
  const put = ['PUT', `/Users/${id}`, { userName: 'bert', title: 'B' }] as const;
  assert.equal((await one.call(...put)).status, 504);
  assert.equal((await other.call(...put)).status, 504);
  assert.deepEqual(
    tenant.writes().map(({ method }) => method),
    ['PATCH', 'PUT'],
  );
});

test('a write that was answered at one replica goes up when it comes to the other', async () => {
  await using stage = await openReplicas();
  const { tenant, one, other } = stage;
  const { id } = tenant.put({ userName: 'bert' });
  const patch = { schemas: [], Operations: [{ op: 'replace', path: 'active', value: false }] };
  for (const gateway of [one, other, one])
    assert.equal((await gateway.call('PATCH', `/Users/${id}`, patch)).status, 204);
  assert.equal(tenant.writes().length, 3);
});

test('a key that is at work at one replica is refused at the other', async () => {
  await using stage = await openReplicas();
  const { tenant, one, other } = stage;
  const late = Promise.withResolvers<void>();
  tenant.fateOf = () => late.promise;
  const key = { 'idempotency-key': '"k1"' };
  const first = one.call('POST', '/Users', anna, key);
  await eventually(async () => tenant.executed.length === 1);
  assert.equal((await other.call('POST', '/Users', anna, key)).status, 409);
  assert.equal((await other.call('POST', '/Users', { title: 'x' }, key)).status, 422);
  late.resolve();
  assert.equal((await first).status, 201);
  assert.equal((await other.call('POST', '/Users', anna, key)).status, 201);
  assert.equal(tenant.writes().length, 1);
});

test('without Redis a replica knows its own, and the trail says that it knew no more', async () => {
  await using stage = await openReplicas();
  const { tenant, one, redis } = stage;
  await redis.kill();
  await leaveOne(stage);
  const repeat = await one.call('POST', '/Users', anna);
  assert.deepEqual([repeat.status, (await told(repeat)).id], [201, tenant.executed[0]?.id]);
  assert.deepEqual(
    (await outcomesIn(one)).map(({ repeat: how }) => how),
    ['local', 'replayed'],
  );
  const degraded = (await one.records()).filter(({ event }) => event === 'repeats.degraded');
  assert.equal(degraded.length, 1);
});

test('nothing in Redis names a person or an answer', async () => {
  await using stage = await openReplicas();
  await leaveOne(stage);
  using client = new DisposableRedis(stage.redis.url);
  const names = await client.redis.keys('gr1:*');
  assert.ok(names.length >= 3, names.join(' '));
  for (const name of names) {
    assert.match(name, /^gr1:\{writes\}:(?:probe|(?:lease|record|told|writer):[\w-]{36,43})$/);
    const value = (await client.redis.get(name)) ?? '';
    assert.doesNotMatch(inClear(value), /anna|Users|created/);
    assert.ok((await client.redis.pttl(name)) > 0, `${name} ends by itself`);
  }
});

test('an answer that somebody moved to another write in Redis is told to nobody', async () => {
  await using stage = await openReplicas({ config: { patience: '1s' } });
  const { tenant, redis, one, other } = stage;
  using client = new DisposableRedis(redis.url);
  const only = async (kind: string): Promise<string> => {
    const keys = await client.redis.keys(`gr1:{writes}:${kind}:*`);
    assert.equal(keys.length, 1, kind);
    return keys[0] ?? '';
  };
  // Whose lease it is, is seen while it runs.
  const late = Promise.withResolvers<void>();
  tenant.fateOf = () => late.promise;
  const berts = one.call('POST', '/Users', { ...anna, userName: 'bert' });
  await eventually(async () => tenant.executed.length === 1);
  const lease = await only('lease');
  late.resolve();
  assert.equal((await berts).status, 201);
  await client.redis.del(await client.redis.keys('gr1:{writes}:told:*'));
  assert.equal((await one.call('POST', '/Users', anna)).status, 201);
  const run = (await only('told')).split(':').at(-1) ?? '';
  await client.redis.set(lease, run, 'PX', 1000);
  const repeat = await other.call('POST', '/Users', { ...anna, userName: 'bert' });
  assert.deepEqual([repeat.status, (await told(repeat)).id], [504, undefined]);
  assert.equal(tenant.writes().length, 2);
});

test('a record that somebody kept beyond its time and put back says nothing', async () => {
  await using stage = await openReplicas({ system: { repeats: { window: '1s', lookFor: '0ms' } } });
  const { tenant, redis, one, other } = stage;
  using client = new DisposableRedis(redis.url);
  const key = { 'idempotency-key': '"k1"' };
  assert.equal((await one.call('POST', '/Users', anna, key)).status, 201);
  const [name = ''] = await client.redis.keys('gr1:{writes}:record:*');
  const kept = (await client.redis.get(name)) ?? '';
  assert.notEqual(kept, '');
  await eventually(async () => (await client.redis.exists(name)) === 0);
  await client.redis.set(name, kept);
  await other.call('POST', '/Users', anna, key);
  assert.equal(tenant.writes().length, 2);
});

class DisposableRedis implements Disposable {
  readonly redis: Redis;

  constructor(url: string) {
    this.redis = new Redis(url);
  }

  [Symbol.dispose](): void {
    this.redis.disconnect();
  }
}
