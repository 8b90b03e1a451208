/** Root may try the gateway out, and serves nobody else unless it is told to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { refuseRoot } from '../../src/cli/root.ts';

test('root does not serve an address that others reach', () => {
  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'gateway.example.com'])
    assert.throws(() => refuseRoot(host, 0), /root must not serve/);
});

test('root may try the gateway out on a loopback address', () => {
  for (const host of ['127.0.0.1', '::1', 'localhost']) assert.doesNotThrow(() => refuseRoot(host, 0));
});

test('an account without rights serves any address', () => {
  assert.doesNotThrow(() => refuseRoot('0.0.0.0', 1000));
});
