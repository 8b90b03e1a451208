/** Every assumption about what SAP does not document can be switched, and the switch does something. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Assumptions } from '../../src/ips/assumptions.ts';
import { basic, patchOf, proxyId, sourceId, startedTenant, type Got } from './started-tenant.ts';

type Started = Awaited<ReturnType<typeof startedTenant>>;

const emails = [{ value: 'team@example.com' }];
const teamFilter = `/Users?filter=${encodeURIComponent('emails[0].value eq "team@example.com"')}`;
const json = { 'content-type': 'application/json' };
const systemPath = (id: string) => ({ path: `/ipsproxy/service/api/v1/scim/${id}/Users` });

async function twoOfATeam(started: Started): Promise<Got> {
  for (const userName of ['a', 'b']) await started.call('POST', '/Users', { userName, emails });
  return await started.call('GET', teamFilter);
}

const startJob = ({ fetch }: Started) =>
  fetch(`/ips/service/publicapi/v1/startJob/${sourceId}/jobs/READ`, {
    method: 'POST',
    headers: { authorization: basic },
  });

interface Row {
  readonly changes: Partial<Assumptions>;
  readonly call: (started: Started) => Promise<Got>;
  readonly gives: (got: Got) => unknown;
  /** With the documented default, then with the change. */
  readonly expected: readonly [unknown, unknown];
}

const status = (got: Got) => got.status;

const rows: readonly Row[] = [
  {
    changes: { countAbove100: 'refuse' },
    call: ({ call }) => call('GET', '/Users?count=101'),
    gives: status,
    expected: [200, 400],
  },
  {
    changes: { countZero: 'refuse' },
    call: ({ call }) => call('GET', '/Users?count=0'),
    gives: status,
    expected: [200, 400],
  },
  {
    changes: { unsupportedFilter: 'ignore' },
    call: ({ call }) => call('GET', `/Users?filter=${encodeURIComponent('userName pr')}`),
    gives: status,
    expected: [400, 200],
  },
  {
    changes: { tooMany: 'detail' },
    call: twoOfATeam,
    gives: ({ body }) => [body['scimType'], body.detail?.includes('tooMany')],
    expected: [
      ['tooMany', true],
      [undefined, true],
    ],
  },
  {
    changes: { unauthenticatedBody: 'empty' },
    call: ({ fetch }) => fetch(systemPath(proxyId).path),
    gives: ({ text }) => text === '',
    expected: [false, true],
  },
  {
    changes: { unknownSystem: 400 },
    call: ({ fetch }) => fetch(systemPath('unknown').path, { headers: { authorization: basic } }),
    gives: status,
    expected: [404, 400],
  },
  {
    changes: { disabledSystem: 400 },
    call: ({ fetch }) => fetch(systemPath('disabled').path, { headers: { authorization: basic } }),
    gives: status,
    expected: [404, 400],
  },
  {
    changes: { discovery: 'static' },
    call: ({ call }) => call('GET', '/ServiceProviderConfig'),
    gives: status,
    expected: [404, 200],
  },
  {
    changes: { bulk: 501 },
    call: ({ call }) => call('POST', '/Bulk', {}),
    gives: status,
    expected: [404, 501],
  },
  {
    changes: { etag: 'version' },
    call: ({ call }) => call('POST', '/Users', { userName: 'jane' }),
    gives: ({ headers, body }) => [
      headers.has('etag'),
      headers.get('etag') === (body.meta?.['version'] ?? null),
    ],
    expected: [
      [false, true],
      [true, true],
    ],
  },
  {
    changes: { mediaTypes: 'scim-only' },
    call: ({ call }) => call('POST', '/Users', { userName: 'jane' }, json),
    gives: status,
    expected: [201, 415],
  },
  {
    changes: { patchSpellings: 'rfc' },
    call: async ({ call }) => {
      const { body } = await call('POST', '/Users', { userName: 'jane' });
      return call('PATCH', `/Users/${body.id}`, patchOf({ op: 'Add', path: 'title', value: 'Dr.' }));
    },
    gives: status,
    expected: [204, 400],
  },
  {
    changes: { startJob: 'accepted' },
    call: startJob,
    gives: status,
    expected: [200, 202],
  },
  {
    changes: { startJobWhileRunning: 'queue' },
    call: async (started) => {
      // IPS repeats the read after a pause, and that keeps the first job running.
      const fault = { kind: 'backend-status', status: 429 } as const;
      started.tenant.faults.order([{ fault, path: sourceId, times: 1 }]);
      await startJob(started);
      return await startJob(started);
    },
    gives: status,
    expected: [409, 200],
  },
  {
    changes: { errorStatus: 'string' },
    call: ({ call }) => call('GET', '/Users/none'),
    gives: ({ body }) => body['status'],
    expected: [404, '404'],
  },
  {
    changes: { readConditionUnmet: 'empty' },
    call: ({ fetch, tenant }) => {
      const { id } = tenant.directory('picky').create('Users', { userName: 'x' });
      return fetch(`${systemPath('picky').path}/${String(id)}`, { headers: { authorization: basic } });
    },
    gives: ({ status: code, text }) => [code, text === '{}'],
    expected: [
      [404, false],
      [200, true],
    ],
  },
  {
    changes: { writeConditionUnmet: 'ignore' },
    call: ({ fetch }) => fetch(systemPath('picky').path, posted({ userName: 'x' })),
    gives: status,
    expected: [400, 204],
  },
  {
    changes: { mandatoryMissing: 500 },
    call: ({ fetch }) => fetch(systemPath('picky').path, posted({ userType: 'employee' })),
    gives: status,
    expected: [400, 500],
  },
  {
    changes: { brokenEntityInList: 'fail' },
    call: ({ fetch, tenant }) => {
      tenant.directory('picky').create('Users', { userName: 'x', userType: 'employee' });
      return fetch(systemPath('picky').path, { headers: { authorization: basic } });
    },
    gives: status,
    expected: [200, 400],
  },
];

const posted = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { ...json, authorization: basic },
  body: JSON.stringify(body),
});

const empty = { kind: 'directory', users: 0, groups: 0 } as const;
const picky = {
  user: {
    condition: "$.userType == 'employee'",
    mappings: [{ sourcePath: '$.nickName', targetPath: '$.nickName' }],
  },
};

const startWith = (assumptions: Partial<Assumptions>) =>
  startedTenant({
    systems: [
      { id: proxyId, backend: empty },
      { id: 'disabled', enabled: false, backend: empty },
      { id: 'picky', backend: empty, readTransformation: picky, writeTransformation: picky },
      { id: sourceId, role: 'source', backend: empty },
    ],
    assumptions,
    pause: () => sleep(200),
  });

for (const { changes, call, gives, expected } of rows)
  test(`the assumption ${JSON.stringify(changes)} changes the answer`, async () => {
    await using byDefault = await startWith({});
    await using changed = await startWith(changes);
    assert.deepEqual([gives(await call(byDefault)), gives(await call(changed))], expected);
  });

test('with versions a write that expects another one is refused', async () => {
  await using started = await startWith({ etag: 'version' });
  const { body, headers } = await started.call('POST', '/Users', { userName: 'jane' });
  const path = `/Users/${body.id}`;
  const current = { 'if-match': headers.get('etag') ?? '' };
  const patch = patchOf({ op: 'add', path: 'title', value: 'Dr.' });
  assert.equal((await started.call('PATCH', path, patch, current)).status, 204);
  assert.equal((await started.call('PATCH', path, patch, current)).status, 412);
  assert.equal((await started.call('DELETE', path, undefined, { 'if-match': '*' })).status, 204);
});
