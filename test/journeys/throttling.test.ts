/** Guessing is slowed down, and no guesser can turn a caller off. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';

import { hashSecret } from '../../src/auth/secret.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import type { RawAnswer } from '../support/raw.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { assertRefusal, besiege, plainAnswer, recordOf, type Siege } from '../support/siege.ts';
import { startUpstream } from '../support/upstream.ts';

const guess = (user: string, secret: string): { readonly authorization: string } => ({
  authorization: `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`,
});

async function logOn({ gateway }: Siege, headers: Record<string, string>): Promise<RawAnswer> {
  return plainAnswer(await gateway.call('GET', '/Users/1', undefined, headers));
}

/** The same from another address of this machine. */
async function logOnFrom(localAddress: string, { gateway }: Siege, headers: Record<string, string>) {
  const request = http.get(`${gateway.base}/Users/1`, { localAddress, headers, agent: false });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  response.resume();
  return response.statusCode;
}

// Row 58.
test('guesses for the production user are refused, and the user itself notices nothing', async () => {
  await using siege = await besiege();
  const valid = { authorization: siege.gateway.logOn() };
  assert.equal((await logOn(siege, valid)).status, 200);
  const guesses: RawAnswer[] = [];
  for (let i = 0; i < 100; i += 1) {
    guesses.push(await logOn(siege, guess('identity-manager', `guess ${i}`)));
    if (i % 10 === 0) assert.equal((await logOn(siege, valid)).status, 200);
  }
  const believedWrong = guesses.filter(({ status }) => status === 401);
  const throttled = guesses.filter(({ status }) => status === 429);
  assert.equal(believedWrong.length, 5);
  assert.equal(throttled.length, 95);
  assert.equal(new Set(believedWrong.map(({ body }) => body)).size, 1);
  for (const answer of throttled) assert.match(answer.headers['retry-after'] ?? '', /^(?:[1-9]|[12]\d|30)$/);
  assertRefusal(throttled.at(-1), 429);
  const record = await recordOf(siege, throttled.at(-1) as RawAnswer);
  assert.equal(record.event, 'authn.throttled');
  assert.deepEqual(record.outcome, { result: 'denied', http: 429, error: 'throttled' });
});

test('a caller that was not seen before is let in while somebody elsewhere guesses for its name', async () => {
  await using siege = await besiege();
  for (let i = 0; i < 8; i += 1) await logOnFrom('127.0.0.2', siege, guess('identity-manager', `guess ${i}`));
  assert.equal(await logOnFrom('127.0.0.2', siege, guess('identity-manager', 'one more')), 429);
  assert.equal(await logOnFrom('127.0.0.3', siege, { authorization: siege.gateway.logOn() }), 200);
});

test('a caller with a generated secret is let in although its name and source are throttled', async () => {
  await using siege = await besiege();
  const guessOnce = (i: number): Promise<RawAnswer> => logOn(siege, guess('auditor', `guess ${i}`));
  for (let i = 0; i < 6; i += 1) await guessOnce(i);
  assert.equal((await guessOnce(6)).status, 429);
  assert.equal((await logOn(siege, { authorization: siege.gateway.logOn('auditor') })).status, 200);
});

// Row 59.
test('a secret tried for fifty users is told in the trail as spraying, and most of them are not tried', async () => {
  await using siege = await besiege();
  const statuses: number[] = [];
  for (let i = 0; i < 50; i += 1)
    statuses.push((await logOn(siege, guess(`user${i}`, 'Spring2026!'))).status);
  assert.deepEqual(
    statuses.slice(0, 6),
    Array.from({ length: 6 }, () => 401),
  );
  assert.deepEqual(new Set(statuses.slice(6)), new Set([429]));
  const suspected = (await siege.records()).filter(({ event }) => event === 'authn.spray_suspected');
  assert.deepEqual(
    suspected.map(({ facts }) => facts),
    [{ pattern: 'many users from one source', source: '127.0.0.1' }],
  );
});

test('a success after failures is in the trail with the name of the user', async () => {
  await using siege = await besiege();
  for (let i = 0; i < 4; i += 1) await logOn(siege, guess('auditor', `guess ${i}`));
  await logOn(siege, { authorization: siege.gateway.logOn('auditor') });
  const told = (await siege.records()).find(({ event }) => event === 'authn.success_after_failures');
  assert.deepEqual(told?.facts, { user: 'auditor', source: '127.0.0.1', failures: 4 });
});

test('a user that does not exist is throttled like one that does', async () => {
  await using siege = await besiege();
  const answersTo = async (user: string): Promise<(string | number | undefined)[][]> => {
    const answers: RawAnswer[] = [];
    for (let i = 0; i < 7; i += 1) answers.push(await logOn(siege, guess(user, `guess ${i}`)));
    return answers.map(({ status, body, headers }) => [status, body, headers['www-authenticate']]);
  };
  assert.deepEqual(await answersTo('nobody'), await answersTo('identity-manager'));
});

interface Replicas extends AsyncDisposable {
  readonly server: RedisServer;
  readonly some: TestGateway;
  readonly other: TestGateway;
}

/** Two gateways of one installation: they share the key file and Redis. */
async function startReplicas(): Promise<Replicas> {
  await using starting = new AsyncDisposableStack();
  const server = starting.use(await startRedis());
  const keys = await mkdtempDisposable(join(tmpdir(), 'gatehouse-keys-'));
  starting.defer(() => keys.remove());
  const upstream = starting.use(await startUpstream());
  const start = async (): Promise<TestGateway> =>
    starting.use(
      await startGateway({
        upstream: upstream.url,
        config: {
          audit: { directory: 'audit', instance: 'test', keyFile: join(keys.path, 'shared.key') },
          cache: { store: 'redis', redis: { url: server.url, budget: '2s' } },
        },
      }),
    );
  const [some, other] = [await start(), await start()];
  await probed(server, 2);
  const parts = starting.move();
  return { server, some, other, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

/** Until each gateway has found that Redis stores. */
async function probed({ url }: RedisServer, gateways: number): Promise<void> {
  const redis = new Redis(url);
  const probes = async (): Promise<number> =>
    Number(/cmdstat_incrby:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0);
  for (const giveUpAt = Date.now() + 10_000; (await probes()) < gateways; await sleep(5))
    assert.ok(Date.now() < giveUpAt, 'Redis was not found within 10 s');
  redis.disconnect();
  await sleep(50);
}

async function statusesOf(
  count: number,
  { some, other }: Replicas,
  headersAt: (at: number) => Record<string, string>,
): Promise<number[]> {
  const statuses: number[] = [];
  for (let at = 0; at < count; at += 1) {
    const answer = await (at % 2 ? some : other).call('GET', '/Users/1', undefined, headersAt(at));
    await answer.arrayBuffer();
    statuses.push(answer.status);
  }
  return statuses;
}

const compared = (statuses: readonly number[]): number => statuses.filter((status) => status === 401).length;

test('a guesser at two replicas has the allowance of one, and the user itself notices nothing', async () => {
  await using replicas = await startReplicas();
  const guesses = await statusesOf(20, replicas, (at) => guess('identity-manager', `guess ${at}`));
  assert.equal(compared(guesses), 5);
  assert.equal(guesses.filter((status) => status === 429).length, 15);
  const valid = await statusesOf(4, replicas, () => ({ authorization: replicas.some.logOn() }));
  assert.deepEqual(new Set(valid), new Set([200]));
});

test('one secret tried for many users at two replicas is told in one of the trails, once', async () => {
  await using replicas = await startReplicas();
  const guesses = await statusesOf(20, replicas, (at) => guess(`user${at}`, 'Spring2026!'));
  assert.ok(compared(guesses) >= 6 && compared(guesses) <= 7, `${compared(guesses)} were compared`);
  await sleep(200);
  const records = [...(await replicas.some.records()), ...(await replicas.other.records())];
  assert.deepEqual(
    records.filter(({ event }) => event === 'authn.spray_suspected').map(({ facts }) => facts),
    [{ pattern: 'many users from one source', source: '127.0.0.1' }],
  );
});

async function statusOf(gateway: TestGateway, authorization: string): Promise<number> {
  const answer = await gateway.call('GET', '/Users/1', undefined, { authorization });
  await answer.arrayBuffer();
  return answer.status;
}

/** Leaves identity-manager alone in the book, with a secret that must be compared slowly. */
async function choose(secret: string, { some, other }: Replicas): Promise<void> {
  const book = JSON.stringify({ 'identity-manager': [{ hash: await hashSecret(secret) }] });
  for (const gateway of [some, other]) {
    await writeFile(join(dirname(gateway.auditDirectory), 'secrets.yaml'), book);
    for (
      const giveUpAt = Date.now() + 10_000;
      (await statusOf(gateway, gateway.logOn('auditor'))) === 200;
      await sleep(50)
    )
      assert.ok(Date.now() < giveUpAt, 'the file of secrets was not read within 10 s');
  }
}

test('a chosen secret that was right at one replica is let in at another whose callers’ source is full of failures', async () => {
  await using replicas = await startReplicas();
  const { some, other } = replicas;
  const chosen = guess('identity-manager', 'chosen by people');
  await choose('chosen by people', replicas);
  assert.equal(await statusOf(some, chosen.authorization), 200);
  for (let at = 0; at < 10; at += 1) await statusOf(other, guess(`user${at}`, `guess ${at}`).authorization);
  assert.equal(await statusOf(other, guess('somebody', 'else').authorization), 429);
  assert.equal(await statusOf(other, chosen.authorization), 200);
});

test('replicas whose Redis dies slow guessing down each for itself, and let the right secret in', async () => {
  await using replicas = await startReplicas();
  await replicas.server.kill();
  const guesses = await statusesOf(20, replicas, (at) => guess('identity-manager', `guess ${at}`));
  assert.equal(compared(guesses), 10);
  const valid = await statusesOf(2, replicas, () => ({ authorization: replicas.some.logOn() }));
  assert.deepEqual(valid, [200, 200]);
  const degraded = (await replicas.some.records()).filter(({ event }) => event === 'throttle.degraded');
  assert.equal(degraded.length, 1);
});
