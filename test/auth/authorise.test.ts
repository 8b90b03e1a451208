import assert from 'node:assert/strict';
import { test } from 'node:test';

import { authorise as authoriseFrom } from '../../src/auth/authorise.ts';
import { mayWrite, type Caller, type ProxyGrant } from '../../src/auth/caller.ts';
import { createNetworks } from '../../src/auth/network.ts';
import { unfoldBulk } from '../../src/scim/bulk.ts';
import { understand, type Effect, type Operation, type SystemFacts } from '../../src/scim/operation.ts';
import { noQuery, Query } from '../../src/scim/target.ts';

const system: SystemFacts = { id: 'acme', tenant: 'eu', kind: 'scim', resourceTypes: ['Users', 'Groups'] };
const base = '/ipsproxy/service/api/v1/scim/acme';
const entities = '/ipsproxy/service/api/v1/systems/ias/entities/user';
const startJob = '/ips/service/publicapi/v1/startJob/ias/jobs/READ';
const jobLogs = '/ips/service/publicapi/v1/jobLogs/1';

const authorise = (by: Caller, operation: Operation): string =>
  authoriseFrom(by, operation, { ip: '192.0.2.7' });

const ips: SystemFacts = { ...system, kind: 'ips' };

function ask(method: string, path: string, callersTenant = 'eu', query = noQuery, on = system): Operation {
  return understand(method, { segments: path.slice(1).split('/'), query }, () => on, callersTenant);
}

const grant = (systems: string, resourceTypes: string, ...effects: Effect[]): ProxyGrant => ({
  systems: systems === '*' ? '*' : new Set(systems.split(' ')),
  resourceTypes: resourceTypes === '*' ? '*' : new Set(resourceTypes.split(' ')),
  effects: new Set(effects),
  deniedAttributes: new Set(),
});

const caller = (...proxy: ProxyGrant[]): Caller => ({ name: 'idm', tenant: 'eu', proxy });
const nobody = caller();
const reader = caller(grant('acme', 'Users Groups', 'read'));
const userWriter = caller(grant('acme', 'Users', 'read', 'write'), grant('acme', 'Groups', 'read'));
const everything = caller(grant('*', '*', 'read', 'write'));
const elsewhere = caller(grant('other', '*', 'read', 'write'));
const probe = ask('GET', base, 'eu', noQuery, ips);
const rootSearch = new Query([{ name: 'filter', value: 'x', encoded: 'filter=x' }]);

const bulk = (...parts: [method: string, path: string][]): Operation => {
  const Operations = parts.map(([method, path]) => ({ method, path, bulkId: 'b' }));
  return unfoldBulk(ask('POST', `${base}/Bulk`), Buffer.from(JSON.stringify({ Operations })), system);
};

const rows: readonly (readonly [title: string, caller: Caller, operation: Operation, allowed: boolean])[] = [
  ['a list by a reader', reader, ask('GET', `${base}/Users`), true],
  ['a search by a reader, as it is a read', reader, ask('POST', `${base}/Users/.search`), true],
  ['a DELETE by a reader (row 67)', reader, ask('DELETE', `${base}/Users/1`), false],
  ['a create by a reader', reader, ask('POST', `${base}/Users`), false],
  ['a list by nobody', nobody, ask('GET', `${base}/Users`), false],
  ['a list by a caller of another system (row 32)', elsewhere, ask('GET', `${base}/Users`), false],
  ['a patch of a granted type', userWriter, ask('PATCH', `${base}/Users/1`), true],
  ['a patch of a type that may only be read', userWriter, ask('PATCH', `${base}/Groups/1`), false],
  ['a search over all types by a reader of all known types', reader, ask('POST', `${base}/.search`), false],
  ['a search over all types by a caller of every type', everything, ask('POST', `${base}/.search`), true],
  ['a root search by GET without every type', reader, ask('GET', base, 'eu', rootSearch), false],
  ['a root search by GET with every type', everything, ask('GET', base, 'eu', rootSearch), true],
  ['a probe by any caller of the system', reader, probe, true],
  ['a probe by a caller of another system', elsewhere, probe, false],
  ['discovery by any caller of the system', reader, ask('GET', `${base}/Schemas`), true],
  ['discovery by a caller of another system', elsewhere, ask('GET', `${base}/Schemas`), false],
  ['/Me without a grant for it', userWriter, ask('GET', `${base}/Me`), false],
  ['/Me with a grant over all types', everything, ask('GET', `${base}/Me`), true],
  ['a bulk whose parts are not known yet, by a writer', userWriter, ask('POST', `${base}/Bulk`), true],
  ['a bulk whose parts are not known yet, by a reader', reader, ask('POST', `${base}/Bulk`), false],
  ['a bulk of granted parts', userWriter, bulk(['POST', '/Users'], ['DELETE', '/Users/1']), true],
  ['a bulk with one forbidden part', userWriter, bulk(['POST', '/Users'], ['PATCH', '/Groups/1']), false],
  ['a bulk without parts, by a writer', userWriter, bulk(), true],
  ['a real-time event without that permission', everything, ask('POST', entities), false],
  ['a real-time event', { ...nobody, realTime: { sourceSystems: '*' } }, ask('POST', entities), true],
  [
    'a named source system',
    { ...nobody, realTime: { sourceSystems: new Set(['ias']) } },
    ask('POST', entities),
    true,
  ],
  [
    'another source system',
    { ...nobody, realTime: { sourceSystems: new Set(['sf']) } },
    ask('POST', entities),
    false,
  ],
  [
    'an event with the admin permission',
    { ...nobody, admin: { sourceSystems: '*' } },
    ask('POST', entities),
    false,
  ],
  [
    'an event for another tenant',
    { ...nobody, realTime: { sourceSystems: '*' } },
    ask('POST', entities, 'us'),
    false,
  ],
  ['a job', { ...nobody, admin: { sourceSystems: new Set(['ias']) } }, ask('POST', startJob), true],
  [
    'a job of another source system',
    { ...nobody, admin: { sourceSystems: new Set(['x']) } },
    ask('POST', startJob),
    false,
  ],
  [
    'a job with the real-time permission',
    { ...nobody, realTime: { sourceSystems: '*' } },
    ask('POST', startJob),
    false,
  ],
  ["a job's log", { ...nobody, admin: { sourceSystems: new Set(['x']) } }, ask('GET', jobLogs), true],
  ["a job's log without the permission", everything, ask('GET', jobLogs), false],
];

for (const [title, who, operation, allowed] of rows)
  test(`${title} is ${allowed ? 'allowed' : 'forbidden'}`, () => {
    if (allowed) assert.match(authorise(who, operation), /^Access .* API: /);
    else assert.throws(() => authorise(who, operation), { kind: 'forbidden', status: 403 });
  });

test('the decision names the permission as SAP does', () => {
  const admin = { ...nobody, admin: { sourceSystems: '*' } } as const;
  const events = { ...nobody, realTime: { sourceSystems: '*' } } as const;
  assert.equal(authorise(userWriter, ask('PUT', `${base}/Users/1`)), 'Access Proxy System API: write Users');
  assert.equal(
    authorise(events, ask('DELETE', `${entities}/7`)),
    'Access Real-Time Provisioning API: notify',
  );
  assert.equal(
    authorise(admin, ask('POST', startJob)),
    'Access Identity Provisioning Tenant Admin API: start-job',
  );
});

test('two grants do not lend each other what neither gives as a whole', () => {
  const split = caller(grant('acme', 'Groups', 'read'), grant('other', 'Groups', 'write'));
  assert.throws(() => authorise(split, ask('PUT', `${base}/Groups/1`)), { kind: 'forbidden' });
});

test('a caller may write what one of its grants says', () => {
  assert.equal(mayWrite(userWriter, 'acme', 'Users'), true);
  assert.equal(mayWrite(userWriter, 'acme', 'Groups'), false);
  assert.equal(mayWrite(userWriter, 'other', 'Users'), false);
  assert.equal(mayWrite(everything, 'other', 'Devices'), true);
});

test('a caller is kept to its networks, also inside an IPv6 form, and elsewhere is forbidden what it may', () => {
  const kept: Caller = {
    ...everything,
    sourceNetworks: createNetworks(['10.20.0.0/16', '192.0.2.7', '2001:db8::/32']),
  };
  const from = (ip: string) => () => authoriseFrom(kept, ask('GET', `${base}/Users`), { ip });
  for (const ip of ['10.20.0.1', '10.20.255.255', '::ffff:10.20.3.4', '192.0.2.7', '2001:db8:ffff::1'])
    assert.match(from(ip)(), /^Access/);
  for (const ip of ['10.21.0.1', '192.0.2.8', '::ffff:10.21.3.4', '2001:db9::1', '::1', ''])
    assert.throws(from(ip), { kind: 'foreign-network', status: 403 }, ip);
});
