/**
 * For any request target: what reaches the tenant has the configured prefix and exactly the segments that were
 * authorised, or nothing reaches it and the answer says so. SEED repeats a run, TARGETS says how many are tried.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { startGateway, systemId } from '../support/gateway.ts';
import { RawConnection, request } from '../support/raw.ts';
import { assertRefusal } from '../support/siege.ts';
import { target } from './generators.ts';
import { pace } from './plain-stage.ts';
import { startRecordingTenant, type Arrived } from './recording-tenant.ts';

const numRuns = Number(process.env['TARGETS'] ?? 1500);
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const tenantsId = 'the-tenants-own-id';
const prefix = `/ipsproxy/service/api/v1/scim/${tenantsId}`;

/** Path and query as the caller wrote them: what stands behind the system's id, read by the plainest of rules. */
function authorised(sent: string): { segments: string[]; query: string } {
  const [path = '', query = ''] = sent.replace(/^https?:\/\/[^/]*/i, '').split(/\?(.*)/s);
  const below = path.split(/\/{1,2}/).slice(path.includes('/service/') ? 6 : 5);
  const [id, ...segments] = below.map(decodeURIComponent);
  assert.equal(id, systemId);
  return { segments: segments.filter((each, at) => each !== '' || at < segments.length - 1), query };
}

function checkArrival({ line }: Arrived, sent: string): void {
  const [, path = '', query = ''] = /^GET ([^?]*)(?:\?(.*))? HTTP\/1\.1$/.exec(line) ?? [];
  assert.ok(path.startsWith(`${prefix}/`), `${line} is below the system's base`);
  const arrived = path
    .slice(prefix.length + 1)
    .split('/')
    .map(decodeURIComponent);
  const { segments, query: asked } = authorised(sent);
  assert.deepEqual(arrived, segments);
  assert.equal(arrived[0], 'Users', 'nothing else is allowed');
  assert.ok(arrived.length <= 2);
  // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
  for (const each of arrived) assert.doesNotMatch(each, /^\.{0,2}$|[/\\;\u0000-\u001f]|%[0-9a-f]{2}/i);
  const pairs = (text: string) =>
    [...new URLSearchParams(`&${text}`)].map(([name, value]) => `${name}=${value}`).toSorted();
  assert.deepEqual(pairs(query), pairs(asked.split('&').filter(Boolean).join('&')));
}

test(`of any target exactly what was authorised goes up, or nothing (seed ${seed})`, async () => {
  await using tenant = await startRecordingTenant();
  const permission = {
    permission: 'Access Proxy System API',
    systems: [systemId],
    resourceTypes: ['Users'],
  } as const;
  await using gateway = await startGateway({
    upstream: tenant.url,
    tenant: { pace },
    callers: {
      reader: {
        permissions: [{ ...permission, systems: [systemId], resourceTypes: ['Users'], access: ['read'] }],
      },
    },
    config: {
      systems: {
        [systemId]: { tenant: 'acme', id: tenantsId, cache: { enabled: false } },
        other: { tenant: 'acme', cache: { enabled: false } },
      },
    },
  });
  const log = `Authorization: ${gateway.logOn('reader')}`;
  let served = 0;
  let connection = await RawConnection.open(gateway.authority);
  // A line break would end the request line, and a space beside the target belongs to the line (RFC 9112 §3).
  const line = target.filter((text) => !/[\r\n]|^ | $/.test(text));
  const property = fc.asyncProperty(line, async (text) => {
    if (!connection.isOpen) connection = await RawConnection.open(gateway.authority);
    tenant.arrived.length = 0;
    connection.send(
      Buffer.from(request([`GET ${text} HTTP/1.1`, `Host: ${gateway.authority}`, log]), 'latin1'),
    );
    const answer = await connection.answer();
    if (answer.headers['connection'] === 'close') await connection.closed();
    const [arrival, ...more] = tenant.arrived;
    assert.deepEqual(more, []);
    if (arrival) {
      assert.equal(answer.status, 200);
      checkArrival(arrival, text);
      served += 1;
    } else if (answer.status !== 301 && !text.includes('oauth2'))
      assertRefusal(answer, answer.status, JSON.parse(answer.body).scimType);
    assert.deepEqual(tenant.faults, []);
  });
  try {
    await fc.assert(property, {
      numRuns,
      seed,
      interruptAfterTimeLimit: 60_000,
      markInterruptAsFailure: true,
    });
  } finally {
    connection[Symbol.dispose]();
  }
  assert.ok(served > numRuns / 20, `${served} of ${numRuns} were served`);
});
