/** Networks, denied attributes and limits of a caller: a typing error must not open a door. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { changed, faultsIn, load } from '../support/configuration.ts';

const withCaller = (changes: object, permission: object = {}): object =>
  changed({
    callers: {
      'sap-idm': {
        permissions: [
          { permission: 'Access Proxy System API', systems: 'all', access: ['read'], ...permission },
        ],
        ...changes,
      },
    },
  });

test('networks and denied attributes reach the caller', () => {
  const config = load(
    withCaller(
      { sourceNetworks: ['10.20.0.0/16', '192.0.2.7', '2001:db8::/32'] },
      { deniedAttributes: ['emails'] },
    ),
  );
  const { sourceNetworks, permissions } = config.callers['sap-idm'] ?? {};
  assert.deepEqual(sourceNetworks, ['10.20.0.0/16', '192.0.2.7', '2001:db8::/32']);
  assert.deepEqual(
    permissions?.map((row) => 'deniedAttributes' in row && row.deniedAttributes),
    [['emails']],
  );
});

test('without networks a caller may come from anywhere', () => {
  assert.equal(load(withCaller({})).callers['sap-idm']?.sourceNetworks, undefined);
});

for (const network of [
  '10.20.0.0/33',
  '10.20.0.0/',
  '10.20/16',
  '2001:db8::/129',
  'fe80::1%eth0/64',
  'example.com',
  '',
  '10.0.0.0/8/8',
])
  test(`${JSON.stringify(network)} is no network`, () => {
    const [fault = '', ...more] = faultsIn(withCaller({ sourceNetworks: [network] }));
    assert.match(fault, /sourceNetworks.*must be a network/);
    assert.deepEqual(more, []);
  });

test('an empty list of networks is a fault: it would mean nobody, or everybody', () => {
  assert.match(faultsIn(withCaller({ sourceNetworks: [] }))[0] ?? '', /sourceNetworks/);
});

for (const name of ['name.familyName', 'urn:x:y', 'emails ', 'id', 'schemas', 'Meta'])
  test(`${JSON.stringify(name)} cannot be denied`, () => {
    assert.match(faultsIn(withCaller({}, { deniedAttributes: [name] }))[0] ?? '', /deniedAttributes/);
  });

test('a caller has room for all calls of one tenant, and no limit per minute, unless told', () => {
  assert.deepEqual(load(withCaller({})).callers['sap-idm']?.limits, { concurrency: 200 });
  const limits = { concurrency: 4, perMinute: 600 };
  assert.deepEqual(load(withCaller({ limits })).callers['sap-idm']?.limits, limits);
});

for (const limits of [{ concurrency: 0 }, { perMinute: 0 }, { perMinute: 1.5 }, { perSecond: 3 }])
  test(`limits of ${JSON.stringify(limits)} are a fault`, () => {
    assert.match(faultsIn(withCaller({ limits })).join('\n'), /callers\.sap-idm\.limits/);
  });
