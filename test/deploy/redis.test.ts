/** The delivered redis.conf and users.acl in a real redis-server, and the gateway's own cache and ledger against them. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';

import { RedisLedger } from '../../src/auth/redis-ledger.ts';
import { createRedisStore } from '../../src/cache/redis-store.ts';
import { openRedis } from '../../src/gateway/redis.ts';
import type { PoolReply } from '../../src/pace/pool.ts';
import { RedisPools } from '../../src/pace/redis-pool.ts';
import { atFirst } from '../../src/pages/position.ts';
import { RedisLoads } from '../../src/pages/redis-loads.ts';
import { RedisNotes } from '../../src/profile/redis-notes.ts';
import type { CircuitState } from '../../src/redis-circuit.ts';
import { priorities } from '../../src/scim/operation.ts';
import { RedisSlates } from '../../src/snapshot/redis-slate.ts';
import { RecordSeal } from '../../src/writes/record-seal.ts';
import { RedisRecords } from '../../src/writes/redis-records.ts';
import { RedisBook } from '../../src/writes/updates-redis.ts';
import { createCertificate } from '../support/certificate.ts';
import { startRedis } from '../support/redis.ts';
import { freePort } from './free-port.ts';

const delivered = resolve(import.meta.dirname, '../../deploy/redis');
const password = 'a-password-of-this-test';
const { certificate, key } = createCertificate();

interface Delivered extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
}

/** As delivered, but for the places of its files and the free port. */
async function startDelivered(): Promise<Delivered> {
  await using starting = new AsyncDisposableStack();
  const directory = starting.use(await mkdtempDisposable(join(tmpdir(), 'gatehouse-redis-'))).path;
  const users = await readFile(join(delivered, 'users.acl'), 'utf8');
  await writeFile(join(directory, 'redis.crt'), certificate);
  await writeFile(join(directory, 'redis.key'), key);
  await writeFile(join(directory, 'users.acl'), users.replace('PASSWORD_SHA256', hash('sha256', password)));
  const port = await freePort();
  const conf = (await readFile(join(delivered, 'redis.conf'), 'utf8'))
    .replace('/etc/redis/tls/ca.crt', join(directory, 'redis.crt'))
    .replaceAll('/etc/redis/tls/', `${directory}/`)
    .replace('/etc/redis/', `${directory}/`)
    .replace('tls-port 6379', `tls-port ${port}`);
  await writeFile(join(directory, 'redis.conf'), conf);
  starting.use(await startRedis(['--include', join(directory, 'redis.conf')]));
  const parts = starting.move();
  return {
    port,
    url: `rediss://gatehouse:${password}@localhost:${port}/0`,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

interface Connection extends Disposable {
  readonly redis: Redis;
}

function connect(url: string, tls = true): Connection {
  const redis = new Redis(url, {
    ...(tls && { tls: { ca: certificate } }),
    enableReadyCheck: false,
    disableClientInfo: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  redis.on('error', () => redis.status); // What the test asserts is the command's own failure.
  return { redis, [Symbol.dispose]: () => redis.disconnect() };
}

const refusal = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => String(error),
  );

test('the gateway’s cache works with the delivered Redis', async () => {
  await using redis = await startDelivered();
  using opened = openRedis(redis.url, { ca: certificate });
  await using store = createRedisStore({ redis: opened.redis });
  const entry = 'gh1:{system}:entry';
  const users = 'gh1:{system}:users';
  const look = async () => {
    for (const giveUpAt = Date.now() + 8000; Date.now() < giveUpAt; await sleep(10)) {
      const seen = await store.look(entry, [users]);
      if (seen) return seen;
    }
    throw new Error('Redis did not answer within 8 s');
  };
  const { tokens } = await look();
  store.put(entry, Buffer.from('value'), 10_000);
  assert.equal(String((await look()).value), 'value');
  await store.renew([users]);
  const renewed = (await look()).tokens;
  assert.notDeepEqual(renewed, tokens);
  assert.ok(await store.advance([users], users, renewed[0] ?? ''), 'SET … GET is allowed');
  assert.equal(await opened.redis.wait(0, 1), 0);
});

test('what replicas share of failed log-ons works with the delivered Redis', async () => {
  await using server = await startDelivered();
  using opened = openRedis(server.url, { ca: certificate });
  const states: CircuitState[] = [];
  using ledger = new RedisLedger({
    redis: opened.redis,
    budgetMs: 2000,
    onState: (state) => states.push(state),
  });
  const names = { pair: 'pair', source: 'source', secret: 'secret', user: 'user' };
  for (const giveUpAt = Date.now() + 8000; (await ledger.isTrusted(names)) === undefined; await sleep(10))
    assert.ok(Date.now() < giveUpAt, 'Redis did not answer within 8 s');
  for (let other = 0; other < 6; other += 1) {
    assert.ok(await ledger.charge(names));
    const failure = await ledger.fail({ ...names, user: `user ${other}` });
    assert.deepEqual(failure, { ofSecret: other + 1, isFirstOfSpray: other === 5 });
  }
  await ledger.refund(names);
  assert.equal(await ledger.succeed(names), 6);
  assert.equal(await ledger.isTrusted(names), true);
  assert.deepEqual(states, []);
});

/** One write of a group, from the copy that it was made of to what it left behind. */
async function playBook(book: RedisBook): Promise<void> {
  const place = { system: 'system', group: 'group', caller: 'caller' };
  for (const giveUpAt = Date.now() + 8000; !book.circuit.isOpen; await sleep(10))
    assert.ok(Date.now() < giveUpAt, 'Redis did not answer within 8 s');
  const { clock = -1 } = (await book.look('system', 'group')) ?? {};
  const copy = { id: 'copy', clock };
  await book.tell(place, copy, { generation: 0, members: ['memberdiges'] });
  const began = await book.begin(place);
  assert.deepEqual(began?.copies, [copy]);
  const entered = { id: 'write', caller: 'caller', members: ['memberdiges'], clock: Infinity };
  assert.deepEqual(await book.enter(place, entered, clock, 10_000), []);
  const ended = await book.end(place, began?.clock ?? 0);
  assert.deepEqual(ended?.others, [entered]);
  const addition = { ...entered, clock: ended?.clock ?? 0 };
  await book.settle(place, { entered, addition, copy });
  const later = await book.begin(place);
  assert.deepEqual([later?.copies, later?.isShared, later?.known?.members], [[], false, ['memberdiges']]);
  assert.deepEqual(await book.enter(place, { ...entered, id: 'next' }, began?.clock ?? 0, 10_000), [
    addition,
  ]);
}

test('what replicas share of writes of groups works with the delivered Redis', async () => {
  await using server = await startDelivered();
  using opened = openRedis(server.url, { ca: certificate });
  const states: CircuitState[] = [];
  using book = new RedisBook({
    redis: opened.redis,
    budgetMs: 2000,
    onState: (state) => states.push(state),
  });
  await playBook(book);
  assert.deepEqual(states, []);
});

test('what replicas share of repeated writes works with the delivered Redis', async () => {
  await using server = await startDelivered();
  using opened = openRedis(server.url, { ca: certificate });
  const states: CircuitState[] = [];
  const seal = new RecordSeal(Buffer.alloc(32, 7));
  const onState = (state: CircuitState): void => void states.push(state);
  using records = new RedisRecords({ redis: opened.redis, budgetMs: 2000, seal, onState });
  const times = { sentAt: 1, until: Number.MAX_SAFE_INTEGER, isContested: false, isShared: true };
  const begun = { run: 'a', fingerprint: 'f', isSent: true, ...times, resources: ['r'] };
  for (const giveUpAt = Date.now() + 8000; !(await records.claim('w', begun, 60_000)); await sleep(10))
    assert.ok(Date.now() < giveUpAt, 'Redis did not answer within 8 s');
  assert.equal(await records.sent('w', begun, 60_000), true);
  await records.renew('w', 'a');
  const other = await records.claim('w', { ...begun, run: 'b' }, 60_000);
  assert.deepEqual(other, { holder: 'a', before: begun, isContested: false });
  const reply = { status: 201, headers: { etag: '1' }, body: Buffer.from('{}') };
  await records.end('w', 'a', { ...begun, reply }, 0);
  assert.deepEqual(await records.look('w', 'a'), { holder: undefined, told: { ...begun, reply } });
  assert.deepEqual(await records.writers(['r', 's']), ['a', undefined]);
  assert.deepEqual(states, []);
});

test('what replicas share of callers with quirks works with the delivered Redis', async () => {
  await using server = await startDelivered();
  using opened = openRedis(server.url, { ca: certificate });
  const states: CircuitState[] = [];
  const onState = (state: CircuitState): void => void states.push(state);
  using notes = new RedisNotes({ redis: opened.redis, budgetMs: 2000, key: Buffer.alloc(32, 7), onState });
  const noted = Array.from({ length: 450 }, (_, at) => ({ name: `n${at}`, value: 'v' }));
  for (const giveUpAt = Date.now() + 8000; !(await notes.add(noted, 60_000)); await sleep(10))
    assert.ok(Date.now() < giveUpAt, 'Redis did not answer within 8 s');
  assert.deepEqual(await notes.read(['n0', 'n449', 'n450']), [['v'], ['v'], []]);
  assert.deepEqual(states, []);
});

const ofLoads = { key: Buffer.alloc(32, 7), seal: new RecordSeal(Buffer.alloc(32, 7)) };

/** Ten loads, one after the other, come to a place, ask for its page and ask again. */
async function playLoads(loads: RedisLoads): Promise<void> {
  for (const giveUpAt = Date.now() + 8000; !loads.mayBegin(1); await sleep(10))
    assert.ok(Date.now() < giveUpAt, 'Redis did not answer within 8 s');
  for (let at = 0; at < 10; at += 1) {
    const position = { ...atFirst, tag: `block ${at}`, given: new Set(['an id']) };
    assert.equal(await loads.expect('load', 26, position), true);
    assert.deepEqual(await loads.at('load', 26), position);
    assert.deepEqual(await loads.at('load', 26), position);
  }
}

test('what replicas share of running loads works with the delivered Redis', async () => {
  await using server = await startDelivered();
  using opened = openRedis(server.url, { ca: certificate });
  const states: CircuitState[] = [];
  const onState = (state: CircuitState): void => void states.push(state);
  using loads = new RedisLoads({ redis: opened.redis, budgetMs: 2000, ...ofLoads, onState });
  await playLoads(loads);
  assert.deepEqual(states, []);
});

test('the list of commands names exactly those that the gateway sends', async () => {
  await using server = await startRedis();
  using opened = openRedis(server.url);
  await using store = createRedisStore({ redis: opened.redis });
  using ledger = new RedisLedger({ redis: opened.redis, budgetMs: 2000 });
  using pools = new RedisPools({ redis: opened.redis, budgetMs: 2000 });
  const names = { pair: 'pair', source: 'source', secret: 'secret', user: 'user' };
  const pool = pools.of('acme');
  const entry = 'gh1:{system}:entry';
  for (const giveUpAt = Date.now() + 8000; ; await sleep(10)) {
    assert.ok(Date.now() < giveUpAt, 'Redis did not answer within 8 s');
    const seen = await store.look(entry, ['gh1:{system}:users']);
    const isAnswered = seen && pool.isOpen && (await ledger.isTrusted(names)) !== undefined;
    if (isAnswered) break;
  }
  store.put(entry, Buffer.from('value'), 10_000);
  await store.renew(['gh1:{system}:users']);
  await ledger.charge(names);
  for (let other = 0; other < 6; other += 1) await ledger.fail({ ...names, user: `user ${other}` });
  await ledger.succeed(names);
  assert.ok(await pool.exchange({ room: 3, lends: 1, takes: 0, pauseMs: 1000, begins: true }));
  using book = new RedisBook({ redis: opened.redis, budgetMs: 2000 });
  await playBook(book);
  using slates = new RedisSlates({ redis: opened.redis, budgetMs: 2000, partBudgetMs: 2000 });
  const slate = slates.of('gs1:{snapshot}:users');
  for (const giveUpAt = Date.now() + 8000; (await slate.next('bmark', [])) === undefined; await sleep(10))
    assert.ok(Date.now() < giveUpAt, 'Redis did not answer within 8 s');
  using loads = new RedisLoads({ redis: opened.redis, budgetMs: 2000, ...ofLoads });
  await playLoads(loads);
  using connection = connect(server.url, false);
  const statistics = String(await connection.redis.call('INFO', 'commandstats'));
  const sent = [...statistics.matchAll(/^cmdstat_([a-z|]+):/gm)].map(([, name]) => String(name));
  // Nobody can be kept from saying who he is; INFO is this test's own.
  const ours = sent.filter((name) => !['hello', 'auth', 'select', 'info'].includes(name));
  const users = await readFile(join(delivered, 'users.acl'), 'utf8');
  const listed = [...users.matchAll(/ \+([a-z|]+)/g)].map(([, name]) => String(name));
  assert.deepEqual(ours.toSorted(), listed.toSorted());
});

test('what replicas share of the quota works with the delivered Redis', async () => {
  await using server = await startDelivered();
  using opened = openRedis(server.url, { ca: certificate });
  const states: CircuitState[] = [];
  using pools = new RedisPools({
    redis: opened.redis,
    budgetMs: 2000,
    onState: (state) => states.push(state),
  });
  const pool = pools.of('acme');
  for (const giveUpAt = Date.now() + 8000; !pool.isOpen; await sleep(10))
    assert.ok(Date.now() < giveUpAt, 'Redis did not answer within 8 s');
  const nothing = { room: 3, lends: 0, takes: 0, pauseMs: 0, begins: false } as const;
  const lend = { ...nothing, lends: 1 } as const;
  assert.deepEqual(await pool.exchange({ ...nothing, takes: 8 }), {
    lent: 0,
    taken: 0,
    pauseMs: 0,
    elsewhere: undefined,
  });
  const lent = await Promise.all([1, 2, 3, 4, 5].map(() => pool.exchange(lend)));
  assert.equal(lent.filter((reply) => reply?.lent === 1).length, 3, 'and no more than there is room for');
  const taken = await Promise.all([2, 2, 2].map((takes) => pool.exchange({ ...nothing, takes })));
  assert.deepEqual(
    taken.map((reply) => reply?.taken),
    [2, 1, 0],
  );
  await pool.exchange(lend);
  await pool.exchange({ ...nothing, pauseMs: 9000 });
  const paused = await pool.exchange({ ...nothing, takes: 1, pauseMs: 4000 });
  assert.ok(paused && paused.pauseMs > 8000 && paused.pauseMs <= 9001, 'the longest stands');
  assert.equal(paused.taken, 0, 'and what was lent before it is gone');
  await pool.exchange(lend);
  const anew = await pool.exchange({ ...nothing, takes: 1, begins: true });
  assert.equal(anew?.taken, 0, 'nor is anything left from before a silence');
  assert.deepEqual(states, []);
});

test('what waits at one replica is told to the others, the most urgent first, and ends by itself', async () => {
  await using server = await startRedis();
  using opened = openRedis(server.url);
  using replicas = new DisposableStack();
  const pools = [1, 2, 3].map(() =>
    replicas.use(new RedisPools({ redis: opened.redis, budgetMs: 2000 })).of('acme'),
  );
  for (const giveUpAt = Date.now() + 8000; !pools.every(({ isOpen }) => isOpen); await sleep(10))
    assert.ok(Date.now() < giveUpAt, 'Redis did not answer within 8 s');
  const nothing = { room: 3, lends: 0, takes: 0, pauseMs: 0, begins: false } as const;
  const { list, write } = priorities;
  for (const [at, priority] of [list, write].entries())
    await pools[at]?.exchange({
      ...nothing,
      waits: { priority, calls: 3 + at, ms: at === 0 ? 20_000 : 300 },
    });
  const elsewhere = async (): Promise<unknown[]> => {
    const replies = await Promise.all(pools.map((pool) => pool.exchange({ ...nothing, lends: 1, takes: 1 })));
    return replies.map((reply) => reply?.elsewhere);
  };
  const [lists, writes] = [
    { priority: list, calls: 3 },
    { priority: write, calls: 4 },
  ];
  assert.deepEqual(await elsewhere(), [writes, lists, writes]);
  await sleep(320);
  assert.deepEqual(await elsewhere(), [undefined, lists, lists]);
});

test('the longest pause that there may be outlasts another that is told at the same moment', async () => {
  await using server = await startRedis();
  using opened = openRedis(server.url);
  using replicas = new DisposableStack();
  const [one, other] = [1, 2].map(() =>
    replicas.use(new RedisPools({ redis: opened.redis, budgetMs: 2000 })).of('acme'),
  );
  assert.ok(one && other);
  for (const giveUpAt = Date.now() + 8000; !(one.isOpen && other.isOpen); await sleep(10))
    assert.ok(Date.now() < giveUpAt, 'Redis did not answer within 8 s');
  const nothing = { room: 3, lends: 0, takes: 0, pauseMs: 0, begins: false } as const;
  for (let round = 0; round < 50; round += 1) {
    await opened.redis.del('gq1:{quota}:pause:acme');
    await Promise.all([
      one.exchange({ ...nothing, pauseMs: 120_000 }),
      other.exchange({ ...nothing, pauseMs: 1000 }),
    ]);
    const { pauseMs = 0 }: Partial<PoolReply> = (await other.exchange(nothing)) ?? {};
    assert.ok(pauseMs > 110_000 && pauseMs <= 120_000, `${pauseMs} ms`);
  }
});

test('a pause that was told by a clock far ahead keeps no other from being told', async () => {
  await using server = await startRedis();
  using opened = openRedis(server.url);
  using pools = new RedisPools({ redis: opened.redis, budgetMs: 2000 });
  const pool = pools.of('acme');
  for (const giveUpAt = Date.now() + 8000; !pool.isOpen; await sleep(10))
    assert.ok(Date.now() < giveUpAt, 'Redis did not answer within 8 s');
  await opened.redis.zadd('gq1:{quota}:pause:acme', Date.now() + 3_600_000, 'until');
  const paused = await pool.exchange({ room: 3, lends: 0, takes: 0, pauseMs: 9000, begins: false });
  assert.ok(paused && paused.pauseMs > 8000 && paused.pauseMs <= 9001);
});

test('a user that may not lend turns is told of once, and not each time that Redis answers', async () => {
  await using server = await startRedis();
  using connection = connect(server.url, false);
  await connection.redis.call('ACL', 'SETUSER', 'default', '-bitfield');
  using opened = openRedis(server.url);
  const states: CircuitState[] = [];
  using pools = new RedisPools({ redis: opened.redis, onState: (state) => states.push(state) });
  const pool = pools.of('acme');
  for (const giveUpAt = Date.now() + 8000; states.length === 0; await sleep(10))
    assert.ok(Date.now() < giveUpAt, 'nothing was told within 8 s');
  await sleep(2500);
  assert.equal(pool.isOpen, false);
  assert.deepEqual(states, [{ state: 'off', reason: 'NOPERM' }]);
});

test('the gateway’s user has no other command, and no other key', async () => {
  await using redis = await startDelivered();
  using connection = connect(redis.url);
  const user = connection.redis;
  assert.equal(await user.set('gh1:a', '1'), 'OK');
  for (const [name, ...parameters] of [
    ['KEYS', '*'],
    ['SCAN', '0'],
    ['GET', 'gh1:a'],
    ['GET', 'gt1:a'],
    ['FLUSHALL'],
    ['CONFIG', 'GET', '*'],
    ['EVAL', 'return 1', '0'],
    ['ACL', 'LIST'],
    ['SAVE'],
    ['DEBUG', 'SLEEP', '0'],
    ['PUBLISH', 'a', 'b'],
    ['PING'],
    ['ROLE'],
    ['CLUSTER', 'SLOTS'],
  ] as const)
    assert.match(await refusal(user.call(name, ...parameters)), /NOPERM|not allowed/, name);
  assert.match(await refusal(user.set('other:key', '1')), /NOPERM/);
  assert.match(await refusal(user.mget('gh1:a', 'other:key')), /NOPERM/);
});

test('nobody gets in without the password, and nothing works without TLS', async () => {
  await using redis = await startDelivered();
  using nobody = connect(`rediss://localhost:${redis.port}`);
  assert.match(await refusal(nobody.redis.mget('gh1:a')), /NOAUTH/);
  using plain = connect(`redis://localhost:${redis.port}`, false);
  assert.match(await refusal(plain.redis.ping()), /Error/);
});
