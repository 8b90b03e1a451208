/** How long the book of one process remembers, by a clock of the test's own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { spanMs } from '../../src/writes/updates-book.ts';
import { MemoryBook } from '../../src/writes/updates-memory.ts';

const place = { system: 's', group: 'g', caller: 'c' };
const entered = { id: 'w', caller: 'c', members: ['m'], clock: Infinity };

test('a copy counts for two minutes', async () => {
  let now = 0;
  const book = new MemoryBook(() => now);
  await book.tell(place, { id: 'copy', clock: 0 }, undefined);
  now = spanMs - 1;
  assert.equal((await book.begin(place)).copies.length, 1);
  now = spanMs;
  assert.equal((await book.begin(place)).copies.length, 0);
});

test('an addition counts for two minutes after its write has ended', async () => {
  let now = 0;
  const book = new MemoryBook(() => now);
  const additions = () => book.enter(place, { ...entered, id: 'look', members: [] }, -1, 0);
  await book.begin(place);
  await book.enter(place, entered, -1, 500_000);
  now = 400_000;
  assert.deepEqual((await additions())[0]?.clock, Infinity);
  const { clock } = await book.end(place, 0);
  await book.settle(place, { entered, addition: { ...entered, clock } });
  now += spanMs - 1;
  assert.deepEqual((await additions())[0]?.clock, clock);
  now += 1;
  assert.deepEqual(await additions(), []);
});

test('a write whose end nobody tells counts as under way until it must have ended', async () => {
  let now = 0;
  const book = new MemoryBook(() => now);
  await book.begin(place);
  await book.enter(place, entered, -1, 500_000);
  now = 499_999;
  assert.equal((await book.begin(place)).isShared, true);
  now = 500_000;
  assert.equal((await book.begin(place)).isShared, false);
});

test('a copy that was put back counts no more', async () => {
  const book = new MemoryBook(() => 0);
  const [older, newer] = [
    { id: 'older', clock: 0 },
    { id: 'newer', clock: 0 },
  ];
  await book.tell(place, older, undefined);
  await book.tell(place, newer, undefined);
  await book.settle(place, { entered, copy: newer });
  assert.deepEqual(
    (await book.begin(place)).copies.map(({ id }) => id),
    ['older'],
  );
});
