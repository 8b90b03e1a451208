/** The end of the process as operators and supervisors see it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startGateway } from '../support/gateway.ts';
import { sendScim, startUpstream } from '../support/upstream.ts';

test('health is answered while a write drains: alive, and not ready', async () => {
  const arrived = Promise.withResolvers<void>();
  await using upstream = await startUpstream({
    answer: (_request, response) => {
      arrived.resolve();
      setTimeout(() => sendScim(response, 200, { id: '1' }), 500);
    },
  });
  const gateway = await startGateway({ upstream: upstream.url });
  const write = gateway.call('PUT', '/Users/1', { userName: 'a' });
  await arrived.promise;
  const ended = gateway[Symbol.asyncDispose]();
  assert.equal((await fetch(`${gateway.adminUrl}/health/live`)).status, 200);
  const ready = await fetch(`${gateway.adminUrl}/health/ready`);
  assert.deepEqual(
    [ready.status, await ready.json()],
    [503, { status: 'not ready', reasons: ['the gateway is shutting down'] }],
  );
  assert.equal((await write).status, 200);
  await ended;
});
