/** Requests without a quirk: whatever profile their caller has, the tenant gets what it would get without one. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';

import fc from 'fast-check';

import type { ConfigDocument } from '../../src/gateway/config-schema.ts';
import { startGateway, systemId } from '../support/gateway.ts';
import { startUpstream, type Received } from '../support/upstream.ts';

const profiles = readdirSync(resolve(import.meta.dirname, '../../config/profiles')).map((file) =>
  file.replace(/\.yaml$/, ''),
);

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly type?: string;
  readonly body?: string;
}

const id = fc.stringMatching(/^[A-Za-z0-9-]{1,20}$/);
const type = fc.constantFrom('application/scim+json', 'application/json;charset=UTF-8');
const text = (value: unknown): string => ` ${JSON.stringify(value, undefined, 1)}\n`;
const operation = fc.oneof(
  fc.record({ op: fc.constantFrom('add', 'replace'), path: fc.constant('title'), value: fc.jsonValue() }),
  fc.record({
    op: fc.constant('add'),
    path: fc.constant('members'),
    value: fc.array(fc.record({ value: fc.uuid() }), { maxLength: 3 }),
  }),
  fc.record({ op: fc.constant('remove'), path: id.map((member) => `members[value eq "${member}"]`) }),
);
const requests: fc.Arbitrary<Sent> = fc.oneof(
  id.map((one) => ({ method: 'GET', path: `/Users/${one}` })),
  fc
    .constantFrom('/Users?startIndex=1&count=25', '/Groups?filter=displayName%20eq%20%22a%22')
    .map((path) => ({
      method: 'GET',
      path,
    })),
  id.map((one) => ({ method: 'DELETE', path: `/Users/${one}` })),
  fc.tuple(id, type, fc.string()).map(([one, media, userName]) => ({
    method: 'PUT',
    path: `/Users/${one}`,
    type: media,
    body: text({ userName }),
  })),
  fc.tuple(id, type, fc.array(operation, { maxLength: 3 })).map(([one, media, Operations]) => ({
    method: 'PATCH',
    path: `/Groups/${one}`,
    type: media,
    body: text({ Operations }),
  })),
);

const callersWith = (names: readonly string[]): NonNullable<ConfigDocument['callers']> =>
  Object.fromEntries(
    names.map((profile) => [
      profile,
      {
        profile,
        permissions: [
          { permission: 'Access Proxy System API', systems: [systemId], access: ['read', 'write'] },
        ],
      },
    ]),
  );

/** What the tenant sees of a call but for the id that every call has. */
function seen({ method, url, headers, body }: Received): unknown {
  const { 'x-request-id': _, ...others } = headers;
  return { method, url, headers: others, body };
}

test(`under each profile what needs no repair goes up byte for byte: ${profiles.join(', ')}`, async () => {
  await using upstream = await startUpstream();
  await using gateway = await startGateway({
    upstream: upstream.url,
    system: { cache: { enabled: false }, repeats: { enabled: false }, pages: { blocks: 'off' } },
    config: { guard: { rules: [{ deletes: { above: 'off' }, shrinking: { above: 'off' } }] } },
    callers: callersWith(profiles),
    tenant: { pace: { perMinute: 30_000, burst: 500, tenantLimit: 100_000, concurrency: 8 } },
  });
  const send = async (profile: string, { method, path, type: media, body }: Sent): Promise<unknown> => {
    const before = upstream.received.length;
    const headers = { authorization: gateway.logOn(profile), ...(media && { 'content-type': media }) };
    const reply = await fetch(gateway.base + path, { method, headers, ...(body !== undefined && { body }) });
    await reply.arrayBuffer();
    assert.ok(reply.status < 300, `${method} ${path}: ${reply.status}`);
    return upstream.received.slice(before).map(seen);
  };
  await fc.assert(
    fc.asyncProperty(requests, async (sent) => {
      const plain = await send('generic', sent);
      for (const profile of profiles) assert.deepEqual(await send(profile, sent), plain, profile);
    }),
    { numRuns: 25 },
  );
  const repaired = (await gateway.records()).filter((record) => record['repairs'] !== undefined);
  assert.deepEqual(repaired, []);
});

test('of a service provider nobody knows how long its pages are, so lists go up as they came', async () => {
  await using upstream = await startUpstream();
  await using gateway = await startGateway({
    upstream: upstream.url,
    system: { kind: 'scim', cache: { enabled: false } },
    callers: callersWith(['midpoint', 'omada', 'sap-idm']),
  });
  const get = async (profile: string, path: string, accept: string): Promise<void> => {
    const headers = { authorization: gateway.logOn(profile), accept };
    await (await fetch(gateway.base + path, { headers })).arrayBuffer();
  };
  await get('midpoint', '/Users?count=25&startIndex=2', 'application/json');
  await get('omada', '/Users', 'application/json');
  await get('sap-idm', '/Users', 'application/json');
  assert.deepEqual(
    upstream.received.map(({ url, headers }) => [url.replace(/^.*(?=\/Users)/, ''), headers.accept]),
    [
      ['/Users?count=25&startIndex=2', 'application/json'],
      ['/Users', 'application/json'],
      ['/Users', 'application/scim+json, application/json;q=0.9'],
    ],
  );
});
