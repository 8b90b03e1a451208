import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { checkJson, visitStrings } from '../../src/scim/json.ts';

const limits = { maxDepth: 32, maxTokens: 1_000_000 };
const bytes = (text: string | Buffer): Buffer => Buffer.from(text);

const accepted: readonly (readonly [title: string, text: string])[] = [
  ['an empty object', '{}'],
  ['an empty list', ' [ ] '],
  ['a lone string', '"x"'],
  ['nested empty containers', '{"a":{},"b":[[],{}]}'],
  ['white space of all four sorts', ' \t\r\n{ "a" \n:\t1\r, "b" : [ 1 , 2 ] } \n'],
  ['literals', '[true,false,null]'],
  ['numbers of every form', '[0,-0,1,-1,10.5,1e5,1E+5,2.25e-7,0.0]'],
  ['a number of twenty digits (row 73)', '{"n":12345678901234567890}'],
  ['a number beyond the double (row 73)', '{"n":1e400}'],
  ['every escape', String.raw`["\"\\\/\b\f\n\r\t\u00e4\uD83D\uDE00"]`],
  ['text beyond ASCII', '{"Müller":"😀 – é"}'],
  ['DEL and the line separators', '"\u007f\u2028\u2029"'],
  ['the same name in different objects', '[{"a":1},{"a":{"a":1}},{"b":{"a":1},"a":2}]'],
  ['the same value twice', '{"a":"b","b":"a"}'],
  ['names that begin like a forbidden one', '{"__proto":1,"constructors":1}'],
  ['a forbidden name as a value', '["__proto__",{"a":"constructor"}]'],
  ['an empty name', '{"":1,"a":{"":2}}'],
  ['names that differ in one byte in the middle', '{"abXcdef":1,"abYcdef":2}'],
  ['depth 32', '['.repeat(32) + ']'.repeat(32)],
];

for (const [title, text] of accepted)
  test(`JSON with ${title} is accepted`, () => {
    checkJson(bytes(text), limits);
    JSON.parse(text);
  });

const refused: readonly (readonly [title: string, text: string | Buffer])[] = [
  ['nothing', ''],
  ['white space only', ' \n'],
  ['a byte order mark (row 74)', '\ufeff{}'],
  ['UTF-16 (row 74)', Buffer.from('{"a":1}', 'utf16le')],
  ['bytes that are not UTF-8 (row 74)', Buffer.from([0x22, 0xc3, 0x28, 0x22])],
  ['a surrogate encoded in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
  ['a lone high surrogate (row 74)', String.raw`"\ud83d"`],
  ['a lone low surrogate (row 74)', String.raw`"\ude00"`],
  ['two high surrogates', String.raw`"\ud83d\ud83d"`],
  ['two low surrogates', String.raw`"\ude00\ude00"`],
  ['a high surrogate before another escape', String.raw`"\ud83d\n\ude00"`],
  ['a lone surrogate in a name', String.raw`{"\ud83d":1}`],
  ['a name twice (row 72)', '{"active":true,"active":false}'],
  ['a name twice in other case', '{"active":true,"ACTIVE":false}'],
  ['a name twice by an escape', String.raw`{"active":true,"\u0061ctive":false}`],
  ['a name twice around an inner object', '{"a":1,"b":{"a":2},"A":3}'],
  ['a name twice at depth', '[[{"x":{"y":1,"y":2}}]]'],
  ['an empty name twice', '{"":1,"":2}'],
  ['a name beyond ASCII twice', '{"Ü":1,"ü":2}'],
  ['__proto__ (row 71)', '{"__proto__":{"admin":true}}'],
  ['__proto__ by escapes', String.raw`{"\u005f_proto__":1}`],
  ['constructor.prototype (row 71)', '{"a":[{"constructor":{"prototype":1}}]}'],
  ['prototype', '{"prototype":1}'],
  ['depth 33 (row 70)', '['.repeat(33) + ']'.repeat(33)],
  ['depth 33 in objects', '{"a":'.repeat(33) + '1' + '}'.repeat(33)],
  ['NaN (row 73)', '{"n":NaN}'],
  ['Infinity', '[-Infinity]'],
  ['a leading zero', '[01]'],
  ['a leading plus', '[+1]'],
  ['a point without digits', '[1.]'],
  ['a point first', '[.5]'],
  ['an exponent without digits', '[1e]'],
  ['a lone minus', '[-]'],
  ['a hexadecimal number', '[0x10]'],
  ['a comma at the end of a list', '[1,]'],
  ['a comma at the end of an object', '{"a":1,}'],
  ['a comma first', '[,1]'],
  ['two values', '1 2'],
  ['something after the end', '{}x'],
  ['an open list', '[1'],
  ['an open object', '{"a":1'],
  ['an open string', '"abc'],
  ['an open escape', String.raw`"abc\u12`],
  ['a name without value', '{"a"}'],
  ['a colon without value', '{"a":}'],
  ['a name that is no string', '{a:1}'],
  ['wrong brackets', '[{]}'],
  ['a bracket too many', '[]]'],
  ['single quotes', "['a']"],
  ['a comment', '[1/*x*/]'],
  ['an unknown escape', String.raw`"\x41"`],
  ['a raw line feed in a string', '"a\nb"'],
  ['a raw NUL in a string', '"a\0b"'],
  ['a form feed as white space', '[\f1]'],
  ['a no-break space', '[\u00a01]'],
  ['half a literal', '[tru]'],
  ['a literal in capitals', '[True]'],
  ['a cut literal at the end', 'nul'],
];

for (const [title, text] of refused)
  test(`JSON with ${title} is refused`, () => {
    assert.throws(() => checkJson(bytes(text), limits), {
      kind: 'invalid-syntax',
      scimType: 'invalidSyntax',
    });
  });

test('more tokens than allowed are too large', () => {
  checkJson(bytes('[1,2,3]'), { maxDepth: 32, maxTokens: 7 });
  assert.throws(() => checkJson(bytes('[1,2,3]'), { maxDepth: 32, maxTokens: 6 }), {
    kind: 'too-large',
    status: 413,
  });
});

test('a million open brackets are refused at once and the process lives (row 70)', () => {
  const began = performance.now();
  assert.throws(() => checkJson(Buffer.alloc(1_000_000, '[')), { kind: 'invalid-syntax' });
  assert.ok(performance.now() - began < 200);
  assert.throws(
    () => checkJson(Buffer.alloc(1_000_000, '['), { maxDepth: 2_000_000, maxTokens: 2_000_000 }),
    {
      kind: 'invalid-syntax',
    },
  );
});

test('names made to share a slot of the name table cost no more than others', () => {
  const names = Array.from({ length: 100_000 }, (_, i) => `"a${String(i).padStart(8, '0')}aaa":1`);
  const began = performance.now();
  checkJson(bytes(`{${names.join(',')}}`), limits);
  assert.ok(performance.now() - began < 2000);
});

test('a refusal does not repeat what was sent', () => {
  assert.throws(
    () => checkJson(bytes('{"secret":"tell"x')),
    (error: Error) => !error.message.includes('tell') && error.cause === undefined,
  );
});

test('string values are told with their member, the member around it and their place', () => {
  const text = String.raw`{"META":{"location":"a","n":[1,"inner"]},"x":[[{"$ref":"b\/c"}]],"y":"ä","z":1}`;
  const told: unknown[] = [];
  visitStrings(bytes(text), (name, owner, depth, start, end) => {
    told.push([name, owner, depth, bytes(text).toString('utf8', start, end)]);
  });
  assert.deepEqual(told, [
    ['location', 'meta', 2, '"a"'],
    ['$ref', 'x', 4, String.raw`"b\/c"`],
    ['y', '', 1, '"ä"'],
  ]);
});

/** JSON text near the edge of validity: fragments of the grammar in any order, and cut or changed JSON. */
const fragments = fc.array(
  fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '"a"',
    '"A"',
    '\\',
    'u',
    '00e4',
    '\\ud800',
    '-',
    '0',
    '1',
    '.',
    'e',
    ' ',
    'true',
    'null',
    'ä',
    '\t',
    '\n',
    '\0',
    '"__proto__"',
  ),
  { maxLength: 30 },
);
const changed = fc
  .tuple(fc.json(), fc.nat(), fc.constantFrom('', '"', '\\', ',', '}', ']', '0', ' ', '\u00e4', '\u0000'))
  .map(([text, at, put]) => {
    const where = at % (text.length + 1);
    return text.slice(0, where) + put + text.slice(where + 1);
  });

function isParsed(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test('whatever the scanner accepts, JSON.parse accepts', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fragments.map((list) => list.join('')),
        changed,
        fc.json(),
      ),
      (text) => {
        let isGrammatical = true;
        try {
          visitStrings(bytes(text), () => {});
        } catch {
          isGrammatical = false;
        }
        // Without the rules of ours, the scanner and JSON.parse agree in both directions.
        assert.equal(isGrammatical, isParsed(text));
        try {
          checkJson(bytes(text), limits);
        } catch {
          return;
        }
        assert.ok(isParsed(text));
      },
    ),
    { numRuns: 5000 },
  );
});

const forbidden = /^(?:__proto__|constructor|prototype)$/i;

test('objects whose names differ to a SCIM reader are accepted whatever their values', () => {
  const name = fc.string({ unit: 'grapheme', maxLength: 12 });
  const objects = fc.uniqueArray(
    fc.tuple(
      name.filter((text) => !forbidden.test(text)),
      fc.integer(),
    ),
    {
      selector: ([key]) => key.toLowerCase(),
      maxLength: 60,
    },
  );
  fc.assert(
    fc.property(objects, (entries) => {
      checkJson(
        bytes(`{${entries.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`),
        limits,
      );
    }),
  );
});
