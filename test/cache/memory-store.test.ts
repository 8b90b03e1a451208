import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createMemoryStore } from '../../src/cache/memory-store.ts';
import { storeContract } from './store.contract.ts';

storeContract(async () => createMemoryStore({ maxBytes: 1024 * 1024 }));

test('the memory store keeps below its size and loses what was used longest ago', async () => {
  await using store = createMemoryStore({ maxBytes: 100_000 });
  const keys = Array.from({ length: 40 }, (_, at) => `key ${at}`);
  for (const key of keys) {
    store.put(key, Buffer.alloc(10_000), 10_000);
    await store.look('key 0', []);
  }
  const kept: string[] = [];
  for (const key of keys) if ((await store.look(key, []))?.value) kept.push(key);
  assert.deepEqual(kept, ['key 0', ...keys.slice(-kept.length + 1)]);
  assert.ok(kept.length >= 5 && kept.length * 10_000 <= 100_000);
});

test('a value that would push out most others is not kept', async () => {
  await using store = createMemoryStore({ maxBytes: 1000 });
  store.put('huge', Buffer.alloc(500), 10_000);
  assert.equal((await store.look('huge', []))?.value, undefined);
});

test('the memory store measures time by a clock that is never set back', async () => {
  let now = 0;
  await using store = createMemoryStore({ maxBytes: 10_000, now: () => now });
  store.put('key', Buffer.from('value'), 1000);
  now = 999;
  assert.ok((await store.look('key', []))?.value);
  now = 1000;
  assert.equal((await store.look('key', []))?.value, undefined);
});
