/** Filters, as callers send them before every create: what was found is told for a minute, what was not only where wanted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { CacheRules } from '../../src/cache/cache.ts';
import { createMemoryStore } from '../../src/cache/memory-store.ts';
import { createCache } from '../../src/cache/read-through.ts';
import type { Reply } from '../../src/scim/call.ts';
import { defaults, operation, rules } from './operations.ts';

const hour = 3_600_000;
const found = '{"totalResults":1,"Resources":[{"id":"1"}]}';
const absent = '{"totalResults":0,"Resources":[]}';
const lookUp = 'Users?filter=userName%20eq%20%22ada%22';

function open(own: Partial<CacheRules> = {}) {
  let now = 1_000_000;
  const store = createMemoryStore({ maxBytes: 1_000_000, now: () => now });
  const cache = createCache({ store, key: Buffer.alloc(32, 7), now: () => now });
  const ask = { ...defaults, rules: { ...rules, lifetimeMs: hour, ...own } };
  return {
    pass: (ms: number) => void (now += ms),
    read: async (body: string, target = lookUp): Promise<string> => {
      const headers = { 'content-type': 'application/scim+json' };
      const reply: Reply = { status: 200, headers, body: Buffer.from(body) };
      return (await cache.read(operation('GET', target), ask, async () => reply)).result;
    },
    write: (method: string, target: string) => cache.forget(operation(method, target)),
  };
}

test('what a filter has found is told for a minute, however long others may be', async () => {
  const { read, pass } = open();
  await read(found);
  await read(found, 'Users?count=2');
  pass(59_999);
  assert.equal(await read(found), 'hit');
  pass(2);
  assert.equal(await read(found), 'miss');
  assert.equal(await read(found, 'Users?count=2'), 'hit');
});

test('it is told no longer than the system’s other replies', async () => {
  const { read, pass } = open({ lifetimeMs: 10_000 });
  await read(found);
  pass(10_001);
  assert.equal(await read(found), 'miss');
});

test('past its minute it is not told, although other replies would be', async () => {
  const { read, pass } = open({ staleWhileRevalidate: true, staleOnError: true, lifetimeMs: 60_000 });
  await read(found);
  await read(found, 'Users?count=2');
  pass(60_001);
  assert.equal(await read(found, 'Users?count=2'), 'stale');
  assert.equal(await read(found), 'miss');
});

for (const body of [
  absent,
  '{"totalResults":0}',
  '{"totalResults":0,"resources":[]}',
  '{"Resources":{}}',
  '{}',
])
  test(`that a filter has found nothing is not remembered: ${body}`, async () => {
    const { read } = open();
    await read(body);
    assert.equal(await read(body), 'miss');
  });

test('where it is remembered, it is for its own time', async () => {
  const { read, pass } = open({ absenceMs: 5000 });
  await read(absent);
  pass(4999);
  assert.equal(await read(absent), 'hit');
  pass(2);
  assert.equal(await read(absent), 'miss');
});

test('an empty page of a list is no absence', async () => {
  const { read } = open();
  await read(absent, 'Users?startIndex=101');
  assert.equal(await read(absent, 'Users?startIndex=101'), 'hit');
});

for (const target of [
  'Users?filter=externalId%20eq%20%22x%22',
  'Users?filter=emails%5B0%5D.value%20eq%20%22x%22',
  'Groups?filter=displayName%20eq%20%22x%22',
  'Users?Filter=userName%20eq%20%22x%22',
  'Users?count=1&filter=userName%20eq%20%22x%22',
])
  test(`any filter may ask whether somebody is there: ${decodeURIComponent(target)}`, async () => {
    const { read, pass } = open();
    await read(absent, target);
    assert.equal(await read(found, target), 'miss');
    pass(60_001);
    assert.equal(await read(found, target), 'miss');
  });

for (const [method, target] of [
  ['POST', 'Users'],
  ['PUT', 'Users/1'],
  ['PATCH', 'Users/9'],
  ['DELETE', 'Users/1'],
  ['PATCH', 'Groups/7'],
] as const)
  test(`${method} ${target} ends what filters have found and what they have not`, async () => {
    const { read, write } = open({ absenceMs: 60_000 });
    const other = 'Users?filter=userName%20eq%20%22bob%22';
    await read(found);
    await read(absent, other);
    assert.deepEqual([await read(found), await read(absent, other)], ['hit', 'hit']);
    await write(method, target);
    assert.deepEqual([await read(found), await read(absent, other)], ['miss', 'miss']);
  });
