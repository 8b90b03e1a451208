/** Pages over HTTP, before the embedded tenant and backends of several kinds: the same with and without Gatehouse. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';

import { Secret } from '../../src/gateway/secret.ts';
import type { SystemOptions } from '../../src/ips/system.ts';
import {
  basic,
  type Body,
  clientId,
  proxyId,
  secret,
  startedTenant,
  type StartedTenant,
} from '../ips/started-tenant.ts';
import { startGateway, systemId, type TestGateway } from '../support/gateway.ts';
import { sendScim, startUpstream } from '../support/upstream.ts';

type Call = (path: string) => Promise<Response>;
type System = Omit<SystemOptions, 'id'>;

const everything = { sourcePath: '$', targetPath: '$' };
const id = (path: string) => ({
  sourcePath: path,
  targetPath: '$.id',
  targetVariable: 'entityIdSourceSystem',
});
/** About half of them fulfil the condition, and nobody knows which. */
const halves = {
  user: {
    scimEntityEndpoint: 'Users',
    condition: '$.userName =~ /.*[02468]/',
    mappings: [everything, id('$.id')],
  },
};
const records = Array.from({ length: 180 }, (_, at) => ({
  key: `k${at}`,
  userName: `user${at}`,
  isPerson: at % 3 > 0 && at < 120,
}));
const native = {
  kind: 'native',
  shapes: { Users: { key: 'key' }, Groups: { key: 'key' } },
  documents: { Users: records, Groups: [] },
} as const;
const persons = {
  user: {
    scimEntityEndpoint: 'Users',
    condition: '$.isPerson == true',
    mappings: [everything, id('$.key')],
  },
};
const abap = {
  user: {
    scimEntityEndpoint: 'Users',
    mappings: [id('$.USERNAME'), { sourcePath: '$.USERNAME', targetPath: '$.userName' }],
  },
};

const systems: Readonly<Record<string, System>> = {
  'a directory': { backend: { kind: 'directory', users: 230, groups: 3 } },
  'a directory without totals': { backend: { kind: 'directory', users: 230, groups: 3, givesTotal: false } },
  'a directory and a condition': {
    backend: { kind: 'directory', users: 230, groups: 3 },
    readTransformation: halves,
    writeTransformation: halves,
  },
  'native records and a condition': {
    backend: native,
    readTransformation: persons,
    writeTransformation: persons,
  },
  'native records, a condition and provided totals': {
    backend: native,
    properties: { 'ips.proxy.scim.total.results.strategy': 'Provided' },
    readTransformation: persons,
    writeTransformation: persons,
  },
  'an ABAP system': {
    backend: { kind: 'abap', users: 230, groups: 3 },
    readTransformation: abap,
    writeTransformation: abap,
  },
};

function gatewayBefore({ tenant }: StartedTenant, blocks: 'on' | 'auto'): Promise<TestGateway> {
  const credential = { type: 'basic', user: clientId, secret: new Secret(secret) } as const;
  const pace = { perMinute: 90_000, burst: 10_000, tenantLimit: 100_000, minute: '1s' };
  return startGateway({
    upstream: tenant.url.origin,
    tenant: { credential, pace },
    system: { id: proxyId, pages: { blocks } },
  });
}

/** As SAP documents it, but up to the empty page where totals are estimates. */
async function load(call: Call, count: number, ending: 'total' | 'empty'): Promise<Body[]> {
  const loaded: Body[] = [];
  for (let startIndex = 1, total = 1; ending === 'empty' || startIndex <= total;) {
    const response = await call(`/Users?startIndex=${startIndex}&count=${count}`);
    assert.equal(response.status, 200);
    const page = (await response.json()) as Body;
    loaded.push(...(page.Resources ?? []));
    if (page.itemsPerPage === 0) break;
    startIndex += page.itemsPerPage ?? 0;
    total = page.totalResults ?? 0;
  }
  return loaded;
}

const idsOf = (resources: readonly Body[]): string[] => resources.map((each) => String(each.id)).toSorted();

/** Links name the gateway there, and here the tenant or its backend. */
function withoutHosts(body: string | undefined): unknown {
  return JSON.parse((body ?? '').replaceAll(/"https?:[^"]*(\/(?:Users|Groups)\/)/g, '"$1'));
}

async function sameThroughGateway(tenant: StartedTenant): Promise<void> {
  const base = `${tenant.tenant.url.origin}/ipsproxy/service/api/v1/scim/${proxyId}`;
  const direct: Call = (path) => fetch(base + path, { headers: { authorization: basic } });
  for (const blocks of ['on', 'auto'] as const) {
    await using gateway = await gatewayBefore(tenant, blocks);
    const through: Call = (path) => gateway.call('GET', path);
    for (const [count, ending] of [
      [25, 'total'],
      [10, 'empty'],
      [40, 'total'],
    ] as const) {
      const expected = await load(direct, count, ending);
      assert.ok(expected.length > 0);
      assert.deepEqual(
        idsOf(await load(through, count, ending)),
        idsOf(expected),
        `${blocks}, ${count} a page`,
      );
      assert.deepEqual(idsOf(await load(through, count, ending)), idsOf(expected), 'and again');
    }
    const some = (await load(direct, 100, 'total')).filter((_, at) => at % 20 === 0);
    for (const { id: each } of some) {
      const [told, own] = await Promise.all(
        [through, direct].map(async (call) =>
          (await call(`/Users/${encodeURIComponent(String(each))}`)).text(),
        ),
      );
      assert.deepEqual(withoutHosts(told), withoutHosts(own));
    }
  }
}

for (const [name, system] of Object.entries(systems))
  test(`loads and single reads of ${name} are the same through the gateway`, async () => {
    await using tenant = await startedTenant({ systems: [{ id: proxyId, ...system }] });
    await sameThroughGateway(tenant);
  });

test('loads and single reads of a system before another SCIM provider are the same through the gateway', async () => {
  await using back = await startedTenant({
    systems: [{ id: proxyId, backend: { kind: 'directory', users: 230, groups: 3 } }],
  });
  const properties = {
    URL: `${back.tenant.url.origin}/ipsproxy/service/api/v1/scim/${proxyId}`,
    Authentication: 'BasicAuthentication',
    User: clientId,
  };
  await using front = await startedTenant({
    systems: [{ id: proxyId, properties, credentials: { Password: secret }, backend: { kind: 'scim' } }],
  });
  await sameThroughGateway(front);
});

test('a load of 430 users at 25 a page costs seven calls with the probe, and a read of each no more', async () => {
  await using tenant = await startedTenant({
    systems: [{ id: proxyId, backend: { kind: 'directory', users: 430, groups: 3 } }],
  });
  await using gateway = await gatewayBefore(tenant, 'auto');
  const users = await load((path) => gateway.call('GET', path), 25, 'total');
  for (const { id: each } of users) assert.equal((await gateway.call('GET', `/Users/${each}`)).status, 200);
  assert.equal(tenant.tenant.figures.calls, 7);
  const trail = await gateway.records();
  assert.equal(trail.filter(({ event }) => event === 'upstream.intent').length, 7, 'each has its pair');
  assert.equal(trail.filter(({ event }) => event === 'upstream.outcome').length, 7);
  const ahead = trail.filter(({ upstream }) => Reflect.get(upstream ?? {}, 'purpose') === 'prefetch');
  assert.ok(ahead.length > 0, 'somebody asked ahead');
  assert.ok(
    ahead.every(({ actor, req }) => isDeepStrictEqual(actor, { name: 'gateway' }) && req === undefined),
  );
});

test('a system whose single reads differ from its pages is told in the trail by the names of attributes', async () => {
  const resource = (name: object) => ({
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    id: 'a',
    ...name,
  });
  await using upstream = await startUpstream({
    answer: ({ url }, response) => {
      const isList = url?.includes('/Users?') ?? false;
      const figures = { startIndex: 1, itemsPerPage: 1, totalResults: 1 };
      sendScim(response, 200, isList ? { ...figures, Resources: [resource({})] } : resource({ groups: [] }));
    },
  });
  await using gateway = await startGateway({ upstream: upstream.url });
  await gateway.call('GET', '/Users?startIndex=1');
  for (let time = 0; time < 3; time += 1) await (await gateway.call('GET', '/Users/a')).json();
  const told = (await gateway.records()).filter(({ event }) => event === 'cache.probe_differs');
  assert.deepEqual(
    told.map(({ facts }) => facts),
    [{ system: systemId, resourceType: 'Users', of: 'page', attributes: ['groups'] }],
  );
});

test('a block that the tenant never answers leads to the small page, however short the patience for a turn is', async () => {
  await using upstream = await startUpstream({
    answer: ({ url }, response) => {
      if (url?.includes('count=100')) return;
      sendScim(response, 200, { startIndex: 1, itemsPerPage: 1, totalResults: 1, Resources: [{ id: 'a' }] });
    },
  });
  await using gateway = await startGateway({
    upstream: upstream.url,
    system: { pages: { blocks: 'on' }, deadlines: { read: '2s' } },
    config: { patience: '1s' },
  });
  assert.equal((await gateway.call('GET', '/Users?count=25')).status, 200);
  assert.deepEqual(
    upstream.received.map(({ url }) => url.split('?')[1]),
    ['count=100&startIndex=1', 'count=25'],
  );
});
