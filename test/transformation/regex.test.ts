/** Our matcher of Java's regular expressions: against JavaScript where both agree, by tables where only Java has it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { SyntaxFault } from '../../src/transformation/cursor.ts';
import { Effort } from '../../src/transformation/effort.ts';
import { JavaRegex } from '../../src/transformation/regex.ts';

function find(source: string, text: string, flags = ''): readonly (string | undefined)[] | undefined {
  return new JavaRegex(source, flags).find(text, 0, new Effort())?.groups;
}

function matches(source: string, text: string, flags = ''): boolean {
  return new JavaRegex(source, flags).matches(text, new Effort()) !== undefined;
}

/** Patterns that mean the same in both languages. */
const atom = fc.constantFrom(
  'a',
  'b',
  '.',
  '[ab]',
  '[^a]',
  '\\w',
  '\\d',
  '(?:ab|a)',
  '(a|b)',
  '(ab?)',
  '(?=a)',
  '(?!b)',
  '^',
  '$',
  '\\b',
);
const quantified = fc
  .tuple(atom, fc.constantFrom('', '*', '+', '?', '*?', '+?', '??', '{2}', '{1,2}', '{1,}?'))
  .map(([part, quantifier]) => (/^(\(\?[=!]|\^|\$|\\b)/.test(part) ? part : part + quantifier));
const pattern = fc
  .array(
    fc.array(quantified, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('')),
    { minLength: 1, maxLength: 3 },
  )
  .map((branches) => branches.join('|'));

describe('the matcher', () => {
  it('finds what JavaScript finds, with the same groups, where both languages agree', () => {
    fc.assert(
      fc.property(
        pattern,
        fc.string({ unit: fc.constantFrom('a', 'b', 'c', '1'), maxLength: 12 }),
        (source, text) => {
          const expected = new RegExp(source).exec(text);
          const found = new JavaRegex(source).find(text, 0, new Effort());
          assert.equal(found?.start, expected?.index);
          assert.equal(found?.groups[0], expected?.[0]);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('replaces what JavaScript replaces', () => {
    fc.assert(
      fc.property(
        pattern,
        fc.string({ unit: fc.constantFrom('a', 'b', '1'), maxLength: 10 }),
        (source, text) => {
          assert.equal(
            new JavaRegex(source).replaceAll(text, '<$0>', new Effort()),
            text.replaceAll(new RegExp(source, 'g'), '<$&>'),
          );
        },
      ),
      { numRuns: 1000 },
    );
  });

  const found: readonly (readonly [
    source: string,
    text: string,
    groups: readonly (string | undefined)[] | undefined,
  ])[] = [
    ['(a|ab)(c|bcd)(d*)', 'abcd', ['abcd', 'a', 'bcd', '']],
    ['(?i)cn=(.*?),', 'CN=x,OU=y', ['CN=x,', 'x']],
    ['a(?i)b', 'aB', ['aB']],
    ['a(?i:b)c', 'aBC', undefined],
    ['(?i)ü', 'Ü', undefined],
    ['(?iu)ü', 'Ü', ['Ü']],
    ['(?-i)a', 'a', ['a']],
    ['a*+a', 'aaa', undefined],
    ['(?>a*)b', 'aab', ['aab']],
    ['(?<year>\\d{4})-\\k<year>', '2020-2020', ['2020-2020', '2020']],
    ['(a)(b)?\\1', 'aba', ['aba', 'a', 'b']],
    ['\\p{Punct}+', 'a!?b', ['!?']],
    ['\\p{Lu}\\p{L}+', 'xÄrger', ['Ärger']],
    ['\\p{IsLatin}+', '12abc', ['abc']],
    ['\\P{Alpha}', 'a1', ['1']],
    ['\\p{javaUpperCase}', 'aÖ', ['Ö']],
    ['[a-z&&[^bc]]+', 'bcade', ['ade']],
    ['[a-c[x-z]]+', 'mxbz', ['xbz']],
    ['[^a-c&&[^x]]', 'ax', ['x']],
    ['[]a]+', 'x]a', [']a']],
    ['[a-]+', '-a', ['-a']],
    ['[\\w.-]+', '_a.b-c!', ['_a.b-c']],
    ['\\Qa.b\\E+', 'a.bbb', ['a.bbb']],
    ['\\x41\\u0042\\x{43}\\0104\\t', 'ABCD\t', ['ABCD\t']],
    ['\\h\\R', ' \r\n', [' \r\n']],
    ['\\Aa\\z', 'a', ['a']],
    ['a$', 'a\n', ['a']],
    ['a\\Z', 'a\r\n', ['a']],
    ['a\\z', 'a\n', undefined],
    ['(?m)^b$', 'a\nb\nc', ['b']],
    ['(?s)a.b', 'a\nb', ['a\nb']],
    ['a.b', 'a\u0085b', undefined],
    ['(?d)a.b', 'a\u0085b', ['a\u0085b']],
    ['(?x) a b # comment\n c', 'abc', ['abc']],
    ['(?<=a)b(?!c)', 'abcab', ['b']],
    ['(?<=a{1,2}x)b', 'aaxb', ['b']],
    ['(?<!a)b', 'abb', ['b']],
    ['(?=(\\w+))\\1:', 'abc:', ['abc:', 'abc']],
    ['.', '😀', ['😀']],
    ['^.$', '😀', ['😀']],
    ['[😀-😂]', '😁', ['😁']],
    ['\\bfoo\\b', 'a foo b', ['foo']],
    ['(a+)+$', 'aaa', ['aaa', 'aaa']],
    ['(a*)+', 'b', ['', '']],
    ['x{0}y', 'y', ['y']],
    ['}', '}', ['}']],
    ['a|', 'b', ['']],
  ];
  for (const [source, text, groups] of found) {
    it(`finds ${JSON.stringify(groups?.[0] ?? 'nothing')} for ${source} in ${JSON.stringify(text)}`, () => {
      assert.deepEqual(find(source, text), groups);
    });
  }

  it('has the flags of Jayway', () => {
    assert.equal(matches('A.B # x', 'a\nb', 'isx'), true);
    assert.equal(matches('\\w', 'ü'), false);
    assert.equal(matches('\\w', 'ü', 'U'), true);
  });

  for (const source of [
    '(',
    ')',
    'a**b(',
    '[',
    '[a',
    'x{2,1}',
    '*a',
    '{',
    'a{',
    '\\',
    '\\y',
    '\\p{Nope}',
    '(?<n>a)(?<n>b)',
    '\\k<n>',
    '(?<=a*)b',
    '[b-a]',
    '(?z)',
    'a{1000}{1000}',
    '\\x{110000}',
  ]) {
    it(`refuses ${source} as Java does`, () => assert.throws(() => new JavaRegex(source), SyntaxFault));
  }
});
