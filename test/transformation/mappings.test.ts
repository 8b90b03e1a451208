/** What a mapping does with its source, its scope, its conditions and its defaults (facts: transformations 2–5, 7). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Json, JsonObject } from '../../src/transformation/json.ts';
import { compile, EntityFailure, type Run } from '../../src/transformation/transformation.ts';
import { runMappings, valueOf } from './support.ts';

describe('a source', () => {
  it('that is missing fails the entity, is skipped when optional, or has a default', () => {
    const mapping = { sourcePath: '$.missing' };
    assert.throws(
      () => valueOf(mapping, {}),
      /mapping 1: there is no value at \$\.missing and it is not optional/,
    );
    assert.equal(valueOf({ ...mapping, optional: true }, {}), undefined);
    assert.equal(valueOf({ ...mapping, optional: true, defaultValue: false }, {}), false);
    assert.equal(valueOf({ ...mapping, optional: true, defaultValue: null }, {}), null);
    assert.throws(() => valueOf({ ...mapping, defaultValue: 'only with optional' }, {}), EntityFailure);
  });

  it('that is null is there and copied', () => {
    assert.equal(valueOf({ sourcePath: '$.a', optional: true, defaultValue: 'x' }, { a: null }), null);
  });

  it('that is an empty list is there', () => {
    assert.deepEqual(valueOf({ sourcePath: '$.a[*].v', optional: true, defaultValue: 'x' }, { a: [] }), []);
  });

  it('is the constant first, then the variable, then the path', () => {
    const all = { constant: 'c', sourceVariable: 'v', sourcePath: '$.p' };
    const variables = { v: 'variable' };
    const { constant: _, ...others } = all;
    assert.equal(valueOf(all, { p: 'path' }, { variables }), 'c');
    assert.equal(valueOf(others, { p: 'path' }, { variables }), 'variable');
  });

  it('that is a constant of any kind is written as it stands', () => {
    for (const constant of ['text', 0, false, null, ['a'], [], { a: [1] }]) {
      assert.deepEqual(valueOf({ constant }, {}), constant);
    }
  });

  it('that is a variable nobody set is skipped', () => {
    assert.equal(valueOf({ sourceVariable: 'entityIdTargetSystem' }, {}), undefined);
  });

  it('that is a variable is read through its variablePath', () => {
    const { output, variables } = runMappings(
      [
        {
          sourcePath: '$.members[*]',
          preserveArrayWithSingleElement: true,
          targetVariable: 'membersVariable',
        },
        {
          sourceVariable: 'membersVariable',
          variablePath: '$[*].value',
          preserveArrayWithSingleElement: true,
          targetPath: '$.member',
        },
      ],
      { members: [{ value: 'a', type: 'User' }] },
    );
    assert.deepEqual(output, { member: ['a'] });
    assert.deepEqual(variables['membersVariable'], [{ value: 'a', type: 'User' }]);
  });

  it('can be left out where a function needs none, and does nothing without functions', () => {
    const password = {
      optional: true,
      targetPath: '$.password',
      functions: [
        {
          function: 'randomPassword',
          passwordLength: 8,
          minimumNumberOfLowercaseLetters: 1,
          minimumNumberOfUppercaseLetters: 1,
          minimumNumberOfDigits: 1,
          minimumNumberOfSpecialSymbols: 0,
        },
      ],
    };
    const { output } = runMappings([password, { type: 'set', targetPath: '$.groups' }], {});
    assert.match(Object(output).password, /^[A-Za-z0-9]{8}$/);
    assert.deepEqual(Object.keys(Object(output)), ['password']);
  });
});

describe('a mapping', () => {
  it('writes to its path and its variable', () => {
    const { output, variables } = runMappings(
      [{ sourcePath: '$.id', targetPath: '$.id', targetVariable: 'v' }],
      { id: 1 },
    );
    assert.deepEqual([output, variables['v']], [{ id: 1 }, 1]);
  });

  it('that comes later wins', () => {
    const mappings = [
      { constant: 1, targetPath: '$.a' },
      { constant: 2, targetPath: '$.a' },
    ];
    assert.deepEqual(runMappings(mappings, {}).output, { a: 2 });
  });

  it('that is ignored, also by the text "true", is left out', () => {
    const mappings = [true, 'true', false, 'false'].map((ignore, at) => ({
      constant: at,
      targetPath: `$.m${at}`,
      ignore,
    }));
    assert.deepEqual(runMappings(mappings, {}).output, { m2: 2, m3: 3 });
  });

  it('marks a correlation attribute without any output', () => {
    assert.deepEqual(runMappings([{ sourcePath: '$.a', correlationAttribute: true }], { a: 1 }).output, {});
  });

  it('has conditions on the input, not on the output', () => {
    const mappings = [
      { constant: 'written', targetPath: '$.a' },
      { condition: "$.a == 'written'", constant: true, targetPath: '$.sawOutput' },
      { condition: "$.a == 'read'", constant: true, targetPath: '$.sawInput' },
    ];
    assert.deepEqual(runMappings(mappings, { a: 'read' }).output, { a: 'written', sawInput: true });
  });

  it('can tell a create from an update by a variable', () => {
    const mappings = [
      { constant: 'updateEntity', targetVariable: 'operationTypeVariable' },
      { scope: 'createEntity', constant: 'createEntity', targetVariable: 'operationTypeVariable' },
      {
        condition: "$.active == false && '${operationTypeVariable}' == 'createEntity'",
        constant: 'L',
        targetPath: '$.LOCK',
      },
    ];
    const input = { active: false };
    assert.deepEqual(runMappings(mappings, input, { operation: 'create' }).output, { LOCK: 'L' });
    assert.deepEqual(runMappings(mappings, input, { operation: 'update' }).output, {});
  });
});

describe('a valueMapping', () => {
  const mapping = {
    type: 'valueMapping',
    sourcePaths: ['$.country', '$.city'],
    defaultValue: 'UTC',
    valueMappings: [
      { key: ['DE', 'Berlin'], mappedValue: 'CET' },
      { key: ['US', 'Dallas'], mappedValue: 'CST' },
      { key: ['US', 'Dallas'], mappedValue: 'too late' },
    ],
  };

  it('takes the first entry whose keys are all equal', () => {
    assert.equal(valueOf(mapping, { country: 'US', city: 'Dallas' }), 'CST');
    assert.equal(valueOf(mapping, { country: 'DE', city: 'Dallas' }), 'UTC');
  });

  it('falls back to the default where a source has no value', () => {
    assert.equal(valueOf(mapping, { country: 'US' }), 'UTC');
  });

  it('is skipped or fails without a default', () => {
    const { defaultValue: _, ...bare } = mapping;
    assert.equal(valueOf({ ...bare, optional: true }, {}), undefined);
    assert.throws(() => valueOf(bare, {}), EntityFailure);
  });

  it('minds the kind of value and yields any', () => {
    const kinds = {
      type: 'valueMapping',
      sourcePaths: ['$.a'],
      valueMappings: [
        { key: [true], mappedValue: { is: 'boolean' } },
        { key: ['true'], mappedValue: 1 },
        { key: [1], mappedValue: null },
      ],
    };
    assert.deepEqual(valueOf(kinds, { a: true }), { is: 'boolean' });
    assert.equal(valueOf(kinds, { a: 'true' }), 1);
    assert.equal(valueOf(kinds, { a: 1 }), null);
  });

  it('compares a list of one as its element', () => {
    const work = { ...mapping, sourcePaths: ["$.addresses[?(@.type == 'work')].country", '$.city'] };
    assert.equal(valueOf(work, { addresses: [{ type: 'work', country: 'DE' }], city: 'Berlin' }), 'CET');
  });
});

describe('a scope', () => {
  const mappings = [
    { constant: 1, targetPath: '$.unscoped' },
    { scope: 'createEntity', constant: 1, targetPath: '$.create' },
    { scope: 'patchEntity', constant: 1, targetPath: '$.patch' },
    { scope: 'deleteEntity', constant: 1, targetPath: '$.delete' },
    { scope: 'deleteEntity', constant: 'id', targetVariable: 'entityIdTargetSystem' },
  ];
  const table: readonly (readonly [Run['operation'], 'job' | 'proxy', string[], id: boolean])[] = [
    ['read', 'job', ['unscoped'], false],
    ['create', 'job', ['unscoped', 'create'], false],
    ['update', 'job', ['unscoped'], false],
    ['delete', 'job', ['delete'], true],
    ['create', 'proxy', ['unscoped', 'create'], false],
    ['update', 'proxy', ['unscoped'], false],
    ['patch', 'proxy', ['patch'], false],
    ['delete', 'proxy', [], true],
  ];
  for (const [operation, mode, written, hasId] of table) {
    it(`lets ${written.join(' and ') || 'no output'} through on ${operation} (${mode})`, () => {
      const { output, variables } = runMappings(mappings, {}, { operation, mode });
      assert.deepEqual(Object.keys(Object(output)), written);
      assert.equal(variables['entityIdTargetSystem'], hasId ? 'id' : undefined);
    });
  }
});

describe('an entity', () => {
  const run = (entity: JsonObject, options: Partial<Run> = {}) =>
    compile({ user: { mappings: [{ constant: 1, targetPath: '$.a' }], ...entity } }).transformation.run({
      entity: 'user',
      operation: 'create',
      input: {},
      ...options,
    });

  it('whose condition is not fulfilled is skipped, except by deletes and patches', () => {
    const condition = "$.a == 'x'";
    assert.equal(run({ condition }).skipped?.reason, "The condition: $.a == 'x', is not fulfilled.");
    assert.equal(run({ condition }, { operation: 'delete' }).skipped, undefined);
    assert.equal(run({ condition }, { operation: 'patch' }).skipped, undefined);
    assert.equal(run({ condition }, { input: { a: 'x' } }).skipped, undefined);
  });

  it('is skipped by its skipOperations, after its condition', () => {
    const skipOperations = ['create'];
    assert.equal(run({ skipOperations }).skipped?.kind, 'operation');
    assert.equal(run({ skipOperations }, { operation: 'update' }).skipped, undefined);
    assert.equal(run({ skipOperations, condition: '$.a' }).skipped?.kind, 'condition');
  });

  it('that is ignored or not there is left out, and says which', () => {
    assert.equal(run({ ignore: true }).skipped?.kind, 'ignored');
    assert.equal(run({}, { entity: 'group' }).skipped?.kind, 'unsupported');
  });

  it('can be any type, also printed alone without one', () => {
    for (const entity of ['role', 'event']) {
      const { transformation } = compile({ [entity]: { mappings: [{ constant: 1, targetPath: '$.a' }] } });
      assert.deepEqual(transformation.run({ entity, operation: 'read', input: {} }).output, { a: 1 });
    }
    const { transformation } = compile({ condition: '$.b', mappings: [{ constant: 1, targetPath: '$.a' }] });
    assert.deepEqual(transformation.run({ entity: 'user', operation: 'read', input: { b: 1 } }).output, {
      a: 1,
    });
  });

  it('tells a proxy its endpoint and its mappings', () => {
    const { transformation } = compile({ user: { scimEntityEndpoint: 'Users', mappings: [] } });
    assert.equal(transformation.entities().get('user')?.scimEntityEndpoint, 'Users');
  });

  it('is explained mapping by mapping, also when it fails', () => {
    const mappings: Json[] = [
      { sourcePath: '$.a', targetPath: '$.a', functions: [{ function: 'toUpperCaseString' }] },
      { sourcePath: '$.b', targetPath: '$.b', optional: true },
      { condition: '$.b', constant: 1, targetPath: '$.c' },
    ];
    const upper = { name: 'toUpperCaseString', before: 'x', after: 'X' };
    assert.deepEqual(runMappings(mappings, { a: 'x' }).trace, [
      { mapping: 1, taken: true, why: 'written to $.a', functions: [upper], value: 'X' },
      {
        mapping: 2,
        taken: false,
        why: 'skipped: there is no value at $.b and it is optional',
        functions: [],
      },
      { mapping: 3, taken: false, why: 'skipped: the condition is not fulfilled: $.b', functions: [] },
    ]);
    assert.throws(
      () => runMappings([...mappings, { sourcePath: '$.z', targetPath: '$.z' }], { a: 'x' }),
      (error) => error instanceof EntityFailure && error.trace.length === 4 && error.mapping === 4,
    );
  });
});
