/** A faulty transformation is reported with file, entity, mapping number, key and reason: all faults at once. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { describe as describeFault } from '../../src/transformation/fault.ts';
import type { Json, JsonObject } from '../../src/transformation/json.ts';
import { compile } from '../../src/transformation/transformation.ts';
import { faultsOf } from './support.ts';

function mappingFault(mapping: Json): string[] {
  return faultsOf({ user: { mappings: [mapping] } });
}

describe('all faults of a document', () => {
  it('are reported at once, each with its place', () => {
    const document = {
      user: {
        condition: '$.a ==',
        skipOperations: ['read'],
        mappings: [
          { sourcePath: '$.a[', targetPath: '$.a' },
          {
            sourcePath: '$.a',
            targetPath: '$.a',
            condition: "$.x = 'y'",
            functions: [{ function: 'nope' }, { function: 'elementAt' }],
          },
        ],
      },
      group: { mappings: {} },
    };
    assert.deepEqual(compile(document, 'f.json').faults.map(describeFault), [
      'f.json, user, condition: expected a path or a literal (texts need quotes) at position 7 (the end)',
      'f.json, user, skipOperations: must be a list of create, update, delete',
      'f.json, user, mapping 1, sourcePath: expected a name, an index, a slice, * or ?(…) in brackets at position 5 (the end)',
      "f.json, user, mapping 2, condition: unknown operator at position 5: = 'y'",
      'f.json, user, mapping 2, functions[0].function: unknown function nope',
      'f.json, user, mapping 2, functions[1].index: elementAt: index is required',
      'f.json, group, mappings: must be a list',
    ]);
  });

  it('keep a document from being run', () => {
    const { transformation } = compile({ user: { mappings: [{ sourcePath: '$[', targetPath: '$.a' }] } });
    assert.throws(() => transformation.run({ entity: 'user', operation: 'read', input: {} }), /mapping 1/);
  });
});

const documents: readonly (readonly [unknown, RegExp])[] = [
  ['{', /not JSON/],
  ['[]', /must be an object of entity types/],
  [[], /must be an object of entity types/],
  [null, /must be an object/],
  [{}, /no entity type/],
  [{ user: [] }, /an entity type must be an object/],
  [{ user: { mappings: [], map: 1 } }, /user\|\|map\|unknown key/],
  [{ user: { mappings: [], ignore: 'yes' } }, /ignore\|must be true or false/],
  [{ user: { mappings: [], scimEntityEndpoint: 1 } }, /scimEntityEndpoint\|must be a text/],
  [{ user: { mappings: [], condition: 1 } }, /condition\|a condition must be a text/],
  [{ user: {} }, /mappings\|must be a list/],
  [{ user: { mappings: [1] } }, /user\|1\|\|a mapping must be an object/],
];

describe('a document', () => {
  it('may begin with a byte order mark', () => {
    assert.deepEqual(faultsOf('\uFEFF{"user":{"mappings":[]}}'), []);
  });

  for (const [document, reason] of documents) {
    it(`is refused: ${JSON.stringify(document)}`, () => assert.match(faultsOf(document).join('\n'), reason));
  }
});

const mappings: readonly (readonly [JsonObject, RegExp])[] = [
  [{ sourcepath: '$.a', targetPath: '$.a' }, /sourcepath\|unknown key/],
  [{ sourcePath: '', targetPath: '$.a' }, /sourcePath\|the path is empty/],
  [{ sourcePath: 1, targetPath: '$.a' }, /sourcePath\|a path must be a text/],
  [{ sourcePath: '$.a b', targetPath: '$.a' }, /a name with blanks needs brackets/],
  [{ sourcePath: '$.', targetPath: '$.a' }, /expected a name/],
  [{ sourcePath: '$a', targetPath: '$.a' }, /expected \. or \[/],
  [{ sourcePath: "$['a", targetPath: '$.a' }, /not closed/],
  [{ sourcePath: '$.a[?(@.b ==)]', targetPath: '$.a' }, /sourcePath\|/],
  [{ sourcePath: '$.a.size2()', targetPath: '$.a' }, /unknown path function/],
  [{ sourcePath: '$.a', targetPath: '$.a.length()' }, /targetPath\|is not a path that can be written to/],
  [{ sourcePath: '$.a', targetPath: '@.a' }, /targetPath\|is not a path/],
  [{ sourcePath: '$.a', targetPath: '$.a', scope: 'createentity' }, /scope\|must be one of createEntity/],
  [{ sourcePath: '$.a', targetPath: '$.a', type: 'copy' }, /type\|must be one of set/],
  [{ sourcePath: '$.a', targetPath: '$.a', optional: 'maybe' }, /optional\|must be true or false/],
  [{ sourcePath: '$.a', targetVariable: 5 }, /targetVariable\|must be a text/],
  [{ variablePath: '$.a', targetPath: '$.a' }, /variablePath\|needs a sourceVariable/],
  [{ type: 'remove' }, /targetPath\|remove needs a targetPath/],
  [{ type: 'rename', targetPath: '$.a' }, /constant\|rename needs the new name/],
  [{ type: 'valueMapping', targetPath: '$.a' }, /sourcePaths\|must be a list of paths/],
  [
    {
      type: 'valueMapping',
      sourcePaths: ['$.a'],
      targetPath: '$.a',
      valueMappings: [{ key: ['a', 'b'], mappedValue: 1 }],
    },
    /entry 1 has 2 keys for 1 source paths/,
  ],
  [
    { type: 'valueMapping', sourcePaths: ['$.a'], targetPath: '$.a', valueMappings: [{ key: ['a'] }] },
    /entry 1 needs key and mappedValue/,
  ],
  [{ constant: 1, targetPath: '$.a', functions: {} }, /functions\|must be a list/],
  [
    { constant: 1, targetPath: '$.a', condition: 'isValidMail($.a)' },
    /condition\|unknown condition function isValidMail/,
  ],
  [{ constant: 1, targetPath: '$.a', condition: 'isValidEmail()' }, /isValidEmail\(\) takes 1/],
  [{ constant: 1, targetPath: '$.a', condition: '($.a' }, /expected \)/],
  [{ constant: 1, targetPath: '$.a', condition: '$.a EMPTY' }, /condition\|/],
  [{ constant: 1, targetPath: '$.a', condition: "$.a EMPTY 'x'" }, /EMPTY needs true or false/],
  [{ constant: 1, targetPath: '$.a', condition: "$.a == 'x' and $.b" }, /expected an operator or the end/],
  [{ constant: 1, targetPath: '$.a', condition: '$.a == b' }, /texts need quotes/],
  [{ constant: 1, targetPath: '$.a', condition: "$.a == 'x" }, /not closed/],
  [{ constant: 1, targetPath: '$.a', condition: '$.a =~ /(/' }, /unclosed group/],
  [{ constant: 1, targetPath: '$.a', condition: "'text'" }, /expected an operator/],
];

describe('a mapping', () => {
  for (const [mapping, reason] of mappings) {
    it(`is refused: ${JSON.stringify(mapping)}`, () =>
      assert.match(mappingFault(mapping).join('\n'), reason));
  }
});

const functions: readonly (readonly [Json, RegExp])[] = [
  [1, /a function must be an object/],
  [{}, /a function needs a name/],
  [{ function: 'elementAt', type: 'substring', index: 0 }, /needs one name/],
  [{ function: 'constructor' }, /unknown function constructor/],
  [{ function: 'elementAt', index: 'first' }, /functions\[0\]\.index\|elementAt: index must be an integer/],
  [{ function: 'elementAt', index: 0, indx: 1 }, /indx\|elementAt: unknown parameter/],
  [{ function: 'concatString', prefix: ['a'] }, /prefix must be a text/],
  [{ function: 'encode', algorithm: 'base16' }, /algorithm must be one of base32, base64/],
  [
    { function: 'replaceFirstString', regex: '(', replacement: '' },
    /functions\[0\]\.regex\|.*unclosed group/,
  ],
  [{ function: 'getMatchedRegexGroup', regex: '(a)', groupIndex: 2 }, /no group 2/],
  [{ function: 'manipulateDate', targetDateFormat: 'YYYY' }, /unknown pattern letter Y/],
  [{ function: 'manipulateDate', sourceDateFormat: 'yyyy[-MM]' }, /optional parts/],
  [{ function: 'toUpperCaseString', locale: '!' }, /locale is not a locale/],
  [{ function: 'toString', applyOnElements: 'yes' }, /applyOnElements must be true or false/],
  [{ function: 'toString', condition: '@ ==' }, /functions\[0\]\.condition/],
  [{ function: 'resolveEntityIds', entityType: 'role' }, /entityType must be one of user, group/],
  [
    {
      function: 'randomPassword',
      passwordLength: 3,
      minimumNumberOfLowercaseLetters: 2,
      minimumNumberOfUppercaseLetters: 2,
      minimumNumberOfDigits: 0,
      minimumNumberOfSpecialSymbols: 0,
    },
    /minima exceed/,
  ],
  [
    {
      function: 'randomPassword',
      passwordLength: 3,
      minimumNumberOfLowercaseLetters: 1,
      minimumNumberOfUppercaseLetters: 0,
      minimumNumberOfDigits: 0,
      minimumNumberOfSpecialSymbols: 0,
      specialSymbols: '!',
    },
    /at least 1/,
  ],
];

describe('a function', () => {
  for (const [definition, reason] of functions) {
    it(`is refused: ${JSON.stringify(definition)}`, () => {
      assert.match(
        mappingFault({ constant: 'x', targetPath: '$.a', functions: [definition] }).join('\n'),
        reason,
      );
    });
  }
});

describe('what is understood but has no effect', () => {
  it('is remarked, not refused', () => {
    const mappings = [
      { sourcePath: '$.a' },
      { targetPath: '$.groups', type: 'set' },
      { sourcePath: '$.a', targetPath: '$.a', hashing: false },
    ];
    const { faults, remarks } = compile({ event: { mappings } }, 'f.json');
    assert.deepEqual(faults, []);
    assert.deepEqual(remarks.map(describeFault), [
      'f.json, event, mapping 1: has no target and so no effect',
      'f.json, event, mapping 2: has no source and so no effect',
      'f.json, event, mapping 3, hashing: is not documented and has no effect',
    ]);
  });
});
