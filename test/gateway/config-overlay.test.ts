/** How environment variables find the keys that they change, and what happens to those that find none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { configFile } from '../../src/gateway/config.ts';
import {
  changed,
  faultsIn,
  faultsThrownBy,
  load,
  soundDocument,
  withTenant,
} from '../support/configuration.ts';

const read = (env: NodeJS.ProcessEnv, document: unknown = soundDocument()) => load(document, { env });

test('two underscores descend a level and one joins the words of a key', () => {
  const { tenants } = read({ GATEHOUSE_TENANTS__ACME__PACE__PER_MINUTE: '100' });
  assert.equal(tenants['acme']?.pace.perMinute, 100);
});

test('a variable wins over the file', () => {
  assert.equal(read({ GATEHOUSE_PATIENCE: '5s' }, changed({ patience: '9s' })).patience, 5000);
});

test('an entry is found without its dashes', () => {
  assert.equal(read({ GATEHOUSE_CALLERS__SAP_IDM__TENANT: 'acme' }).callers['sap-idm']?.tenant, 'acme');
});

test('the case of a variable’s words does not count', () => {
  assert.equal(read({ GATEHOUSE_listen__MaxConnections: '7' }).listen.maxConnections, 7);
});

test('text that looks like a number stays text where the key wants text', () => {
  assert.equal(read({ GATEHOUSE_SYSTEMS__PEOPLE__NAME: '007' }).systems['people']?.name, '007');
});

test('a list is written as in YAML', () => {
  assert.deepEqual(read({ GATEHOUSE_LISTEN__HOSTS: '[a.example, b.example]' }).listen.hosts, [
    'a.example',
    'b.example',
  ]);
});

test('a truth value is written as in YAML', () => {
  assert.equal(
    read({ GATEHOUSE_SYSTEMS__PEOPLE__CACHE__ENABLED: 'false' }).systems['people']?.cache.enabled,
    false,
  );
});

test('a reference to a file replaces the reference of the configuration', () => {
  const surroundings = {
    env: { GATEHOUSE_TENANTS__ACME__CREDENTIAL__SECRET__FILE: 'acme' },
    files: { acme: { content: 'from the file' } },
  };
  const credential = load(soundDocument(), surroundings).tenants['acme']?.credential;
  assert.equal(credential?.type === 'basic' && credential.secret.reveal(), 'from the file');
});

test('a variable that a reference names may begin like a key', () => {
  const credential = { type: 'basic', user: 'u', secret: { env: 'GATEHOUSE_ACME' } };
  assert.deepEqual(faultsIn(withTenant({ credential }), { env: { GATEHOUSE_ACME: 's3cr3t' } }), []);
});

test('a variable that a variable refers to may begin like a key', () => {
  const env = {
    GATEHOUSE_TENANTS__ACME__CREDENTIAL__SECRET__ENV: 'GATEHOUSE_ACME',
    GATEHOUSE_ACME: 's3cr3t',
  };
  assert.deepEqual(faultsIn(soundDocument(), { env }), []);
});

for (const [what, variable] of [
  ['an unknown key', 'GATEHOUSE_PATIENSE'],
  ['an unknown entry', 'GATEHOUSE_TENANTS__OTHER__URL'],
  ['a key below a value', 'GATEHOUSE_PATIENCE__SECONDS'],
  ['nothing', 'GATEHOUSE_'],
  ['a key of every object', 'GATEHOUSE_CONSTRUCTOR'],
] as const)
  test(`a variable for ${what} is a fault`, () => {
    const faults = faultsIn(soundDocument(), { env: { [variable]: '1' } });
    assert.equal(faults.length, 1);
    assert.ok(faults[0]?.startsWith(`${variable}: `));
  });

test('a variable that means two entries is a fault', () => {
  const systems = { 'a-b': { tenant: 'acme' }, 'a.b': { tenant: 'acme' } };
  const faults = faultsIn(changed({ systems }), { env: { GATEHOUSE_SYSTEMS__A_B__NAME: 'x' } });
  assert.match(faults.join(), /means both a-b and a\.b/);
});

test('a wrong value of a variable is a fault of its key', () => {
  assert.match(
    faultsIn(soundDocument(), { env: { GATEHOUSE_PATIENCE: '5' } }).join(),
    /^patience: must be a duration/,
  );
});

test('a value that is not YAML is a fault that does not show it', () => {
  const faults = faultsIn(soundDocument(), { env: { GATEHOUSE_LISTEN__HOSTS: '[hunter2' } });
  assert.match(faults.join(), /^GATEHOUSE_LISTEN__HOSTS: its value is not valid YAML$/);
});

test('variables that Kubernetes sets for a Service called gatehouse are named as such', () => {
  const faults = faultsThrownBy(() => read({ GATEHOUSE_SERVICE_HOST: '10.0.0.1' }));
  assert.match(faults[0]?.remedy ?? '', /enableServiceLinks: false/);
});

test('GATEHOUSE_CONFIG names the file, unless the command does', () => {
  assert.equal(configFile(undefined, { GATEHOUSE_CONFIG: '/etc/g.yaml' }), '/etc/g.yaml');
  assert.equal(configFile('/srv/g.yaml', { GATEHOUSE_CONFIG: '/etc/g.yaml' }), '/srv/g.yaml');
  assert.match(configFile(undefined, {}), /config\/gatehouse\.yaml$/);
  assert.deepEqual(faultsIn(soundDocument(), { env: { GATEHOUSE_CONFIG: '/etc/g.yaml' } }), []);
});
