/** What a look proves, and what it never claims. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Reply } from '../../src/scim/call.ts';
import { understand, type Operation, type SystemFacts } from '../../src/scim/operation.ts';
import { noQuery } from '../../src/scim/target.ts';
import { lookAfter, type Finding } from '../../src/writes/look.ts';

const system: SystemFacts = { id: 's1', tenant: 't', kind: 'ips', resourceTypes: ['Users', 'Groups'] };
/** The tenant's clock is an hour ahead of ours. */
const aheadMs = 3_600_000;
const times = {
  isContested: false,
  sentAt: Date.UTC(2026, 5, 1, 12),
  lookedAt: Date.UTC(2026, 5, 1, 12, 0, 10),
};

function operationOf(method: string, ...below: string[]): Operation {
  const segments = ['ipsproxy', 'api', 'v1', 'scim', 's1', ...below];
  return understand(method, { segments, query: noQuery }, () => system, 't');
}

/** By the tenant's clock, in seconds from when the write went up. */
const at = (seconds: number): string => new Date(times.sentAt + aheadMs + seconds * 1000).toISOString();

function replyWith(status: number, body: unknown): Reply {
  const headers = { date: new Date(times.lookedAt + aheadMs).toUTCString() };
  return { status, headers, body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) };
}

function judge(method: string, below: readonly string[], sent: unknown, reply: Reply): Finding | undefined {
  const body = sent === undefined ? undefined : Buffer.from(JSON.stringify(sent));
  return lookAfter(operationOf(method, ...below), body, system)?.judge(reply, times);
}

const list = (...Resources: object[]): object => ({ totalResults: Resources.length, Resources });
const anna = {
  schemas: ['urn:x'],
  userName: 'Anna',
  title: 'Dr.',
  password: 'secret',
  emails: [{ value: 'A@x.org' }],
};
const found = { id: '7', userName: 'anna', title: 'Dr.', emails: [{ value: 'a@x.org', primary: true }] };
const created = (seconds: number, more: object = {}): object => ({
  ...found,
  meta: { created: at(seconds) },
  ...more,
});

const creates: readonly (readonly [what: string, expected: string, sent: object, told: Reply])[] = [
  ['made since, and as sent', 'found', anna, replyWith(200, list(created(3)))],
  [
    'made since, with what the provider dropped',
    'found',
    anna,
    replyWith(200, list(created(3, { title: undefined }))),
  ],
  ['made since, but otherwise', 'undecided', anna, replyWith(200, list(created(3, { title: 'Prof.' })))],
  [
    'made since, with one of two addresses',
    'undecided',
    { ...anna, emails: [{ value: 'a@x.org' }, { value: 'b@x.org' }] },
    replyWith(200, list(created(3))),
  ],
  ['made long before', 'foreign', anna, replyWith(200, list(created(-120)))],
  ['made just before', 'undecided', anna, replyWith(200, list(created(-20)))],
  ['as sent, but nobody knows when it was made', 'undecided', anna, replyWith(200, list(found))],
  [
    'without a date, but under the caller’s own name',
    'found',
    { userName: 'anna', externalId: 'E1' },
    replyWith(200, list({ ...found, externalId: 'E1' })),
  ],
  [
    'without a date, and something is not there',
    'undecided',
    { userName: 'anna', externalId: 'E1', nickName: 'A' },
    replyWith(200, list({ ...found, externalId: 'E1' })),
  ],
  ['nobody', 'absent', anna, replyWith(200, list())],
  ['nobody, without the list', 'absent', anna, replyWith(200, { totalResults: 0 })],
  ['two of that name', 'undecided', anna, replyWith(200, list(created(3), created(3)))],
  [
    'somebody else, because the filter is overlooked',
    'undecided',
    anna,
    replyWith(200, list({ id: '1', userName: 'bert' })),
  ],
  ['a refusal', 'undecided', anna, replyWith(400, { status: 400 })],
];

for (const [what, expected, sent, told] of creates)
  test(`a create for which a look finds: ${what}, is ${expected}`, () => {
    assert.equal(judge('POST', ['Users'], sent, told)?.result, expected);
  });

test('a create that was made just now is not claimed where another of that name has gone through us lately', () => {
  const look = lookAfter(operationOf('POST', 'Users'), Buffer.from(JSON.stringify(anna)), system);
  const results = [1, 3].map(
    (seconds) => look?.judge(replyWith(200, list(created(seconds))), { ...times, isContested: true }).result,
  );
  assert.deepEqual(results, ['undecided', 'found']);
});

test('a create that is found is told as the tenant would have: 201, Location, digits and all', () => {
  const text = `{"totalResults":1,"Resources":[{"id":"7","userName":"anna","size":12345678901234567890,"meta":{"created":"${at(1)}","location":"/Users/7","version":"W/\\"1\\""}}]}`;
  const finding = judge('POST', ['Users'], { userName: 'anna' }, replyWith(200, text));
  assert.ok(finding && 'reply' in finding);
  const { status, headers, body } = finding.reply;
  assert.deepEqual([status, headers['location'], headers['etag']], [201, '/Users/7', 'W/"1"']);
  assert.match(body.toString(), /^\{"id":"7","userName":"anna","size":12345678901234567890,/);
});

test('a create without a name to find it by is not looked for', () => {
  assert.equal(judge('POST', ['Users'], { title: 'Dr.' }, replyWith(200, list())), undefined);
  assert.equal(judge('POST', ['Groups'], { userName: 'anna' }, replyWith(200, list())), undefined);
});

test('a name is asked for as a string of a filter, whatever is in it', () => {
  const body = Buffer.from(JSON.stringify({ displayName: 'a "b" or id pr' }));
  const look = lookAfter(operationOf('POST', 'Groups'), body, system);
  assert.equal(look?.operation.query.get('filter'), 'displayName eq "a \\"b\\" or id pr"');
});

const bert = { userName: 'bert', active: true };
const replaces: readonly (readonly [
  what: string,
  expected: string | undefined,
  sent: object,
  told: Reply,
])[] = [
  ['all as sent', 'found', bert, replyWith(200, { id: '7', ...bert, groups: [{ value: 'g' }] })],
  [
    'the case of a letter is another',
    'undecided',
    bert,
    replyWith(200, { id: '7', ...bert, userName: 'Bert' }),
  ],
  ['something is missing', 'undecided', bert, replyWith(200, { id: '7', userName: 'bert' })],
  ['more than was sent', 'undecided', bert, replyWith(200, { id: '7', ...bert, title: 'Dr.' })],
  [
    'more than was sent, changed since',
    'found',
    bert,
    replyWith(200, { id: '7', ...bert, title: 'Dr.', meta: { lastModified: at(2) } }),
  ],
  [
    'more than was sent, not changed since',
    'undecided',
    bert,
    replyWith(200, { id: '7', ...bert, title: 'Dr.', meta: { lastModified: at(-90) } }),
  ],
  [
    'a member too many',
    'undecided',
    { members: [{ value: 'a' }] },
    replyWith(200, { id: '7', members: [{ value: 'a' }, { value: 'b' }] }),
  ],
  [
    'members in another order and with names',
    'found',
    { members: [{ value: 'a' }, { value: 'b' }] },
    replyWith(200, {
      id: '7',
      members: [
        { value: 'b', display: 'B' },
        { value: 'a', $ref: 'x' },
      ],
    }),
  ],
  [
    'members where none were sent',
    'undecided',
    { members: [] },
    replyWith(200, { id: '7', members: [{ value: 'b' }] }),
  ],
  ['no such resource', 'undecided', bert, replyWith(404, {})],
  ['what nobody can read', undefined, { ...bert, password: 'x' }, replyWith(200, { id: '7', ...bert })],
];

for (const [what, expected, sent, told] of replaces)
  test(`a PUT for which a look finds: ${what}, is ${expected ?? 'not looked for'}`, () => {
    assert.equal(judge('PUT', ['Users', '7'], sent, told)?.result, expected);
  });

const op = (kind: string, path: string | undefined, value?: unknown): object => ({ op: kind, path, value });
const state = {
  id: '7',
  active: false,
  name: { familyName: 'B', givenName: 'A' },
  members: [{ value: 'a' }, { value: 'b' }],
  'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': { department: 'D1' },
};
const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const patches: readonly (readonly [what: string, expected: string | undefined, operations: object[]])[] = [
  ['a value that is there', 'found', [op('Replace', 'active', false)]],
  ['a value that is not there', 'undecided', [op('replace', 'active', true)]],
  ['a part of an attribute', 'found', [op('replace', 'name.familyName', 'B')]],
  [
    'two parts of an attribute',
    'found',
    [op('replace', 'name.familyName', 'B'), op('replace', 'name.givenName', 'A')],
  ],
  [
    'one part twice',
    undefined,
    [op('replace', 'name.familyName', 'A'), op('replace', 'name.familyName', 'B')],
  ],
  [
    'values without a path',
    'found',
    [op('replace', undefined, { active: false, [enterprise]: { department: 'D1' } })],
  ],
  ['an attribute of an extension', 'found', [op('replace', `${enterprise}:department`, 'D1')]],
  ['an added member', 'found', [op('add', 'members', [{ value: 'b' }])]],
  ['an added member that is not there', 'undecided', [op('add', 'members', [{ value: 'c' }])]],
  ['a member list of which one is there', 'undecided', [op('replace', 'members', [{ value: 'a' }])]],
  ['a removed member', 'found', [op('remove', 'members[value eq "c"]')]],
  ['a removed member that is still there', 'undecided', [op('remove', 'members[value eq "A"]')]],
  ['removed members as a value', 'found', [op('remove', 'members', [{ value: 'c' }])]],
  ['an attribute taken away', 'found', [op('remove', 'title')]],
  ['an attribute taken away that is there', 'undecided', [op('remove', 'active')]],
  [
    'one member added, another removed',
    undefined,
    [op('add', 'members', [{ value: 'b' }]), op('remove', 'members[value eq "c"]')],
  ],
  ['a value behind a filter', undefined, [op('replace', 'emails[type eq "work"].value', 'x')]],
  ['a password', undefined, [op('replace', 'password', 'x')]],
  [
    'a password of the user’s schema',
    undefined,
    [op('replace', 'urn:ietf:params:scim:schemas:core:2.0:User:password', 'x')],
  ],
  ['a password without a path', undefined, [op('replace', undefined, { password: 'x' })]],
  ['nothing', undefined, []],
];

for (const [what, expected, Operations] of patches)
  test(`a PATCH of ${what} is ${expected ?? 'not looked for'}`, () => {
    assert.equal(judge('PATCH', ['Users', '7'], { Operations }, replyWith(200, state))?.result, expected);
  });

test('a DELETE is proved by a 404 alone, and by a system that answers besides', () => {
  const look = lookAfter(operationOf('DELETE', 'Users', '7'), undefined, system);
  assert.equal(look?.alive?.path, '/Users');
  assert.deepEqual(
    [404, 200, 403].map((status) => look?.judge(replyWith(status, {}), times).result),
    ['found', 'undecided', 'undecided'],
  );
});

test('groups of 20,000 members are not compared each with each', () => {
  const members = Array.from({ length: 20_000 }, (_, at) => ({ value: `m${at}` }));
  const startedAt = performance.now();
  const told = replyWith(200, { id: '7', members: members.toReversed() });
  assert.equal(judge('PUT', ['Groups', '7'], { members }, told)?.result, 'found');
  assert.ok(performance.now() - startedAt < 5000);
});

test('a bulk request is not looked for', () => {
  const scim: SystemFacts = { ...system, kind: 'scim' };
  const segments = ['ipsproxy', 'api', 'v1', 'scim', 's1', 'Bulk'];
  const bulk = understand('POST', { segments, query: noQuery }, () => scim, 't');
  assert.equal(lookAfter(bulk, Buffer.from('{}'), scim), undefined);
});
