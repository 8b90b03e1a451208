/** What every store promises; memory and Redis are held to the same sentences. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Store } from '../../src/cache/store.ts';

const key = 'gh1:{system}:entry';
const users = 'gh1:{system}:users';
const user = 'gh1:{system}:user';

/** @param open gives an empty store; called once for each promise */
export function storeContract(open: () => Promise<Store>): void {
  test('an unknown key has no value, and its generations begin', async () => {
    await using store = await open();
    const look = await store.look(key, [users, user]);
    assert.equal(look?.value, undefined);
    assert.equal(new Set(look?.tokens).size, 2);
  });

  test('a generation keeps its token as long as nobody renews it', async () => {
    await using store = await open();
    const first = await store.look(key, [users, user]);
    const second = await store.look('gh1:{system}:other', [user, users]);
    assert.deepEqual(second?.tokens, first?.tokens.toReversed());
  });

  test('equal looks at the same time find the same new tokens', async () => {
    await using store = await open();
    const looks = await Promise.all(Array.from({ length: 10 }, () => store.look(key, [users, user])));
    assert.equal(new Set(looks.map((look) => look?.tokens.join())).size, 1);
  });

  test('a value comes back as the bytes that were put', async () => {
    await using store = await open();
    const value = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    store.put(key, value, 10_000);
    assert.deepEqual(await valueOf(store), value);
  });

  test('a later value replaces the earlier one', async () => {
    await using store = await open();
    store.put(key, Buffer.from('old'), 10_000);
    store.put(key, Buffer.from('new'), 10_000);
    assert.equal(String(await valueOf(store)), 'new');
  });

  test('a value is gone after its time', async () => {
    await using store = await open();
    store.put(key, Buffer.from('short-lived'), 30);
    await sleep(80);
    assert.equal(await valueOf(store), undefined);
  });

  test('a dropped value is gone', async () => {
    await using store = await open();
    store.put(key, Buffer.from('unreadable'), 10_000);
    store.drop(key);
    assert.equal(await valueOf(store), undefined);
  });

  test('a renewed generation never has its old token again, others keep theirs', async () => {
    await using store = await open();
    const before = await store.look(key, [users, user]);
    await store.renew([user]);
    const after = await store.look(key, [users, user]);
    assert.equal(after?.tokens[0], before?.tokens[0]);
    assert.notEqual(after?.tokens[1], before?.tokens[1]);
  });

  test('a guard that nobody renewed gets a token of its own, and what is renewed beside it has none of its old ones', async () => {
    await using store = await open();
    const before = await store.look(key, [users, user]);
    const token = await store.advance([users, user], user, before?.tokens[1] ?? '');
    const after = await store.look(key, [users, user]);
    assert.ok(token !== undefined && token !== before?.tokens[1]);
    assert.equal(after?.tokens[1], token);
    assert.notEqual(after?.tokens[0], before?.tokens[0]);
  });

  test('a guard that somebody renewed meanwhile ends all the same and tells no token', async () => {
    await using store = await open();
    const before = await store.look(key, [users, user]);
    await store.renew([user]);
    const between = await store.look(key, [users, user]);
    assert.equal(await store.advance([users, user], user, before?.tokens[1] ?? ''), undefined);
    const after = await store.look(key, [users, user]);
    assert.notEqual(after?.tokens[1], between?.tokens[1]);
  });

  test('of two that advance a guard at the same time only one is told a token', async () => {
    await using store = await open();
    const before = await store.look(key, [user]);
    const told = await Promise.all([1, 2].map(() => store.advance([user], user, before?.tokens[0] ?? '')));
    assert.equal(told.filter((token) => token !== undefined).length, 1);
  });

  test('renewing what nobody has read, or nothing at all, does no harm', async () => {
    await using store = await open();
    await store.renew(['gh1:{system}:unread']);
    await store.renew([]);
    assert.ok(await store.look(key, [users]));
  });
}

async function valueOf(store: Store): Promise<Buffer | undefined> {
  return (await store.look(key, [users]))?.value;
}
