/** The tenant's admin and real-time interfaces through HTTP. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inflateRawSync } from 'node:zlib';

import { basic, sourceId, startedTenant } from './started-tenant.ts';

const systems = [
  { id: sourceId, role: 'source', backend: { kind: 'directory', users: 3, groups: 1 } },
] as const;
const headers = { authorization: basic, 'content-type': 'application/json' };
const start = `/ips/service/publicapi/v1/startJob/${sourceId}/jobs/READ`;

test('a job starts with an id of seven hex digits and the time, and its log is a zip', async () => {
  await using started = await startedTenant({ systems });
  const job = await started.fetch(start, { method: 'POST', headers });
  assert.equal(job.status, 200);
  assert.match(String(job.body['jobId']), /^[0-9a-f]{7}\d{13}$/);
  const log = `/ips/service/publicapi/v1/jobLogs/${String(job.body['jobId'])}?action=export&logType=commonLog`;
  const response = await fetch(new URL(log, started.tenant.url), { headers });
  assert.equal(response.headers.get('content-type'), 'application/zip');
  const bytes = Buffer.from(await response.arrayBuffer());
  assert.equal(bytes.subarray(0, 4).toString('latin1'), 'PK\x03\x04');
  const text = inflateRawSync(bytes.subarray(30 + bytes.readUInt16LE(26))).toString();
  assert.match(text, /^Job ID: /);
});

test('the older address without "service" starts a job too', async () => {
  await using started = await startedTenant({ systems });
  const job = await started.fetch(start.replace('/service', ''), { method: 'POST', headers });
  assert.equal(job.status, 200);
});

test('a job of an unknown source and a log of an unknown job are not found', async () => {
  await using started = await startedTenant({ systems });
  const job = await started.fetch(start.replace(sourceId, 'other'), { method: 'POST', headers });
  assert.equal(job.status, 404);
  const log = '/ips/service/publicapi/v1/jobLogs/none?action=export&logType=commonLog';
  assert.equal((await started.fetch(log, { headers })).status, 404);
});

for (const [what, body] of [
  ['an id', '{"id":"7"}'],
  ['a SCIM resource', '{"id":"7","userName":"jane"}'],
])
  test(`a notice with ${what} is taken with 202`, async () => {
    await using started = await startedTenant({ systems });
    const path = `/ipsproxy/service/api/v1/systems/${sourceId}/entities/user`;
    assert.equal((await started.fetch(path, { method: 'POST', headers, body: body ?? '' })).status, 202);
  });
