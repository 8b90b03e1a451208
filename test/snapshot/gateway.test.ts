/** Snapshot mode over HTTP, before the embedded tenant with its own ways of paging. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { ConfigFaults } from '../../src/gateway/config-faults.ts';
import type { ConfigDocument } from '../../src/gateway/config-schema.ts';
import { parseConfig } from '../../src/gateway/config.ts';
import { Secret } from '../../src/gateway/secret.ts';
import type { SystemOptions } from '../../src/ips/system.ts';
import {
  clientId,
  patchOf,
  proxyId,
  secret,
  startedTenant,
  type StartedTenant,
} from '../ips/started-tenant.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway, systemId, type TestGateway } from '../support/gateway.ts';
import { startRedis } from '../support/redis.ts';

interface List {
  readonly totalResults: number;
  readonly startIndex: number;
  readonly itemsPerPage: number;
  readonly Resources: readonly {
    readonly id: string;
    readonly userName: string;
    readonly displayName?: string;
  }[];
}

const pace = { perMinute: 3000, burst: 500, tenantLimit: 100_000, concurrency: 8 };
const snapshot = { enabled: true, full: '1h' };
const everything = { sourcePath: '$', targetPath: '$' };
const id = { sourcePath: '$.id', targetPath: '$.id', targetVariable: 'entityIdSourceSystem' };
const halves = {
  user: {
    scimEntityEndpoint: 'Users',
    condition: '$.userName =~ /.*[02468]/',
    mappings: [everything, id],
  },
};

async function list(gateway: Pick<TestGateway, 'call'>, path: string): Promise<List> {
  const reply = await gateway.call('GET', path);
  assert.equal(reply.status, 200, await reply.clone().text());
  return (await reply.json()) as List;
}

async function isShown({ call }: Pick<TestGateway, 'call'>, type = 'Users'): Promise<boolean> {
  const reply = await call('GET', `/${type}?count=1`);
  await reply.arrayBuffer();
  return reply.headers.get('cache-status')?.includes('snapshot') ?? false;
}

const oneSystem = (system: Omit<SystemOptions, 'id'>) => ({ systems: [{ id: proxyId, ...system }] });

function before(
  { tenant }: StartedTenant,
  settings: ConfigDocument['systems'][string]['snapshot'],
  config: Partial<ConfigDocument> = {},
): Promise<TestGateway> {
  const credential = { type: 'basic', user: clientId, secret: new Secret(secret) } as const;
  return startGateway({
    upstream: tenant.url.origin,
    tenant: { pace, credential },
    system: { id: proxyId, snapshot: { ...settings, defaultCount: 1000 } },
    config,
  });
}

const isShownAt = (gateway: TestGateway): Promise<void> => eventually(() => isShown(gateway), 30_000);

test('lists come out of the snapshot with exact totals, say how old it is, and the trail knows', async () => {
  await using gateway = await startGateway({ system: { snapshot }, tenant: { pace } });
  await isShownAt(gateway);
  const reply = await gateway.call('GET', '/Users?startIndex=11&count=20');
  const page = (await reply.json()) as List;
  assert.deepEqual(
    [page.totalResults, page.startIndex, page.itemsPerPage, page.Resources.length],
    [60, 11, 20, 20],
  );
  assert.match(reply.headers.get('cache-status') ?? '', /^Gatehouse; hit; ttl=\d+; detail=snapshot$/);
  assert.match(reply.headers.get('age') ?? '', /^\d+$/);
  const records = await gateway.records();
  const told = records.map(({ cache }) => cache as { result?: string; ageMs?: number } | undefined);
  assert.ok(told.some((cache) => cache?.result === 'snapshot' && typeof cache.ageMs === 'number'));
});

/** Between the first and the last people stand more than a page of machines, which a condition drops. */
const machines = Array.from({ length: 260 }, (_, at) => ({
  key: `k${at}`,
  userName: `user${at}`,
  isPerson: at < 40 || at >= 240,
}));
const persons = {
  user: {
    scimEntityEndpoint: 'Users',
    condition: '$.isPerson == true',
    mappings: [everything, { ...id, sourcePath: '$.key' }],
  },
};

const systems: Readonly<Record<string, Omit<SystemOptions, 'id'>>> = {
  'a directory': { backend: { kind: 'directory', users: 230, groups: 3 } },
  'a directory without totals': { backend: { kind: 'directory', users: 230, groups: 3, givesTotal: false } },
  'a system with whole pages of dropped entities': {
    backend: {
      kind: 'native',
      shapes: { Users: { key: 'key' }, Groups: { key: 'key' } },
      documents: { Users: machines, Groups: [] },
    },
    readTransformation: persons,
    writeTransformation: persons,
  },
  'a directory of which a condition drops half': {
    backend: { kind: 'directory', users: 230, groups: 3 },
    readTransformation: halves,
    writeTransformation: halves,
  },
};

test('a system that is read by tokens, without totals, is shown as it is', async () => {
  const all = Array.from({ length: 230 }, (_, at) => ({ key: `k${at}`, userName: `user${at}` }));
  await using server = createServer(({ url }, response) => {
    const { pathname, searchParams } = new URL(url ?? '/', 'http://backend');
    const at = Number(searchParams.get('after') ?? 0);
    const end = at + Number(searchParams.get('size') ?? 100);
    const found = pathname === '/people' ? all.slice(at, end) : [];
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ found, ...(end < all.length && { more: String(end) }) }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address);
  const names = { items: 'found', next: 'more', tokenParameter: 'after', sizeParameter: 'size' };
  await using tenant = await startedTenant(
    oneSystem({
      properties: { URL: `http://127.0.0.1:${address.port}` },
      readTransformation: {
        user: { scimEntityEndpoint: 'Users', mappings: persons.user.mappings },
      },
      backend: { kind: 'token-pages', paths: { Users: '/people', Groups: '/teams' }, key: 'key', ...names },
    }),
  );
  await using gateway = await before(tenant, snapshot);
  await isShownAt(gateway);
  const whole = await list(gateway, '/Users');
  assert.equal(whole.totalResults, 230);
  assert.deepEqual(
    whole.Resources.map((resource) => resource.id),
    all.map(({ key }) => key),
  );
});

for (const [name, options] of Object.entries(systems))
  test(`${name} is shown as it is read directly, with its exact total`, async () => {
    await using tenant = await startedTenant(oneSystem(options));
    const expected: string[] = [];
    for (let startIndex = 1; ;) {
      const { body } = await tenant.call('GET', `/Users?startIndex=${startIndex}&count=100`);
      if (!body.itemsPerPage) break;
      expected.push(...(body.Resources ?? []).map((resource) => String(resource.id)));
      startIndex += body.itemsPerPage;
    }
    await using gateway = await before(tenant, snapshot);
    await isShownAt(gateway);
    const whole = await list(gateway, '/Users');
    assert.deepEqual(whole.Resources.map((resource) => resource.id).toSorted(), expected.toSorted());
    assert.equal(whole.totalResults, expected.length);
  });

test('what was written through the gateway is in the next list', async () => {
  await using gateway = await startGateway({ system: { snapshot }, tenant: { pace } });
  await isShownAt(gateway);
  const [first, second] = (await list(gateway, '/Users?count=2')).Resources;
  assert.ok(first && second);
  assert.equal((await gateway.call('DELETE', `/Users/${first.id}`)).status, 204);
  const patch = patchOf({ op: 'replace', path: 'displayName', value: 'Changed' });
  assert.ok((await gateway.call('PATCH', `/Users/${second.id}`, patch)).ok);
  const user = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'newcomer' };
  const created = (await (await gateway.call('POST', '/Users', user)).json()) as { id: string };
  const reply = await gateway.call('GET', '/Users?count=100');
  assert.match(reply.headers.get('cache-status') ?? '', /snapshot/);
  const { Resources, totalResults } = (await reply.json()) as List;
  assert.equal(totalResults, 60);
  assert.ok(!Resources.some((resource) => resource.id === first.id));
  assert.equal(Resources[0]?.id, second.id);
  assert.equal(Resources[0]?.displayName, 'Changed');
  assert.equal(Resources.at(-1)?.id, created.id);
});

test('what was changed elsewhere is shown before the next whole reading, where the tenant can tell it', async () => {
  await using tenant = await startedTenant(
    oneSystem({ backend: { kind: 'directory', users: 120, groups: 3 } }),
  );
  await using gateway = await before(tenant, { ...snapshot, changes: '1s' });
  await isShownAt(gateway);
  const [, , third] = (await list(gateway, '/Users')).Resources;
  const change = patchOf({ op: 'replace', path: 'displayName', value: 'Changed elsewhere' });
  assert.ok((await tenant.call('PATCH', `/Users/${third?.id}`, change)).status < 300);
  await eventually(async () => {
    const { Resources } = await list(gateway, '/Users');
    return Resources[2]?.displayName === 'Changed elsewhere';
  }, 30_000);
});

test('a filter, attributes and an order are the tenant’s to answer', async () => {
  await using gateway = await startGateway({ system: { snapshot }, tenant: { pace } });
  await isShownAt(gateway);
  for (const query of ['filter=userName%20eq%20%22x%22', 'attributes=userName', 'excludedAttributes=name']) {
    const reply = await gateway.call('GET', `/Users?${query}`);
    await reply.arrayBuffer();
    assert.doesNotMatch(reply.headers.get('cache-status') ?? '', /snapshot/, query);
  }
});

test('a snapshot shows nobody what its permissions keep back', async () => {
  await using started = await startedTenant(oneSystem({}));
  const proxy = { permission: 'Access Proxy System API', systems: 'all' } as const;
  const permitted = (more: object) => ({ permissions: [{ ...proxy, access: ['read' as const], ...more }] });
  await using gateway = await before(started, snapshot, {
    callers: {
      'identity-manager': permitted({}),
      sparing: permitted({ deniedAttributes: ['displayName'] }),
      groups: permitted({ resourceTypes: ['Groups'] }),
      writer: permitted({ access: ['write'] }),
    },
  });
  await eventually(() => isShown(gateway), 30_000);
  const listFor = (user: string): Promise<Response> =>
    gateway.call('GET', '/Users?count=20', undefined, { authorization: gateway.logOn(user) });
  const [all, spared] = [await listFor('identity-manager'), await listFor('sparing')];
  assert.match(spared.headers.get('cache-status') ?? '', /snapshot/);
  const [shown, kept] = [(await all.json()) as List, (await spared.json()) as List];
  assert.ok(shown.Resources.some(({ displayName }) => displayName !== undefined));
  assert.equal(kept.totalResults, shown.totalResults);
  assert.ok(kept.Resources.every(({ displayName }) => displayName === undefined));
  for (const user of ['groups', 'writer']) assert.equal((await listFor(user)).status, 403);
});

test('a collection that has shrunk by a tenth is not shown, and the trail has the alarm', async () => {
  await using tenant = await startedTenant(
    oneSystem({ backend: { kind: 'directory', users: 100, groups: 3 } }),
  );
  await using gateway = await before(tenant, { enabled: true, full: '1s' });
  await isShownAt(gateway);
  const { Resources } = await list(gateway, '/Users');
  for (const resource of Resources.slice(0, 10)) await tenant.call('DELETE', `/Users/${resource.id}`);
  await eventually(
    async () => (await gateway.records()).some(({ event }) => event === 'snapshot.refused'),
    30_000,
  );
  assert.equal((await list(gateway, '/Users')).totalResults, 100);
  const alarm = (await gateway.records()).find(({ event }) => event === 'snapshot.refused');
  assert.deepEqual(alarm?.facts, {
    system: systemId,
    resourceType: 'Users',
    fault: 'shrunk',
    before: 100,
    after: 90,
  });
});

test('a write at one of two replicas is in the next list of the other, and without Redis both ask the tenant', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-test-'));
  await using _ = { [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) };
  await using redis = await startRedis();
  await using tenant = await startedTenant(
    oneSystem({ backend: { kind: 'directory', users: 60, groups: 3 } }),
  );
  const start = (): Promise<TestGateway> =>
    before(tenant, snapshot, {
      replicas: 2,
      audit: { directory: 'audit', instance: 'test', keyFile: join(directory, 'key'), ballast: '0B' },
      cache: {
        store: 'redis',
        redis: { url: new Secret(redis.url), budget: '2s' },
      },
    });
  await using one = await start();
  await using other = await start();
  await isShownAt(one);
  await isShownAt(other);
  const [first] = (await list(one, '/Users')).Resources;
  assert.equal((await one.call('DELETE', `/Users/${first?.id}`)).status, 204);
  const after = await list(other, '/Users');
  assert.ok(await isShown(other));
  assert.equal(after.totalResults, 59);
  assert.ok(!after.Resources.some((resource) => resource.id === first?.id));
  await redis.kill();
  assert.equal(await isShown(one), false);
  assert.equal(await isShown(other), false);
  await redis.restart();
  for (const event of ['snapshot.unreachable', 'snapshot.reachable'])
    await eventually(async () => (await one.records()).some((record) => record.event === event), 30_000);
});

test('a snapshot that replicas could not share, or that one caller must not see, is a fault', () => {
  const parse = (system: object, config: object = {}): ConfigFaults => {
    try {
      parseConfig(
        {
          listen: {},

          callers: {},
          tenants: { acme: { embedded: {} } },
          systems: { s: { tenant: 'acme', snapshot: { enabled: true }, ...system } },
          ...config,
        },
        tmpdir(),
      );
    } catch (fault) {
      assert.ok(fault instanceof ConfigFaults);
      return fault;
    }
    throw new Error('it was taken');
  };
  const told = ({ faults }: ConfigFaults): boolean =>
    faults.some(({ path }) => path === 'systems.s.snapshot');
  assert.ok(told(parse({}, { replicas: 2 })));
  assert.ok(told(parse({ kind: 'scim' })));
  assert.ok(told(parse({ cache: { scope: 'caller' } })));
});
