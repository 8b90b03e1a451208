import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createGate } from '../../src/auth/gate.ts';

test('no more than allowed run at once, and all that waited run in order', async () => {
  const gate = createGate(2, 10);
  const order: number[] = [];
  let running = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 10 }, (_, i) =>
      gate(async () => {
        order.push(i);
        running += 1;
        most = Math.max(most, running);
        await new Promise(setImmediate);
        running -= 1;
      }),
    ),
  );
  assert.equal(most, 2);
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test(
  'whoever finds the queue full is refused as busy, with a time to come again',
  { timeout: 5000 },
  async () => {
    const gate = createGate(1, 1);
    const { promise: blocked, resolve: release } = Promise.withResolvers<void>();
    const first = gate(() => blocked);
    const second = gate(async () => 'served');
    await assert.rejects(
      gate(async () => 'third'),
      { kind: 'busy', status: 429, headers: { 'retry-after': '1' } },
    );
    release();
    await first;
    assert.equal(await second, 'served');
    assert.equal(await gate(async () => 'later'), 'later');
  },
);

const fail = async (): Promise<never> => {
  throw new Error('no');
};

test('work that fails frees its place', async () => {
  const gate = createGate(1, 0);
  for (let i = 0; i < 3; i += 1) await assert.rejects(gate(fail), { message: 'no' });
  assert.equal(await gate(async () => 'served'), 'served');
});
