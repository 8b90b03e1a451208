import assert from 'node:assert/strict';
import { test } from 'node:test';

import { cacheFields, cacheWish, notModified } from '../../src/gateway/freshness.ts';

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
  [undefined, { maxAgeMs: Infinity, mayKeep: true }],
  ['no-cache', { maxAgeMs: 0, mayKeep: true }],
  ['No-Cache, x', { maxAgeMs: 0, mayKeep: true }],
  ['no-cache, max-age=5', { maxAgeMs: 0, mayKeep: true }],
  ['max-age=0', { maxAgeMs: 0, mayKeep: true }],
  ['max-age="0"', { maxAgeMs: 0, mayKeep: true }],
  ['max-age=5', { maxAgeMs: 5000, mayKeep: true }],
  ['max-age=x', { maxAgeMs: Infinity, mayKeep: true }],
  ['no-store', { maxAgeMs: Infinity, mayKeep: false }],
] as const)
  test(`Cache-Control: ${cacheControl} means ${JSON.stringify(wish)}`, () => {
    assert.deepEqual(cacheWish({ 'cache-control': cacheControl }), wish);
  });

test("Pragma: no-cache wants the tenant's own word too", () => {
  assert.equal(cacheWish({ pragma: 'no-cache' }).maxAgeMs, 0);
});

for (const [answer, age, status] of [
  [{ result: 'hit', ageMs: 1999, ttlMs: 58_001 }, '1', 'Gatehouse; hit; ttl=58'],
  [
    { result: 'hit', reason: 'refresh-limit', ageMs: 1, ttlMs: 1 },
    '0',
    'Gatehouse; hit; ttl=0; detail=refresh-limit',
  ],
  [
    { result: 'stale', reason: 'revalidating', ageMs: 61_000, ttlMs: -1000 },
    '61',
    'Gatehouse; hit; ttl=-1; detail=revalidating',
  ],
  [
    { result: 'stale', reason: 'tenant-error', ageMs: 60_001, ttlMs: -1 },
    '60',
    'Gatehouse; fwd=stale; ttl=-1; detail=tenant-error',
  ],
  [{ result: 'miss', ageMs: 5, ttlMs: 59_995 }, undefined, 'Gatehouse; fwd=miss; stored'],
  [{ result: 'miss', reason: 'expired', ageMs: 5, ttlMs: 0 }, undefined, 'Gatehouse; fwd=stale'],
  [{ result: 'miss', reason: 'asked-anew', ageMs: 5, ttlMs: 9 }, undefined, 'Gatehouse; fwd=request; stored'],
  [{ result: 'collapsed', ageMs: 5, ttlMs: 9 }, undefined, 'Gatehouse; fwd=miss; collapsed'],
  [{ result: 'bypass', ageMs: 0, ttlMs: 0 }, undefined, 'Gatehouse; fwd=bypass'],
] as const)
  test(`callers are told: ${status}`, () => {
    const fields = cacheFields(answer);
    assert.deepEqual([fields['age'], fields['cache-status']], [age, status]);
  });
