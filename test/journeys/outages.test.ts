/** What the gateway does without: Redis costs nothing but its hits, the disk of the trail costs everything. */
import assert from 'node:assert/strict';
import { mkdtempDisposable, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { verifyTrail } from '../../src/audit/verify.ts';
import { Secret } from '../../src/gateway/secret.ts';
import { startChild } from '../support/child.ts';
import { eventually } from '../support/eventually.ts';
import { readRecords, systemId } from '../support/gateway.ts';
import { prepareInstallation } from '../support/installation.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { assertRefusal, besiege, plainAnswer, type Siege } from '../support/siege.ts';
import { sendScim, startUpstream } from '../support/upstream.ts';

const pace = { perMinute: 5000, burst: 100, tenantLimit: 10_000, minute: '1s' } as const;

function besiegeWithRedis({ url }: Pick<RedisServer, 'url'>): Promise<Siege> {
  const cache = { store: 'redis', redis: { url: new Secret(url) } } as const;
  return besiege({ tenant: { pace }, config: { cache } });
}

/** A day in small: every read after a write must show it. Gives the longest wait. */
async function work({ gateway, upstream }: Siege): Promise<number> {
  let longest = 0;
  const call = async (method: string, path: string, body?: unknown): Promise<string> => {
    const startedAt = performance.now();
    const answer = await gateway.call(method, path, body);
    const text = await answer.text();
    longest = Math.max(longest, performance.now() - startedAt);
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return text;
  };
  for (let turn = 1; turn <= 5; turn += 1) {
    const asked = upstream.received.length;
    await call('GET', '/Users/1');
    await call('PUT', '/Users/1', { turn });
    await call('GET', '/Users/1');
    assert.equal(upstream.received.at(-1)?.method, 'GET', 'the read behind a write asks the tenant');
    assert.ok(upstream.received.length >= asked + 2);
  }
  return longest;
}

/** Redis is asked and filled beside the calls, so a hit comes when it comes. */
async function readUntilHit({ gateway }: Siege, unwanted?: RegExp): Promise<void> {
  const until = performance.now() + 8000;
  for (let isHit = false; !isHit; await sleep(20)) {
    assert.ok(performance.now() < until, 'Redis is used');
    const answer = await gateway.call('GET', '/Users/1');
    const text = await answer.text();
    if (unwanted) assert.doesNotMatch(text, unwanted);
    isHit = /hit/.test(answer.headers.get('cache-status') ?? '');
  }
}

// Row 102.
const broken: readonly (readonly [what: string, settings: readonly string[]])[] = [
  ['asks for a password', ['--requirepass', 'unknown to the gateway']],
  ['is a replica', ['--replicaof', '127.0.0.1', '1']],
  ['has no memory left', ['--maxmemory', '1', '--maxmemory-policy', 'noeviction']],
];
for (const [what, settings] of broken)
  test(`a Redis that ${what} is done without`, async () => {
    await using redis = await startRedis(settings);
    await using siege = await besiegeWithRedis(redis);
    assert.ok((await work(siege)) < 1500);
  });

test('a Redis that is not there is done without', async () => {
  await using siege = await besiegeWithRedis({ url: 'redis://127.0.0.1:1' });
  assert.ok((await work(siege)) < 1500);
});

for (const [what, strike] of [
  ['freezes', (redis: RedisServer) => redis.freeze()],
  ['is killed', (redis: RedisServer) => redis.kill()],
] as const)
  test(`a Redis that ${what} at work is done without`, async () => {
    await using redis = await startRedis();
    await using siege = await besiegeWithRedis(redis);
    await readUntilHit(siege);
    await strike(redis);
    assert.ok((await work(siege)) < 1500);
  });

test('what was written while Redis was frozen is not hidden by what it remembers', async () => {
  await using redis = await startRedis();
  await using siege = await besiegeWithRedis(redis);
  const { answer: echo } = siege.upstream;
  siege.upstream.answer = (_request, response) =>
    sendScim(response, 200, { schemas: [], displayName: 'old' });
  await readUntilHit(siege);
  redis.freeze();
  siege.upstream.answer = echo;
  assert.equal((await siege.gateway.call('PUT', '/Users/1', {})).status, 200);
  redis.thaw();
  await readUntilHit(siege, /old/);
});

// Row 105.
for (const [what, strike] of [
  ['is moved away', (directory: string) => rename(directory, `${directory}-moved`)],
  ['is deleted', (directory: string) => rm(directory, { recursive: true })],
] as const)
  test(`while the trail's directory ${what}, every call is refused and nothing goes up`, async () => {
    await using siege = await besiege();
    await siege.gateway.call('GET', '/Users/1');
    await siege.gateway.call('GET', '/Users/1');
    await strike(join(siege.gateway.auditDirectory, 'test'));
    for (const [method, path] of [
      ['DELETE', '/Users/1'],
      ['GET', '/Users/2'],
      ['GET', '/Users/1'],
    ] as const) {
      const answer = await plainAnswer(await siege.gateway.call(method, path));
      assertRefusal(answer, 503);
      assert.match(answer.headers['retry-after'] ?? '', /^\d+$/);
    }
    assert.equal(siege.upstream.received.length, 1);
    assert.equal((await fetch(`${siege.gateway.adminUrl}/health/ready`)).status, 503);
    assert.equal((await fetch(`${siege.gateway.adminUrl}/health/live`)).status, 200);
  });

test('when the trail can be written again, calls are taken again, and the chain is whole', async () => {
  await using siege = await besiege();
  const directory = join(siege.gateway.auditDirectory, 'test');
  await rename(directory, `${directory}-moved`);
  assert.equal((await siege.gateway.call('GET', '/Users/1')).status, 503);
  await rename(`${directory}-moved`, directory);
  const until = performance.now() + 8000;
  while ((await siege.gateway.call('GET', '/Users/1')).status !== 200) {
    assert.ok(performance.now() < until, 'calls are taken again');
    await sleep(100);
  }
  const events = (await siege.end()).map(({ event }) => event);
  assert.ok(events.includes('audit.recovered'), events.join());
  assert.equal((await verifyTrail(siege.gateway.auditDirectory)).verdict, 'ok');
});

// Row 114.
test('on SIGTERM a hundred running writes are finished and told, new ones refused, and the exit code is 0', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-stop-'));
  await using upstream = await startUpstream();
  const asked = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  upstream.answer = (_request, response) => {
    // The pace lets 64 go up at once; the others wait for their turn in the gateway.
    if (upstream.received.length === 64) asked.resolve();
    void released.promise.then(() => sendScim(response, 200, { schemas: [] }));
  };
  const { file, authorization } = await prepareInstallation(directory.path, upstream.url);
  const child = await startChild(file);
  const write = (n: number): Promise<Response> =>
    fetch(`${child.url}/ipsproxy/service/api/v1/scim/${systemId}/Users/${n}`, {
      method: 'PUT',
      headers: { authorization, 'content-type': 'application/scim+json' },
      body: '{}',
    });
  const running = Promise.all(Array.from({ length: 100 }, (_, n) => write(n)));
  await asked.promise;
  await eventually(async () => {
    const figures = await (await fetch(`${child.admin}/metrics`)).text();
    return /_queued\{[^}]*\} 36$/m.test(figures);
  });
  const ended = child.end('SIGTERM');
  const isReady = (): Promise<boolean> =>
    fetch(`${child.admin}/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  await eventually(async () => !(await isReady()));
  await sleep(200);
  await assert.rejects(write(101), 'nobody listens any more');
  released.resolve();
  const answers = await running;
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.equal(await ended, 0);
  assert.equal(upstream.received.length, 100);
  const trail = join(directory.path, 'audit');
  const records = await readRecords(trail);
  assert.equal(records.filter(({ event }) => event === 'request.outcome').length, 100);
  assert.ok(records.some(({ event }) => event === 'process.stop'));
  assert.equal((await verifyTrail(trail)).verdict, 'ok');
});
