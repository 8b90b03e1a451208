/**
 * A whole conversation with a SCIM 2.0 service provider, in the order of RFC 7644 §3 and §4, from an empty directory on.
 * Ids are known beforehand, so every step stands for itself.
 */
import { schemas } from '../../src/scim/message.ts';
import type { Step } from './scim-client.ts';
import { idOf } from './service-provider.ts';

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const u = (number: number): string => idOf('User', number);
const g = (number: number): string => idOf('Group', number);
const user = (userName: string, more: object = {}): object => ({
  schemas: [schemas.user],
  userName,
  name: { givenName: userName.slice(0, 1).toUpperCase(), familyName: 'Example' },
  emails: [{ value: `${userName}@example.com`, type: 'work', primary: true }],
  active: true,
  ...more,
});
const group = (displayName: string, ...members: string[]): object => ({
  schemas: [schemas.group],
  displayName,
  members: members.map((value) => ({ value })),
});
const patch = (...Operations: object[]): object => ({ schemas: [schemas.patchOp], Operations });
const bulk = (...Operations: object[]): object => ({ schemas: [schemas.bulkRequest], Operations });
const query = (parameters: Record<string, string>): string =>
  `?${new URLSearchParams(parameters).toString()}`;
const filter = (text: string): string => query({ filter: text });
const search = { schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'] };

type Row = readonly [
  title: string,
  method: string,
  path: string,
  body?: unknown,
  more?: Partial<Pick<Step, 'headers' | 'ownWords'>>,
];

const rows: readonly Row[] = [
  ['the service provider describes itself', 'GET', '/ServiceProviderConfig'],
  ['the resource types are listed', 'GET', '/ResourceTypes'],
  ['one resource type is described', 'GET', '/ResourceTypes/User'],
  ['an unknown resource type is not found', 'GET', '/ResourceTypes/Toaster'],
  ['the schemas are listed', 'GET', '/Schemas'],
  ['the core schema is found by its URN', 'GET', `/Schemas/${schemas.user}`],
  ['an extension is found by its URN', 'GET', `/Schemas/${enterprise}`],
  ['discovery cannot be filtered', 'GET', `/Schemas${filter('id pr')}`],
  ['an empty list has no resources', 'GET', '/Users'],
  ['a user is created', 'POST', '/Users', user('alice')],
  ['a name that is taken is a conflict', 'POST', '/Users', user('alice')],
  [
    'a user with an extension and a manager is created',
    'POST',
    '/Users',
    user('bob', {
      schemas: [schemas.user, enterprise],
      [enterprise]: { employeeNumber: '4711', department: 'Öl & Gas', manager: { value: u(1) } },
    }),
  ],
  ['a user without a name is refused', 'POST', '/Users', { schemas: [schemas.user] }],
  ['a value of a wrong type is refused', 'POST', '/Users', { ...user('x'), active: 'perhaps' }],
  [
    'a user is created from plain JSON',
    'POST',
    '/Users/',
    user('carol', { title: '日本' }),
    { headers: { 'content-type': 'application/json' } },
  ],
  [
    'attributes of the answer to a creation are chosen',
    'POST',
    '/Users?attributes=userName',
    user('dave', { active: false }),
  ],
  ['broken JSON is refused', 'POST', '/Users', '{"userName":', { ownWords: true }],
  ['a user is read', 'GET', `/Users/${u(1)}`],
  ['a user is read with a slash at the end', 'GET', `/Users/${u(1)}/`],
  ['a user is read by a lower-case endpoint', 'GET', `/users/${u(1)}`],
  ['an unknown user is not found', 'GET', '/Users/nobody'],
  ['an unknown endpoint is not found', 'GET', '/Toasters', undefined, { ownWords: true }],
  [
    'a known version is not sent again',
    'GET',
    `/Users/${u(1)}`,
    undefined,
    { headers: { 'if-none-match': 'W/"1"' } },
  ],
  [
    'one of several known versions is not sent again',
    'GET',
    `/Users/${u(1)}`,
    undefined,
    { headers: { 'if-none-match': '"a,b", "1"' } },
  ],
  ['another version is sent', 'GET', `/Users/${u(1)}`, undefined, { headers: { 'if-none-match': 'W/"9"' } }],
  ['any version is known', 'GET', `/Users/${u(1)}`, undefined, { headers: { 'if-none-match': '*' } }],
  ['attributes are chosen', 'GET', `/Users/${u(2)}?attributes=userName,name.familyName`],
  ['attributes are left out', 'GET', `/Users/${u(2)}?excludedAttributes=emails,${enterprise}`],
  ['attributes are chosen by a value path', 'GET', '/Users?attributes=emails%5Btype+eq+%22work%22%5D'],
  ['all users are listed', 'GET', '/Users'],
  ['users are listed with a slash before the query', 'GET', '/Users/?count=1'],
  ['users are listed by a lower-case endpoint', 'GET', '/users'],
  ...[
    'userName eq "bob"',
    'UserName Eq "bob"',
    'userName eq "nobody"',
    'userName ne "bob"',
    'userName co "o"',
    'userName sw "c"',
    'emails.value ew "example.com"',
    'title pr',
    'not (title pr)',
    'active eq true and (userName sw "a" or userName sw "b")',
    'emails[type eq "work" and value co "@"]',
    'meta.lastModified gt "2026-01-01T00:00:02Z"',
    `${enterprise}:employeeNumber eq "4711"`,
    `${enterprise}:department eq "Öl & Gas"`,
    'title eq "日本"',
    'userName eq "a+b%20c"',
    String.raw`userName eq "a\"b"`,
    'userName eq',
    'userName zz "bob"',
    '',
  ].map((text): Row => [`users are filtered by ${text || 'nothing'}`, 'GET', `/Users${filter(text)}`]),
  [
    'users are filtered as the URL Standard writes it',
    'GET',
    String.raw`/Users?filter=title%20pr%20or%20title%20eq%20"{[|^\\\"]}"`,
  ],
  ['users are sorted', 'GET', '/Users?sortBy=userName&sortOrder=descending'],
  ['users are sorted by a part', 'GET', '/Users?sortBy=name.givenName'],
  ['the first page is read', 'GET', '/Users?startIndex=1&count=2'],
  ['the second page is read', 'GET', '/Users?startIndex=3&count=2'],
  ['a page beyond the end is empty', 'GET', '/Users?startIndex=100&count=2'],
  ['no resources but their number are read', 'GET', '/Users?count=0'],
  ['a start before the first is the first', 'GET', '/Users?startIndex=-1&count=1'],
  ['a count that is no number is refused', 'GET', '/Users?count=many'],
  ['a user is replaced', 'PUT', `/Users/${u(1)}`, user('alice', { nickName: 'Ally' })],
  ['what was replaced is read', 'GET', `/Users/${u(1)}`],
  [
    'an old version is not replaced',
    'PUT',
    `/Users/${u(1)}`,
    user('alice'),
    { headers: { 'if-match': 'W/"1"' } },
  ],
  [
    'the present version is replaced',
    'PUT',
    `/Users/${u(1)}`,
    user('alice', { nickName: 'Al' }),
    { headers: { 'if-match': 'W/"2"' } },
  ],
  ['an unknown user is not replaced', 'PUT', '/Users/nobody', user('nobody')],
  [
    'an attribute is added',
    'PATCH',
    `/Users/${u(1)}`,
    patch({ op: 'add', path: 'title', value: 'Engineer' }),
  ],
  ['what was added is read', 'GET', `/Users/${u(1)}`],
  [
    'attributes are added without a path',
    'PATCH',
    `/Users/${u(1)}`,
    patch({ op: 'add', value: { displayName: 'Alice', locale: 'de-DE' } }),
  ],
  [
    'an attribute is replaced',
    'PATCH',
    `/Users/${u(1)}`,
    patch({ op: 'Replace', path: 'name.familyName', value: 'O’Hara' }),
  ],
  [
    'a value is replaced by its path',
    'PATCH',
    `/Users/${u(1)}`,
    patch({ op: 'replace', path: 'emails[type eq "work"].value', value: 'a@example.org' }),
  ],
  [
    'a manager is set by a path with a URN',
    'PATCH',
    `/Users/${u(3)}`,
    patch({ op: 'add', path: `${enterprise}:manager`, value: { value: u(2) } }),
  ],
  ['an attribute is removed', 'PATCH', `/Users/${u(1)}`, patch({ op: 'remove', path: 'title' })],
  [
    'nothing changes, so there is nothing to say',
    'PATCH',
    `/Users/${u(1)}`,
    patch({ op: 'remove', path: 'title' }),
  ],
  ['an unknown operation is refused', 'PATCH', `/Users/${u(1)}`, patch({ op: 'swap', path: 'title' })],
  ['a removal without a path is refused', 'PATCH', `/Users/${u(1)}`, patch({ op: 'remove' })],
  [
    'a patch of an unknown user is not found',
    'PATCH',
    '/Users/nobody',
    patch({ op: 'remove', path: 'title' }),
  ],
  ['the patched user is read', 'GET', `/Users/${u(1)}`],
  ['a group with a member is created', 'POST', '/Groups', group('Crew', u(1))],
  ['the member knows its group', 'GET', `/Users/${u(1)}`],
  ['groups are filtered by a member', 'GET', `/Groups${filter(`members.value eq "${u(1)}"`)}`],
  ['all groups are listed', 'GET', '/Groups'],
  ['all groups are listed without members', 'GET', '/Groups?excludedAttributes=members'],
];

const writesOfGroups = (crew: string): readonly Row[] => [
  ['a group is read', 'GET', `/Groups/${crew}`],
  [
    'a member is added',
    'PATCH',
    `/Groups/${crew}`,
    patch({ op: 'add', path: 'members', value: [{ value: u(2) }, { value: u(3) }] }),
  ],
  ['the new member knows its group', 'GET', `/Users/${u(2)}`],
  [
    'a member is removed',
    'PATCH',
    `/Groups/${crew}`,
    patch({ op: 'remove', path: `members[value eq "${u(1)}"]` }),
  ],
  ['a former member has no group', 'GET', `/Users/${u(1)}`],
  ['a group is replaced', 'PUT', `/Groups/${crew}`, group('Staff', u(1), u(2))],
  ['the replaced group is read', 'GET', `/Groups/${crew}`],
  ['all members are removed', 'PATCH', `/Groups/${crew}`, patch({ op: 'remove', path: 'members' })],
  ['the empty group is read', 'GET', `/Groups/${crew}`],
  [
    'a bulk request creates a user and a group that contains it',
    'POST',
    '/Bulk',
    bulk(
      { method: 'POST', path: '/Users', bulkId: 'eve', data: user('eve') },
      {
        method: 'POST',
        path: '/Groups',
        bulkId: 'board',
        data: { ...group('Board'), members: [{ value: 'bulkId:eve' }] },
      },
      { method: 'PATCH', path: `/Users/${encodeURIComponent('nobody')}`, data: patch() },
    ),
  ],
  ['what the bulk request made is listed', 'GET', `/Users${filter('userName eq "eve"')}`],
  [
    'a bulk request ends at its first error',
    'POST',
    '/Bulk',
    {
      ...bulk(
        { method: 'POST', path: '/Users', bulkId: 'twin', data: user('alice') },
        { method: 'POST', path: '/Users', bulkId: 'never', data: user('never') },
      ),
      failOnErrors: 1,
    },
  ],
  ['a bulk request without operations is refused', 'POST', '/Bulk', bulk()],
  [
    'a bulk request with another schema is refused',
    'POST',
    '/Bulk',
    { ...bulk(), schemas: [schemas.patchOp] },
  ],
  ['users are searched', 'POST', '/Users/.search', { ...search, filter: 'userName sw "a"', count: 1 }],
  ['all types are searched', 'POST', '/.search', { ...search, filter: 'meta.version pr', sortBy: 'id' }],
  ['a search by a wrong filter is refused', 'POST', '/.search', { ...search, filter: 'userName zz' }],
  ['the caller itself is read', 'GET', '/Me'],
  ['the caller itself cannot be deleted', 'DELETE', '/Me'],
  [
    'another version is not deleted',
    'DELETE',
    `/Users/${u(2)}`,
    undefined,
    { headers: { 'if-match': 'W/"8"' } },
  ],
  ['a user is deleted', 'DELETE', `/Users/${u(2)}`],
  ['a deleted user is not found', 'GET', `/Users/${u(2)}`],
  ['a deleted user is not deleted again', 'DELETE', `/Users/${u(2)}`],
  ['a deleted user is not listed', 'GET', '/Users'],
  ['a group is deleted', 'DELETE', `/Groups/${crew}`],
  ['a deleted group is not found', 'GET', `/Groups/${crew}`],
];

export const conversation: readonly Step[] = [...rows, ...writesOfGroups(g(14))].map(
  ([title, method, path, body, more]) => ({
    title,
    method,
    path,
    ...(body !== undefined && { body }),
    ...more,
  }),
);
