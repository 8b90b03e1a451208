/** The filter grammar of RFC 7644 §3.4.2.2 that backends understand, as a table. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { matches, parseFilter } from '../../src/ips/filter.ts';
import { BackendFailure } from '../../src/ips/refusal.ts';

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const jane = {
  id: 'Abc',
  userName: 'jane',
  active: true,
  loginCount: 7,
  name: { familyName: 'Müller' },
  title: '',
  emails: [
    { value: 'j@work', type: 'work' },
    { value: 'j@home', type: 'home' },
  ],
  meta: { lastModified: '2026-03-01T10:00:00.000Z' },
  [enterprise]: { department: 'Sales' },
};

const rows: readonly (readonly [filter: string, matches: boolean])[] = [
  ['userName eq "JANE"', true],
  ['USERNAME Eq "jane"', true],
  ['id eq "abc"', false],
  ['id eq "Abc"', true],
  ['userName ne "jane"', false],
  ['nickName ne "x"', true],
  ['name.familyName sw "mü"', true],
  ['name.familyName ew "ler"', true],
  ['name.familyName co "ll"', true],
  ['active eq true', true],
  ['active eq "true"', false],
  ['loginCount ge 7', true],
  ['loginCount gt 7', false],
  ['loginCount lt 8', true],
  ['loginCount le 6', false],
  ['title pr', false],
  ['emails pr', true],
  ['emails eq "j@home"', true],
  ['emails.value eq "j@home"', true],
  ['emails[type eq "work" and value co "home"]', false],
  ['emails[type eq "home" and value co "home"]', true],
  ['meta.lastModified gt "2026-02-01T00:00:00Z"', true],
  [`${enterprise}:department eq "sales"`, true],
  ['urn:ietf:params:scim:schemas:core:2.0:User:userName eq "jane"', true],
  ['userName eq "x" or userName eq "jane" and active eq false', false],
  ['(userName eq "x" or userName eq "jane") and active eq true', true],
  ['not (userName eq "x")', true],
  ['nickName eq null', false],
  ['userName eq "a\\"b"', false],
];

for (const [filter, expected] of rows)
  test(`${filter} ${expected ? 'matches' : 'does not match'}`, () => {
    assert.equal(matches(parseFilter(filter), jane), expected);
  });

for (const filter of [
  '',
  'userName',
  'userName eq',
  'userName is "x"',
  '(userName pr',
  'a pr b',
  'a eq {}',
  '"x" pr',
])
  test(`"${filter}" is no filter`, () => {
    assert.throws(() => parseFilter(filter), { status: 400 });
  });

test('whatever a filter says, it is answered or refused', () => {
  const part = fc.constantFrom(
    'userName',
    'emails',
    '[',
    ']',
    '(',
    ')',
    'and',
    'or',
    'not',
    'eq',
    'pr',
    '"a"',
    'true',
    '.',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(part, { maxLength: 12 }).map((parts) => parts.join(' ')),
        fc.string(),
      ),
      (text) => {
        try {
          assert.equal(typeof matches(parseFilter(text), jane), 'boolean');
        } catch (error) {
          assert.ok(error instanceof BackendFailure, String(error));
        }
      },
    ),
    { numRuns: 1000 },
  );
});
