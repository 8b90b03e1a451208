/**
 * Each quirk of each delivered profile through a whole gateway: what the tenant gets without the repair and with it, and that
 * the repair stands in the trail and in the figures.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';

import { parse } from 'yaml';

import type { ConfigDocument } from '../../src/gateway/config-schema.ts';
import { quirkNames, type Quirk } from '../../src/profile/quirks.ts';
import { startGateway, systemId, type TestGateway } from '../support/gateway.ts';
import { sendScim, startUpstream, type Received, type TestUpstream } from '../support/upstream.ts';

const root = resolve(import.meta.dirname, '../..');
const directory = resolve(root, 'config/profiles');
const profiles = new Map(
  readdirSync(directory).map((file) => {
    const { repairs } = parse(readFileSync(resolve(directory, file), 'utf8')) as { repairs: Quirk[] };
    return [file.replace(/\.yaml$/, ''), repairs];
  }),
);

interface Sent {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

interface Row {
  readonly quirk: Quirk;
  readonly title: string;
  readonly sent: Sent;
  /** What comes of it for a caller that is taken at its word: a refusal, or what the tenant gets. */
  readonly before: number | Partial<Received>;
  readonly after: Partial<Received>;
}

const scim = { 'content-type': 'application/scim+json' };
const patchOf = (...Operations: readonly unknown[]): string => JSON.stringify({ Operations });
const at = (path: string): string => `/ipsproxy/service/api/v1/scim/${systemId}${path}`;
const listed = { url: at('/Users') };
const one = 'JJAU4RI';

const vague = (type: string | undefined): Row => ({
  quirk: 'media-types',
  title: `a body ${type === undefined ? 'without a media type' : `as ${type}`}`,
  sent: {
    method: 'POST',
    path: '/Users',
    body: '{"userName":"ada"}',
    ...(type !== undefined && { headers: { 'content-type': type } }),
  },
  before: 415,
  after: { url: at('/Users'), body: '{"userName":"ada"}' },
});

const spelled = (title: string, came: unknown, ...meant: readonly unknown[]): Row => ({
  quirk: 'patch-spelling',
  title,
  sent: { method: 'PATCH', path: '/Groups/g1', headers: scim, body: patchOf(came) },
  before: { body: patchOf(came) },
  after: { body: patchOf(...meant) },
});

const naming = { op: 'add', path: 'displayName', value: 'x' };

const rows: readonly Row[] = [
  ...[undefined, 'text/plain', 'text/json', 'application/octet-stream'].map(vague),
  {
    quirk: 'slashes',
    title: 'a slash that is doubled',
    sent: { path: '/Users//4711' },
    before: 400,
    after: { url: at('/Users/4711') },
  },
  {
    quirk: 'page-numbers',
    title: 'the number of a page as startIndex',
    sent: { path: '/Users?startIndex=2&count=25' },
    before: { url: at('/Users?count=25&startIndex=2') },
    after: { url: at('/Users?count=25&startIndex=26') },
  },
  {
    quirk: 'unpaged-lists',
    title: 'a list without paging',
    sent: { path: '/Users' },
    before: listed,
    after: { url: at('/Users?count=100') },
  },
  {
    quirk: 'lower-case-ids',
    title: 'an id in lower case',
    sent: { path: `/Users/${one.toLowerCase()}` },
    before: 404,
    after: { url: at(`/Users/${one}`) },
  },
  {
    quirk: 'lower-case-ids',
    title: 'a member in lower case',
    sent: {
      method: 'PATCH',
      path: '/Groups/g1',
      headers: scim,
      body: patchOf({ op: 'add', path: 'members', value: [{ value: one.toLowerCase() }] }),
    },
    before: { body: patchOf({ op: 'add', path: 'members', value: [{ value: one.toLowerCase() }] }) },
    after: { body: patchOf({ op: 'add', path: 'members', value: [{ value: one }] }) },
  },
  spelled('a verb with a capital', { op: 'Add', path: 'displayName', value: 'x' }, naming),
  spelled('names with capitals', { Op: 'add', Path: 'displayName', Value: 'x' }, naming),
  spelled(
    'the URN of the schema in a path',
    { op: 'add', path: 'urn:ietf:params:scim:schemas:core:2.0:Group:displayName', value: 'x' },
    naming,
  ),
  spelled(
    'one member in place of a list',
    { op: 'add', path: 'members', value: { value: 'u1' } },
    { op: 'add', path: 'members', value: [{ value: 'u1' }] },
  ),
  spelled(
    'members to remove in a value',
    { op: 'remove', path: 'members', value: [{ value: 'u1' }, { value: 'u2' }] },
    { op: 'remove', path: 'members[value eq "u1"]' },
    { op: 'remove', path: 'members[value eq "u2"]' },
  ),
  spelled(
    'single quotes in a path',
    { op: 'remove', path: "members[value eq 'u1']" },
    { op: 'remove', path: 'members[value eq "u1"]' },
  ),
];

const permissions: NonNullable<ConfigDocument['callers']>[string]['permissions'] = [
  { permission: 'Access Proxy System API', systems: 'all', access: ['read', 'write'] },
];
const page = { totalResults: 1, startIndex: 1, itemsPerPage: 1, Resources: [{ id: one }] };

async function stageFor(profile: string) {
  await using starting = new AsyncDisposableStack();
  const upstream = starting.use(await startUpstream());
  const { answer } = upstream;
  upstream.answer = (asked, response, message) => {
    if (asked.method === 'GET' && /\/Users(?:\?|$)/.test(asked.url)) sendScim(response, 200, page);
    else if (asked.url.endsWith(one.toLowerCase())) response.writeHead(404).end();
    else answer(asked, response, message);
  };
  const gateway = starting.use(
    await startGateway({
      upstream: upstream.url,
      system: {
        cache: { enabled: false },
        pages: { blocks: 'off' },
        repeats: { enabled: false },
        lostUpdates: 'off',
      },
      config: { guard: { rules: [{ shrinking: { above: 'off' } }] } },
      callers: { generic: { permissions }, other: { profile, permissions } },
    }),
  );
  const running = starting.move();
  return { upstream, gateway, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** What the tenant got, or the status of a refusal. */
async function send(
  { upstream, gateway }: { readonly upstream: TestUpstream; readonly gateway: TestGateway },
  caller: string,
  { method = 'GET', path, headers, body }: Sent,
): Promise<number | Received | undefined> {
  const before = upstream.received.length;
  const reply = await fetch(gateway.base + path, {
    method,
    headers: { authorization: gateway.logOn(caller), ...headers },
    ...(body !== undefined && { body: Buffer.from(body) }),
  });
  await reply.arrayBuffer();
  return reply.status < 300 ? upstream.received[before] : reply.status;
}

function matches(got: number | Received | undefined, wanted: number | Partial<Received>): void {
  if (typeof wanted === 'number' || typeof got !== 'object') assert.deepEqual(got, wanted);
  else assert.partialDeepStrictEqual(got, wanted);
}

for (const [profile, repairs] of profiles)
  for (const { quirk, title, sent, before, after } of rows)
    if (repairs.includes(quirk))
      test(`${profile}: ${title} is put right, recorded and counted as ${quirk}`, async () => {
        await using stage = await stageFor(profile);
        const { gateway } = stage;
        if (quirk === 'lower-case-ids') await send(stage, 'generic', { path: '/Users' });
        matches(await send(stage, 'generic', sent), before);
        matches(await send(stage, 'other', sent), after);
        const records = await gateway.records();
        const repaired = records.filter(({ event, repairs }) => event === 'request.outcome' && repairs);
        assert.deepEqual(
          repaired.map((record) => [(record['actor'] as { name?: string }).name, record['repairs']]),
          [['other', [quirk]]],
        );
        const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
        const counted = [...metrics.matchAll(/^gatehouse_repairs_total\{(.*)\} (\d+)$/gm)];
        assert.deepEqual(
          counted.map(([, labels, count]) => [labels, count]),
          [[`caller="other",repair="${quirk}"`, '1']],
        );
      });

test('every quirk that there is is tried here, and every profile is one of a product that names what it has', () => {
  assert.deepEqual(new Set(rows.map(({ quirk }) => quirk)), new Set(quirkNames));
  const table = readFileSync(resolve(root, 'docs/profiles.md'), 'utf8');
  const described = [...table.matchAll(/^\| `([a-z-]+)` \| [^|`]+ \| ([^|]+) \|$/gm)].map(
    ([, name = '', repairs = '']) => [name, [...repairs.matchAll(/`([a-z-]+)`/g)].map(([, each]) => each)],
  );
  assert.deepEqual(new Map(described as [string, Quirk[]][]), profiles);
});

test('what every caller may write needs no profile: any Accept or none, a slash at the end, doubled ones of a destination', async () => {
  await using stage = await stageFor('generic');
  const { gateway, upstream } = stage;
  const headers = { authorization: gateway.logOn('generic') };
  for (const accept of ['application/scim+json', 'application/json', '*/*', 'text/html'])
    matches(await send(stage, 'generic', { path: '/Users', headers: { accept } }), listed);
  matches(await send(stage, 'generic', { path: '/Users/' }), listed);
  for (const path of [`//ipsproxy/service/api/v1/scim/${systemId}/Users`, at('//Users')]) {
    const seen = upstream.received.length;
    await (await fetch(gateway.url + path, { headers })).arrayBuffer();
    matches(upstream.received[seen], listed);
  }
});

test('what midPoint asks for at its start is told to be absent, which it bears, and costs no quota', async () => {
  await using stage = await stageFor('midpoint');
  for (const path of ['/ServiceProviderConfig', '/Schemas', '/ResourceTypes'])
    assert.equal(await send(stage, 'other', { path }), 404);
  assert.deepEqual(stage.upstream.received, []);
});
