/** What differs between two configurations, and what of it may change while the gateway runs. */
import assert from 'node:assert/strict';
import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { changesBetween, configHash, refuseFixed } from '../../src/gateway/config-changes.ts';
import { ConfigFaults } from '../../src/gateway/config-faults.ts';
import { fileBehind } from '../../src/gateway/config-references.ts';
import type { ConfigDocument } from '../../src/gateway/config-schema.ts';
import { parseConfig, type Config } from '../../src/gateway/config.ts';
import { Secret } from '../../src/gateway/secret.ts';
import { createCertificate } from '../support/certificate.ts';

const permissions = [
  { permission: 'Access Proxy System API' as const, systems: 'all' as const, access: ['read' as const] },
];

function configure(changes: Partial<ConfigDocument> = {}, secret = 'of the tenant'): Config {
  const credential = { type: 'basic' as const, user: 'gatehouse', secret: new Secret(secret) };
  const document: ConfigDocument = {
    audit: { instance: 'one' },
    callers: { idm: { permissions } },
    tenants: { acme: { url: 'https://acme.example.com', credential } },
    systems: { s1: { tenant: 'acme' } },
    ...changes,
  };
  return parseConfig(document, '/etc/gatehouse');
}

const settings = (before: Config, after: Config): string[] =>
  changesBetween(before, after).map(({ setting }) => setting);

test('the same document twice differs in nothing', () => {
  assert.deepEqual(changesBetween(configure(), configure()), []);
});

test('what is added, changed and taken away is told setting by setting', () => {
  const after = configure({ patience: '20s', callers: { iag: { permissions } } });
  assert.deepEqual(
    changesBetween(configure(), after).find(({ setting }) => setting === 'patience'),
    { setting: 'patience', old: 50_000, new: 20_000 },
  );
  const told = settings(configure(), after);
  assert.ok(told.includes('callers.idm.permissions') && told.includes('callers.iag.permissions'));
});

test('a secret that changed is a fact without a value', () => {
  const changes = changesBetween(configure(), configure({}, 'another one'));
  assert.deepEqual(changes, [{ setting: 'tenants.acme.credential.secret', old: '***', new: '***' }]);
  assert.equal(configHash(configure()), configHash(configure({}, 'another one')));
});

test('what a file says that the configuration refers to is a change of that file, and another reference is not', () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-whose-'));
  const place = (name: string): string => join(directory.path, name);
  const write = (round: string): void => {
    writeFileSync(place('tenant'), `secret of ${round}`, { mode: 0o600 });
    writeFileSync(place('other'), `another of ${round}`, { mode: 0o600 });
    writeFileSync(place('ca.pem'), createCertificate(`${round}.example.com`).certificate);
    writeFileSync(place('keys.json'), JSON.stringify({ keys: [{ kty: 'RSA', n: round, e: 'AQAB' }] }));
  };
  const read = (secret: string, patience: string): Config => {
    const credential = { type: 'basic' as const, user: 'gatehouse', secret: { file: secret } };
    const company = { issuer: 'https://login.example.com', audience: ['gatehouse'], callers: { iag: 'idm' } };
    const document: ConfigDocument = {
      audit: { instance: 'one' },
      patience,
      oauth: { issuers: { company: { ...company, keys: { file: 'keys.json' } } } },
      callers: { idm: { permissions } },
      tenants: { acme: { url: 'https://acme.example.com', credential, ca: { file: 'ca.pem' } } },
      systems: { s1: { tenant: 'acme' } },
    };
    return parseConfig(document, directory.path);
  };
  const whose = (before: Config, after: Config): object =>
    Object.fromEntries(changesBetween(before, after).map(({ setting, file }) => [setting, file]));
  write('first');
  const first = read('tenant', '50s');
  assert.deepEqual(whose(first, read('other', '50s')), { 'tenants.acme.credential.secret': undefined });
  write('second');
  assert.deepEqual(whose(first, read('tenant', '20s')), {
    patience: undefined,
    'oauth.issuers.company.keys.jwks.keys': place('keys.json'),
    'tenants.acme.credential.secret': place('tenant'),
    'tenants.acme.ca': place('ca.pem'),
  });
});

test('what is repaired of a caller is said by the file of its profile', () => {
  assert.match(fileBehind(configure().callers['idm']?.profile) ?? '', /\/config\/profiles\/generic\.yaml$/);
});

test('every setting that only a restart can change is named at once', () => {
  const after = configure({
    patience: '20s',
    listen: { port: 1234 },
    audit: { instance: 'two' },
    cache: { memory: { size: '1MiB' } },
  });
  assert.throws(
    () => refuseFixed(changesBetween(configure(), after), 'the new one'),
    (error) => {
      assert.ok(error instanceof ConfigFaults);
      const named = error.faults.map(({ path }) => path).toSorted();
      assert.deepEqual(named, ['audit.instance', 'cache.memory.size', 'listen.port']);
      return true;
    },
  );
});

test('rights, limits of calls, tenants and systems may change', () => {
  const after = configure({
    callers: { idm: { permissions, sourceNetworks: ['10.0.0.0/8'] } },
    limits: { body: '1MiB' },
    systems: { s1: { tenant: 'acme', cache: { enabled: false } }, s2: { tenant: 'acme' } },
    replicas: 2,
  });
  const changes = changesBetween(configure(), after);
  assert.ok(changes.length >= 4);
  refuseFixed(changes, 'the new one');
});

test('a further listener may get other host names, but neither come, go nor trust others', () => {
  const withLan = (lan: object): Config => configure({ listeners: { lan: { port: 8444, ...lan } } });
  refuseFixed(changesBetween(withLan({}), withLan({ hosts: ['inside.example.com'] })), 'the new one');
  for (const [before, after] of [
    [configure(), withLan({})],
    [withLan({}), configure()],
    [withLan({}), withLan({ trustedHops: ['10.0.0.1'] })],
    [withLan({}), withLan({ proxyProtocol: { from: ['10.0.0.1'] } })],
    [configure(), configure({ health: {} })],
  ] as const)
    assert.throws(() => refuseFixed(changesBetween(before, after), 'the new one'), ConfigFaults);
});
