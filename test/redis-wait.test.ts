/** What all parts of one call wait for Redis together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { asOneCall, waitOf, within } from '../src/redis-wait.ts';

const never = new Promise<never>(() => {});
const inVain = (ms: number): Promise<void> => assert.rejects(within(ms, never), /BUDGET/);

test('what a call has waited in vain counts against its next wait', async () => {
  await asOneCall(async () => {
    await inVain(30);
    assert.ok(waitOf(50) <= 21, `${waitOf(50)} ms are left`);
  });
});

test('a call that has waited its budget in vain still gives Redis an instant', async () => {
  await asOneCall(async () => {
    await inVain(60);
    assert.equal(waitOf(50), 3);
  });
});

test('a part with a longer budget waits for what is left of it', async () => {
  await asOneCall(async () => {
    await inVain(50);
    assert.ok(waitOf(500) > 300 && waitOf(500) <= 451, `${waitOf(500)} ms are left`);
  });
});

test('a wait that was answered counts against none', async () => {
  await asOneCall(async () => {
    await within(1000, sleep(30));
    assert.equal(waitOf(50), 50);
  });
});

test('what one call has waited in vain is nothing to another, and nothing outside of calls', async () => {
  await asOneCall(() => inVain(30));
  assert.equal(waitOf(50), 50);
  assert.equal(
    asOneCall(() => waitOf(50)),
    50,
  );
});

test('what was refused at once costs the next wait nothing', async () => {
  await asOneCall(async () => {
    await assert.rejects(within(50, Promise.reject(new Error('READONLY'))), /READONLY/);
    assert.ok(waitOf(50) > 40, `${waitOf(50)} ms are left`);
  });
});

test('a call that outlives an outage has its whole budget again', async () => {
  await asOneCall(async () => {
    await inVain(60);
    await sleep(1050);
    assert.equal(waitOf(50), 50);
  });
});
