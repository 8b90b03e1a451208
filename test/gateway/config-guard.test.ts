/** What the configuration says of guards: defaults, and rules that could never fit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ConfigFaults } from '../../src/gateway/config-faults.ts';
import type { ConfigDocument } from '../../src/gateway/config-schema.ts';
import { parseConfig } from '../../src/gateway/config.ts';

const document = (guard?: ConfigDocument['guard']): ConfigDocument => ({
  callers: {
    idm: { permissions: [{ permission: 'Access Proxy System API', systems: 'all', access: ['read'] }] },
  },
  tenants: { acme: { embedded: {} } },
  systems: { S1: { tenant: 'acme' } },
  ...(guard && { guard }),
});

test('without a word deletes and shrinking groups are held, deactivations and loads told of', () => {
  const { window, deletes, deactivations, shrinking, loads, rules } = parseConfig(document(), '/').guard;
  assert.deepEqual(
    { window, deletes, deactivations, shrinking, loads, rules },
    {
      window: 600_000,
      deletes: { most: 50, share: 5, above: 'refuse' },
      deactivations: { most: 50, share: 5, above: 'alert' },
      shrinking: { most: 20, share: 50, above: 'refuse' },
      loads: { share: 10, above: 'alert' },
      rules: [],
    },
  );
});

for (const [title, rule, place] of [
  ['a caller who does not exist', { callers: ['idm', 'imd'] }, 'guard.rules.0.callers'],
  ['a system that does not exist', { systems: ['S2'] }, 'guard.rules.0.systems'],
  [
    'a time zone that does not exist',
    { when: { timezone: 'Europe/Nowhere' } },
    'guard.rules.0.when.timezone',
  ],
  ['a time that no clock shows', { when: { from: '24:00' } }, 'guard.rules.0.when.from'],
] as const)
  test(`a rule for ${title} is a fault`, () => {
    const guard = {
      rules: [structuredClone(rule) as NonNullable<NonNullable<ConfigDocument['guard']>['rules']>[number]],
    };
    assert.throws(
      () => parseConfig(document(guard), '/'),
      (error) => error instanceof ConfigFaults && error.faults.map(({ path }) => path).join() === place,
    );
  });
