/** Nothing a transformation says and no document it gets makes it hang, recurse without end or fill the memory. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { SyntaxFault } from '../../src/transformation/cursor.ts';
import { Effort, RunFault } from '../../src/transformation/effort.ts';
import type { Json } from '../../src/transformation/json.ts';
import { JavaRegex } from '../../src/transformation/regex.ts';
import { compile, EntityFailure } from '../../src/transformation/transformation.ts';
import { faultsOf, isFulfilled, valueOf } from './support.ts';

/** Far more than any of these takes, far less than what they would take elsewhere. */
const limit = { timeout: 20_000 };

const hostile: readonly (readonly [source: string, text: string])[] = [
  ['(a+)+b', 'a'.repeat(5000)],
  ['(a|a)*b', 'a'.repeat(5000)],
  ['(a|aa)+$', `${'a'.repeat(5000)}!`],
  ['(.*)*x', 'a'.repeat(3000)],
  ['^(\\w+\\s?)*$', `${'word '.repeat(1000)}!`],
  ['(a?){30}a{30}', 'a'.repeat(29)],
  ['(x+x+)+y', 'x'.repeat(3000)],
  ['(?:(?:a*)*)*b', 'a'.repeat(3000)],
];

describe('a hostile regular expression', () => {
  for (const [source, text] of hostile) {
    it(`ends: ${source}`, limit, () => {
      assert.equal(new JavaRegex(source).matches(text, new Effort()), undefined);
    });
  }

  it('with references to groups ends by its effort', limit, () => {
    assert.throws(() => new JavaRegex('(a*)*\\1b').matches('a'.repeat(200), new Effort()), RunFault);
  });

  it('with look-arounds ends by its effort', limit, () => {
    const regex = new JavaRegex('(?:(?=(a+))a)*b');
    assert.throws(() => regex.matches('a'.repeat(20_000), new Effort()), RunFault);
  });

  it('of any form is either refused or ends', limit, () => {
    const piece = fc.constantFrom(
      'a',
      '(',
      ')',
      '[',
      ']',
      '*',
      '+',
      '?',
      '{2}',
      '|',
      '\\',
      '^',
      '$',
      '.',
      '(?=',
      '(?>',
      '\\1',
      '-',
      '&&',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 15 }), (pieces) => {
        try {
          new JavaRegex(pieces.join('')).find('aaaaaaaaaaaaaaaaaaaaab', 0, new Effort(200_000));
        } catch (error) {
          assert.ok(error instanceof SyntaxFault || error instanceof RunFault, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('in an e-mail address does not matter', limit, () => {
    assert.equal(isFulfilled('isValidEmail($.a)', { a: `a@${'a-'.repeat(5000)}` }), false);
  });
});

function nested(depth: number, wrap: (inner: Json) => Json): Json {
  let value: Json = 1;
  for (let level = 0; level < depth; level += 1) value = wrap(value);
  return value;
}

describe('a deep document', () => {
  it('is refused as input beyond a depth that no resource has', () => {
    assert.throws(
      () =>
        valueOf(
          { sourcePath: '$..a' },
          nested(100_000, (a) => ({ a })),
        ),
      /nested too deeply/,
    );
  });

  it('is refused as a transformation', () => {
    assert.match(faultsOf({ user: nested(100_000, (a) => ({ a })) }).join(), /nested too deeply/);
    assert.match(
      faultsOf(`{"user":${'['.repeat(50_000)}${']'.repeat(50_000)}}`).join(),
      /nested too deeply|not JSON/,
    );
  });

  it('is copied, compared and scanned as long as it is allowed', () => {
    const deep = nested(900, (a) => ({ a }));
    assert.equal(
      Object(valueOf({ sourcePath: '$..a', preserveArrayWithSingleElement: true }, deep)).length,
      900,
    );
    assert.deepEqual(valueOf({ sourcePath: '$' }, deep), deep);
    assert.equal(isFulfilled('$ == $', deep), true);
  });

  it('with a path that multiplies what it finds ends by its effort', limit, () => {
    const deep = nested(900, (a) => ({ a }));
    assert.throws(() => valueOf({ sourcePath: '$..a..a..a..a' }, deep), EntityFailure);
  });

  it('with filters in filters ends by its effort', limit, () => {
    const wide = { a: Array.from({ length: 3000 }, (_, id) => ({ id })) };
    assert.throws(() => isFulfilled('$.a[?($.a[?($.a[?(@.id == 9)])])]', wide), EntityFailure);
  });
});

describe('a deep expression', () => {
  const conditions = [
    '('.repeat(50_000),
    '!'.repeat(50_000),
    '$.a[?('.repeat(5000),
    `$.a == ${'['.repeat(50_000)}`,
    `$${'.a'.repeat(50_000)}`,
  ];
  for (const condition of conditions) {
    it(`is refused: ${condition.slice(0, 12)}…`, () => {
      const [fault = ''] = faultsOf({ user: { mappings: [{ constant: 1, targetPath: '$.a', condition }] } });
      assert.match(fault, /nested too deeply|too many steps/);
    });
  }

  it('of any characters is refused or compiled, never thrown', () => {
    const sign = fc.constantFrom(
      '$',
      '@',
      '.',
      '[',
      ']',
      '(',
      ')',
      '?',
      '*',
      "'",
      '"',
      '=',
      '!',
      '~',
      '/',
      '&&',
      '||',
      ' ',
      'a',
      '1',
      'EMPTY',
      'true',
      ',',
      ':',
      '-',
      '{',
      '}',
      '${',
      '\\',
      'isValidEmail',
    );
    fc.assert(
      fc.property(fc.array(sign, { maxLength: 20 }), (signs) => {
        const text = signs.join('');
        const mapping = { sourcePath: text, targetPath: text, condition: text, optional: true };
        const { transformation, faults } = compile({ user: { mappings: [mapping] } });
        if (faults.length > 0) return;
        try {
          transformation.run({ entity: 'user', operation: 'read', input: { a: [{ a: 1 }] } });
        } catch (error) {
          assert.ok(error instanceof EntityFailure, String(error));
        }
      }),
      { numRuns: 3000, examples: [[['$.a.append()']], [['$']], [['a[1]']]] },
    );
  });
});

describe('the state of the process', () => {
  it('is not changed by keys such as __proto__', () => {
    const input = JSON.parse('{"__proto__":{"polluted":1},"a":[{"__proto__":{"polluted":2}}]}');
    for (const sourcePath of ['$', '$.a', '$..__proto__', "$['__proto__','a']"]) {
      valueOf({ sourcePath, optional: true }, input);
      assert.equal(Object({}).polluted, undefined);
    }
  });
});
