import assert from 'node:assert/strict';
import { test } from 'node:test';

import { checkBody, restrictQuery, withoutDenied } from '../../src/auth/attributes.ts';
import { deniedAttributes, type Caller, type ProxyGrant } from '../../src/auth/caller.ts';
import { unfoldBulk } from '../../src/scim/bulk.ts';
import { understand, type Operation, type SystemFacts } from '../../src/scim/operation.ts';
import { noQuery, Query } from '../../src/scim/target.ts';

const system: SystemFacts = { id: 'acme', tenant: 'eu', kind: 'scim', resourceTypes: ['Users', 'Groups'] };
const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

const grant = (denied: string, changes: Partial<ProxyGrant> = {}): ProxyGrant => ({
  systems: '*',
  resourceTypes: '*',
  effects: new Set(['read', 'write']),
  deniedAttributes: new Set(denied.split(' ').filter(Boolean)),
  ...changes,
});
const callerWith = (...proxy: ProxyGrant[]): Caller => ({ name: 'idm', tenant: 'eu', proxy });
const caller = callerWith(grant('emails costcenter password'));
const free = callerWith(grant(''));

function ask(method: string, path: string, query: Readonly<Record<string, string>> = {}): Operation {
  const parameters = Object.entries(query).map(([name, value]) => ({
    name,
    value,
    encoded: `${name}=${encodeURIComponent(value)}`,
  }));
  const segments = ['ipsproxy', 'service', 'api', 'v1', 'scim', 'acme', ...path.split('/').filter(Boolean)];
  const target = { segments, query: parameters.length > 0 ? new Query(parameters) : noQuery };
  return understand(method, target, () => system, 'eu');
}

const sensitive = { kind: 'sensitive', status: 403, scimType: 'sensitive' };
const forbidden = { kind: 'forbidden-attribute', status: 403 };

const refusedQueries: readonly (readonly [name: string, value: string])[] = [
  ['filter', 'emails eq "x"'],
  ['filter', 'EMAILS.value co "x"'],
  ['filter', 'emails[type eq "work"]'],
  ['filter', 'userName eq "x" and not (emails pr)'],
  ['filter', 'urn:ietf:params:scim:schemas:core:2.0:User:emails eq "x"'],
  ['filter', `${enterprise}:costCenter eq "1"`],
  ['filter', 'userName eq "\\" or emails eq "x" and userName eq "\\"'],
  ['filter', 'userName eq "x\\"y" or emails eq "z\\"w"'],
  ['filter', `userName eq 'x"y' or emails eq 'z"w'`],
  ['filter', 'userName eq "x" or emails eq "y'],
  ['Filter', 'emails eq "x"'],
  ['sortBy', 'emails.value'],
];

for (const [name, value] of refusedQueries)
  test(`${name}=${value} is refused as sensitive, and allowed to whom nothing is denied`, () => {
    const operation = ask('GET', 'Users', { [name]: value });
    assert.throws(() => restrictQuery(caller, operation), sensitive);
    assert.equal(restrictQuery(free, operation), operation);
  });

for (const value of ['password eq "x"', 'pa\u017f\u017fword eq "x"', 'PASSWORD sw "x"'])
  test(`nobody may filter by ${value} (row 38)`, () => {
    assert.throws(() => restrictQuery(free, ask('GET', 'Users', { filter: value })), sensitive);
  });

test('a value that looks like a denied name is a value', () => {
  const operation = ask('GET', 'Users', { filter: 'userName eq "emails" and title eq "password"' });
  assert.equal(restrictQuery(caller, operation), operation);
});

const lists: readonly (readonly [asked: string, up: string])[] = [
  ['userName,emails,active', 'userName,active'],
  ['userName, emails.value', 'userName'],
  [`${enterprise}:costCenter,id`, 'id'],
  ['emails', 'id'],
  ['userName,password', 'userName'],
];

for (const [asked, up] of lists)
  test(`attributes=${asked} goes up as ${up} (row 39)`, () => {
    const operation = ask('GET', 'Users', { attributes: asked, count: '5' });
    const { query, path } = restrictQuery(caller, operation);
    assert.equal(query.get('attributes'), up);
    assert.equal(query.canonical, `attributes=${up}&count=5`);
    assert.equal(path, operation.path);
  });

test('attributes=password goes up as id for everybody (row 39)', () => {
  assert.equal(
    restrictQuery(free, ask('GET', 'Users', { attributes: 'password' })).query.canonical,
    'attributes=id',
  );
});

const patch = (...Operations: object[]): object => ({ Operations });
const bodies: readonly (readonly [
  what: string,
  method: string,
  path: string,
  body: object,
  denied: boolean,
])[] = [
  ['a user with a denied attribute', 'POST', 'Users', { userName: 'x', Emails: [] }, true],
  ['a user with one in its extension', 'POST', 'Users', { [enterprise]: { costcenter: '1' } }, true],
  ['a user with one by its whole name', 'POST', 'Users', { [`${enterprise}:costCenter`]: '1' }, true],
  ['a user without', 'POST', 'Users', { userName: 'emails', name: { familyName: 'x' } }, false],
  ['a replacement, which would clear it', 'PUT', 'Users/1', { userName: 'x' }, true],
  [
    'a patch by path',
    'PATCH',
    'Users/1',
    patch({ op: 'replace', path: 'emails[type eq "work"].value', value: 'x' }),
    true,
  ],
  ['a patch that removes', 'PATCH', 'Users/1', patch({ op: 'remove', path: 'emails' }), true],
  ['a patch without path (row 78)', 'PATCH', 'Users/1', patch({ op: 'add', value: { password: 'x' } }), true],
  [
    'a patch with an empty path',
    'PATCH',
    'Users/1',
    patch({ op: 'add', path: '', value: { emails: [] } }),
    true,
  ],
  [
    'a patch of an extension',
    'PATCH',
    'Users/1',
    patch({ op: 'add', path: enterprise, value: { costCenter: '1' } }),
    true,
  ],
  [
    'a second change of a patch',
    'PATCH',
    'Users/1',
    patch({ op: 'add', path: 'title' }, { Path: 'emails' }),
    true,
  ],
  [
    'a patch of something else',
    'PATCH',
    'Users/1',
    patch({ op: 'add', path: 'title', value: 'emails' }),
    false,
  ],
  ['a patch whose list is none', 'PATCH', 'Users/1', { operations: { path: 'emails' } }, true],
];

for (const [what, method, path, body, denied] of bodies)
  test(`${what} is ${denied ? 'refused' : 'let through'}`, () => {
    const check = (who: Caller): void => checkBody(who, ask(method, path), Buffer.from(JSON.stringify(body)));
    if (denied) assert.throws(() => check(caller), forbidden);
    else check(caller);
    check(free);
  });

test('a replacement is allowed where the password alone is denied, because nobody can read it back', () => {
  const body = Buffer.from('{"userName":"x"}');
  checkBody(callerWith(grant('password')), ask('PUT', 'Users/1'), body);
});

test('each part of a bulk request is held against what is denied for it', () => {
  const usersOnly = callerWith(
    grant('', { resourceTypes: new Set(['Groups']) }),
    grant('emails', { resourceTypes: new Set(['Users']) }),
  );
  const bulk = (...Operations: object[]): void => {
    const body = Buffer.from(JSON.stringify({ Operations }));
    checkBody(usersOnly, unfoldBulk(ask('POST', 'Bulk'), body, system), body);
  };
  bulk(
    { method: 'POST', path: '/Groups', data: { emails: [] } },
    { method: 'POST', path: '/Users', data: {} },
  );
  const last = { method: 'POST', path: '/Users', data: { emails: [] } };
  assert.throws(() => bulk({ method: 'DELETE', path: '/Groups/1' }, last), forbidden);
});

test('a search in a body is refused like one in the query', () => {
  const check = (who: Caller, body: object): void =>
    checkBody(who, ask('POST', 'Users/.search'), Buffer.from(JSON.stringify(body)));
  assert.throws(() => check(caller, { filter: 'emails pr' }), sensitive);
  assert.throws(() => check(caller, { SORTBY: 'emails' }), sensitive);
  assert.throws(() => check(free, { filter: 'password pr' }), sensitive);
  check(caller, { filter: 'userName eq "emails"', attributes: ['emails'] });
});

const told = (who: Caller, operation: Operation, content: string, status = 200): string =>
  withoutDenied(who, operation, { status, headers: {}, body: Buffer.from(content) }).body.toString();

test('what is denied is not told: in a resource, in a list, in an extension', () => {
  const user = `{"id":"1","emails":[{"value":"x"}],"name":{"emails":"part"},"${enterprise}":{"costCenter":"1","manager":{}}}`;
  const less = `{"id":"1","name":{"emails":"part"},"${enterprise}":{"manager":{}}}`;
  assert.equal(told(caller, ask('GET', 'Users/1'), user), less);
  assert.equal(told(caller, ask('PATCH', 'Users/1'), user), less);
  assert.equal(
    told(caller, ask('GET', 'Users'), `{"totalResults":1,"Resources":[${user}]}`),
    `{"totalResults":1,"Resources":[${less}]}`,
  );
  assert.equal(told(free, ask('GET', 'Users/1'), user), user);
});

test('a reply keeps the digits of its numbers, and whoever may see all gets its very bytes', () => {
  const reply = '{ "n": 12345678901234567890.10, "emails": 1 }';
  assert.equal(told(caller, ask('GET', 'Users/1'), reply), '{"n":12345678901234567890.10}');
  assert.equal(told(free, ask('GET', 'Users/1'), reply), reply);
});

test('refusals and schemas are told as they are', () => {
  const text = '{"emails":1}';
  assert.equal(told(caller, ask('GET', 'Users/1'), text, 404), text);
  assert.equal(told(caller, ask('GET', 'Schemas'), text), text);
});

test('grants add up: an attribute is denied when none extends to it', () => {
  const reader = grant('emails title', { effects: new Set(['read']) });
  const denied = (...grants: ProxyGrant[]): string[] => [
    ...deniedAttributes(callerWith(...grants), 'acme', 'Users', 'read'),
  ];
  assert.deepEqual(denied(reader), ['emails', 'title']);
  assert.deepEqual(denied(reader, grant('title phone')), ['title']);
  assert.deepEqual(denied(reader, grant('')), []);
  assert.deepEqual(denied(reader, grant('', { systems: new Set(['other']) })), ['emails', 'title']);
});
