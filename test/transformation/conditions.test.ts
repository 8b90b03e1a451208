/** Conditions: grammar, operators, the truth table of missing values (7.1.1) and SAP's functions (7.1.2). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { isFulfilled } from './support.ts';

const extension = 'urn:ietf:params:scim:schemas:extension:sap:2.0:Group';

const input = {
  t: 'text',
  n: 5,
  numeral: '5',
  yes: true,
  no: false,
  yesText: 'true',
  nothing: null,
  blank: '',
  none: [],
  hollow: {},
  list: ['a', 'b'],
  emails: [{ value: 'a@x.de', primary: true }],
  groups: [{ display: 'PRE_A' }, { display: 'B' }],
  start: '2020-01-01 00:00:00.000',
  slash: 'a/b',
  quote: "it's",
};

/** [holds, does not hold] for each group of rules. */
const rules: Record<string, readonly [readonly string[], readonly string[]]> = {
  'equality minds the kind of value, except for numbers as text': [
    [
      "$.t == 'text'",
      '$.t == "text"',
      '$.n == 5',
      '$.n == 5.0',
      "$.n == '5'",
      '$.numeral == 5',
      '$.yes == true',
      "$.yesText == 'true'",
      '$.nothing == null',
      '$.list == ["a","b"]',
      "$.list == ['a', 'b']",
      '$.none == []',
      '$.hollow == {}',
      "$.emails[0] == {'primary': true, 'value': 'a@x.de'}",
      "$.n=='5'&&$.t=='text'",
      '5 == $.n',
      'null == null',
      'true == true',
      '$.no != true',
      "$.t != 'other'",
      "'null' === 'null'",
      '$.quote == "it\'s"',
      "$.quote == 'it\\'s'",
    ],
    [
      "$.t == 'Text'",
      "$.yes == 'true'",
      '$.yesText == true',
      '$.n == 6',
      "$.list == ['b','a']",
      '$.none == {}',
      "$.t != 'text'",
      "'a' == 'b'",
      '$.nothing == false',
      "$.list == 'a'",
      '$.nothing != null',
    ],
  ],
  'strict equality separates numbers and texts': [
    ['$.n === 5', "$.n !== '5'", "$.t === 'text'", '$.t !== 5', '$.yes === true', '$.emails !== []'],
    ["$.n === '5'", '$.numeral === 5', "$.t !== 'text'"],
  ],
  'order is between numbers or between texts': [
    [
      '$.n > 4',
      '$.n >= 5',
      '$.n < 6',
      '$.n <= 5',
      "$.t > 'tex'",
      "$.start <= '2020-01-01 00:00:00.000'",
      '4<$.n',
    ],
    [
      '$.n > 5',
      "$.n > '4'",
      '$.numeral > 4',
      '$.yes > false',
      '$.list > 1',
      '$.nothing < 1',
      '$.none.length() > 0',
    ],
  ],
  'a regular expression has to match the whole text, or any element of a list': [
    [
      '$.t =~ /te.*/',
      '$.t =~ /TEXT/i',
      '/t.xt/ =~ $.t',
      '$.list =~ /b/',
      '$.n =~ /\\d/',
      '$.yes =~ /true/',
      '$.slash =~ /a\\/b/',
      '$.slash =~ /.\\/./ && $.yes',
      '$.nothing =~ /.*/',
      '$.groups[*].display =~ /PRE_.*/',
    ],
    ['$.t =~ /ex/', '$.t =~ /TEXT/', '$.list =~ /c/', '$.none =~ /.*/', '$.nothing =~ /.+/', "$.t =~ 'text'"],
  ],
  'lists are compared element by element': [
    [
      "$.t IN ['text', 'x']",
      '$.n IN [5]',
      "$.t NIN ['x']",
      "$.t nin ['x']",
      '"a" IN $.list',
      "$.list CONTAINS 'a'",
      "$.t contains 'ex'",
      '$.list SIZE 2',
      '$.t SIZE 4',
      '$.none size 0',
      "$.list ALL ['b']",
      "$.list SUBSETOF ['a','b','c']",
      "$.list ANYOF ['b','z']",
      "$.list NONEOF ['y','z']",
      '$.none SUBSETOF []',
      '$.t IN [text, x]',
    ],
    [
      "$.t IN ['x']",
      "$.t NIN ['text']",
      "$.list CONTAINS 'c'",
      '$.list SIZE 1',
      '$.n SIZE 1',
      "$.list ALL ['a','c']",
      "$.list SUBSETOF ['a']",
      "$.list ANYOF ['z']",
      "$.list NONEOF ['a']",
      "$.t ANYOF ['text']",
      "$.n CONTAINS '5'",
    ],
  ],
  'empty is what SAP calls so': [
    [
      '$.nothing EMPTY true',
      '$.blank EMPTY true',
      '$.none EMPTY true',
      '$.hollow EMPTY true',
      '$.t EMPTY false',
      '$.list empty false',
      '$.n EMPTY false',
      '$.emails[?(@.primary == false)] EMPTY true',
      '$.emails[?(@.primary == true)] empty false',
      '($.t EMPTY false)',
    ],
    ['$.nothing EMPTY false', '$.t EMPTY true', '$.none EMPTY false', '$.list EMPTY true'],
  ],
  'a missing value follows the truth table': [
    [
      "$.x != 'L'",
      '$.x != null',
      '$.x EMPTY true',
      "$.x NIN ['a']",
      '$.x =~ /.*/',
      "$.x[?(@.k=='v')] != []",
      "$.x[?(@.k=='v')] EMPTY true",
      '!$.x',
      "$.x !== 'a'",
      "$.t.deeper.still != 'L'",
    ],
    [
      "$.x == 'L'",
      '$.x == null',
      '$.x EMPTY false',
      "$.x IN ['a']",
      '$.x =~ /.+/',
      "$.x[?(@.k=='v')] == []",
      '$.x.length() > 0',
      '$.x.length() < 1',
      '$.x',
      '$.x > 1',
      "$.x CONTAINS 'a'",
      '$.x SIZE 0',
      '$.x == $.y',
      "$.x NONEOF ['a']",
    ],
  ],
  'a path alone asks for existence': [
    ['$.t', '$.nothing', '$.no', '!$.missing', '! $.missing', '$.emails[?(@.value)]', '!($.missing)'],
    ['$.missing', '!$.t', '$.t.missing', '$.emails[5]'],
  ],
  'and binds stronger than or, brackets stronger than both': [
    ['$.t || $.x && $.y', '($.x || $.t) && $.n', '!($.x || $.y)', '!$.x && !$.y', '$.x||$.t', '((($.t)))'],
    ['($.t || $.x) && $.y', '!($.t || $.x)', '$.x && $.t || $.y'],
  ],
  'the length of a path decides whether there is one': [
    ['$.emails.length() > 0', '$.emails[0].length() > 0', '$.emails.length() == 1', '$.t.length() == 4'],
    ['$.emails[1].length() > 0', '$.missing.length() > 0', '$.none.length() > 0'],
  ],
  'a literal alone is what a switch was replaced by': [
    ['true', 'TRUE', '!false'],
    ['false', 'null', 'null != null'],
  ],
};

describe('a condition', () => {
  for (const [rule, [fulfilled, unfulfilled]] of Object.entries(rules)) {
    describe(rule, () => {
      for (const condition of fulfilled) {
        it(`holds: ${condition}`, () => assert.equal(isFulfilled(condition, input), true));
      }
      for (const condition of unfulfilled) {
        it(`does not hold: ${condition}`, () => assert.equal(isFulfilled(condition, input), false));
      }
    });
  }

  it('takes ${variables} into texts, expressions and paths', () => {
    const variables = { v: 'text', key: 't', quoted: "it's" };
    assert.equal(isFulfilled("'${v}' == $.t", input, { variables }), true);
    assert.equal(isFulfilled('$.t =~ /${v}/', input, { variables }), true);
    assert.equal(isFulfilled("$.${key} == 'text'", input, { variables }), true);
    assert.equal(isFulfilled("$.quote == '${quoted}'", input, { variables }), true);
    assert.equal(isFulfilled("'${unset}' == 'null'", input, { variables }), true);
  });

  it('compares a missing list as an empty one only when asked to', () => {
    const missing = 'emptyList';
    assert.equal(isFulfilled("$.x[?(@.k=='v')] == []", input, { missing }), true);
    assert.equal(isFulfilled("$.x[?(@.k=='v')] != []", input, { missing }), false);
    assert.equal(isFulfilled("$.x == 'L'", input, { missing }), false);
    assert.equal(isFulfilled("$.x != 'L'", input, { missing }), true);
    assert.equal(isFulfilled('$.x == null', input, { missing }), false);
  });

  it('compares the current date as a text', () => {
    const now = new Date('2024-05-06T07:08:09.010Z');
    assert.equal(isFulfilled("$.start <= '${currentDate}'", input, { now }), true);
    assert.equal(isFulfilled("'${currentDate}' == '2024-05-06 07:08:09.010'", input, { now }), true);
    assert.equal(isFulfilled("$.start > '${currentDate}'", input, { now }), false);
  });
});

describe('isValidEmail', () => {
  const cases: Record<string, boolean> = {
    'a@x.de': true,
    "o'brien+x@mail.example.co.uk": true,
    'a.b.c@sub-domain.example.com': true,
    'a@x': false,
    'a@@x.de': false,
    '.a@x.de': false,
    'a.@x.de': false,
    'a b@x.de': false,
    'ä@x.de': false,
    'a@x.de ': false,
    'a@-x.de': false,
    '': false,
  };
  for (const [address, valid] of Object.entries(cases)) {
    it(`finds '${address}' ${valid ? 'valid' : 'invalid'}`, () => {
      assert.equal(isFulfilled('isValidEmail($.a)', { a: address }), valid);
    });
  }

  it('holds for a list only when it holds for each of at least one', () => {
    const every = (emails: readonly { readonly value: string }[]): boolean =>
      isFulfilled('isValidEmail($.emails[*].value)', { emails });
    assert.equal(every([{ value: 'a@x.de' }, { value: 'b@x.de' }]), true);
    assert.equal(every([{ value: 'a@x.de' }, { value: 'b' }]), false);
    assert.equal(every([]), false);
    assert.equal(isFulfilled('isValidEmail($.emails[0].value)', {}), false);
  });
});

describe('the functions on groups', () => {
  const group = (attributes: Record<string, string>) => ({ [extension]: attributes });

  it('isApplicationSpecificGroup compares with the property ips.application.id', () => {
    const properties = { 'ips.application.id': 'app' };
    const holds = (attributes: Record<string, string>, given = {}) =>
      isFulfilled('isApplicationSpecificGroup()', group(attributes), { properties: given });
    assert.equal(holds({ applicationId: 'app' }, properties), true);
    assert.equal(holds({ applicationId: 'other' }, properties), false);
    assert.equal(holds({ applicationId: 'app' }), false);
    assert.equal(holds({}, properties), false);
  });

  it('isRegularGroup holds unless both attributes are there', () => {
    const holds = (input: Record<string, Record<string, string>>) => isFulfilled('isRegularGroup()', input);
    assert.equal(holds({}), true);
    assert.equal(holds(group({ applicationId: 'a' })), true);
    assert.equal(holds(group({ applicationId: 'a', supportedOperations: 'x' })), false);
  });
});

describe('the functions on prefixes', () => {
  const table = [
    ['SAC_A', 'SAC_', true, true],
    ['HR_A', 'SAC_', false, false],
    [undefined, 'SAC_', true, false],
    ['SAC_A', undefined, true, false],
    [undefined, undefined, true, false],
  ] as const;
  for (const [displayName, prefix, optional, mandatory] of table) {
    it(`decide on ${displayName ?? 'no name'} with ${prefix ?? 'no property'}: ${optional}, ${mandatory}`, () => {
      const group = displayName === undefined ? {} : { displayName };
      const properties: Record<string, string> = prefix === undefined ? {} : { p: prefix };
      assert.equal(
        isFulfilled('isAttributeWithOptionalPrefix($.displayName, p)', group, { properties }),
        optional,
      );
      assert.equal(
        isFulfilled('isAttributeWithMandatoryPrefix($.displayName,p)', group, { properties }),
        mandatory,
      );
    });
  }

  it('work together as the defaults write them', () => {
    const condition =
      "isAttributeWithOptionalPrefix($.displayName, p.x) && isAttributeWithOptionalPrefix($['urn:sap:cloud:scim:schemas:extension:custom:2.0:Group']['name'], p.x) && (isRegularGroup() || isApplicationSpecificGroup())";
    assert.equal(isFulfilled(condition, { displayName: 'PRE_A' }, { properties: { 'p.x': 'PRE_' } }), true);
    assert.equal(isFulfilled(condition, { displayName: 'A' }, { properties: { 'p.x': 'PRE_' } }), false);
  });
});
