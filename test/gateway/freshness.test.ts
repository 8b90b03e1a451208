import assert from 'node:assert/strict';
import { test } from 'node:test';

import { cacheWish, notModified } from '../../src/gateway/freshness.ts';

const replyWith = (etag: string | undefined, status = 200) => ({
  status,
  headers: { etag, 'content-type': 'application/scim+json' },
  body: Buffer.from('{}'),
});

const known: readonly (readonly [etag: string, condition: string])[] = [
  ['W/"1"', 'W/"1"'],
  ['W/"1"', '"1"'],
  ['"1"', 'W/"1"'],
  ['"1"', '*'],
  ['"1"', ' "0" ,"1"'],
  ['"a,b"', '"0", "a,b"'],
  ['"a b"', '"a b"'],
  ['bare', 'bare'],
  ['bare', '"x", bare'],
];
for (const [etag, condition] of known)
  test(`a caller who knows ${condition} is not sent ${etag} again`, () => {
    const { status, headers, body } = notModified(replyWith(etag), condition);
    assert.deepEqual([status, headers, body.length], [304, { etag }, 0]);
  });

const unknown: readonly (readonly [etag: string | undefined, condition: string | undefined])[] = [
  ['"1"', undefined],
  ['"1"', '"2"'],
  ['"1"', ''],
  ['"1"', '1'],
  ['"a"', '"a,b"'],
  ['"*"', '"x"'],
  [undefined, '*'],
];
for (const [etag, condition] of unknown)
  test(`a caller who knows ${condition ?? 'nothing'} is sent ${etag ?? 'what has no tag'}`, () => {
    const reply = replyWith(etag);
    assert.equal(notModified(reply, condition), reply);
  });

test('only what is whole and well can be known already', () => {
  for (const status of [201, 206, 404])
    assert.equal(notModified(replyWith('"1"', status), '*').status, status);
});

for (const [cacheControl, wish] of [
  [undefined, { fresh: false, maxAgeMs: Infinity }],
  ['no-cache', { fresh: true, maxAgeMs: Infinity }],
  ['No-Cache, x', { fresh: true, maxAgeMs: Infinity }],
  ['max-age=0', { fresh: true, maxAgeMs: Infinity }],
  ['max-age=00', { fresh: true, maxAgeMs: Infinity }],
  ['max-age="0"', { fresh: true, maxAgeMs: Infinity }],
  ['max-age=5', { fresh: false, maxAgeMs: 5000 }],
  ['max-age=x', { fresh: false, maxAgeMs: Infinity }],
  ['no-store', { fresh: false, maxAgeMs: 0 }],
] as const)
  test(`Cache-Control: ${cacheControl} means ${JSON.stringify(wish)}`, () => {
    assert.deepEqual(cacheWish({ 'cache-control': cacheControl }), wish);
  });

test("Pragma: no-cache wants the tenant's own word too", () => {
  assert.equal(cacheWish({ pragma: 'no-cache' }).fresh, true);
});
