/** A console that the configuration lets others into is safe, or the gateway does not start. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { changed, faultsIn, load } from '../support/configuration.ts';

const accounts = { 'break-glass': { role: 'administrator' } };
const oidc = {
  issuer: 'https://login.example.com/tenant/',
  clientId: 'gatehouse',
  roles: { auditor: ['auditors'] },
};
const withConsole = (console: object, admin: object = {}): object =>
  changed({ admin: { ...admin, console } });

test('without a console there is none', () => {
  assert.equal(load(changed({})).admin.console, undefined);
});

test('a console on this machine needs an account and nothing else', () => {
  const { console } = load(withConsole({ accounts })).admin;
  assert.deepEqual(console?.accounts, accounts);
  assert.deepEqual([console?.idle, console?.lifetime], [15 * 60_000, 8 * 3_600_000]);
});

test('an issuer keeps its name as it is, and roles that nobody was given are empty', () => {
  const settings = load(withConsole({ oidc })).admin.console?.oidc;
  assert.equal(settings?.issuer, oidc.issuer);
  assert.deepEqual(settings?.roles, { auditor: ['auditors'], operator: [], administrator: [] });
});

for (const [what, document, fault] of [
  ['a console into which nobody can log on', withConsole({}), /admin\.console: lets nobody log on/],
  [
    'plain HTTP to others',
    withConsole({ accounts, publicUrl: 'https://c.example.com' }, { host: '10.0.0.1' }),
    /plain HTTP on 10\.0\.0\.1/,
  ],
  [
    'a public address with a path',
    withConsole({ accounts, publicUrl: 'https://c.example.com/x' }),
    /publicUrl: has a path/,
  ],
  ['a role that there is not', withConsole({ accounts: { x: { role: 'root' } } }), /role/],
  [
    'an issuer over plain HTTP',
    withConsole({ oidc: { ...oidc, issuer: 'http://login.example.com' } }),
    /issuer.*must be https/,
  ],
  ['a session that lasts for a week', withConsole({ accounts, lifetime: '168h' }), /lifetime/],
] as const)
  test(`${what} is a fault`, () => {
    const faults = faultsIn(document);
    assert.equal(faults.length, 1, faults.join('\n'));
    assert.match(faults[0] ?? '', fault);
  });
