/** The two-step limit: pure arithmetic on a given clock, and once through HTTP with a short minute. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Limiter, type Admission } from '../../src/ips/limiter.ts';
import { basic, proxyId, sourceId, startedTenant } from './started-tenant.ts';

const small = { slowAt: 3, refuseAt: 5, minuteMs: 1000, delayMs: 40 };
const admitMany = (limiter: Limiter, times: number, now: number): Admission[] =>
  Array.from({ length: times }, () => limiter.admit(now));
const delayOf = (admission: Admission) => (admission.admitted ? admission.delayMs : 'refused');

test('calls beyond the first figure are slowed and beyond the second refused', () => {
  const admissions = admitMany(new Limiter(small), 7, 0);
  assert.deepEqual(admissions.map(delayOf), [0, 0, 0, 40, 40, 'refused', 'refused']);
});

test('refused calls do not prolong the minute', () => {
  const limiter = new Limiter(small);
  admitMany(limiter, 5, 0);
  admitMany(limiter, 50, 999);
  assert.equal(delayOf(limiter.admit(1000)), 0);
});

test('the minute slides: only calls older than it make room', () => {
  const limiter = new Limiter(small);
  admitMany(limiter, 2, 0);
  admitMany(limiter, 3, 600);
  assert.deepEqual(admitMany(limiter, 3, 1000).map(delayOf), [40, 40, 'refused']);
});

test('a proportional delay grows to the whole at the last admitted call', () => {
  const limiter = new Limiter({ ...small, slowedBy: 'proportional' });
  assert.deepEqual(admitMany(limiter, 5, 0).map(delayOf), [0, 0, 0, 20, 40]);
});

function refusal(retryAfter: boolean | number): Admission {
  const limiter = new Limiter({ ...small, minuteMs: 60_000, retryAfter });
  admitMany(limiter, 5, 0);
  return limiter.admit(20_000);
}

test('Retry-After tells when the oldest call leaves the minute, or what it is told to', () => {
  assert.deepEqual(refusal(true), { admitted: false, retryAfter: 40 });
  assert.deepEqual(refusal(60), { admitted: false, retryAfter: 60 });
  assert.deepEqual(refusal(false), { admitted: false });
});

test('proxy and real-time calls share the limit, and 429 is a SCIM error without Retry-After', async () => {
  await using started = await startedTenant({
    systems: [
      { id: proxyId, backend: { kind: 'directory', users: 1, groups: 0 } },
      { id: sourceId, role: 'source', backend: { kind: 'directory', users: 1, groups: 0 } },
    ],
    limiter: { slowAt: 1, refuseAt: 2, minuteMs: 60_000, delayMs: 1 },
  });
  await started.call('GET', '/Users');
  const notice = await started.fetch(`/ipsproxy/service/api/v1/systems/${sourceId}/entities/user`, {
    method: 'POST',
    headers: { authorization: basic, 'content-type': 'application/json' },
    body: '{"id":"1"}',
  });
  assert.equal(notice.status, 202);
  const refused = await started.call('GET', '/Users');
  assert.equal(refused.status, 429);
  assert.equal(refused.body['status'], 429);
  assert.equal(refused.headers.get('retry-after'), null);
  assert.equal(started.tenant.figures.slowed, 1);
});

test('with a penalty everything is refused for its time, though the minute has room again', () => {
  const limiter = new Limiter({ ...small, penaltyMs: 5000, retryAfter: true });
  admitMany(limiter, 6, 0);
  assert.deepEqual(limiter.admit(4000), { admitted: false, retryAfter: 1 });
  assert.equal(delayOf(limiter.admit(5000)), 0);
});
