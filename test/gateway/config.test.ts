/** What a sound configuration becomes: numbers, merged systems, hidden secrets, nothing that can be changed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';

import type { ConfigDocument } from '../../src/gateway/config-schema.ts';
import { parseConfig } from '../../src/gateway/config.ts';
import { Secret } from '../../src/gateway/secret.ts';
import { changed, load, soundDocument, theSecret } from '../support/configuration.ts';

const embeddedDocument: ConfigDocument = {
  callers: {
    idm: { permissions: [{ permission: 'Access Real-Time Provisioning API', sourceSystems: 'all' }] },
  },
  tenants: { acme: { embedded: {} } },
  systems: { people: { tenant: 'acme' } },
};
const read = (changes: object) => load(changed(changes));

for (const [written, milliseconds] of [
  ['1500ms', 1500],
  ['30s', 30_000],
  ['5m', 300_000],
  ['1h', 3_600_000],
] as const)
  test(`the duration ${written} is ${milliseconds} milliseconds`, () => {
    assert.equal(read({ cache: { lifetime: written } }).cache.lifetime, milliseconds);
  });

for (const [written, bytes] of [
  ['2048B', 2048],
  ['64KiB', 65_536],
  ['8MiB', 8_388_608],
  ['1GiB', 1_073_741_824],
] as const)
  test(`the size ${written} is ${bytes} bytes`, () => {
    assert.equal(read({ limits: { reply: written } }).limits.reply, bytes);
  });

test('nothing but tenants, systems and callers has to be written', () => {
  const config = load(soundDocument());
  assert.equal(config.patience, 50_000);
  assert.deepEqual(config.listen.hosts, []);
  assert.equal(config.limits.tokens, 1_000_000);
  assert.equal(config.tenants['acme']?.deadlines.write, 190_000);
  assert.equal(config.firstStart.generateSecrets, false);
  assert.notEqual(config.audit.instance, '');
});

test('paths start at the directory of the configuration file', () => {
  const document = { ...embeddedDocument, audit: { directory: 'trail' }, secretsFile: '/srv/secrets.yaml' };
  const config = parseConfig(document, '/etc/gatehouse');
  assert.equal(config.audit.directory, '/etc/gatehouse/trail');
  assert.equal(config.audit.keyFile, '/etc/var/keys/audit.key');
  assert.equal(config.secretsFile, '/srv/secrets.yaml');
});

test('a system inherits what it does not say itself', () => {
  const { systems } = read({
    limits: { body: '1MiB', depth: 20 },
    cache: { lifetime: '5m' },
    systems: { people: { tenant: 'acme', id: 'p-1', limits: { reply: '2MiB' }, deadlines: { read: '7s' } } },
  });
  const { id, upstreamId, name, cache, limits, deadlines } = systems['people'] ?? assert.fail();
  assert.deepEqual({ id, upstreamId, name }, { id: 'people', upstreamId: 'p-1', name: 'people' });
  assert.partialDeepStrictEqual(cache, { enabled: true, lifetime: 300_000, scope: 'shared' });
  assert.deepEqual([limits.body, limits.reply, limits.depth], [1_048_576, 2_097_152, 20]);
  assert.deepEqual(deadlines, { read: 7000, write: 190_000 });
});

test('a caller belongs to the only tenant', () => {
  assert.equal(load(soundDocument()).callers['sap-idm']?.tenant, 'acme');
});

test('an embedded tenant needs neither address nor credential', () => {
  const { tenants } = read({ tenants: { acme: { embedded: {} } } });
  assert.deepEqual(tenants['acme']?.embedded, { port: 8081, users: 1000, groups: 50 });
});

test('an address ends without a slash', () => {
  assert.equal(
    read({ publicUrl: 'https://gatehouse.example.com/' }).publicUrl,
    'https://gatehouse.example.com',
  );
});

test('a secret is not shown by a dump of the configuration', () => {
  const config = load(soundDocument());
  for (const text of [JSON.stringify(config), inspect(config, { depth: 20, showHidden: true })]) {
    assert.ok(!text.includes(theSecret));
    assert.match(text, /\*\*\*/);
  }
  assert.equal(String(new Secret(theSecret)), '***');
});

test('a secret is revealed on request', () => {
  const credential = load(soundDocument()).tenants['acme']?.credential;
  assert.equal(credential?.type === 'basic' && credential.secret.reveal(), theSecret);
});

test('a configuration cannot be changed at any depth', () => {
  const config = load(soundDocument());
  assert.throws(() => Object.assign(config, { patience: 1 }), TypeError);
  assert.throws(() => Object.assign(config.tenants['acme']?.pace ?? {}, { perMinute: 9999 }), TypeError);
  assert.throws(() => Object.assign(config.systems['people']?.resourceTypes ?? [], ['Other']), TypeError);
});

test('a system that is not configured is not found, whatever its name', () => {
  const { systems } = load(soundDocument());
  for (const id of ['constructor', '__proto__', 'toString']) assert.equal(systems[id], undefined);
});

test('a program may give a secret as it is', () => {
  const credential = { type: 'oauth' as const, clientId: 'gateway', secret: new Secret(theSecret) };
  const document = { ...embeddedDocument, tenants: { acme: { url: 'http://localhost:1', credential } } };
  const { tenants } = parseConfig(document, '/');
  const given = tenants['acme']?.credential;
  assert.equal(given?.type === 'oauth' && given.secret.reveal(), theSecret);
});

test('a secret in a file is kept exactly, but for the line feed at its end', () => {
  const secret = { file: 'acme' };
  const document = changed({
    tenants: { acme: { url: 'https://a.example', credential: { type: 'basic', user: 'u', secret } } },
  });
  const { tenants } = load(document, { files: { acme: { content: '  two words \n' } } });
  const { credential } = tenants['acme'] ?? assert.fail();
  assert.equal(credential?.type === 'basic' && credential.secret.reveal(), '  two words ');
});
