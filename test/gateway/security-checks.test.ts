/** What is dangerous in a configuration is told as such, and what is sound is not: the one list of page and command. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settingChecks } from '../../src/gateway/security-checks.ts';
import { createCertificate } from '../support/certificate.ts';
import { changed, load, soundDocument, withTenant, type Surroundings } from '../support/configuration.ts';

/** Nothing of a test's own place is temporary. */
const audit = { directory: '/var/lib/gatehouse/audit' };
const redis = (settings: object) => changed({ audit, cache: { store: 'redis', redis: settings } });
const open = { host: '0.0.0.0', port: 8443, tlsTerminatedElsewhere: true };
const others = { publicUrl: 'https://gatehouse.example.com', listen: open };
const { permissions } = soundDocument().callers['sap-idm'];

function stateOf(document: unknown, id: string, surroundings?: Surroundings): string | undefined {
  return settingChecks(load(document, surroundings)).find((check) => check.id === id)?.state;
}

const judged: readonly (readonly [what: string, document: unknown, id: string, state: string])[] = [
  ['a trail below /tmp', changed({ audit: { directory: '/tmp/audit' } }), 'audit.directory', 'danger'],
  [
    'a trail that is kept for a day',
    changed({ audit: { ...audit, keepDays: 1 } }),
    'audit.keepDays',
    'danger',
  ],
  [
    'a trail that is kept for sixty days',
    changed({ audit: { ...audit, keepDays: 60 } }),
    'audit.keepDays',
    'advice',
  ],
  [
    'a trail that is kept for a year',
    changed({ audit: { ...audit, keepDays: 365 } }),
    'audit.keepDays',
    'good',
  ],
  [
    'deletes that nothing stops',
    changed({ guard: { deletes: { above: 'off' } } }),
    'guard.deletes',
    'danger',
  ],
  [
    'groups that may shrink',
    changed({ guard: { shrinking: { above: 'off' } } }),
    'guard.shrinking',
    'danger',
  ],
  [
    'deletes that are told of',
    changed({ guard: { deletes: { above: 'alert' } } }),
    'guard.deletes',
    'advice',
  ],
  ['replicas without a Redis', changed({ replicas: 3 }), 'cache.store', 'danger'],
  ['one gateway without a Redis', changed({}), 'cache.store', 'good'],
  ['a Redis elsewhere in plain text', redis({ url: 'redis://10.1.1.1:6379' }), 'cache.redis.tls', 'danger'],
  [
    'a Redis whose tls means nothing beside its address',
    redis({ url: 'redis://10.1.1.1:6379', tls: {} }),
    'cache.redis.tls',
    'danger',
  ],
  ['a Redis on this machine', redis({ url: 'redis://127.0.0.1:6379' }), 'cache.redis.tls', 'good'],
  ['a Redis with TLS', redis({ url: 'rediss://redis.example.com:6379' }), 'cache.redis.tls', 'good'],
  [
    'Sentinels in plain text',
    redis({ sentinels: ['10.1.1.1:26379'], master: 'main' }),
    'cache.redis.tls',
    'danger',
  ],
  [
    'Sentinels with TLS',
    redis({ sentinels: ['10.1.1.1:26379'], master: 'main', tls: {} }),
    'cache.redis.tls',
    'good',
  ],
  ['a caller of all from anywhere', changed(others), 'caller.scope.sap-idm', 'danger'],
  [
    'a caller of all from its networks',
    changed({ ...others, callers: { 'sap-idm': { permissions, sourceNetworks: ['10.20.0.0/16'] } } }),
    'caller.scope.sap-idm',
    'advice',
  ],
  ['a caller of all on this machine', changed({}), 'caller.scope.sap-idm', 'advice'],
  [
    'a tenant without a credential',
    withTenant({ credential: { type: 'none' } }),
    'tenant.credential.acme',
    'danger',
  ],
];

for (const [what, document, id, state] of judged)
  test(`${what}: ${state}`, () => {
    assert.equal(stateOf(document, id), state);
  });

for (const [what, listen, state] of [
  ['a certificate for another name than callers use is a danger', {}, 'danger'],
  ['one for a further name of the listener is not', { hosts: ['localhost'] }, 'good'],
  ['behind a proxy that ends TLS it is not for callers', { trustedHops: ['10.0.0.0/24'] }, undefined],
] as const)
  test(what, () => {
    const { certificate, key } = createCertificate();
    const files = { 'own.crt': { content: certificate }, 'own.key': { content: key } };
    const tls = { certificate: { file: 'own.crt' }, key: { file: 'own.key' } };
    const document = changed({ ...others, listen: { host: '0.0.0.0', port: 8443, tls, ...listen } });
    assert.equal(stateOf(document, 'listen.certificate', { files }), state);
  });

test('a certificate for the name that callers use is good', () => {
  const { certificate, key } = createCertificate('gatehouse', { host: 'gatehouse.example.com' });
  const files = { 'own.crt': { content: certificate }, 'own.key': { content: key } };
  const tls = { certificate: { file: 'own.crt' }, key: { file: 'own.key' } };
  const document = changed({ ...others, listen: { host: '0.0.0.0', port: 8443, tls } });
  assert.equal(stateOf(document, 'listen.certificate', { files }), 'good');
});

test('a sound configuration has no dangers', () => {
  const dangers = settingChecks(load(changed({ audit }))).filter(({ state }) => state === 'danger');
  assert.deepEqual(dangers, []);
});
