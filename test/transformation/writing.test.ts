/** Writing, removing and renaming in the output (facts: transformations 4.2, 4.3, 6.2, 6.3). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import type { Json, JsonObject } from '../../src/transformation/json.ts';
import { EntityFailure } from '../../src/transformation/transformation.ts';
import { readAt, runMappings } from './support.ts';

function output(...mappings: JsonObject[]): Json {
  return runMappings(mappings, {}).output;
}

/** Starts from an output that is there and writes one constant. */
function written(before: Json, targetPath: string, constant: Json): Json {
  return output({ constant: before, targetPath: '$' }, { constant, targetPath });
}

const table: readonly (readonly [before: Json, path: string, value: Json, after: Json])[] = [
  [{}, '$.a.b', 1, { a: { b: 1 } }],
  [{}, "$['x:y']['z']", 1, { 'x:y': { z: 1 } }],
  [{}, "$['a.b'].c", 1, { 'a.b': { c: 1 } }],
  [{}, '$.a[0].b', 'w', { a: [{ b: 'w' }] }],
  [{ a: [{ k: 1 }] }, '$.a[0].b', 'w', { a: [{ k: 1, b: 'w' }] }],
  [{ schemas: ['s'] }, '$.schemas[1]', 't', { schemas: ['s', 't'] }],
  [{ schemas: ['s'] }, '$.schemas[0]', 't', { schemas: ['t'] }],
  [{}, '$.a[2]', 'w', { a: [null, null, 'w'] }],
  [{}, '$.a[?(@.k)]', ['p', 'q'], { a: [{ k: 'p' }, { k: 'q' }] }],
  [{}, '$.a[?(@.k)]', 'p', { a: [{ k: 'p' }] }],
  [{}, '$.a[?(@.k)]', [], { a: [] }],
  [{ a: [{ k: 'old', l: 1 }] }, "$['a'][?(@['k'])]", ['p'], { a: [{ k: 'p' }] }],
  [{}, '$.x.a[?(@.k)]', ['p'], { x: { a: [{ k: 'p' }] } }],
  [{ a: [{}, {}] }, '$.a[*].b', 'User', { a: [{ b: 'User' }, { b: 'User' }] }],
  [{ a: [{}, { c: { d: 1 } }] }, '$.a[*].c.e', 2, { a: [{ c: { e: 2 } }, { c: { d: 1, e: 2 } }] }],
  [{ a: [] }, '$.a[*].b', 'User', { a: [] }],
  [{ a: [{ t: 'x' }, { t: 'y' }] }, "$.a[?(@.t == 'x')].b", 1, { a: [{ t: 'x', b: 1 }, { t: 'y' }] }],
  [{ a: [{ k: 1 }, {}] }, '$.a[?(@.k)].b', 1, { a: [{ k: 1, b: 1 }, {}] }],
  [{ a: [1, 2, 3] }, '$.a[-1]', 9, { a: [1, 2, 9] }],
  [{ a: [1, 2, 3] }, '$.a[1:]', 9, { a: [1, 9, 9] }],
  [{ a: 'scalar' }, '$.a.b', 1, { a: { b: 1 } }],
  [{ a: ['p', { k: 1 }, null] }, '$.a[*].b', 1, { a: ['p', { k: 1, b: 1 }, null] }],
  [{ a: { value: 'unwrapped' } }, '$.a[*].b', 1, { a: { value: 'unwrapped' } }],
  [{ a: 1 }, "$['a','b']", 2, { a: 2, b: 2 }],
  [{ a: { v: 1 }, b: [{ v: 2 }] }, '$..v', 0, { a: { v: 0 }, b: [{ v: 0 }] }],
  [{ a: 1 }, '$', { b: 2 }, { b: 2 }],
  [{}, '$.__proto__.polluted', true, JSON.parse('{"__proto__":{"polluted":true}}')],
  [{}, '$.constructor.name', 'x', { constructor: { name: 'x' } }],
];

describe('a target path', () => {
  for (const [before, path, value, after] of table) {
    it(`writes ${JSON.stringify(value)} at ${path} into ${JSON.stringify(before)}`, () => {
      const result = written(before, path, value);
      assert.equal(JSON.stringify(result), JSON.stringify(after));
      assert.equal(Object(Object.prototype).polluted, undefined);
    });
  }

  it('among elements of nothing skips an optional mapping and fails another', () => {
    const mapping = { constant: 'User', targetPath: '$.members[*].type' };
    assert.deepEqual(output({ ...mapping, optional: true }), {});
    assert.throws(() => output(mapping), EntityFailure);
  });

  it('copies, so that later writes do not reach back', () => {
    const input = { emails: [{ value: 'a' }] };
    const mappings = [
      { sourcePath: '$', targetPath: '$' },
      { sourcePath: '$.emails', preserveArrayWithSingleElement: true, targetPath: '$.copy' },
      { constant: true, targetPath: '$.emails[0].primary' },
    ];
    const expected = { emails: [{ value: 'a', primary: true }], copy: [{ value: 'a' }] };
    assert.deepEqual(runMappings(mappings, input).output, expected);
    assert.deepEqual(input, { emails: [{ value: 'a' }] });
  });

  it('refuses to replace the whole output by what is no object', () => {
    assert.throws(() => output({ constant: 'x', targetPath: '$' }), EntityFailure);
  });

  it('refuses an index far beyond the list instead of filling memory', () => {
    assert.throws(() => output({ constant: 'x', targetPath: '$.a[999999999]' }), EntityFailure);
  });
});

describe('a definite path', () => {
  const key = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 });
  const step = fc.oneof(
    key.map((name) => `['${name.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}']`),
    fc.integer({ min: 0, max: 5 }).map((index) => `[${index}]`),
  );
  const path = fc.tuple(key, fc.array(step, { maxLength: 5 })).map(([first, steps]) => {
    return `$['${first.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}']${steps.join('')}`;
  });

  it('reads what was written to it, and nothing after it was removed', () => {
    fc.assert(
      fc.property(path, fc.jsonValue({ maxDepth: 2 }), (targetPath, constant) => {
        fc.pre(!targetPath.includes('%') && !JSON.stringify(constant).includes('%'));
        const after = output({ constant: constant as Json, targetPath });
        assert.equal(JSON.stringify(readAt(targetPath, after)), JSON.stringify(constant));
        const input = { before: after };
        const start = { sourcePath: '$.before', targetPath: '$' };
        const removed = runMappings([start, { type: 'remove', targetPath }], input).output;
        if (!targetPath.endsWith(']') || !/\[\d+\]$/.test(targetPath))
          assert.equal(readAt(targetPath, removed), undefined);
      }),
      { numRuns: 500 },
    );
  });
});

describe('remove', () => {
  const removals: readonly (readonly [Json, string, Json])[] = [
    [{ meta: 1, b: 2 }, '$.meta', { b: 2 }],
    [{ b: 2 }, '$.meta', { b: 2 }],
    [{ b: 2 }, '$.meta.deep', { b: 2 }],
    [{ b: 2 }, '$.meta[*].deep', { b: 2 }],
    [
      { 'u:x': { emails: [{ type: 'w', v: 1 }, { v: 2 }] } },
      "$['u:x']['emails'][*]['type']",
      { 'u:x': { emails: [{ v: 1 }, { v: 2 }] } },
    ],
    [{ members: [{ $ref: 'r', v: 1 }] }, '$.members[*].$ref', { members: [{ v: 1 }] }],
    [{ a: [1, 2, 3] }, '$.a[0]', { a: [2, 3] }],
    [{ a: [1, 2, 3] }, '$.a[*]', { a: [] }],
    [{ a: [{ t: 'x' }, { t: 'y' }, { t: 'x' }] }, "$.a[?(@.t == 'x')]", { a: [{ t: 'y' }] }],
    [{ a: 1, b: 2, c: 3 }, "$['a','b']", { c: 3 }],
    [{ x: { id: 1 }, id: 2 }, '$..id', { x: {} }],
    [{ a: 1 }, '$', {}],
  ];
  for (const [before, targetPath, after] of removals) {
    it(`takes ${targetPath} out of ${JSON.stringify(before)}`, () => {
      assert.deepEqual(output({ constant: before, targetPath: '$' }, { type: 'remove', targetPath }), after);
    });
  }
});

describe('rename', () => {
  const start = (value: JsonObject) => ({ constant: value, targetPath: '$' });

  it('gives the last name of the path a new one', () => {
    const renaming = {
      type: 'rename',
      targetPath: '$.name.lastName',
      constant: 'familyName',
      optional: true,
    };
    assert.deepEqual(output(start({ name: { lastName: 'Doe' } }), renaming), { name: { familyName: 'Doe' } });
  });

  it('renames in every element that has the name', () => {
    const renaming = { type: 'rename', targetPath: '$.members[*].id', constant: 'value' };
    assert.deepEqual(output(start({ members: [{ id: 1 }, { x: 2 }] }), renaming), {
      members: [{ value: 1 }, { x: 2 }],
    });
    assert.deepEqual(output(start({ members: [] }), renaming), { members: [] });
  });

  it('fails where there is nothing to rename, unless it is optional', () => {
    for (const targetPath of ['$.name.lastName', '$.lastName', '$.members[*].id']) {
      const renaming = { type: 'rename', targetPath, constant: 'x' };
      assert.throws(() => output(start({ name: {} }), renaming), EntityFailure);
      assert.deepEqual(output(start({ name: {} }), { ...renaming, optional: true }), { name: {} });
    }
  });

  it('overwrites what has the new name', () => {
    const renaming = { type: 'rename', targetPath: '$.a', constant: 'b' };
    assert.deepEqual(output(start({ a: 1, b: 2 }), renaming), { b: 1 });
  });
});

describe('preserveArrayWithSingleElement', () => {
  const rows: readonly (readonly [Json, preserved: Json, unwrapped: Json])[] = [
    [['x'], ['x'], 'x'],
    [
      ['x', 'y'],
      ['x', 'y'],
      ['x', 'y'],
    ],
    [[{ value: 'a' }], [{ value: 'a' }], { value: 'a' }],
    [[], [], []],
    [[null], [null], null],
    ['x', 'x', 'x'],
  ];
  for (const [value, preserved, unwrapped] of rows) {
    it(`decides what becomes of ${JSON.stringify(value)}`, () => {
      const mapping = { sourcePath: '$.in', targetPath: '$.out' };
      const kept = { ...mapping, preserveArrayWithSingleElement: true };
      assert.deepEqual(runMappings([mapping], { in: value }).output, { out: unwrapped });
      assert.deepEqual(runMappings([kept], { in: value }).output, { out: preserved });
    });
  }

  it('makes no difference to a list builder', () => {
    for (const preserveArrayWithSingleElement of [true, false]) {
      const mapping = { sourcePath: '$.in', targetPath: '$.out[?(@.value)]', preserveArrayWithSingleElement };
      assert.deepEqual(runMappings([mapping], { in: ['x'] }).output, { out: [{ value: 'x' }] });
    }
  });

  it('leaves constants alone', () => {
    assert.deepEqual(output({ constant: ['x'], targetPath: '$.schemas' }), { schemas: ['x'] });
  });
});
