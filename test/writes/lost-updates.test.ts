/**
 * Two callers and twenty workers rewrite one group by reading, changing and putting it back, as the dispatchers of an
 * identity manager do. `WORK_MS` plays it for longer.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import type { ConfigDocument } from '../../src/gateway/config-schema.ts';
import { Secret } from '../../src/gateway/secret.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startRedis } from '../support/redis.ts';
import { startGroupTenant, type Copy } from './group-tenant.ts';

const workMs = Number(process.env.WORK_MS ?? 4000);
const slownessMs = 10;
const callers = ['identity-manager', 'second-manager'] as const;
const second = {
  'second-manager': {
    permissions: [{ permission: 'Access Proxy System API', systems: 'all', access: ['read', 'write'] }],
  },
} satisfies ConfigDocument['callers'];
const pace = { perMinute: 90_000, burst: 10_000, tenantLimit: 100_000, concurrency: 48, queue: 2000 };

interface Answered {
  readonly id: string;
  readonly status: number;
}

/** Adds a member of its own, or removes one that it finds; then begins anew, whatever came of it. */
async function work(gateway: TestGateway, caller: string, goesOn: () => boolean): Promise<Answered[]> {
  const answered: Answered[] = [];
  const authorization = gateway.logOn(caller);
  while (goesOn()) {
    const read = await gateway.call('GET', '/Groups/g', undefined, { authorization });
    const copy = (await read.json()) as Copy;
    // Whoever is told to come later, because the machine is busy, has nothing to write back.
    if (read.status !== 200) continue;
    await sleep(Math.random() * slownessMs);
    const removed =
      Math.random() < 0.3 ? copy.members[Math.floor(Math.random() * copy.members.length)] : undefined;
    const members = removed
      ? copy.members.filter((member) => member !== removed)
      : [...copy.members, { value: randomUUID() }];
    const put = await gateway.call('PUT', '/Groups/g', { ...copy, members }, { authorization });
    await put.body?.cancel();
    answered.push({ id: put.headers.get('x-request-id') ?? '', status: put.status });
  }
  return answered;
}

/** For as long as the work is to take, and on a slow machine until some of it is done. */
async function play(
  gateways: readonly TestGateway[],
  tenant: { readonly writes: number },
): Promise<Answered[]> {
  const until = performance.now() + workMs;
  const goesOn = (): boolean => performance.now() < until || tenant.writes <= 10;
  const workers = Array.from({ length: 20 }, (_, at) => {
    const gateway = gateways[at % gateways.length];
    assert.ok(gateway);
    return work(gateway, callers[(at >> 1) % 2] ?? '', goesOn);
  });
  return (await Promise.all(workers)).flat();
}

async function suspectedIn(gateways: readonly TestGateway[]) {
  const records = (await Promise.all(gateways.map((gateway) => gateway.records()))).flat();
  return records.filter(({ event }) => event === 'request.lost_update_suspected');
}

const countOf = (answered: readonly Answered[], status: number): number =>
  answered.filter((each) => each.status === status).length;

test('every lost update that happens at the tenant is reported', { timeout: 120_000 }, async (t) => {
  await using tenant = await startGroupTenant(slownessMs);
  await using gateway = await startGateway({ upstream: tenant.url, tenant: { pace }, callers: second });
  const answered = await play([gateway], tenant);
  const suspected = new Set((await suspectedIn([gateway])).map(({ req }) => req));
  t.diagnostic(
    JSON.stringify({ puts: answered.length, lost: tenant.losers.length, suspected: suspected.size }),
  );
  assert.ok(tenant.losers.length > 0, 'the play loses updates');
  assert.deepEqual(
    tenant.losers.filter((id) => !suspected.has(id)),
    [],
  );
});

test('where lost updates are refused, none happens, and work goes on', { timeout: 120_000 }, async (t) => {
  await using tenant = await startGroupTenant(slownessMs);
  await using gateway = await startGateway({
    upstream: tenant.url,
    tenant: { pace },
    system: { lostUpdates: 'refuse' },
    callers: second,
  });
  const answered = await play([gateway], tenant);
  t.diagnostic(
    JSON.stringify({ puts: answered.length, refused: countOf(answered, 409), done: tenant.writes }),
  );
  assert.deepEqual(tenant.losers, []);
  assert.ok(countOf(answered, 409) > 0, 'some were refused');
  assert.ok(tenant.writes > 10, 'work goes on');
  assert.equal(answered.length, countOf(answered, 200) + countOf(answered, 409));
});

for (const lostUpdates of ['report', 'refuse'] as const)
  test(`two replicas with one Redis keep to the same: ${lostUpdates}`, { timeout: 120_000 }, async (t) => {
    await using tenant = await startGroupTenant(slownessMs);
    await using redis = await startRedis();
    const options = {
      upstream: tenant.url,
      tenant: { pace },
      system: { lostUpdates },
      callers: second,
    };
    await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-updates-'));
    await using one = await startReplica(options, redis.url, directory.path);
    await using other = await startReplica(options, redis.url, directory.path);
    const replicas = [one, other];
    // Who has just begun draws on the quota only after a while.
    await Promise.all(replicas.map((replica) => replica.call('GET', '/Users/1')));
    const answered = await play(replicas, tenant);
    const suspected = await suspectedIn(replicas);
    t.diagnostic(
      JSON.stringify({
        puts: answered.length,
        lost: tenant.losers.length,
        suspected: suspected.length,
        refused: countOf(answered, 409),
        done: tenant.writes,
        alone: suspected.filter(({ facts }) => !isShared(facts)).length,
      }),
    );
    const told = new Set(suspected.map(({ req }) => req));
    assert.deepEqual(
      tenant.losers.filter((id) => !told.has(id)),
      [],
    );
    if (lostUpdates === 'refuse') assert.deepEqual(tenant.losers, []);
    assert.ok(suspected.some(({ facts }) => isShared(facts)));
    assert.ok(tenant.writes > 10, 'work goes on');
  });

const isShared = (facts: unknown): boolean => (facts as { isShared: boolean }).isShared;

type Options = Parameters<typeof startGateway>[0];

/**
 * Replicas have the key in common, from which their names for groups and members come. Redis has time to answer: how they
 * do without it is shown elsewhere.
 */
async function startReplica(options: Options, url: string, directory: string): Promise<TestGateway> {
  const audit = {
    directory: 'audit',
    instance: 'test',
    keyFile: join(directory, 'audit.key'),
    ballast: '0B',
  };
  const cache = { store: 'redis', redis: { url: new Secret(url), budget: '5s' } } as const;
  return startGateway({ ...options, config: { replicas: 2, audit, cache } });
}
