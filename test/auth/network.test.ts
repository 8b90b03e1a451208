import assert from 'node:assert/strict';
import { test } from 'node:test';

import { sourceOf } from '../../src/auth/network.ts';

const sources: readonly (readonly [ip: string, source: string])[] = [
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
  ['2001:db8::6', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
];

for (const [ip, source] of sources)
  test(`${ip} counts as ${source}`, () => {
    assert.equal(sourceOf(ip), source);
  });
