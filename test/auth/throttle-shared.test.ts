/** Several throttles on one real Redis, as replicas are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';

import { RedisLedger } from '../../src/auth/redis-ledger.ts';
import { Throttle } from '../../src/auth/throttle.ts';
import { openRedis } from '../../src/gateway/redis.ts';
import type { CircuitState } from '../../src/redis-circuit.ts';
import { ScimError } from '../../src/scim/error.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';

const key = Buffer.alloc(32, 7);
const probe = { pair: 'p', source: 's', secret: 'x', user: 'u' };
/** Long, because the machine of the tests may be busy; what a budget costs is measured where it matters. */
const budgetMs = 2000;

interface Reported {
  readonly event: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

interface Replica extends Disposable {
  readonly ledger: RedisLedger;
  readonly states: CircuitState[];
  readonly reports: Reported[];
  /** Whether the secret was compared (and was wrong). */
  fail(user: string, source?: string, secret?: string): Promise<boolean>;
  succeed(user: string, source?: string): Promise<void>;
}

async function startReplica(
  { url }: Pick<RedisServer, 'url'>,
  options: { budgetMs?: number; key?: Buffer } = {},
): Promise<Replica> {
  using starting = new DisposableStack();
  const { redis } = starting.use(openRedis(url));
  const states: CircuitState[] = [];
  const reports: Reported[] = [];
  const ledger = starting.use(
    new RedisLedger({ redis, budgetMs, ...options, onState: (state) => states.push(state) }),
  );
  const throttle = new Throttle({
    report: (event, facts) => reports.push({ event, facts }),
    ledger,
    key: options.key ?? key,
  });
  await usable(ledger);
  const parts = starting.move();
  return {
    ledger,
    states,
    reports,
    async fail(user, source = 'there', secret = `wrong for ${user}`) {
      const attempt = throttle.attempt({ source, user, secret });
      try {
        await attempt.charge();
      } catch (error) {
        assert.ok(error instanceof ScimError && error.kind === 'throttled');
        assert.ok(Number(error.headers['retry-after']) >= 1);
        return false;
      }
      attempt.fail();
      return true;
    },
    async succeed(user, source = 'there') {
      const attempt = throttle.attempt({ source, user, secret: `right for ${user}` });
      await attempt.charge();
      attempt.refund();
      attempt.succeed();
    },
    [Symbol.dispose]: () => parts.dispose(),
  };
}

async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  for (const giveUpAt = performance.now() + 10_000; !(await holds()); await sleep(10))
    assert.ok(performance.now() < giveUpAt, 'it did not come about within 10 s');
}

const usable = (ledger: RedisLedger): Promise<void> =>
  until(async () => (await ledger.isTrusted(probe)) !== undefined);

/** What was sent before has been worked off when this returns: one connection keeps the order. */
const settled = ({ ledger }: Replica): Promise<unknown> => ledger.isTrusted(probe);

async function compared(count: number, attempt: (at: number) => Promise<boolean>): Promise<number> {
  let sum = 0;
  for (let at = 0; at < count; at += 1) if (await attempt(at)) sum += 1;
  return sum;
}

test('replicas together let one pair fail as often as one of them would', async () => {
  await using server = await startRedis();
  using some = await startReplica(server);
  using other = await startReplica(server);
  assert.equal(await compared(20, (at) => (at % 2 ? some : other).fail('idm')), 5);
});

test('replicas that are asked at the same time let one pair fail as often as one of them would', async () => {
  await using server = await startRedis();
  using some = await startReplica(server);
  using other = await startReplica(server);
  const passed = await Promise.all(
    Array.from({ length: 20 }, (_, at) => (at % 2 ? some : other).fail('idm', 'there', `guess ${at}`)),
  );
  assert.equal(passed.filter(Boolean).length, 5);
});

test('replicas together let one source fail as often as one of them would', async () => {
  await using server = await startRedis();
  using some = await startReplica(server);
  using other = await startReplica(server);
  const started = performance.now();
  const passed = await compared(60, (at) =>
    (at % 2 ? some : other).fail(`user ${Math.floor(at / 2) % 6}`, 'there', `guess ${at}`),
  );
  const extra = Math.ceil((performance.now() - started) / 2000);
  assert.ok(passed >= 29 && passed <= 30 + extra, `${passed} of 60 were compared`);
});

test('a pair that waits on one replica may fail again on another when the allowance says so', async () => {
  await using server = await startRedis();
  using some = await startReplica(server);
  await compared(6, () => some.fail('idm'));
  const redis = new Redis(server.url);
  const [account = ''] = await redis.keys('gt1:{throttle}:pair:*');
  const clearIn = Number(await redis.get(account)) - Date.now();
  assert.ok(clearIn > 140_000 && clearIn <= 150_500, `what is refused is not charged: ${clearIn}`);
  await redis.incrby(account, -30_000);
  redis.disconnect();
  using other = await startReplica(server);
  assert.equal(await compared(3, () => other.fail('idm')), 1);
});

test('a right secret clears its pair for every replica', async () => {
  await using server = await startRedis();
  using some = await startReplica(server);
  using other = await startReplica(server);
  await compared(4, () => some.fail('idm'));
  await other.succeed('idm');
  await settled(other);
  using third = await startReplica(server);
  assert.equal(await compared(6, () => third.fail('idm')), 5);
});

test('who was right on one replica is let in on another while its source is full of failures', async () => {
  await using server = await startRedis();
  using some = await startReplica(server);
  using other = await startReplica(server);
  await some.succeed('idm');
  await settled(some);
  await compared(50, (at) => other.fail(`user ${at % 7}`, 'there', `guess ${at}`));
  assert.equal(await other.fail('user 9'), false);
  await other.succeed('idm');
});

test('one secret for many users is told once, by whichever replica sees it first', async () => {
  await using server = await startRedis();
  using some = await startReplica(server);
  using other = await startReplica(server);
  const passed = await compared(60, async (at) => {
    const replica = at % 2 ? some : other;
    const was = await replica.fail(`user ${at}`, `source ${at}`, 'Spring2026!');
    await settled(replica);
    return was;
  });
  assert.ok(passed >= 21 && passed <= 22, `${passed} were compared`);
  const reports = [...some.reports, ...other.reports];
  assert.deepEqual(
    reports.map(({ event, facts }) => [event, facts['pattern'], facts['failures']]),
    [['authn.spray_suspected', 'one secret for many users', 21]],
  );
});

test('many users from one source are told once, and then not tried on any replica', async () => {
  await using server = await startRedis();
  using some = await startReplica(server);
  using other = await startReplica(server);
  const passed = await compared(20, async (at) => {
    const replica = at % 2 ? some : other;
    const was = await replica.fail(`user ${at}`);
    await settled(replica);
    return was;
  });
  assert.equal(passed, 6);
  await until(() => some.reports.length + other.reports.length > 0);
  await sleep(50);
  assert.deepEqual(
    [...some.reports, ...other.reports].map(({ facts }) => facts),
    [{ pattern: 'many users from one source', source: 'there' }],
  );
});

test('many users that fail at the same time on several replicas are told once', async () => {
  await using server = await startRedis();
  using some = await startReplica(server);
  using other = await startReplica(server);
  await Promise.all(Array.from({ length: 20 }, (_, at) => (at % 2 ? some : other).fail(`user ${at}`)));
  await until(() => some.reports.length + other.reports.length > 0);
  await sleep(100);
  assert.equal(some.reports.length + other.reports.length, 1);
  assert.equal(await other.fail('user 20'), false);
});

test('a success after failures on several replicas is told once with their sum', async () => {
  await using server = await startRedis();
  using some = await startReplica(server);
  using other = await startReplica(server);
  for (const replica of [some, other]) {
    await compared(2, () => replica.fail('idm'));
    await settled(replica);
  }
  await some.succeed('idm');
  await settled(some);
  await other.succeed('idm');
  await settled(other);
  assert.deepEqual(
    [...some.reports, ...other.reports],
    [{ event: 'authn.success_after_failures', facts: { user: 'idm', source: 'there', failures: 4 } }],
  );
});

test('what stands in Redis tells no source, user or secret, and ends by itself', async () => {
  await using server = await startRedis();
  using some = await startReplica(server);
  await compared(7, (at) => some.fail(`user ${at}`, '192.0.2.7', 'Spring2026!'));
  await some.succeed('idm', '192.0.2.8');
  await settled(some);
  await sleep(50);
  const redis = new Redis(server.url);
  const keys = await redis.keys('*');
  assert.ok(keys.length > 10);
  for (const name of keys) {
    assert.match(name, /^gt1:\{throttle\}:(?:probe|[a-z]+:[\w-]{43})$/);
    assert.ok((await redis.pttl(name)) > 0, `${name} ends`);
    const kept = name.includes(':users:') ? await redis.zrange(name, '0', '-1') : [await redis.get(name)];
    for (const value of kept)
      assert.match(value ?? '', /^(?:\d+|[\w-]{43})$/, 'an instant, a count or a digest');
  }
  redis.disconnect();
});

test('the name of a right secret is never written', async () => {
  await using server = await startRedis();
  using some = await startReplica(server);
  await some.succeed('idm');
  await settled(some);
  const redis = new Redis(server.url);
  assert.deepEqual(
    (await redis.keys('*')).filter((name) => name.includes(':secret:')),
    [],
  );
  redis.disconnect();
});

test('an account that somebody else wrote counts for no more than its allowance', async () => {
  await using server = await startRedis();
  using some = await startReplica(server);
  await some.fail('idm');
  await settled(some);
  const redis = new Redis(server.url);
  const [account = ''] = await redis.keys('gt1:{throttle}:pair:*');
  await redis.set(account, Date.now() + 1e9);
  redis.disconnect();
  using other = await startReplica(server);
  await assert.rejects(
    other.succeed('idm'),
    ({ headers }: ScimError) => Number(headers['retry-after']) <= 30,
  );
});

test('an account without an instant in it does not stay so', async () => {
  await using server = await startRedis();
  using some = await startReplica(server);
  using other = await startReplica(server);
  using third = await startReplica(server);
  await some.fail('idm');
  await settled(some);
  const redis = new Redis(server.url);
  const [account = ''] = await redis.keys('gt1:{throttle}:pair:*');
  await redis.set(account, '30000', 'KEEPTTL');
  redis.disconnect();
  assert.equal(await other.fail('idm'), true);
  await settled(other);
  assert.equal(await compared(20, (at) => (at % 2 ? other : third).fail('idm')), 5);
});

test('installations with different keys do not hear of each other', async () => {
  await using server = await startRedis();
  using some = await startReplica(server);
  using stranger = await startReplica(server, { key: Buffer.alloc(32, 8) });
  await compared(6, () => some.fail('idm'));
  assert.equal(await compared(6, () => stranger.fail('idm')), 5);
});

async function commandsOf({ url }: RedisServer): Promise<number> {
  const redis = new Redis(url);
  const stats = await redis.info('stats');
  redis.disconnect();
  return Number(/total_commands_processed:(\d+)/.exec(stats)?.[1]);
}

test('a flood that is refused here costs Redis nothing', async () => {
  await using server = await startRedis();
  using some = await startReplica(server);
  await compared(6, () => some.fail('idm'));
  await settled(some);
  const before = await commandsOf(server);
  assert.equal(await compared(1000, () => some.fail('idm')), 0);
  const spent = (await commandsOf(server)) - before;
  assert.ok(spent < 20, `${spent} commands for 1,000 attempts`);
});

test('a flood with ever new users costs Redis two commands an attempt', async () => {
  await using server = await startRedis();
  using some = await startReplica(server);
  await compared(10, (at) => some.fail(`user ${at}`));
  await settled(some);
  const before = await commandsOf(server);
  assert.equal(await compared(1000, (at) => some.fail(`other ${at}`)), 0);
  const spent = (await commandsOf(server)) - before;
  assert.ok(spent < 2020, `${spent} commands for 1,000 attempts`);
});

test('a Redis that is stopped leaves every limit of this replica in force, and is used again when it is back', async () => {
  await using server = await startRedis();
  using some = await startReplica(server);
  await server.kill();
  assert.equal(await compared(20, () => some.fail('idm')), 5);
  await some.succeed('iag');
  await until(() => some.states.at(-1)?.state === 'off');
  await server.restart();
  await usable(some.ledger);
  assert.deepEqual(
    some.states.map(({ state }) => state),
    ['off', 'on'],
  );
  using other = await startReplica(server);
  await compared(5, () => some.fail('auditor'));
  await settled(some);
  assert.equal(await other.fail('auditor'), false);
});

test('a Redis that hangs costs one budget and then nothing, and stops no right secret', async () => {
  await using server = await startRedis();
  using some = await startReplica(server, { budgetMs: 50 });
  await some.succeed('iag');
  await settled(some);
  server.freeze();
  const started = performance.now();
  assert.equal(await compared(20, () => some.fail('idm')), 5);
  await compared(1000, (at) => some.fail(`user ${at}`, `source ${at % 100}`));
  const spent = performance.now() - started;
  // Charged one after the other; without the circuit it would be 50 ms for each of those that pass.
  assert.ok(spent < 1500, `1,020 attempts took ${spent} ms`);
  await some.succeed('iag');
  server.thaw();
  await usable(some.ledger);
});
