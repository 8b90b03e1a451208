/** Where a call comes from, for every shape of X-Forwarded-For that trusted hops and liars can make of it. */
import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';

import fc from 'fast-check';

import { createNetworks } from '../../src/auth/network.ts';
import { behind } from '../../src/gateway/forwarded.ts';
import type { Source } from '../../src/scim/call.ts';

const hops = createNetworks(['10.0.0.0/24', '2001:db8:a::/48']);
const peer: Source = { ip: '10.0.0.1', port: 40_000 };

const cases: readonly (readonly [what: string, from: Source, field: string, source: Source])[] = [
  ['a stranger', { ip: '192.0.2.9', port: 5 }, '198.51.100.1', { ip: '192.0.2.9', port: 5 }],
  ['one hop', peer, '198.51.100.1', { ip: '198.51.100.1', port: 0, via: ['10.0.0.1'] }],
  [
    'a hop that tells the port',
    peer,
    '198.51.100.1:8443',
    { ip: '198.51.100.1', port: 8443, via: ['10.0.0.1'] },
  ],
  ['IPv6', peer, '2001:DB8:0:0::1', { ip: '2001:db8::1', port: 0, via: ['10.0.0.1'] }],
  ['IPv6 with a port', peer, '[2001:db8::1]:443', { ip: '2001:db8::1', port: 443, via: ['10.0.0.1'] }],
  ...['::ffff:c633:6401', '::ffff:198.51.100.1', '[::FFFF:198.51.100.1]'].map(
    (field) =>
      [
        `IPv4 inside IPv6 as ${field}`,
        peer,
        field,
        { ip: '198.51.100.1', port: 0, via: ['10.0.0.1'] },
      ] as const,
  ),
  [
    'two hops',
    peer,
    '198.51.100.1, 10.0.0.2',
    { ip: '198.51.100.1', port: 0, via: ['10.0.0.2', '10.0.0.1'] },
  ],
  [
    'a caller that claims to be another',
    peer,
    '203.0.113.1, 10.0.0.9, 198.51.100.1, 10.0.0.2',
    { ip: '198.51.100.1', port: 0, via: ['10.0.0.2', '10.0.0.1'] },
  ],
  [
    'a caller that claims nonsense',
    peer,
    'x,,"; 198.51.100.1, 198.51.100.1',
    { ip: '198.51.100.1', port: 0, via: ['10.0.0.1'] },
  ],
  ['hops alone', peer, '10.0.0.3, 10.0.0.2', { ip: '10.0.0.3', port: 0, via: ['10.0.0.2', '10.0.0.1'] }],
  [
    'a balancer that announced a hop',
    { ...peer, via: ['10.9.9.9'] },
    '198.51.100.1',
    { ip: '198.51.100.1', port: 0, via: ['10.0.0.1', '10.9.9.9'] },
  ],
  ...[
    '',
    ' ',
    ',',
    '198.51.100.1,',
    'unknown',
    '_hidden',
    '198.51.100.256',
    '198.51.100.1:port',
    '198.51.100.1:',
    '198.51.100.01',
    '0x7f.1',
    '[198.51.100.1',
    'fe80::1%eth0',
    '198.51.100.1 198.51.100.2',
    'for=198.51.100.1',
    '198.51.100.1, unknown, 10.0.0.2',
    Array.from({ length: 17 }, () => '10.0.0.2').join(),
  ].map((field) => [`the hop’s ${JSON.stringify(field.slice(0, 30))}`, peer, field, peer] as const),
];
for (const [what, from, field, source] of cases)
  test(`${what}: the call comes from ${source.ip}`, () => {
    assert.deepEqual(behind(from, field, hops), source);
  });

test('nothing that a caller sends ahead of what its hop appends changes where it comes from', () => {
  const piece = fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.constantFrom(',', ', ', '10.0.0.2', ' '));
  fc.assert(
    fc.property(fc.array(piece), fc.ipV4(), (pieces, ip) => {
      fc.pre(!hops.has(ip));
      const source = behind(peer, `${pieces.join('')}, ${ip}`, hops);
      assert.deepEqual(source, { ip, port: 0, via: [peer.ip] });
    }),
    { numRuns: 2000 },
  );
});

test('whatever a hop writes, the call comes from an address', () => {
  const inside = fc.ipV4().map((ip) => `::ffff:${ip}`);
  const entry = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    inside,
    fc.constantFrom('10.0.0.2', '[', ']', ':', '%', '::1%0'),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(entry), fc.constantFrom(',', ', ', ':'), (entries, separator) => {
      assert.ok(isIP(behind(peer, entries.join(separator), hops).ip));
    }),
    { numRuns: 5000 },
  );
});
