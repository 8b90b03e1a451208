/** Addresses as the system tells them, and as the trail and the throttle shall see them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { canonicalAddress, nearEnd } from '../../src/gateway/peer.ts';

for (const [told, address] of [
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:c000:201', '192.0.2.1'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['fe80::1%eth0', 'fe80::1'],
  ['::1', '::1'],
  ['', ''],
] as const)
  test(`the address that the system tells as ${told || 'nothing'} is ${address || 'nothing'}`, () => {
    assert.equal(canonicalAddress(told), address);
    assert.deepEqual(nearEnd({ remoteAddress: told, remotePort: 7 }), { ip: address, port: 7 });
  });
