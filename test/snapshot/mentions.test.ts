/** What a write reaches beyond the resource that it is for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { touchesOf, type Operation } from '../../src/scim/operation.ts';
import { noQuery } from '../../src/scim/target.ts';
import { changesBy } from '../../src/snapshot/changes.ts';
import { MemorySlate } from '../../src/snapshot/memory-slate.ts';
import { areIds, namesIn, sampleReferences, saidIn } from '../../src/snapshot/mentions.ts';
import { Snapshots, type Kept } from '../../src/snapshot/snapshots.ts';
import { eventually } from '../support/eventually.ts';
import { Linked } from './linked.ts';

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const facts = { id: 'hr', tenant: 'acme', kind: 'ips', resourceTypes: ['Users', 'Groups'] } as const;

function write(kind: Operation['kind'], resourceType: string, id?: string): Operation {
  return {
    api: 'proxy',
    kind,
    effect: 'write',
    tenant: 'acme',
    system: 'hr',
    resourceType,
    ...(id !== undefined && { id }),
    query: noQuery,
    path: `/${resourceType}`,
    touches: touchesOf(facts, resourceType, id),
    priority: 1,
    parts: [],
  };
}

test('a body names members, groups and managers, whether it is a resource or a patch', () => {
  const resource = {
    displayName: 'x',
    emails: [{ value: 'e@example.com' }],
    members: [{ value: 'U1' }, { $ref: 'https://a/Users/u2' }],
  };
  assert.deepEqual(namesIn(json(resource)), ['u1', 'u2']);
  const patch = {
    Operations: [
      { op: 'add', path: 'members', value: [{ value: 'u3' }] },
      { op: 'remove', path: 'members[value eq "u4"]' },
      { op: 'replace', path: 'manager', value: 'u5' },
    ],
  };
  assert.deepEqual(namesIn(json(patch)), ['u3', 'u4', 'u5']);
  assert.deepEqual(namesIn(undefined), []);
});

test('a body that cannot be read, or names very many, may name anybody', () => {
  assert.equal(namesIn(Buffer.from('<x>')), undefined);
  assert.equal(
    namesIn(json({ members: Array.from({ length: 300 }, (_, at) => ({ value: `u${at}` })) })),
    undefined,
  );
});

test('a resource says what stands in it, and the ends of addresses', () => {
  const said = saidIn(json({ groups: [{ value: 'G1', $ref: '../Groups/G2' }] }));
  assert.ok(said.has('g1') && said.has('g2'));
});

test('mentions are ids when nearly all of them are known as such', () => {
  const references = sampleReferences([json({ groups: [{ value: 'g1' }, { value: 'g2' }] }), json({})]);
  assert.deepEqual(references, ['g1', 'g2']);
  assert.ok(areIds(references, new Set(['g1', 'g2', 'g3'])));
  assert.ok(!areIds(references, new Set(['g1'])));
  assert.ok(!areIds([], new Set(['g1'])));
});

test('a create that was refused changes nothing, and one without an answer may have made anybody', () => {
  const create = write('create', 'Users');
  const body = json({ userName: 'x' });
  const refusal = { status: 409, headers: {}, body: json({}) };
  assert.deepEqual(changesBy(create, { body, reply: refusal }, 'Users'), []);
  assert.equal(changesBy(create, { body, reply: undefined }, 'Users')[0]?.kind, 'all');
});

test('a membership that changes is in the next list of users and of groups, and nobody else is asked for', async () => {
  const directory = new Linked(40, 4);
  using snapshots = opened(directory);
  await eventually(async () => (await directory.shown(snapshots, 'Users')) !== undefined);
  await eventually(async () => (await directory.shown(snapshots, 'Groups')) !== undefined);
  directory.asked.length = 0;
  directory.join('g1', 'u7');
  const patch = write('patch', 'Groups', 'g1');
  snapshots.learn(patch, {
    body: json({ Operations: [{ op: 'add', path: 'members', value: [{ value: 'u7' }] }] }),
    reply: { status: 204, headers: {}, body: Buffer.alloc(0) },
  });
  await snapshots.changed(patch);
  assert.deepEqual(await directory.shown(snapshots, 'Users'), directory.users());
  assert.deepEqual(await directory.shown(snapshots, 'Groups'), directory.groups());
  assert.ok(directory.asked.length < 20, `${directory.asked.length} were asked for`);
  directory.removeGroup('g1');
  const remove = write('delete', 'Groups', 'g1');
  snapshots.learn(remove, { body: undefined, reply: { status: 204, headers: {}, body: Buffer.alloc(0) } });
  await snapshots.changed(remove);
  assert.deepEqual(await directory.shown(snapshots, 'Users'), directory.users());
  assert.deepEqual(await directory.shown(snapshots, 'Groups'), directory.groups());
});

test('where members are not mentioned by id, a write to a group ends the snapshot of users', async () => {
  const directory = new Linked(10, 2, (id) => `name of ${id}`);
  using snapshots = opened(directory);
  await eventually(async () => (await directory.shown(snapshots, 'Users')) !== undefined);
  const remove = write('delete', 'Groups', 'g1');
  snapshots.learn(remove, { body: undefined, reply: { status: 204, headers: {}, body: Buffer.alloc(0) } });
  await snapshots.changed(remove);
  assert.equal(await directory.shown(snapshots, 'Users'), undefined);
});

const answered = (status: number) => ({ status, headers: {}, body: Buffer.alloc(0) });

for (const [how, reply, kind] of [
  ['that the tenant has confirmed', answered(204), 'gone'],
  ['that the tenant has refused', answered(404), 'one'],
  ['without an answer', undefined, 'leaving'],
] as const)
  test(`a deletion ${how} leaves its user ${kind} on the board`, () => {
    const [fact] = changesBy(write('delete', 'Users', 'u1'), { body: undefined, reply }, 'Users');
    assert.deepEqual([fact?.kind, fact?.id], [kind, 'u1']);
  });

test('a deletion is on the board also where others beside it may have changed anybody', () => {
  const parts = [write('delete', 'Users', 'u1'), write('replace', 'Users', 'u2')];
  const bulk = { ...write('bulk', 'Users'), touches: [], parts };
  const told = (body: Buffer) =>
    changesBy(bulk, { body, reply: answered(200) }, 'Users').map(({ kind, id }) => [kind, id]);
  assert.deepEqual(told(json({ Operations: [] })), [
    ['leaving', 'u1'],
    ['one', 'u2'],
  ]);
  assert.ok(told(Buffer.from('?')).some(([kind, id]) => kind === 'leaving' && id === 'u1'));
});

function opened(directory: Linked): Snapshots {
  const snapshots = new Snapshots({
    slateOf: (_, name) => new MemorySlate(name),
    key: Buffer.alloc(32, 7),
    note: () => {},
  });
  const rules = {
    fullMs: 3_600_000,
    changesMs: 3_600_000,
    maxAgeMs: 3_600_000,
    maxBytes: 10_000_000,
    maxReplyBytes: 10_000_000,
  };
  const kept = (['Users', 'Groups'] as const).map((resourceType): Kept => ({
    ...directory.collection(resourceType),
    ...rules,
    source: directory.source(resourceType),
  }));
  snapshots.keepTo(kept, []);
  return snapshots;
}
