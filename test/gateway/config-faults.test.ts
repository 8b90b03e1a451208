/** What a configuration must not be: every fault of its keys is found, all of them at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { loadConfig } from '../../src/gateway/config.ts';
import {
  changed,
  faultsIn,
  faultsThrownBy,
  load,
  soundDocument,
  withTenant,
} from '../support/configuration.ts';

const acme = soundDocument().tenants.acme;
const proxy = soundDocument().callers['sap-idm'].permissions[0];
const twoTenants = { acme, other: { ...acme, url: 'https://other.example' } };
const caller = (permission: object, tenant?: string) =>
  changed({
    tenants: twoTenants,
    callers: { idm: { ...(tenant && { tenant }), permissions: [permission] } },
  });

const refused: readonly (readonly [string, unknown, RegExp])[] = [
  ['an unknown key', changed({ patiense: '1s' }), /^patiense: is not a key/],
  [
    'an unknown key inside',
    withTenant({ pace: { per_minute: 1 } }),
    /^tenants\.acme\.pace\.per_minute: is not/,
  ],
  ['a duration without a unit', changed({ patience: 30 }), /^patience: must be a duration/],
  ['a size without a unit', changed({ limits: { body: '8' } }), /^limits\.body: must be a size/],
  [
    'a lifetime beyond a day',
    changed({ cache: { lifetime: '25h' } }),
    /^cache\.lifetime: must be at most 24h/,
  ],
  ['a port that is no port', changed({ listen: { port: 70_000 } }), /^listen\.port: must be at most 65535/],
  ['an empty map of callers', changed({ callers: {} }), /^callers: must have at least one entry/],
  ['an empty entry', changed({ systems: { people: null } }), /^systems\.people: must be a map of keys/],
  ['a system without a tenant', changed({ systems: { people: {} } }), /^systems\.people\.tenant: is missing/],
  [
    'an unknown assignment',
    changed({ systems: { people: { tenant: 'acme', assignment: 'POST' } } }),
    /one of: PUT, PATCH/,
  ],
  ['a permission without access', caller({ ...proxy, access: undefined }), /access: is missing/],
  ['an unknown permission', caller({ permission: 'Everything' }), /permission: must be one of: Access Proxy/],
  [
    'a technical user with a colon',
    changed({ callers: { 'a:b': { permissions: [proxy] } } }),
    /^callers\.a:b: is no name/,
  ],

  [
    'a tenant that is not there',
    changed({ systems: { people: { tenant: 'acne' } } }),
    /^systems\.people\.tenant: there is no tenant acne/,
  ],
  [
    'a tenant without an address',
    changed({ tenants: { acme: { credential: { type: 'none' } } } }),
    /^tenants\.acme\.url: is missing/,
  ],
  [
    'an embedded tenant with an address',
    withTenant({ embedded: {} }),
    /^tenants\.acme\.embedded: cannot stand beside/,
  ],
  [
    'a certificate credential without certificate',
    withTenant({ credential: { type: 'certificate' } }),
    /^tenants\.acme\.clientCertificate: is missing/,
  ],
  [
    'a base address for a proxy system',
    changed({ systems: { people: { tenant: 'acme', url: 'https://s.example' } } }),
    /^systems\.people\.url: is for systems of kind scim/,
  ],
  [
    'two systems in one place',
    changed({ systems: { a: { tenant: 'acme', id: 'x' }, x: { tenant: 'acme' } } }),
    /^systems\.x: leads to the same system as a/,
  ],
  [
    'a permission for a system that is not there',
    caller({ ...proxy, systems: ['people', 'peeple'] }),
    /permissions\.0\.systems\.1: there is no system peeple/,
  ],
  [
    'a permission for an unknown resource type',
    caller({ ...proxy, resourceTypes: ['users'] }),
    /resourceTypes\.0: no system has the resource type users/,
  ],
  [
    'a caller of several tenants’ admin interfaces',
    caller({ permission: 'Access Identity Provisioning Tenant Admin API', sourceSystems: 'all' }),
    /^callers\.idm\.tenant: is missing/,
  ],
  [
    'a caller of a tenant that is not there',
    caller(proxy ?? {}, 'acne'),
    /^callers\.idm\.tenant: there is no tenant acne/,
  ],
  [
    'one port for health and callers',
    changed({ listen: { port: 9091 }, health: {} }),
    /^health\.port: is the port of listen\.port/,
  ],
  [
    'one port for administration and further callers',
    changed({ listeners: { lan: { host: '127.0.0.2', port: 9090 } } }),
    /^admin\.port: is the port of listeners\.lan\.port/,
  ],
  [
    'one address for two listeners',
    changed({ listeners: { lan: { port: 8080 } } }),
    /^listeners\.lan\.port: is the port of listen\.port/,
  ],
  [
    'one port for a listener and all addresses',
    changed({
      publicUrl: 'https://g.example',
      listeners: { lan: { host: '0.0.0.0', port: 8080, tlsTerminatedElsewhere: true } },
    }),
    /^listeners\.lan\.port: is the port of listen\.port/,
  ],
  ['a listener without a port', changed({ listeners: { lan: {} } }), /^listeners\.lan\.port: is missing/],
  [
    'a hop that is no network',
    changed({ listen: { trustedHops: ['10.0.0.0/33'] } }),
    /^listen\.trustedHops\.0: must be a network/,
  ],
  [
    'a balancer that is no network',
    changed({ listen: { proxyProtocol: { from: ['lb.example.com'] } } }),
    /^listen\.proxyProtocol\.from\.0: must be a network/,
  ],
  [
    'announcements from nobody',
    changed({ listen: { proxyProtocol: { from: [] } } }),
    /^listen\.proxyProtocol\.from: must not be empty/,
  ],
  [
    'one port for two listeners',
    changed({ admin: { port: 8080 } }),
    /^admin\.port: is the port of listen\.port/,
  ],
];

for (const [what, document, fault] of refused)
  test(`refuses ${what}, and finds nothing else`, () => {
    const faults = faultsIn(document);
    assert.match(faults[0] ?? '', fault);
    assert.equal(faults.length, 1, faults.join('\n'));
  });

const alphabetically = (a: string, b: string) => (a < b ? -1 : 1);

test('all faults are reported together, those of single keys beside those across keys', () => {
  const document = {
    patience: 'long',
    callers: { idm: { permissions: [{ ...proxy, systems: ['nowhere'] }] } },
    tenants: {
      acme: { ...acme, url: 'http://acme.example', credential: { type: 'basic', user: 'u', secret: 'x' } },
    },
    systems: { people: { tenant: 'acne', unknown: 1 } },
  };
  const faults = faultsIn(document, { env: { NODE_TLS_REJECT_UNAUTHORIZED: '0', GATEHOUSE_NOTHING: '1' } });
  assert.deepEqual(faults.map((fault) => fault.slice(0, fault.indexOf(':'))).toSorted(alphabetically), [
    'GATEHOUSE_NOTHING',
    'NODE_TLS_REJECT_UNAUTHORIZED',
    'callers.idm.permissions.0.systems.0',
    'patience',
    'systems.people.tenant',
    'systems.people.unknown',
    'tenants.acme.credential.secret',
    'tenants.acme.url',
  ]);
});

test('every fault names a remedy', () => {
  const document = {
    patience: 1,
    listen: { host: '0.0.0.0' },
    systems: { a: {} },
    x: 1,
    callers: { 'b:c': 1 },
  };
  const faults = faultsThrownBy(() => load(document));
  assert.ok(faults.length >= 6);
  for (const { path, remedy } of faults) assert.ok(path.length > 0 && remedy.length > 0);
});

test('a mistake in the YAML is reported with its place', () => {
  assert.match(faultsIn('tenants:\n  acme: {\n').join(), /^line 3, column 1: is not valid YAML/);
});

test('of what one slip brings about the first fault alone is told, and keys before it', () => {
  const text = 'patience: 1s\npatience: 2s\nlisten:\n\thost: a\n  port: 1\ncache:\n  a: 1\n';
  const [first = '', second = '', ...others] = faultsIn(text);
  assert.match(first, /^line 2, column 1: .*duplicate key/);
  assert.match(second, /^line 4, column 1: .*tab as indent/);
  assert.deepEqual(others, []);
});

test('a key that is written twice is refused', () => {
  assert.match(
    faultsIn('patience: 1s\npatience: 2s\n').join(),
    /^line 2, column 1: is not valid YAML \(duplicate key\): patience stands in line 1 already$/,
  );
});

for (const [what, text, fault] of [
  ['an alias of nothing', 'patience: *missing', /an alias is unknown/],
  ['an alias inside itself', 'tenants: &all { acme: *all }', /an alias contains itself/],
  ['an alias that multiplies', bomb(), /an alias is unknown or repeats too much/],
  ['a key that JavaScript would swallow', 'callers: { __proto__: {} }', /it has a key __proto__/],
  ['a map as a key', '? { a: 1 }\n: 2', /is not valid YAML \(non string key\)/],
  ['a list', '[]', /must be a map of keys/],
  ['a second document', 'a: 1\n---\nb: 2', /is not valid YAML \(multiple docs\)/],
] as const)
  test(`refuses ${what} in the YAML`, () => {
    const faults = faultsIn(text);
    assert.equal(faults.length, 1);
    assert.match(faults.join(), fault);
  });

function bomb(): string {
  return `a: &a ${nine('x')}\nb: &b ${nine('*a')}\nc: &c ${nine('*b')}\nd: ${nine('*c')}`;
}

function nine(name: string): string {
  return `[${Array.from({ length: 9 }, () => name).join()}]`;
}

test('an empty configuration is refused, because no call could succeed with it', () => {
  assert.deepEqual(faultsIn(''), ['callers: is missing', 'tenants: is missing', 'systems: is missing']);
});

test('a configuration that is not there is a fault that names the file', () => {
  const faults = faultsThrownBy(() => loadConfig('/nowhere/gatehouse.yaml', {}));
  assert.deepEqual(faults[0]?.path, '/nowhere/gatehouse.yaml');
});
