/** `%parameters%`: replaced in the raw text, once, before anything is parsed (facts: transformations 7.2). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import type { Json } from '../../src/transformation/json.ts';
import { compile } from '../../src/transformation/transformation.ts';
import { isFulfilled, valueOf } from './support.ts';

function constant(text: string, properties: Record<string, string>): Json | undefined {
  return valueOf({ constant: text }, {}, { properties });
}

describe('a parameter', () => {
  it('is replaced by the text of its property, missing ones by null', () => {
    assert.equal(constant('a %p.x% b %missing%', { 'p.x': 'X' }), 'a X b null');
    assert.equal(constant('%a%%b%', { a: '1', b: '2' }), '12');
    assert.equal(constant('100%', {}), '100%');
    assert.equal(constant('%%', {}), '%%');
  });

  it('is not replaced within a value that was put in', () => {
    assert.equal(constant('%a%', { a: '%b%', b: 'x' }), '%b%');
  });

  it('is anything between two signs: a regular expression is destroyed, as at SAP', () => {
    assert.equal(constant('[._%-]+@[._%-]+', {}), '[._null-]+');
  });

  it('does not reach from one text into another', () => {
    const { transformation, faults } = compile({
      user: {
        mappings: [
          { constant: '50%', targetPath: '$.a' },
          { constant: '60%', targetPath: '$.b' },
        ],
      },
    });
    assert.deepEqual(faults, []);
    assert.deepEqual(transformation.run({ entity: 'user', operation: 'read', input: {} }).output, {
      a: '50%',
      b: '60%',
    });
  });

  it('keeps doubled backslashes, so that a regular expression can stand in a property', () => {
    const properties = { regex: '[a-z]+@x\\\\.de', dot: 'a\\\\.b' };
    assert.equal(isFulfilled('$.m =~ /%regex%/', { m: 'a@x.de' }, { properties }), true);
    assert.equal(isFulfilled('$.m =~ /%regex%/', { m: 'a@xyde' }, { properties }), false);
    assert.equal(constant('%dot%', properties), 'a\\.b');
  });

  it('may contain quotes and line breaks without breaking the JSON', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\\')),
        (text) => {
          assert.equal(constant('<%p%>', { p: text }), `<${text}>`);
        },
      ),
    );
    assert.equal(constant('"%p%"', { p: '"' }), '"""');
    assert.equal(constant('%p%', { p: 'say \\"hi\\"' }), 'say "hi"');
  });

  it('that a backslash breaks the JSON with is a fault, not a crash', () => {
    const { transformation } = compile(
      { user: { mappings: [{ constant: '%p%', targetPath: '$.a' }] } },
      'f.json',
    );
    assert.match(transformation.check({ p: 'a\\' }).faults[0]?.reason ?? '', /^not JSON/);
    assert.throws(
      () => transformation.run({ entity: 'user', operation: 'read', input: {}, properties: { p: 'a\\q' } }),
      /not JSON/,
    );
  });

  it('takes part in paths, function parameters and conditions', () => {
    const properties = { attribute: 'uid', prefix: 'PRE_', on: 'true' };
    assert.equal(valueOf({ sourcePath: '$.%attribute%[0]' }, { uid: ['x'] }, { properties }), 'x');
    const functions = [{ condition: "'%prefix%' !== 'null'", function: 'concatString', prefix: '%prefix%' }];
    assert.equal(valueOf({ sourcePath: '$.a', functions }, { a: 'x' }, { properties }), 'PRE_x');
    assert.equal(valueOf({ sourcePath: '$.a', functions }, { a: 'x' }), 'x');
    assert.equal(isFulfilled('%on% != null && %on% == true', {}, { properties }), true);
    assert.equal(isFulfilled('%on% != null && %on% == true', {}), false);
    assert.equal(
      isFulfilled(
        "('%prefix%' === 'null') || ($.groups[?(@.display =~ /%prefix%.*/)] empty false)",
        { groups: [{ display: 'PRE_A' }] },
        { properties },
      ),
      true,
    );
  });

  it('is not quoted for regular expressions', () => {
    assert.equal(isFulfilled('$.a =~ /%p%.*/', { a: 'Abc' }, { properties: { p: '[ABC]' } }), true);
  });

  it('may stand outside of texts', () => {
    const text =
      '{"user":{"mappings":[{"constant":%number%,"targetPath":"$.a"},{"constant":%json%,"targetPath":"$.b"}]}}';
    const { transformation, faults } = compile(text);
    assert.deepEqual(faults, []);
    const properties = { number: '5', json: '{"x":"y"}' };
    assert.deepEqual(
      transformation.run({ entity: 'user', operation: 'read', input: {}, properties }).output,
      { a: 5, b: { x: 'y' } },
    );
  });

  it('follows the properties of each run', () => {
    const { transformation } = compile({ user: { mappings: [{ constant: '%p%', targetPath: '$.a' }] } });
    const outputs = ['1', '2', '1'].map(
      (p) => transformation.run({ entity: 'user', operation: 'read', input: {}, properties: { p } }).output,
    );
    assert.deepEqual(outputs, [{ a: '1' }, { a: '2' }, { a: '1' }]);
  });
});
