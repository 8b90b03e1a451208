import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { unfoldBulk } from '../../src/scim/bulk.ts';
import { understand, type SystemFacts } from '../../src/scim/operation.ts';
import { noQuery } from '../../src/scim/target.ts';

const system: SystemFacts = {
  id: 'acme',
  tenant: 'eu',
  kind: 'scim',
  resourceTypes: ['Users', 'Groups', 'Devices'],
};
const segments = ['ipsproxy', 'service', 'api', 'v1', 'scim', 'acme', 'Bulk'];
const bulk = understand('POST', { segments, query: noQuery }, () => system, 'eu');

const unfold = (body: unknown, max?: number): ReturnType<typeof unfoldBulk> =>
  unfoldBulk(bulk, Buffer.from(JSON.stringify(body)), system, max);
const one = (method: unknown, path: unknown): ReturnType<typeof unfoldBulk> =>
  unfold({ Operations: [{ method, path }] });

const parts: readonly (readonly [
  method: string,
  path: string,
  kind: string,
  type: string,
  id: string | undefined,
])[] = [
  ['POST', '/Users', 'create', 'Users', undefined],
  ['PUT', '/Users/1', 'replace', 'Users', '1'],
  ['PATCH', '/Groups/a-b_c.d~e', 'patch', 'Groups', 'a-b_c.d~e'],
  ['DELETE', '/Users/J%C3%B6rg@acme', 'delete', 'Users', 'Jörg@acme'],
  ['PATCH', '/Groups/bulkId:qwerty', 'patch', 'Groups', 'bulkId:qwerty'],
  ['PUT', '/Me', 'replace', 'Me', undefined],
];

for (const [method, path, kind, type, id] of parts)
  test(`${method} ${path} in a bulk is the operation it would be alone`, () => {
    const [part] = one(method, path).parts;
    assert.ok(part);
    assert.deepEqual([part.kind, part.effect, part.resourceType, part.id], [kind, 'write', type, id]);
    const target = {
      segments: [...segments.slice(0, 6), ...path.slice(1).split('/').map(decodeURIComponent)],
      query: noQuery,
    };
    assert.deepEqual(
      part,
      understand(method, target, () => system, 'eu'),
    );
  });

const refusedPaths = [
  '',
  '/',
  '//',
  'Users',
  'Users/1',
  '//Users/1',
  '/Users//1',
  '/Users/',
  '/Users/1/',
  '/Users/1/extra',
  '/Unknown/1',
  '/Users/..',
  '/Users/.',
  '/Users/../Groups/1',
  '/Users/%2e%2e',
  '/Users/%2E',
  '/Users/a%2fb',
  '/Users/a%5Cb',
  '/Users/a%00',
  '/Users/%0d%0a',
  '/Users/%252e%252e',
  '/Users/%zz',
  '/Users/%c0%ae',
  '/Users/1?x=1',
  '/Users/1#x',
  '/Users/1;x=1',
  String.raw`/Users\1`,
  '/Users/ä',
  '/Users/1 2',
  'https://other.example/Users/1',
  '/Bulk',
  '/.search',
  '/Users/.search',
  '/ServiceProviderConfig',
  '/Schemas/x',
  '../other/Users/1',
  '/../other/Users/1',
  '/Users/1\n',
  undefined,
  null,
  7,
  ['/Users/1'],
  { path: '/Users/1' },
];

for (const path of refusedPaths)
  test(`a bulk with DELETE of the path ${JSON.stringify(path)} is refused as a whole`, () => {
    assert.throws(
      () =>
        unfold({
          Operations: [
            { method: 'POST', path: '/Users' },
            { method: 'DELETE', path },
          ],
        }),
      {
        kind: 'invalid-path',
        status: 400,
      },
    );
  });

for (const method of [
  'GET',
  'delete',
  'Delete',
  'OPTIONS',
  ' DELETE',
  '',
  undefined,
  null,
  ['DELETE'],
  '__proto__',
  'toString',
])
  test(`a bulk with the method ${JSON.stringify(method)} is refused`, () => {
    assert.throws(() => one(method, '/Users/1'), { kind: 'invalid-value', status: 400 });
  });

for (const path of ['/Bulk', '/.search', '/Users/.search'])
  test(`a bulk cannot hold a POST to ${path}`, () => {
    assert.throws(() => one('POST', path), { kind: 'invalid-path' });
  });

test('a method that does not fit its path is refused', () => {
  assert.throws(() => one('POST', '/Users/1'), { kind: 'invalid-path' });
  assert.throws(() => one('DELETE', '/Users'), { kind: 'invalid-path' });
});

test('member names have no case, so that nothing hides from authorisation', () => {
  const { parts: found } = unfold({ OPERATIONS: [{ METHOD: 'DELETE', pAth: '/Users/1' }] });
  assert.deepEqual(
    found.map(({ kind, id }) => [kind, id]),
    [['delete', '1']],
  );
});

test('a name given twice refuses the whole', () => {
  const text = '{"Operations":[],"operations":[{"method":"DELETE","path":"/Users/1"}]}';
  assert.throws(() => unfoldBulk(bulk, Buffer.from(text), system), { kind: 'invalid-syntax' });
  assert.throws(() => unfold({ Operations: [{ method: 'POST', path: '/Users', Path: '/Groups' }] }), {
    kind: 'invalid-syntax',
  });
});

for (const body of [{}, [], null, 7, 'x', { Operations: {} }, { Operations: null }, { Operations: 'x' }])
  test(`the body ${JSON.stringify(body)} is no bulk request`, () => {
    assert.throws(() => unfold(body), { kind: 'invalid-syntax', scimType: 'invalidSyntax' });
  });

test('a body that is not JSON is refused without quoting it', () => {
  assert.throws(
    () => unfoldBulk(bulk, Buffer.from('tell'), system),
    (error: Error & { kind?: string }) =>
      error.kind === 'invalid-syntax' && error.cause === undefined && !error.message.includes('tell'),
  );
});

for (const item of [null, 7, 'x', [], [['method', 'DELETE']]])
  test(`the operation ${JSON.stringify(item)} is refused`, () => {
    assert.throws(() => unfold({ Operations: [item] }), { kind: 'invalid-value' });
  });

test('more operations than allowed are too large', () => {
  const Operations = Array.from({ length: 1001 }, () => ({ method: 'POST', path: '/Users', bulkId: 'x' }));
  assert.throws(() => unfold({ Operations }), { kind: 'too-large', status: 413 });
  assert.equal(unfold({ Operations: Operations.slice(1) }).parts.length, 1000);
  assert.throws(() => unfold({ Operations: Operations.slice(0, 3) }, 2), { kind: 'too-large' });
});

test('a bulk makes stale what its parts make stale, each once', () => {
  const { touches } = unfold({
    Operations: [
      { method: 'PATCH', path: '/Users/1' },
      { method: 'DELETE', path: '/Users/1' },
      { method: 'POST', path: '/Users' },
      { method: 'PATCH', path: '/Users/2' },
    ],
  });
  const everything = system.resourceTypes.map((resourceType) => ({ scope: 'all', resourceType }));
  assert.deepEqual(touches, everything);
});

test('the unfolded operation is otherwise the one that came in', () => {
  const { parts: found, touches: _, ...rest } = one('POST', '/Users');
  const { parts: none, touches: __, ...before } = bulk;
  assert.deepEqual(rest, before);
  assert.deepEqual([found.length, none.length], [1, 0]);
});

test('whatever the path, a part stays one resource of one known type below the system', () => {
  const piece = fc.constantFrom(
    '/',
    'Users',
    'Groups',
    '..',
    '.',
    '%2e',
    '%2f',
    '%5c',
    '\\',
    ';',
    '?',
    '#',
    '%',
    '25',
    'a',
    'ä',
    '%C3%A4',
    ':',
    ' ',
    '//',
    'https:',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      let path: string;
      try {
        path = one('DELETE', pieces.join('')).parts[0]?.path ?? '';
      } catch {
        return;
      }
      assert.match(path, /^\/(?:Users|Groups|Me)(?:\/[^/?#\\;]+)?$/);
      assert.doesNotMatch(decodeURIComponent(path), /(?:^|\/)\.\.?(?:\/|$)|[\\?#;%]/);
    }),
    { numRuns: 5000 },
  );
});
