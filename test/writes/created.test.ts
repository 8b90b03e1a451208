/** Whose account a create has made is in the trail as a pseudonym, however its answer was come by. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import type { Reply } from '../../src/scim/call.ts';
import { understand, type Operation } from '../../src/scim/operation.ts';
import { noQuery } from '../../src/scim/target.ts';
import { createdBy } from '../../src/writes/created.ts';
import { gatehouse } from '../support/command.ts';
import type { TestGateway } from '../support/gateway.ts';
import { anna, openStage } from './stage.ts';

/** The calls that a search by these values finds: of each its kind and what its caller was told. */
async function callsAbout({ auditDirectory }: TestGateway, ...values: string[]): Promise<string[]> {
  const key = join(auditDirectory, '../keys/periods.key');
  const wanted = values.flatMap((value) => ['--value', value]);
  const { stdout } = await gatehouse(
    'audit',
    'search',
    auditDirectory,
    ...wanted,
    '--key',
    key,
    '--joined',
    '--json',
  );
  const calls = stdout.split('\n').filter(Boolean);
  return calls.map((line) => {
    const { records } = JSON.parse(line) as {
      readonly records: readonly {
        readonly event: string;
        readonly op?: { readonly kind: string };
        readonly outcome?: { readonly http?: number };
      }[];
    };
    const end = records.find(({ outcome }) => outcome?.http !== undefined);
    const steps = records.map(({ event }) => event).filter((event) => /^(?:upstream|request)/.test(event));
    return `${end?.op?.kind} ${end?.outcome?.http} of ${steps.length}`;
  });
}

test('who created an account or a group is found by its id, whole, beside who deleted it', async () => {
  await using stage = await openStage();
  const { gateway } = stage;
  for (const [path, body] of [
    ['/Users', anna],
    ['/Groups', { schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'], displayName: 'staff' }],
  ] as const) {
    const { id } = (await (await gateway.call('POST', path, body)).json()) as { readonly id: string };
    await gateway.call('DELETE', `${path}/${id}`);
    assert.deepEqual(await callsAbout(gateway, id), ['create 201 of 3', 'delete 204 of 3'], path);
  }
  assert.deepEqual(await callsAbout(gateway, 'anna'), ['create 201 of 3']);
  const group = await gateway.call('POST', '/Groups', { schemas: [], displayName: 'guests' });
  const { id } = (await group.json()) as { readonly id: string };
  assert.deepEqual(await callsAbout(gateway, 'anna', id), ['create 201 of 3', 'create 201 of 3']);
});

test('a create whose answer was lost, and each repeat of it, is found by the id that was created', async () => {
  await using stage = await openStage();
  const { gateway, tenant } = stage;
  tenant.fateOf = () => 'reset';
  const created = await gateway.call('POST', '/Users', anna, { 'idempotency-key': '"once"' });
  assert.equal(created.status, 201);
  const again = await gateway.call('POST', '/Users', anna, { 'idempotency-key': '"once"' });
  const { id } = (await again.json()) as { readonly id: string };
  const ends = (await gateway.records()).filter(({ event }) => event === 'request.outcome');
  assert.deepEqual(
    ends.map(({ reconciled, repeat, created: ids }) => [reconciled, repeat, (ids as unknown[]).length]),
    [
      ['found', undefined, 1],
      [undefined, 'replayed', 1],
    ],
  );
  assert.equal((await callsAbout(gateway, id)).length, 2);
});

test('no id stands in clear, and a create that was refused names none', async () => {
  await using stage = await openStage();
  const { gateway } = stage;
  const { id } = (await (await gateway.call('POST', '/Users', anna)).json()) as { readonly id: string };
  assert.equal((await gateway.call('POST', '/Users', { ...anna, title: 'other' })).status, 409);
  const records = await gateway.records();
  assert.ok(!JSON.stringify(records).includes(id));
  const named = records.filter(({ created }) => created !== undefined);
  assert.deepEqual(
    named.map(({ outcome }) => outcome?.http),
    [201],
  );
});

const system = { id: 'S1', tenant: 'acme', kind: 'scim', resourceTypes: ['Users', 'Groups'] } as const;
const posting = (type: string): Operation =>
  understand(
    'POST',
    { segments: ['ipsproxy', 'service', 'api', 'v1', 'scim', 'S1', type], query: noQuery },
    () => system,
    'acme',
  );
const answered = (status: number, body: unknown, headers: Reply['headers'] = {}): Reply => ({
  status,
  headers,
  body: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
});

test('where the answer has no resource, its address tells the id', () => {
  const users = posting('Users');
  const base = 'https://acme.example.com/ipsproxy/service/api/v1/scim/S1';
  const at = (location: string): string[] => createdBy(users, answered(201, undefined, { location }));
  assert.deepEqual(at(`${base}/Users/a%20b`), ['a b']);
  assert.deepEqual(at('/Users/4711/?x=1'), ['4711']);
  assert.deepEqual(at(`${base}/Users`), []);
  assert.deepEqual(at('/Users/%ff'), []);
  assert.deepEqual(createdBy(users, answered(201, { ID: '4711' }, { location: '/Users/1' })), ['4711']);
  assert.deepEqual(createdBy(users, answered(409, { id: '4711' })), []);
});

test('a bulk answer names what each of its creates has made', () => {
  const bulk: Operation = {
    ...posting('Users'),
    kind: 'bulk',
    parts: [posting('Users'), posting('Users'), posting('Groups')],
  };
  const items = [
    { method: 'POST', bulkId: 'a', status: '201', location: 'https://acme.example.com/scim/Users/1' },
    { method: 'POST', bulkId: 'b', status: '409', location: '/Users/2' },
    { method: 'DELETE', status: '204', location: '/Users/3' },
    { method: 'POST', bulkId: 'c', status: 201, response: { id: '4' } },
  ];
  assert.deepEqual(createdBy(bulk, answered(200, { Operations: items })), ['1', '4']);
  assert.deepEqual(createdBy(bulk, answered(200, { Operations: 'none' })), []);
});
