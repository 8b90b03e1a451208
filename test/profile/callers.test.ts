/** Each quirk at the embedded tenant: without the profile the call fails or is wrong, with it it is right. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { proxyId } from '../ips/started-tenant.ts';
import { eventually } from '../support/eventually.ts';
import { abapSystem } from './abap-system.ts';
import { repairsOf, startCallers, type Callers } from './tenants.ts';

interface Page {
  readonly totalResults: number;
  readonly startIndex: number;
  readonly itemsPerPage: number;
  readonly Resources: readonly { readonly id: string; readonly userName?: string }[];
}

const peopleOf = (users: number) => ({
  systems: [{ id: proxyId, backend: { kind: 'directory', users, groups: 2 } as const }],
});
const scim = { 'content-type': 'application/scim+json' };
const pageOf = async (reply: Response): Promise<Page> => (await reply.json()) as Page;

test('a body without a media type, or with a vague one, is taken from a caller that is known to send it so', async () => {
  await using callers = await startCallers(['generic', 'sap-idm']);
  const create = (profile: string, userName: string, headers: Record<string, string>): Promise<Response> =>
    callers.as(profile, '/Users', {
      method: 'POST',
      headers,
      body: Buffer.from(JSON.stringify({ userName })),
    });
  assert.equal((await create('generic', 'one', {})).status, 415);
  assert.equal((await create('sap-idm', 'one', {})).status, 201);
  assert.equal((await create('generic', 'two', { 'content-type': 'text/plain' })).status, 415);
  assert.equal((await create('sap-idm', 'two', { 'content-type': 'text/plain;charset=utf-8' })).status, 201);
  assert.equal(
    (await create('sap-idm', 'three', { 'content-type': 'text/plain;charset=latin1' })).status,
    415,
  );
  assert.equal((await create('sap-idm', 'four', { 'content-type': 'application/xml' })).status, 415);
  assert.deepEqual(await repairsOf(callers, 'sap-idm'), [['media-types'], ['media-types'], [], []]);
});

test('a media type on a GET is nothing to anybody', async () => {
  await using callers = await startCallers(['generic']);
  assert.equal((await callers.as('generic', '/Users?count=1', { headers: scim })).status, 200);
});

test('slashes that a destination doubles lead to the same resource', async () => {
  await using callers = await startCallers(['generic', 'sap-iag']);
  const { Resources } = await pageOf(await callers.as('generic', '/Users?count=1'));
  const path = `/Users//${Resources[0]?.id}`;
  assert.equal((await callers.as('generic', path)).status, 400);
  const reply = await callers.as('sap-iag', path);
  assert.equal(((await reply.json()) as { id?: string }).id, Resources[0]?.id);
  assert.deepEqual(await repairsOf(callers, 'sap-iag'), [['slashes']]);
});

/** As the path is written, which `fetch` would tidy. */
async function statusOf(base: string, path: string, headers: Record<string, string>): Promise<unknown> {
  const asked = request(base, { path: new URL(base).pathname + path, headers });
  const [reply] = (await once(asked.end(), 'response')) as [IncomingMessage];
  reply.resume();
  return reply.statusCode;
}

test('behind doubled slashes a target is as strictly looked at as any other', async () => {
  await using callers = await startCallers(['sap-iag']);
  const { url, base } = callers.gateway;
  const headers = { authorization: callers.gateway.logOn('sap-iag') };
  for (const path of ['//..%2fGroups', '//%2e%2e', '//..', '//a;b', '//a%5cb', '//a%252fb', '//.'])
    assert.equal(await statusOf(`${base}/Users`, path, headers), 400, path);
  const body = new URLSearchParams({ grant_type: 'client_credentials' });
  assert.equal((await fetch(`${url}/oauth2/token`, { method: 'POST', headers, body })).status, 200);
  assert.equal((await fetch(`${url}/oauth2//token`, { method: 'POST', headers, body })).status, 400);
  assert.equal((await fetch(`${url}/ips//service//publicapi/v1/jobLogs/1`, { headers })).status, 400);
  assert.equal((await fetch(`${base}/Users//1`)).status, 401);
});

/** As the connector does: until a page is empty, or as many were seen as there are said to be. */
async function readByPageNumbers(callers: Callers, profile: string): Promise<Page[]> {
  const pages: Page[] = [];
  for (let number = 1, seen = 0; ; number += 1) {
    const page = await pageOf(await callers.as(profile, `/Users?startIndex=${number}&count=25`));
    pages.push(page);
    seen += page.Resources.length;
    if (page.Resources.length === 0 || seen >= page.totalResults) return pages;
  }
}
const distinct = (pages: readonly Page[]): number =>
  new Set(pages.flatMap(({ Resources }) => Resources.map(({ id }) => id))).size;

test('who pages by numbers gets everybody once, and each page says at which index it begins', async () => {
  await using callers = await startCallers(['generic', 'midpoint'], peopleOf(60));
  assert.ok(distinct(await readByPageNumbers(callers, 'generic')) < 60);
  const pages = await readByPageNumbers(callers, 'midpoint');
  assert.equal(distinct(pages), 60);
  assert.equal(pages.flatMap(({ Resources }) => Resources).length, 60);
  assert.deepEqual(
    pages.slice(0, 3).map(({ startIndex }) => startIndex),
    [1, 26, 51],
  );
  const [first, ...others] = await repairsOf(callers, 'midpoint');
  assert.deepEqual(first, []);
  assert.ok(others.every((repairs) => String(repairs) === 'page-numbers'));
});

test('who goes on by index under a profile for page numbers is refused instead of losing people', async () => {
  await using callers = await startCallers(['midpoint'], peopleOf(60));
  assert.equal((await callers.as('midpoint', '/Users?startIndex=1&count=25')).status, 200);
  const refused = await callers.as('midpoint', '/Users?startIndex=26&count=25');
  assert.deepEqual(
    [refused.status, ((await refused.json()) as { scimType?: string }).scimType],
    [400, 'invalidValue'],
  );
});

test('a list without paging is as long as one answer may be', async () => {
  await using callers = await startCallers(['generic', 'omada'], peopleOf(60));
  assert.equal((await pageOf(await callers.as('generic', '/Users'))).Resources.length, 25);
  assert.equal((await pageOf(await callers.as('omada', '/Users'))).Resources.length, 60);
  assert.equal((await pageOf(await callers.as('omada', '/Users?count=10'))).Resources.length, 10);
  assert.deepEqual(await repairsOf(callers, 'omada'), [['unpaged-lists'], []]);
});

test('who cannot page is never told a part of a collection as if it were the whole', async () => {
  await using callers = await startCallers(['omada'], peopleOf(130));
  const refused = await callers.as('omada', '/Users');
  assert.deepEqual(
    [refused.status, ((await refused.json()) as { scimType?: string }).scimType],
    [400, 'tooMany'],
  );
});

test('where the collection is kept as a snapshot, who cannot page gets the whole of it', async () => {
  await using callers = await startCallers(['omada'], peopleOf(130), { snapshot: { enabled: true } });
  await eventually(async () => {
    // A snapshot is built with turns that nobody else wants.
    await sleep(300);
    return (await callers.as('omada', '/Users')).status === 200;
  }, 30_000);
  assert.equal((await pageOf(await callers.as('omada', '/Users'))).Resources.length, 130);
});

test('an id in lower case leads to the resource whose id was seen before, and to no other', async () => {
  await using callers = await startCallers(['generic', 'omada'], { systems: [abapSystem] });
  const { Resources } = await pageOf(await callers.as('omada', '/Users'));
  const [known, other] = Resources;
  assert.match(known?.id ?? '', /[A-Z]/);
  const path = `/Users/${known?.id.toLowerCase()}`;
  assert.equal((await callers.as('generic', path)).status, 404);
  const reply = await callers.as('omada', path);
  assert.equal(((await reply.json()) as { userName?: string }).userName, known?.userName);
  assert.equal((await callers.as('omada', path, { method: 'DELETE' })).status, 204);
  assert.equal((await callers.ofTenant('GET', `/Users/${known?.id}`)).status, 404);
  assert.equal((await callers.ofTenant('GET', `/Users/${other?.id}`)).status, 200);
  assert.equal((await callers.as('omada', '/Users/nobodyhasseenit')).status, 404);
});

test('a membership as a caller spells it is changed as it means it', async () => {
  await using callers = await startCallers(['generic', 'sailpoint'], {
    assumptions: { patchSpellings: 'rfc' },
  });
  const users = (await callers.ofTenant('GET', '/Users?count=3')).body.Resources ?? [];
  const [one, two, three] = users.map(({ id }) => id);
  const { body: group } = await callers.ofTenant('POST', '/Groups', {
    displayName: 'Clerks',
    members: [{ value: one }, { value: two }],
  });
  const patch = (profile: string): Promise<Response> =>
    callers.as(profile, `/Groups/${group.id}`, {
      method: 'PATCH',
      headers: scim,
      body: JSON.stringify({
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: [
          { op: 'Add', path: 'urn:ietf:params:scim:schemas:core:2.0:Group:members', value: { value: three } },
          { op: 'Remove', path: 'members', value: [{ value: one }] },
        ],
      }),
    });
  const members = async (): Promise<unknown[]> =>
    ((await callers.ofTenant('GET', `/Groups/${group.id}`)).body.members ?? []).map(({ value }) => value);
  assert.equal((await patch('generic')).status, 400);
  assert.deepEqual(await members(), [one, two]);
  assert.equal((await patch('sailpoint')).status, 204);
  assert.deepEqual(new Set(await members()), new Set([two, three]));
});

test('the record of a repaired body holds the hash of what came and of what went up', async () => {
  await using callers = await startCallers(['sailpoint']);
  const { Resources } = await pageOf(await callers.as('sailpoint', '/Users?count=1'));
  const body = JSON.stringify({ Operations: [{ op: 'Replace', path: 'title', value: 'Dr.' }] });
  const path = `/Users/${Resources[0]?.id}`;
  assert.equal((await callers.as('sailpoint', path, { method: 'PATCH', headers: scim, body })).status, 204);
  const {
    received,
    body: up,
    repairs,
  } = (await callers.gateway.records()).findLast(({ outcome }) => outcome?.http === 204) as {
    received?: { bytes?: number };
    body?: { bytes?: number };
    repairs?: unknown;
  };
  assert.deepEqual([received?.bytes, up?.bytes, repairs], [body.length, body.length, ['patch-spelling']]);
  assert.notDeepEqual(received, up);
});

test('repairs are counted by caller and name', async () => {
  await using callers = await startCallers(['omada']);
  for (const path of ['/Users', '/Groups', '/Users?count=5']) await callers.as('omada', path);
  const metrics = await (await fetch(`${callers.gateway.adminUrl}/metrics`)).text();
  assert.match(metrics, /^gatehouse_repairs_total\{caller="omada",repair="unpaged-lists"\} 2$/m);
});
