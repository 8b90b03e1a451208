/**
 * `node test/ips/round-trips.ts <folder> [--gateway]`: the round trip of every pair of proxy transformations in a
 * folder, each against a backend of its kind, straight to the tenant or through a gateway, as a table. Exit code 1
 * when one of them fails, 4 without a folder.
 */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';

import { Secret } from '../../src/gateway/secret.ts';
import type { Tenant } from '../../src/ips/tenant.ts';
import { schemas } from '../../src/scim/message.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { createsGroups, presentGroup, systemOf } from './backend-of-its-kind.ts';
import { tableOf, travel, type Send, type Trip, type Type } from './round-trip.ts';
import { basic, clientId, gotOf, secret, startedTenant, type StartedTenant } from './started-tenant.ts';
import { entityOf, pairsIn, skippedBy, type Pair } from './transformation-pairs.ts';

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const sap = 'urn:ietf:params:scim:schemas:extension:sap:2.0:User';
const custom = 'urn:sap:cloud:scim:schemas:extension:custom:2.0:Group';

function userNamed(userName: string) {
  return {
    schemas: [schemas.user, enterprise, sap],
    userName,
    externalId: `E-${userName}`,
    name: { givenName: 'Zoë', familyName: 'Österreich' },
    displayName: 'Zoë Österreich',
    emails: [{ value: `${userName.toLowerCase()}@example.com`, primary: true, type: 'work' }],
    userType: 'Employee',
    active: true,
    locale: 'de',
    timezone: 'Europe/Berlin',
    // Two services take nobody without one.
    userUuid: randomUUID(),
    [sap]: { userUuid: randomUUID() },
    [enterprise]: { employeeNumber: '4711', department: 'Forschung' },
  };
}

const changed = { name: { givenName: 'Zoë', familyName: '大阪' } };

function groupWith(displayName: string, memberId: string | undefined) {
  const members = memberId === undefined ? [] : [{ value: memberId, type: 'User' }];
  const name = { name: displayName };
  return { schemas: [schemas.group, custom], displayName, externalId: displayName, [custom]: name, members };
}

function patchOf(operation: object) {
  return { schemas: [schemas.patchOp], Operations: [operation] };
}

/** The paths in a patch are the backend's own: no mapping touches them (facts: transformations 9). */
function patchFor({ write }: Pair, type: Type, memberId?: string): object | undefined {
  const offered = entityOf(write, type)?.mappings.some(
    ({ scope, targetPath }) => scope === 'patchEntity' && targetPath === '$.Operations',
  );
  if (!offered) return undefined;
  if (type === 'Users') return patchOf({ op: 'replace', path: 'displayName', value: 'Z. Ö.' });
  const target = entityOf(write, type)?.mappings.find(
    ({ sourcePath, targetPath }) => sourcePath?.startsWith('$.members') && targetPath !== undefined,
  )?.targetPath;
  const [, path = 'members', key] =
    /^\$\.(\w+)(?:\[\?\(@\.(\w+)\)\])?$/.exec(target ?? '$.members[?(@.value)]') ?? [];
  const member = key === undefined && path !== 'members' ? memberId : { [key ?? 'value']: memberId };
  return patchOf({ op: 'add', path, value: memberId === undefined ? [] : [member] });
}

/** Sends to a system, straight to the tenant or through a gateway. */
type Reach = (systemId: string) => Send;

async function tripsOf(pair: Pair, systemId: string, { tenant }: StartedTenant, reach: Reach) {
  const send = reach(systemId);
  const below =
    (type: Type): Send =>
    (method, path, body) =>
      send(method, `/${type}${path}`, body);
  const { name: system, write } = pair;
  const trips: Trip[] = [];
  if (entityOf(pair.read, 'Users')) {
    const patch = patchFor(pair, 'Users');
    const body = userNamed('ROUNDTRIP');
    const journey = {
      system,
      type: 'Users',
      skipped: skippedBy(write, 'Users'),
      send: below('Users'),
      body,
      change: changed,
    } as const;
    trips.push(await travel({ ...journey, ...(patch && { patch }) }));
  }
  if (entityOf(pair.read, 'Groups')) {
    const { body: member } = await send('POST', '/Users', userNamed('MEMBER'));
    const present = createsGroups(pair) ? undefined : presentIn(pair, systemId, tenant);
    const body = groupWith(present?.name ?? 'ROUNDTRIP_GROUP', member.id);
    const patch = patchFor(pair, 'Groups', member.id);
    const journey = {
      system,
      type: 'Groups',
      skipped: skippedBy(write, 'Groups'),
      send: below('Groups'),
      body,
    } as const;
    const change = { members: [] };
    trips.push(
      await travel({
        ...journey,
        change,
        ...(patch && { patch }),
        ...(present && { presentId: present.id }),
      }),
    );
  }
  return trips;
}

/** A group that is there already, where a pair does not offer to create one. */
function presentIn(pair: Pair, systemId: string, tenant: Tenant) {
  const isNative = systemOf(pair, systemId).backend?.kind !== 'directory';
  if (isNative) return { name: presentGroup, id: presentGroup };
  const { id } = tenant.directory(systemId).create('Groups', { displayName: presentGroup });
  return { name: presentGroup, id: String(id) };
}

const usage = 'usage: node test/ips/round-trips.ts <folder of transformations> [--gateway]\n';

function straightTo({ fetch }: StartedTenant): Reach {
  const headers = { authorization: basic, 'content-type': 'application/scim+json' };
  return (systemId) => (method, path, body) =>
    fetch(`/ipsproxy/service/api/v1/scim/${systemId}${path}`, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
}

function gatewayTo({ tenant }: StartedTenant, systemIds: readonly string[]): Promise<TestGateway> {
  const credential = { type: 'basic', user: clientId, secret: new Secret(secret) } as const;
  const pace = { perMinute: 50_000, burst: 1000, tenantLimit: 100_000 };
  return startGateway({
    upstream: tenant.url.origin,
    tenant: { credential, pace },
    config: { systems: Object.fromEntries(systemIds.map((id) => [id, { tenant: 'acme' }])) },
  });
}

function throughGateway(gateway: TestGateway): Reach {
  return (systemId) => async (method, path, body) => {
    const base = gateway.base.replace(/[^/]+$/, systemId);
    const response = await fetch(base + path, {
      method,
      headers: { authorization: gateway.logOn(), 'content-type': 'application/scim+json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return await gotOf(response);
  };
}

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { gateway: { type: 'boolean' } },
    allowPositionals: true,
  });
  const [folder] = positionals;
  if (folder === undefined) {
    process.stderr.write(usage);
    return 4;
  }
  const pairs = (await pairsIn(folder)).map((pair) => ({ pair, id: randomUUID() }));
  await using started = await startedTenant({ systems: pairs.map(({ pair, id }) => systemOf(pair, id)) });
  await using gateway = values.gateway
    ? await gatewayTo(
        started,
        pairs.map(({ id }) => id),
      )
    : undefined;
  const reach = gateway ? throughGateway(gateway) : straightTo(started);
  const trips: Trip[] = [];
  for (const { pair, id } of pairs) trips.push(...(await tripsOf(pair, id, started, reach)));
  const failed = trips.filter(({ result }) => result === 'fails').length;
  const verdict = `${pairs.length} pairs, ${trips.length} round trips, ${failed} fail`;
  process.stdout.write(`${tableOf(trips)}\n\n${verdict}\n`);
  return failed === 0 && pairs.length > 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
