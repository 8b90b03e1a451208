/** Waits for what comes about by itself, and fails when it does not. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

export async function eventually(holds: () => Promise<boolean>, patienceMs = 10_000): Promise<void> {
  const until = performance.now() + patienceMs;
  while (!(await holds())) {
    assert.ok(performance.now() < until, 'it did not come about in time');
    await sleep(20);
  }
}
