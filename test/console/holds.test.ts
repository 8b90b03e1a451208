/** A burst of changes that the guard holds, seen and released by an operator. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Parties } from '../../src/console/api/parties.ts';
import { startConsole } from '../support/console.ts';

test('an operator sees what is held, releases it with a reason, and then it passes', async () => {
  await using started = await startConsole({}, {}, { guard: { deletes: { most: 2 } } });
  const { gateway } = started;
  const operator = await started.logOn('operator');
  const list = (await (await gateway.call('GET', '/Users?count=3')).json()) as {
    Resources: { id: string }[];
  };
  const remove = async ({ id }: { readonly id: string }): Promise<number> =>
    (await gateway.call('DELETE', `/Users/${id}`)).status;
  const [first, second, third] = list.Resources;
  assert.ok(first && second && third);
  assert.deepEqual([await remove(first), await remove(second), await remove(third)], [204, 204, 403]);
  const { holds } = await operator.get<Parties>('/parties');
  assert.equal(holds.length, 1);
  assert.partialDeepStrictEqual(holds, [{ caller: 'identity-manager' }]);
  const reason = 'the department was closed, ticket 4711';
  const released = await operator.ask('POST', `/guard/${holds[0]?.id}/release`, { reason });
  assert.equal(released.status, 200);
  assert.equal(await remove(third), 204);
  await started.untilTold('console.acted', { action: 'release', user: 'operator', reason });
  await started.untilTold('guard.released', { reason });
});
