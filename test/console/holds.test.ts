/** A burst of changes that the guard holds, seen and released by an operator. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Hold, Parties } from '../../src/console/api/parties.ts';
import { startConsole } from '../support/console.ts';

/** Two deletes have passed, the third is held. */
async function startHeld() {
  const started = await startConsole({}, {}, { guard: { deletes: { most: 2 } } });
  const { gateway } = started;
  const operator = await started.logOn('operator');
  const list = (await (await gateway.call('GET', '/Users?count=5')).json()) as {
    readonly Resources: readonly { readonly id: string }[];
  };
  const remove = async (at: number): Promise<number> =>
    (await gateway.call('DELETE', `/Users/${list.Resources[at]?.id}`)).status;
  assert.deepEqual([await remove(0), await remove(1), await remove(2)], [204, 204, 403]);
  const holds = async (): Promise<readonly Hold[]> => (await operator.get<Parties>('/parties')).holds;
  const [hold] = await holds();
  assert.ok(hold);
  const release = (request: object) => operator.ask('POST', `/guard/${hold.id}/release`, request);
  return { started, remove, holds, hold, release };
}

test('an operator sees what is held, releases it with a reason, and then it passes', async () => {
  const { started, remove, hold, release } = await startHeld();
  await using _ = started;
  assert.partialDeepStrictEqual(hold, { caller: 'identity-manager', count: 3 });
  assert.equal(hold.released, undefined);
  const reason = 'the department was closed, ticket 4711';
  assert.equal((await release({ reason, count: 1, minutes: 30 })).status, 200);
  assert.equal(await remove(2), 204);
  await started.untilTold('console.acted', { action: 'release', user: 'operator', reason });
  await started.untilTold('guard.released', { reason, count: 1 });
});

test('a release lets pass no more than its count, and everybody sees what is left of it', async () => {
  const { started, remove, holds, release } = await startHeld();
  await using _ = started;
  await release({ reason: 'two of them are leavers', count: 2, minutes: 30 });
  assert.equal((await holds())[0]?.released, 2);
  assert.equal(await remove(2), 204);
  assert.equal((await holds())[0]?.released, 1);
  assert.equal(await remove(3), 204);
  assert.deepEqual(await holds(), []);
});

test('nobody releases more than is held, or without saying how much and until when', async () => {
  const { started, holds, release } = await startHeld();
  await using _ = started;
  const reason = 'ticket 4711';
  for (const wrong of [
    { reason },
    { reason, count: 4, minutes: 30 },
    { reason, count: 0, minutes: 30 },
    { reason, count: 1, minutes: 1441 },
  ])
    assert.equal((await release(wrong)).status, 400);
  assert.equal((await holds())[0]?.released, undefined);
});
