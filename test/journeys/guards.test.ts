/**
 * Mass changes and shrinking loads through whole gateways: what is above a ceiling does not reach the tenant, wherever it
 * comes in, and a release lets pass what it names.
 */
import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { stringify } from 'yaml';

import { Secret } from '../../src/gateway/secret.ts';
import { withDefaultTransformations } from '../../src/ips/default-transformations.ts';
import { permissions } from '../../src/ips/technical-users.ts';
import { startTenant } from '../../src/ips/tenant.ts';
import { audit } from '../audit/command.ts';
import { gatehouse, type Ended } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway, systemId, type TestGateway, type TestGatewayOptions } from '../support/gateway.ts';
import { startRedis } from '../support/redis.ts';
import { sendScim, startUpstream, type Answer, type TestUpstream } from '../support/upstream.ts';

/** What stands in a place that outlives the gateways of a test. */
interface Place extends AsyncDisposable {
  readonly path: string;
  /** A gateway whose state is that of all others of this name. */
  start(name: string, options: TestGatewayOptions): Promise<TestGateway>;
  /** `gatehouse guard …` on the host of the gateway of this name. */
  command(name: string, ...args: readonly string[]): Promise<Ended>;
}

async function place(): Promise<Place> {
  const directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-guards-'));
  const settings = (name: string) => ({
    directory: join(directory.path, name),
    instance: 'test',
    keyFile: join(directory.path, 'keys/audit.key'),
    ballast: '0B',
  });
  return {
    path: directory.path,
    start: (name, options) =>
      startGateway({ ...options, config: { ...options.config, audit: settings(name) } }),
    async command(name, ...args) {
      const file = join(directory.path, `${name}.yaml`);
      const permission = { permission: 'Access Proxy System API', systems: 'all', access: ['read'] };
      await writeFile(
        file,
        stringify({
          audit: settings(name),
          callers: { idm: { permissions: [permission] } },
          tenants: { acme: { embedded: {} } },
          systems: { S1: { tenant: 'acme' } },
        }),
      );
      return gatehouse('guard', ...args, '--config', file);
    },
    [Symbol.asyncDispose]: () => directory.remove(),
  };
}

const sentOf = (upstream: TestUpstream, method: string): number =>
  upstream.received.filter((each) => each.method === method).length;

async function holdIn(answer: Response): Promise<string> {
  assert.equal(answer.status, 403);
  const { detail, status, scimType } = (await answer.json()) as Record<string, string>;
  assert.deepEqual({ status, scimType }, { status: '403', scimType: undefined });
  const [, id] = /\(hold (\w+)\)/.exec(detail ?? '') ?? [];
  assert.ok(id);
  return id;
}

async function told(gateway: TestGateway, event: string): Promise<Record<string, unknown>[]> {
  const records = await gateway.records();
  return records.flatMap((each) => (each.event === event ? [each.facts as Record<string, unknown>] : []));
}

test('deletes above the ceiling are held, over three replicas and a restart; a release passes as many as it names, once', async () => {
  await using host = await place();
  await using redis = await startRedis();
  await using upstream = await startUpstream();
  const options: TestGatewayOptions = {
    upstream: upstream.url,
    config: {
      replicas: 3,
      guard: { deletes: { most: 12 } },
      cache: { store: 'redis', redis: { url: new Secret(redis.url), budget: '2s' } },
    },
  };
  await using b = await host.start('b', options);
  await using c = await host.start('c', options);
  let next = 0;
  const statuses: number[] = [];
  const remove = async (gateway: TestGateway): Promise<Response> => {
    next += 1;
    const answer = await gateway.call('DELETE', `/Users/u${next}`);
    statuses.push(answer.status);
    return answer;
  };
  {
    await using a = await host.start('a', options);
    for (const gateway of [a, b, c, a, b, c, a, b, c]) await remove(gateway);
  }
  await using again = await host.start('a', options);
  for (const gateway of [again, b, c]) await remove(gateway);
  assert.deepEqual([...new Set(statuses)], [204]);
  const holds = new Set<string>();
  for (const gateway of [again, b, c]) holds.add(await holdIn(await remove(gateway)));
  assert.equal(holds.size, 1);
  assert.equal(sentOf(upstream, 'DELETE'), 12);

  const [hold = ''] = holds;
  const listed = await host.command('c', 'list');
  assert.match(listed.stdout, new RegExp(`^${hold} .* delete +identity-manager`, 'm'));
  const released = await host.command('c', 'release', hold, '--count', '2', '--reason', 'CHG-1: leavers');
  assert.deepEqual(released, { code: 0, stdout: `${hold} released\n`, stderr: '' });
  assert.equal((await remove(again)).status, 204);
  assert.equal((await remove(b)).status, 204);
  await holdIn(await remove(c));
  assert.equal(sentOf(upstream, 'DELETE'), 14);
  const [entry] = await told(c, 'guard.released');
  assert.equal(entry?.['reason'], 'CHG-1: leavers');
  assert.equal(Object(entry?.['actor']).uid, process.getuid?.());
});

test('a gateway that has nobody to count with counts itself, and its restart forgets nothing', async () => {
  await using host = await place();
  await using upstream = await startUpstream();
  const options: TestGatewayOptions = { upstream: upstream.url, config: { guard: { deletes: { most: 3 } } } };
  {
    await using gateway = await host.start('a', options);
    for (const id of [1, 2, 3]) assert.equal((await gateway.call('DELETE', `/Users/${id}`)).status, 204);
  }
  await using gateway = await host.start('a', options);
  await holdIn(await gateway.call('DELETE', '/Users/4'));
  assert.equal(sentOf(upstream, 'DELETE'), 3);
});

test('the trail tells when replicas stop and begin to count together, and what was counted alone counts', async () => {
  await using redis = await startRedis();
  await using upstream = await startUpstream();
  await using gateway = await startGateway({
    upstream: upstream.url,
    config: {
      guard: { deletes: { most: 2 } },
      cache: { store: 'redis', redis: { url: new Secret(redis.url) } },
    },
  });
  const isTold = async (event: string): Promise<boolean> => (await told(gateway, event)).length > 0;
  await redis.kill();
  await eventually(() => isTold('guard.degraded'));
  for (const id of [1, 2]) assert.equal((await gateway.call('DELETE', `/Users/${id}`)).status, 204);
  await holdIn(await gateway.call('DELETE', '/Users/3'));
  await redis.restart();
  await eventually(() => isTold('guard.recovered'));
  await holdIn(await gateway.call('DELETE', '/Users/4'));
  const figures = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  assert.match(figures, /^gatehouse_guard_holds{kind="delete"} 1$/m);
});

/** A tenant with groups whose members nobody changes. */
function groupsOf(size: number): Answer {
  const members = Array.from({ length: size }, (_, at) => ({ value: `m${at}` }));
  return (request, response) => {
    const id = request.url.split('/').at(-1) ?? '';
    if (request.method === 'PATCH') response.writeHead(204).end();
    else if (id === 'none') sendScim(response, 404, { status: '404' });
    else sendScim(response, 200, { schemas: [], id, displayName: 'Staff', members });
  };
}

const few = { displayName: 'Staff', members: [{ value: 'm1' }, { value: 'm2' }, { value: 'm3' }] };
const without = { displayName: 'Staff' };
const replaceBy = (value?: unknown) => ({ Operations: [{ op: 'replace', path: 'members', value }] });
const most = (count: number) => ({
  displayName: 'Staff',
  members: Array.from({ length: count }, (_, at) => ({ value: `m${at}` })),
});

for (const [title, method, body] of [
  ['that is put with three members', 'PUT', few],
  ['that is put without members', 'PUT', without],
  ['whose members a patch replaces by none', 'PATCH', replaceBy([])],
  ['whose members a patch replaces without saying by whom', 'PATCH', replaceBy()],
  ['from which a patch removes all', 'PATCH', { Operations: [{ op: 'remove', path: 'members' }] }],
] as const)
  test(`a group of 500 members ${title} is held`, async () => {
    await using upstream = await startUpstream({ answer: groupsOf(500) });
    await using gateway = await startGateway({ upstream: upstream.url });
    await holdIn(await gateway.call(method, '/Groups/g1', body));
    assert.equal(sentOf(upstream, method), 0);
    const looks = (await gateway.records()).flatMap(({ event, upstream: told }) =>
      event === 'upstream.intent' ? [(told as { purpose?: string }).purpose] : [],
    );
    assert.deepEqual(looks, ['guard']);
    const [exceeded] = await told(gateway, 'guard.exceeded');
    assert.deepEqual(
      [exceeded?.['kind'], exceeded?.['limit'], exceeded?.['action']],
      ['shrinking', 250, 'refuse'],
    );
    assert.match(String(exceeded?.['target']), /^p\d{4}q\d:/);
  });

test('a group whose caller has just read it is not looked at again, and what many losses come to is held', async () => {
  await using upstream = await startUpstream({ answer: groupsOf(100) });
  await using gateway = await startGateway({ upstream: upstream.url });
  await gateway.call('GET', '/Groups/g1');
  assert.equal((await gateway.call('PUT', '/Groups/g1', most(75))).status, 200);
  assert.equal((await gateway.call('PUT', '/Groups/g1', most(110))).status, 200);
  assert.equal(sentOf(upstream, 'GET'), 1);
  await holdIn(await gateway.call('PUT', '/Groups/g1', most(25)));
  assert.equal((await gateway.call('PUT', '/Groups/g2', most(75))).status, 200);
  assert.equal((await gateway.call('PUT', '/Groups/none', without)).status, 404);
});

test('a group is one however its id is spelt', async () => {
  await using upstream = await startUpstream({ answer: groupsOf(30) });
  await using gateway = await startGateway({ upstream: upstream.url });
  const removeFrom = (first: number) => ({
    Operations: [{ op: 'remove', path: 'members', value: most(first + 12).members.slice(first) }],
  });
  assert.equal((await gateway.call('PATCH', '/Groups/g1', removeFrom(0))).status, 204);
  await holdIn(await gateway.call('PATCH', '/Groups/G1', removeFrom(12)));
});

test('a group that is not there is the tenant’s to refuse, and no hold', async () => {
  const nowhere: Answer = (_, response) => sendScim(response, 404, { status: '404' });
  await using upstream = await startUpstream({ answer: nowhere });
  await using gateway = await startGateway({ upstream: upstream.url });
  const all = { Operations: [{ op: 'remove', path: 'members', value: most(30).members }] };
  assert.equal((await gateway.call('PATCH', '/Groups/invented', all)).status, 404);
  assert.deepEqual(await told(gateway, 'guard.exceeded'), []);
});

test('a group whose size the tenant does not tell is not written', async () => {
  await using upstream = await startUpstream({ answer: (_, response) => sendScim(response, 500, {}) });
  await using gateway = await startGateway({ upstream: upstream.url });
  assert.ok((await gateway.call('PUT', '/Groups/g1', few)).status >= 500);
  assert.equal(sentOf(upstream, 'PUT'), 0);
});

test('deactivations above the ceiling are told of and go up', async () => {
  await using upstream = await startUpstream();
  await using gateway = await startGateway({
    upstream: upstream.url,
    config: { guard: { deactivations: { most: 2 } } },
  });
  for (const id of [1, 2, 3, 4])
    assert.equal((await gateway.call('PUT', `/Users/${id}`, { userName: 'a', active: false })).status, 200);
  const exceeded = await told(gateway, 'guard.exceeded');
  assert.deepEqual(
    exceeded.map(({ kind, action, count }) => [kind, action, count]),
    [['deactivation', 'alert', 3]],
  );
});

test('a bulk request counts by its parts, and is held as a whole', async () => {
  await using upstream = await startUpstream();
  await using gateway = await startGateway({
    upstream: upstream.url,
    system: { kind: 'scim' },
    config: { guard: { deletes: { most: 2 } } },
  });
  const bulk = (count: number) => ({
    schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
    Operations: Array.from({ length: count }, (_, at) => ({ method: 'DELETE', path: `/Users/${at}` })),
  });
  await holdIn(await gateway.call('POST', '/Bulk', bulk(3)));
  assert.equal(upstream.received.length, 0);
});

test('a load that is halved by a changed read transformation is kept back, the report names who is missing, and a release tells it', async () => {
  await using host = await place();
  const user = { clientId: 'gatehouse', secrets: ['a secret'], permissions };
  const system = withDefaultTransformations({
    id: systemId,
    backend: { kind: 'directory', users: 240, groups: 0 },
  });
  const startWith = (port: number, condition?: string) =>
    startTenant({
      port,
      technicalUsers: [user],
      limiter: { slowAt: 10_000, refuseAt: 20_000, minuteMs: 60_000, delayMs: 1000 },
      systems: [
        {
          ...system,
          readTransformation: {
            ...system.readTransformation,
            user: {
              ...Object(system.readTransformation?.['user']),
              ...(condition !== undefined && { condition }),
            },
          },
        },
      ],
    });
  let tenant = await startWith(0);
  const { port, origin } = tenant.url;
  await using _ = { [Symbol.asyncDispose]: () => tenant[Symbol.asyncDispose]() };
  await using gateway = await host.start('a', {
    upstream: origin,
    tenant: { credential: { type: 'basic', user: user.clientId, secret: new Secret('a secret') } },
    system: { cache: { enabled: false } },
    config: { guard: { loads: { above: 'refuse' } } },
  });
  const whole = await loadAll(gateway);
  assert.deepEqual([whole.status, whole.ids.length], [200, 240]);

  await tenant[Symbol.asyncDispose]();
  tenant = await startWith(Number(port), '$.userName =~ /[a-h].*/i');
  const half = await loadAll(gateway);
  assert.equal(half.status, 503);
  const missing = whole.ids.filter((id) => !half.ids.includes(id));
  assert.ok(missing.length > 24, `${missing.length}`);
  const [exceeded] = await told(gateway, 'guard.exceeded');
  assert.deepEqual([exceeded?.['kind'], exceeded?.['verdict']], ['load', 'smaller']);

  const accounts = join(host.path, 'accounts.txt');
  await writeFile(accounts, whole.ids.join('\n'));
  const key = join(host.path, 'keys/periods.key');
  await eventually(async () => (await told(gateway, 'load.completed')).length === 2);
  const report = await audit('loads', join(host.path, 'a'), '--among', accounts, '--key', key);
  assert.deepEqual(
    new Set([...report.stdout.matchAll(/missing: (\S+)/g)].map(([, id]) => id)),
    new Set(missing),
  );

  const hold = String(exceeded?.['hold']);
  const asked = ['release', hold, '--count', String(missing.length), '--reason', 'contractors left'];
  assert.equal((await host.command('a', ...asked)).code, 0);
  const accepted = await loadAll(gateway);
  assert.deepEqual([accepted.status, accepted.ids.length], [200, whole.ids.length - missing.length]);
  assert.equal((await loadAll(gateway)).status, 200);
});

/** As an identity manager reads all users; it gives up at the first refusal. */
async function loadAll(gateway: TestGateway): Promise<{ status: number; ids: string[] }> {
  const ids: string[] = [];
  for (let startIndex = 1; ;) {
    const answer = await gateway.call('GET', `/Users?startIndex=${startIndex}&count=50`);
    if (answer.status !== 200) return { status: answer.status, ids };
    const page = (await answer.json()) as {
      itemsPerPage: number;
      totalResults: number;
      Resources: { id: string }[];
    };
    ids.push(...page.Resources.map(({ id }) => id));
    startIndex += page.itemsPerPage;
    if (page.itemsPerPage === 0 || startIndex > page.totalResults) return { status: 200, ids };
  }
}
