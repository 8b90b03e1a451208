/** Memberships of a caller that writes ids in lower case: the tenant gets the ids that it has given. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startGateway } from '../support/gateway.ts';
import { sendScim, startUpstream } from '../support/upstream.ts';

const page = {
  schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
  startIndex: 1,
  itemsPerPage: 1,
  totalResults: 1,
  Resources: [{ id: 'JJAU4RI', userName: 'JANE' }],
};
const permissions = [
  {
    permission: 'Access Proxy System API' as const,
    systems: 'all' as const,
    access: ['read', 'write'] as ('read' | 'write')[],
  },
];

test('members that were read are added and removed under the ids that they were read with', async () => {
  await using upstream = await startUpstream({
    answer: ({ method }, response) =>
      method === 'GET' ? sendScim(response, 200, page) : void response.writeHead(204).end(),
  });
  await using gateway = await startGateway({
    upstream: upstream.url,
    system: { cache: { enabled: false }, lostUpdates: 'off' },
    callers: { omada: { profile: 'omada', permissions } },
    config: { guard: { rules: [{ shrinking: { above: 'off' } }] } },
  });
  const authorization = gateway.logOn('omada');
  await gateway.call('GET', '/Users', undefined, { authorization });
  const Operations = [
    { op: 'add', path: 'members', value: [{ value: 'jjau4ri' }, { value: 'nobody' }] },
    { op: 'remove', path: 'members[value eq "jjau4ri"]' },
  ];
  const reply = await gateway.call('PATCH', '/Groups/g', { Operations }, { authorization });
  assert.equal(reply.status, 204);
  const sent = upstream.received.find(({ method }) => method === 'PATCH');
  assert.deepEqual(JSON.parse(sent?.body ?? ''), {
    Operations: [
      { op: 'add', path: 'members', value: [{ value: 'JJAU4RI' }, { value: 'nobody' }] },
      { op: 'remove', path: 'members[value eq "JJAU4RI"]' },
    ],
  });
  const record = (await gateway.records()).findLast(({ outcome }) => outcome?.http === 204);
  assert.deepEqual(record?.['repairs'], ['lower-case-ids']);
});
