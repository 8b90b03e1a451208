/** Every function of the catalogue (facts: transformations 8.2) and the frame around functions (8.1). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { catalogue } from '../../src/transformation/catalogue.ts';
import { type Json, type JsonObject, textOf } from '../../src/transformation/json.ts';
import { EntityFailure } from '../../src/transformation/transformation.ts';
import { runMappings, throughFunctions, valueOf } from './support.ts';

type Row = readonly [value: Json, functions: JsonObject | readonly JsonObject[], result: Json];

const country = (outputFormat: string) => ({
  type: 'convertCountryCode',
  outputFormat,
  inputAttributes: ['country'],
  outputAttribute: 'country',
});
const region = (outputFormat: string) => ({
  type: 'convertCountryRegion',
  outputFormat,
  inputAttributes: ['region', 'country'],
  outputAttribute: 'region',
});
const date = (parameters: JsonObject) => ({ function: 'manipulateDate', ...parameters });
const milliseconds = 'Date(milliseconds)';

const texts: readonly Row[] = [
  [5, { type: 'toString' }, '5'],
  [true, { type: 'toString' }, 'true'],
];

const rows: Readonly<Record<string, readonly Row[]>> = {
  concatString: [
    ['jdoe', { function: 'concatString', prefix: 'ips_', suffix: 123 }, 'ips_jdoe123'],
    [7, { function: 'concatString', suffix: true }, '7true'],
    ['x', { function: 'concatString' }, 'x'],
  ],
  replaceString: [
    ['a.b.c', { function: 'replaceString', target: '.', replacement: '-' }, 'a-b-c'],
    ['a1', { function: 'replaceString', target: 1, replacement: 2 }, 'a2'],
    ['ab', { function: 'replaceString', target: 'b', replacement: '$&' }, 'a$&'],
  ],
  replaceFirstString: [
    ['1412-1413', { function: 'replaceFirstString', regex: '14\\d', replacement: 'X' }, 'X2-1413'],
    [
      'Doe, Ann',
      { function: 'replaceFirstString', regex: '(\\w+), (\\w+)', replacement: '$2 $1' },
      'Ann Doe',
    ],
    ['PRE_A_PRE_', { function: 'replaceFirstString', regex: 'PRE_', replacement: '' }, 'A_PRE_'],
    ['none', { function: 'replaceFirstString', regex: 'x', replacement: 'y' }, 'none'],
  ],
  replaceLastString: [
    ['1412-1413', { function: 'replaceLastString', regex: '14\\d', replacement: 'X' }, '1412-X3'],
  ],
  replaceAllString: [
    [
      'AP Clerks (EU)',
      { function: 'replaceAllString', regex: '[\\s\\p{Punct}]', replacement: '_' },
      'AP_Clerks__EU_',
    ],
    ['a1b2', { function: 'replaceAllString', regex: '\\d', replacement: 0 }, 'a0b0'],
    ['ab', { function: 'replaceAllString', regex: 'x*', replacement: '-' }, '-a-b-'],
    ['a', { function: 'replaceAllString', regex: 'a', replacement: '\\$1' }, '$1'],
  ],
  substring: [
    ['abcdefg', { function: 'substring', beginIndex: 3, endIndex: 5 }, 'de'],
    ['abcdefg', { function: 'substring', beginIndex: 3, endIndex: '5' }, 'de'],
    ['abcdefg', { function: 'substring', beginIndex: 3 }, 'defg'],
    ['abc', { function: 'substring', beginIndex: 3 }, ''],
  ],
  toUpperCaseString: [
    ['straße', { function: 'toUpperCaseString' }, 'STRASSE'],
    ['i', { function: 'toUpperCaseString', locale: 'tr_TR' }, 'İ'],
  ],
  toLowerCaseString: [
    ['DE', { function: 'toLowerCaseString', locale: 'en_EN' }, 'de'],
    ['I', { function: 'toLowerCaseString', locale: 'tr_TR' }, 'ı'],
  ],
  splitStringToArray: [
    ['a, b', { function: 'splitStringToArray', separator: ',' }, ['a', ' b']],
    ['a.b', { function: 'splitStringToArray', separator: '.' }, ['a', 'b']],
    ['a', { function: 'splitStringToArray', separator: ',' }, ['a']],
  ],
  toString: texts,
  encode: [
    ['JOHN*SMITH/Junior', { type: 'encode', algorithm: 'base32' }, 'JJHUQTRKKNGUSVCIF5FHK3TJN5ZA===='],
    ['jdoe', { type: 'encode', algorithm: 'base64', skipPadding: true }, 'amRvZQ'],
    ['jdoe', { type: 'encode', algorithm: 'base64' }, 'amRvZQ=='],
    [['A', 'BC'], { type: 'encode', algorithm: 'base32', skipPadding: true }, ['IE', 'IJBQ']],
    ['ü', { type: 'encode', algorithm: 'base64' }, 'w7w='],
  ],
  decode: [
    [
      'JJHUQTRKKNGUSVCIF5FHK3TJN5ZA',
      [{ type: 'decode', algorithm: 'base32', skipPadding: true }, { type: 'toString' }],
      'JOHN*SMITH/Junior',
    ],
    [
      'jjhuqtrkkngusvcif5fhk3tjn5za====',
      [{ type: 'decode', algorithm: 'base32' }, { type: 'toString' }],
      'JOHN*SMITH/Junior',
    ],
    ['amRvZQ', [{ type: 'decode', algorithm: 'base64' }, { type: 'toString' }], 'jdoe'],
    [
      ['IE', 'IJBQ'],
      [
        { type: 'decode', algorithm: 'base32', skipPadding: true },
        { type: 'toString', applyOnElements: true },
      ],
      ['A', 'BC'],
    ],
    ['IE', { type: 'decode', algorithm: 'base32', skipPadding: true }, 'QQ=='],
    [
      'IE',
      [
        { type: 'decode', algorithm: 'base32' },
        { type: 'encode', algorithm: 'base64', skipPadding: true },
      ],
      'QQ',
    ],
  ],
  compositeId: [
    ['johnsmith', { function: 'compositeId', separator: ':', subId: 'e0123456' }, 'johnsmith:e0123456'],
    ['johnsmith', { function: 'compositeId', subId: '$.in' }, 'johnsmith:johnsmith'],
  ],
  getMatchedRegexGroup: [
    [
      'CN=a,OU=b,OU=c',
      { function: 'getMatchedRegexGroup', regex: '(?i)cn=.*?,(.*?),OU=c', groupIndex: 1 },
      'OU=b',
    ],
    [
      'CN=a,OU=b,OU=c',
      { function: 'getMatchedRegexGroup', regex: '(?i)cn=.*?,(.*?),OU=c', groupIndex: '0' },
      'CN=a,OU=b,OU=c',
    ],
  ],
  matchRegex: [
    ['X_COMP', { function: 'matchRegex', regex: '.*_COMP' }, true],
    ['X_COMP_Y', { function: 'matchRegex', regex: '.*_COMP' }, false],
    [
      [{ p: 'X_COMP' }, { p: 'Y' }],
      { function: 'matchRegex', regex: '.*_COMP', applyOnAttribute: 'p', assignToAttribute: 'c' },
      [
        { p: 'X_COMP', c: true },
        { p: 'Y', c: false },
      ],
    ],
  ],
  elementAt: [
    [['a', 'b'], { function: 'elementAt', index: 0 }, 'a'],
    [['a', 'b'], { function: 'elementAt', index: '1' }, 'b'],
  ],
  putIfAbsent: [
    [
      [{ value: 'a' }, { value: 'b', type: 'home' }, { type: null }],
      { function: 'putIfAbsent', key: 'type', defaultValue: 'work' },
      [{ value: 'a', type: 'work' }, { value: 'b', type: 'home' }, { type: 'work' }],
    ],
    [
      { value: 'a' },
      { function: 'putIfAbsent', key: 'verified', defaultValue: true },
      { value: 'a', verified: true },
    ],
    [[], { function: 'putIfAbsent', key: 'type', defaultValue: 'work' }, []],
  ],
  putIfPresent: [
    [
      [{ type: 'other' }, { type: 'home' }, {}],
      {
        function: 'putIfPresent',
        key: 'type',
        defaultValue: 'work',
        condition: "(@.type NIN ['work', 'home'])",
      },
      [{ type: 'work' }, { type: 'home' }, {}],
    ],
  ],
  copyMapEntry: [
    [
      [{ roleName: 'R1' }, { other: 1 }],
      { function: 'copyMapEntry', sourceKey: 'roleName', targetKey: 'value' },
      [{ roleName: 'R1', value: 'R1' }, { other: 1 }],
    ],
  ],
  renameMapEntry: [
    [
      [{ roleName: 'R1' }],
      { function: 'renameMapEntry', sourceKey: 'roleName', targetKey: 'value' },
      [{ value: 'R1' }],
    ],
  ],
  resolveEntityIds: [['id', { function: 'resolveEntityIds' }, 'id']],
  manipulateDate: [
    ['2018-02-28 11:00:00.000', date({ targetDateFormat: 'MM/dd/yyyy' }), '02/28/2018'],
    ['2018-02-28 11:00:00.000', date({ targetDateFormat: 'MM/dd/yyyy', days: '3' }), '03/03/2018'],
    [
      '2018-02-28 11:00:00.000',
      date({ hours: '+2', minutes: -1, years: '', seconds: 1 }),
      '2018-02-28 12:59:01.000',
    ],
    ['2024-01-31', date({ sourceDateFormat: 'yyyy-MM-dd', months: 1 }), '2024-02-29'],
    [
      '2024-02-29',
      date({ sourceDateFormat: 'yyyy-MM-dd', years: '-1', targetDateFormat: "yyyy-MM-dd'T'HH:mm:ss'Z'" }),
      '2023-02-28T00:00:00Z',
    ],
    [
      'Date(1519809649123-0240)',
      date({ sourceDateFormat: milliseconds, targetDateFormat: 'yyyy-MM-dd HH:mm:ss.SSS Z' }),
      '2018-02-28 09:20:49.123 -0240',
    ],
    [
      '/Date(1519809649123)/',
      date({ sourceDateFormat: milliseconds, targetDateFormat: 'yyyy-MM-dd z' }),
      '2018-02-28 UTC',
    ],
    [
      '2018-02-28T11:00:00.1234567Z',
      date({ sourceDateFormat: "yyyy-MM-dd'T'HH:mm:ss.SSSSSSSX", targetDateFormat: 'SSSSSSSSS' }),
      '123456700',
    ],
    [1519809649123, date({ sourceDateFormat: milliseconds }), '2018-02-28 09:20:49.123'],
    [
      '28.02.18 1:05 PM',
      date({ sourceDateFormat: 'dd.MM.yy h:mm a', targetDateFormat: 'EEEE, d MMMM uuuu H:mm' }),
      'Wednesday, 28 February 2018 13:05',
    ],
    [
      '20180228110000',
      date({ sourceDateFormat: 'yyyyMMddHHmmss', targetDateFormat: "EEE dd-MMM-yyyy hh 'o''clock' a" }),
      "Wed 28-Feb-2018 11 o'clock AM",
    ],
    [
      '2018-02-28T11:00:00+02:00',
      date({ sourceDateFormat: "yyyy-MM-dd'T'HH:mm:ssXXX", targetDateFormat: 'D XXX xx OOOO' }),
      '59 +02:00 +0200 GMT+02:00',
    ],
  ],
  convertCountryCode: [
    [{ country: 'United States' }, country('alpha2'), { country: 'US' }],
    [{ country: 'us' }, country('alpha3'), { country: 'USA' }],
    [{ country: 'USA' }, country('numeric'), { country: '840' }],
    [{ country: '840' }, country('fullName'), { country: 'United States' }],
    [
      [{ country: 'Germany' }, { country: 'Atlantis' }, {}],
      country('alpha2'),
      [{ country: 'DE' }, { country: 'Atlantis' }, {}],
    ],
    [
      { issuingCountry: 'DE' },
      { ...country('fullName'), inputAttributes: 'issuingCountry' },
      { issuingCountry: 'DE', country: 'Germany' },
    ],
    [{ country: 'Korea, Republic of' }, country('alpha2'), { country: 'KR' }],
  ],
  convertCountryRegion: [
    [{ region: 'AL', country: 'US' }, region('alpha2'), { region: 'US-AL', country: 'US' }],
    [{ region: 'US-AL' }, region('fullName'), { region: 'Alabama' }],
    [
      { region: 'Alabama', country: 'United States' },
      region('alpha2'),
      { region: 'US-AL', country: 'United States' },
    ],
    [{ region: 'Thüringen', country: 'DE' }, region('alpha2'), { region: 'DE-TH', country: 'DE' }],
    [{ region: '13', country: 'JP' }, region('alpha2'), { region: 'JP-13', country: 'JP' }],
    [{ region: 'Nowhere', country: 'US' }, region('alpha2'), { region: 'Nowhere', country: 'US' }],
  ],
  convertLocaleCode: [
    ['DE', { function: 'convertLocaleCode', outputFormat: 'bcp47' }, 'de-DE'],
    ['de-DE', { function: 'convertLocaleCode', outputFormat: 'iso639' }, 'DE'],
    ['EN', { function: 'convertLocaleCode', outputFormat: 'bcp47' }, 'en-US'],
    ['EO', { function: 'convertLocaleCode', outputFormat: 'bcp47' }, 'en-US'],
    ['ia', { function: 'convertLocaleCode', outputFormat: 'iso639' }, 'EN'],
  ],
  convertTimezoneCode: [
    ['America/Phoenix', { type: 'convertTimezoneCode', outputFormat: 'sap' }, 'MSTNO'],
    ['AST', { type: 'convertTimezoneCode', outputFormat: 'iana' }, 'America/Halifax'],
    ['UTC+53', { type: 'convertTimezoneCode', outputFormat: 'iana' }, 'Asia/Colombo'],
    ['Asia/Anadyr', { type: 'convertTimezoneCode', outputFormat: 'sap' }, 'RUS12'],
    ['Mars/Base', { type: 'convertTimezoneCode', outputFormat: 'sap' }, 'CET'],
    ['MARS', { type: 'convertTimezoneCode', outputFormat: 'iana' }, 'Europe/Berlin'],
    [null, { type: 'convertTimezoneCode', outputFormat: 'iana' }, 'Europe/Berlin'],
  ],
};

describe('a function', () => {
  for (const [name, cases] of Object.entries(rows)) {
    for (const [value, functions, result] of cases) {
      it(`${name} makes ${JSON.stringify(result)} of ${JSON.stringify(value)}`, () => {
        assert.deepEqual(throughFunctions(value, [functions].flat()), result);
      });
    }
  }

  it('of the catalogue has a case here, each one of them', () => {
    assert.deepEqual(
      Object.keys(catalogue).filter((name) => name !== 'randomPassword' && !Object.hasOwn(rows, name)),
      [],
    );
  });

  it('gets a default value like any other, except null', () => {
    const mapping = { sourcePath: '$.missing', optional: true };
    const put = [{ function: 'putIfAbsent', key: 'type', defaultValue: 'work' }];
    assert.deepEqual(valueOf({ ...mapping, defaultValue: [{ a: 1 }, {}], functions: put }, {}), [
      { a: 1, type: 'work' },
      { type: 'work' },
    ]);
    assert.deepEqual(valueOf({ ...mapping, defaultValue: [], functions: put }, {}), []);
    assert.equal(
      valueOf({ ...mapping, defaultValue: null, functions: [{ function: 'elementAt', index: 0 }] }, {}),
      null,
    );
  });

  it('that finds nothing leaves the mapping as if its source were missing', () => {
    const group = { function: 'getMatchedRegexGroup', regex: '(a)b', groupIndex: 1 };
    const none = { sourcePath: '$.in', functions: [group] };
    assert.throws(() => valueOf(none, { in: 'x' }), EntityFailure);
    assert.equal(valueOf({ ...none, optional: true }, { in: 'x' }), undefined);
    assert.equal(valueOf({ ...none, defaultValue: '' }, { in: 'x' }), '');
    assert.equal(valueOf({ ...none, functions: [{ ...group, defaultValue: 'd' }] }, { in: 'x' }), 'd');
    const far = { function: 'elementAt', index: 2 };
    assert.equal(
      valueOf({ sourcePath: '$.in', optional: true, functions: [far] }, { in: [1, 2] }),
      undefined,
    );
  });

  const wrong: readonly Row[] = [
    [['a', 'b'], { function: 'toUpperCaseString' }, 'a list'],
    [null, { function: 'concatString', suffix: 'x' }, 'null'],
    [{ a: 1 }, { type: 'toString' }, 'an object'],
    ['a', { function: 'elementAt', index: 0 }, 'a string'],
    ['abc', { function: 'substring', beginIndex: 4 }, '3 characters'],
    ['abc', { function: 'substring', beginIndex: 0, endIndex: 9 }, '3 characters'],
    ['a1', { type: 'decode', algorithm: 'base32' }, 'not base32'],
    ['x', date({}), 'not a date'],
    ['2023-02-30', date({ sourceDateFormat: 'yyyy-MM-dd' }), 'not a date'],
    ['a', { function: 'replaceAllString', regex: 'a', replacement: '$1' }, 'group'],
    ['a', { function: 'compositeId', subId: '$.missing' }, 'no value'],
    ['a', { function: 'putIfAbsent', key: 'k', defaultValue: 1 }, 'not an object'],
  ];
  for (const [value, definition, reason] of wrong) {
    it(`fails the entity by its name when ${JSON.stringify(definition)} gets ${JSON.stringify(value)}`, () => {
      assert.throws(
        () => throughFunctions(value, [definition].flat()),
        (error) =>
          error instanceof EntityFailure &&
          new RegExp(`${Object(definition).function ?? Object(definition).type}: .*${reason as string}`).test(
            error.message,
          ),
      );
    });
  }
});

describe('the frame of a function', () => {
  const replace = { function: 'replaceString', target: 'SAP', replacement: 'T', applyOnElements: true };

  it('applies to an attribute of each element and assigns to another', () => {
    const value = [{ p: 'SAP_A' }, { p: 'SAP_B' }, { other: 1 }];
    assert.deepEqual(throughFunctions(value, [{ ...replace, applyOnAttribute: 'p' }]), [
      { p: 'T_A' },
      { p: 'T_B' },
      { other: 1 },
    ]);
    assert.deepEqual(
      throughFunctions(value, [{ ...replace, applyOnJsonAttribute: 'p', assignToAttribute: 'q' }]),
      [{ p: 'SAP_A', q: 'T_A' }, { p: 'SAP_B', q: 'T_B' }, { other: 1 }],
    );
  });

  it('hands bytes from one function to the next inside of elements too', () => {
    const decode = { type: 'decode', algorithm: 'base32', applyOnAttribute: 'id' };
    const text = { type: 'toString', applyOnElements: true, applyOnAttribute: 'id' };
    assert.deepEqual(throughFunctions([{ id: 'IE' }], [decode, text]), [{ id: 'A' }]);
    assert.deepEqual(throughFunctions([{ id: 'IE' }], [decode]), [{ id: 'QQ==' }]);
  });

  it('shows bytes to conditions as their text', () => {
    const functions = [
      { type: 'decode', algorithm: 'base32' },
      { function: 'concatString', suffix: '!', condition: "@ == 'A'" },
    ];
    assert.equal(throughFunctions('IE', functions), 'A!');
  });

  it('applies to an attribute of a single object', () => {
    assert.deepEqual(throughFunctions({ p: 'SAP_A' }, [{ ...replace, applyOnAttribute: 'p' }]), { p: 'T_A' });
  });

  it('applies to what was unwrapped as to an element', () => {
    assert.equal(throughFunctions('SAP', [replace]), 'T');
  });

  it('has a condition on the element, and lets the others pass', () => {
    const value = [
      { value: 'u', type: 'User' },
      { value: 'g', type: 'Group' },
    ];
    const functions = [
      {
        function: 'concatString',
        applyOnElements: true,
        applyOnAttribute: 'value',
        prefix: 'uid=',
        condition: "@.type != 'Group'",
      },
      {
        function: 'concatString',
        applyOnElements: true,
        applyOnAttribute: 'value',
        prefix: 'cn=',
        condition: "(@.type == 'Group') && ('a' != 'b')",
      },
    ];
    assert.deepEqual(throughFunctions(value, functions), [
      { value: 'uid=u', type: 'User' },
      { value: 'cn=g', type: 'Group' },
    ]);
  });

  it('has a condition on the value, also with a function and the input', () => {
    const cut = { function: 'replaceFirstString', regex: 'PRE_', replacement: '' };
    const properties = { p: 'PRE_' };
    const mandatory = { ...cut, condition: 'isAttributeWithMandatoryPrefix(@, p)' };
    assert.equal(throughFunctions('PRE_A', [mandatory], { properties }), 'A');
    assert.equal(throughFunctions('PRE_A', [mandatory]), 'PRE_A');
    assert.equal(throughFunctions('PRE_A', [{ ...cut, condition: '(@ =~ /PRE_.*/) && $.in' }]), 'A');
  });

  it('takes the values of variables into its texts', () => {
    const functions = [
      { type: 'concatString', suffix: '${id}' },
      { function: 'replaceFirstString', regex: '${id}', replacement: 'x' },
    ];
    assert.equal(throughFunctions('base/', functions, { variables: { id: '7f' } }), 'base/x');
    assert.equal(throughFunctions('base/', functions.slice(0, 1)), 'base/null');
  });

  it('fails the entity when a variable makes a parameter unreadable', () => {
    const variables = { v: '(' };
    const functions = [{ function: 'replaceFirstString', regex: '${v}', replacement: '' }];
    assert.throws(() => throughFunctions('a', functions, { variables }), EntityFailure);
    const sourcePath = '$.in[?(@ =~ /${v}/)]';
    assert.throws(() => valueOf({ sourcePath, optional: true }, { in: ['a'] }, { variables }), EntityFailure);
    const secret = { v: ' personal (' };
    assert.throws(
      () => valueOf({ constant: 1, condition: '$.${v}' }, {}, { variables: secret }),
      (error) => error instanceof EntityFailure && !error.message.includes('personal'),
    );
  });

  it('takes a path as the suffix, as a default does', () => {
    const input = { locale: 'EN', addresses: [{ type: 'work', country: 'US' }] };
    const functions = [
      { function: 'toLowerCaseString' },
      { function: 'concatString', suffix: '_' },
      { function: 'concatString', suffix: "$.addresses[?(@.type == 'work')].country" },
    ];
    assert.equal(valueOf({ sourcePath: '$.locale', functions }, input), 'en_US');
  });

  it('says in the trace what passed unchanged', () => {
    const functions = [{ function: 'concatString', suffix: 'x', condition: "@ == 'b'" }];
    const { trace } = runMappings([{ sourcePath: '$.in', targetPath: '$.out', functions }], { in: 'a' });
    assert.equal(trace[0]?.functions[0]?.note, 'its condition is not fulfilled');
  });

  it('keeps keys that JavaScript would take for its own', () => {
    const value = JSON.parse('[{"__proto__":"p"}]');
    const result = throughFunctions(value, [
      { function: 'copyMapEntry', sourceKey: '__proto__', targetKey: 'constructor' },
    ]);
    assert.equal(JSON.stringify(result), '[{"__proto__":"p","constructor":"p"}]');
  });
});

describe('resolveEntityIds', () => {
  const known: Record<string, string> = { 'user/a': '1', 'group/g': '2', 'user/a/S1/T1': '3' };
  const resolveId = ({
    id,
    entityType,
    sourceSystemName,
    targetSystemName,
  }: {
    id: string;
    entityType: string;
    sourceSystemName?: string | undefined;
    targetSystemName?: string | undefined;
  }) =>
    known[
      [entityType, id, sourceSystemName, targetSystemName].filter((part) => part !== undefined).join('/')
    ];

  it('resolves ids by entity type and system and drops what it does not know', () => {
    const resolve = (value: Json, parameters: JsonObject = {}) =>
      throughFunctions(value, [{ function: 'resolveEntityIds', ...parameters }], { resolveId });
    assert.deepEqual(resolve(['a', 'unknown']), ['1']);
    assert.deepEqual(resolve(['g'], { entityType: 'group' }), ['2']);
    assert.deepEqual(resolve(['a'], { sourceSystemName: 'S1', targetSystemName: 'T1' }), ['3']);
    assert.deepEqual(resolve([{ value: 'a', type: 'User' }]), [{ value: '1', type: 'User' }]);
  });

  it('skips an optional mapping whose only id is unknown', () => {
    const mapping = { sourcePath: '$.in', optional: true, functions: [{ function: 'resolveEntityIds' }] };
    assert.equal(valueOf(mapping, { in: 'unknown' }, { resolveId }), undefined);
  });
});

describe('randomPassword', () => {
  const definition = (parameters: JsonObject) => ({
    targetPath: '$.out',
    functions: [
      {
        function: 'randomPassword',
        passwordLength: 16,
        minimumNumberOfLowercaseLetters: 4,
        minimumNumberOfUppercaseLetters: 4,
        minimumNumberOfDigits: 4,
        minimumNumberOfSpecialSymbols: 4,
        ...parameters,
      },
    ],
  });

  it('has at least the wanted characters of each kind, each time others', () => {
    const passwords = Array.from({ length: 50 }, () =>
      textOf(valueOf(definition({ passwordLength: 20, specialSymbols: ',.<' }), {}) ?? null),
    );
    for (const password of passwords) {
      assert.equal(password.length, 20);
      for (const kind of [/[a-z]/g, /[A-Z]/g, /\d/g, /[,.<]/g])
        assert.ok((password.match(kind) ?? []).length >= 4);
    }
    assert.equal(new Set(passwords).size, 50);
  });

  it('takes nothing of a kind whose minimum is 0', () => {
    assert.match(
      textOf(valueOf(definition({ minimumNumberOfDigits: 0, minimumNumberOfSpecialSymbols: 0 }), {}) ?? null),
      /^[a-zA-Z]{16}$/,
    );
  });
});
