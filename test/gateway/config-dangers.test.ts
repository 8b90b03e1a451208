/** What would betray a secret or the quota does not start, and no fault shows a secret. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { processFaults } from '../../src/gateway/config-dangers.ts';
import { createCertificate } from '../support/certificate.ts';
import {
  changed,
  faultsIn,
  faultsThrownBy,
  load,
  soundDocument,
  withTenant,
  type Surroundings,
} from '../support/configuration.ts';

const withSecret = (secret: unknown) => withTenant({ credential: { type: 'basic', user: 'u', secret } });
const secretFile = (content: string, mode = 0o600): Surroundings => ({ files: { acme: { content, mode } } });

const refused: readonly (readonly [string, unknown, RegExp, Surroundings?])[] = [
  [
    'http to a tenant',
    withTenant({ url: 'http://acme.example' }),
    /^tenants\.acme\.url: must be https \(is http\)/,
  ],
  [
    'http to a host called like loopback',
    withTenant({ url: 'http://127.0.0.1.evil.example' }),
    /must be https/,
  ],
  ['http in publicUrl', changed({ publicUrl: 'http://gatehouse.example.com' }), /^publicUrl: must be https/],
  [
    'a password in an address',
    withTenant({ url: 'https://u:p@acme.example' }),
    /^tenants\.acme\.url: must be scheme/,
  ],
  [
    'plain HTTP for others',
    changed({ publicUrl: 'https://g.example', listen: { host: '0.0.0.0' } }),
    /^listen: passwords would travel/,
  ],
  [
    'plain HTTP for others on a further listener',
    changed({ publicUrl: 'https://g.example', listeners: { lan: { host: '10.0.0.1', port: 81 } } }),
    /^listeners\.lan: passwords would travel in plain HTTP to 10\.0\.0\.1/,
  ],
  [
    'a further listener that others reach without an address for callers',
    changed({ listeners: { lan: { host: '10.0.0.1', port: 81, tlsTerminatedElsewhere: true } } }),
    /^publicUrl: is missing/,
  ],
  [
    'an embedded tenant behind a further listener that others reach',
    changed({
      publicUrl: 'https://g.example',
      listeners: { lan: { host: '10.0.0.1', port: 81, tlsTerminatedElsewhere: true } },
      tenants: { acme: { embedded: {} } },
    }),
    /^tenants\.acme\.embedded: is for trying out, and 10\.0\.0\.1/,
  ],
  [
    'to believe everybody’s X-Forwarded-For',
    changed({ listen: { trustedHops: ['10.0.0.0/8', '::/0'] } }),
    /^listen\.trustedHops\.1: is everybody/,
  ],
  [
    'to believe everybody’s announcement of a connection',
    changed({ listeners: { lan: { port: 81, proxyProtocol: { from: ['0.0.0.0/0'] } } } }),
    /^listeners\.lan\.proxyProtocol\.from\.0: is everybody/,
  ],
  [
    'a public listener without an address for callers',
    changed({ listen: { host: '::', tlsTerminatedElsewhere: true } }),
    /^publicUrl: is missing/,
  ],
  [
    'an embedded tenant that others reach',
    changed({
      publicUrl: 'https://g.example',
      listen: { host: '0.0.0.0', tlsTerminatedElsewhere: true },
      tenants: { acme: { embedded: {} } },
    }),
    /^tenants\.acme\.embedded: is for trying out/,
  ],
  [
    'certificates that are not verified',
    soundDocument(),
    /^NODE_TLS_REJECT_UNAUTHORIZED: is 0/,
    { env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' } },
  ],
  ...[
    ['an open debugger', '--no-warnings --inspect=0', /contains --inspect, which opens a debugger/],
    ['a loose parser of HTTP', '--insecure-http-parser', /contains --insecure-http-parser/],
    ['a loose parser in Node’s other spelling', '--insecure_http_parser', /contains --insecure-http-parser/],
    ['a long head', '--max-http-header-size=1000000', /contains --max-http-header-size/],
    ['reports', '--report-on-fatalerror', /contains --report-on-fatalerror, which lets memory/],
    ['heap dumps on a signal', '--heapsnapshot-signal=SIGUSR2', /contains --heapsnapshot-signal/],
    ['heap dumps near the limit', '--heapsnapshot-near-heap-limit=1', /contains --heapsnapshot-near/],
    ['profiles of the heap', '--heap-prof', /contains --heap-prof/],
    ['profiles of the processor', '--cpu-prof', /contains --cpu-prof/],
    ['a place for dumps', '--diagnostic-dir=/tmp', /contains --diagnostic-dir/],
    ['core files', '--abort-on-uncaught-exception', /into a core file/],
    ['TLS 1.0', '--tls-min-v1.0', /contains --tls-min-v1\.0, which weakens TLS/],
    ['TLS 1.1', '"--tls-min-v1.1"', /contains --tls-min-v1\.1/],
    ['old ciphers', '--tls-cipher-list=ALL', /contains --tls-cipher-list/],
    ['keys of TLS in a file', '--tls-keylog=/tmp/keys', /contains --tls-keylog/],
    ['a trace of TLS', '--trace-tls', /contains --trace-tls/],
    ['old algorithms', '--openssl-legacy-provider', /contains --openssl-legacy-provider/],
    ['options in a file', '--experimental-config-file=x.json', /contains --experimental-config-file/],
  ].map(
    ([what, options, fault]) =>
      [what, soundDocument(), fault, { env: { NODE_OPTIONS: options } }] as readonly [
        string,
        unknown,
        RegExp,
        Surroundings,
      ],
  ),
  [
    'a log of all heads',
    soundDocument(),
    /^NODE_DEBUG: writes what passes/,
    { env: { NODE_DEBUG: 'timer,http' } },
  ],
  [
    'a log of all commands to Redis',
    soundDocument(),
    /^DEBUG: writes what passes/,
    { env: { DEBUG: 'ioredis:*' } },
  ],
  [
    'keys of TLS in a file, by a variable',
    soundDocument(),
    /^SSLKEYLOGFILE: asks for the keys/,
    { env: { SSLKEYLOGFILE: '/tmp/keys' } },
  ],
  [
    'a tenant by its address',
    withTenant({ url: 'https://192.0.2.7' }),
    /^tenants\.acme\.url: must name a host/,
  ],
  [
    'a token endpoint by its address',
    withTenant({
      credential: {
        type: 'oauth',
        clientId: 'c',
        secret: { env: 'ACME_SECRET' },
        tokenUrl: 'https://[2001:db8::7]/token',
      },
    }),
    /^tenants\.acme\.credential\.tokenUrl: must name a host/,
  ],
  [
    'a service provider by an address in disguise',
    changed({ systems: { people: { tenant: 'acme', kind: 'scim', url: 'https://0xA9FEA9FE/scim' } } }),
    /^systems\.people\.url: must name a host/,
  ],
  [
    'pins that nobody would verify',
    withTenant({ url: 'http://localhost:8081', pins: ['a'.repeat(64), 'b'.repeat(64)] }),
    /^tenants\.acme\.pins: cannot be verified/,
  ],
  [
    'a quota above the tenant’s',
    withTenant({ pace: { perMinute: 145 } }),
    /^tenants\.acme\.pace: perMinute \+ burst is 155/,
  ],
  [
    'a quota that so many replicas cannot keep to',
    { ...withTenant({ pace: { perMinute: 100, burst: 0 } }), replicas: 64 },
    /^tenants\.acme\.pace: is too little for 64 replicas/,
  ],
  [
    'a fast clock for a tenant elsewhere',
    withTenant({ pace: { minute: '1s' } }),
    /^tenants\.acme\.pace\.minute: is shorter/,
  ],

  [
    'a secret in the configuration',
    withSecret('hunter2hunter2'),
    /^tenants\.acme\.credential\.secret: must be a reference/,
  ],
  [
    'a secret that others can read',
    withSecret({ file: 'acme' }),
    /others can access .* \(mode 0644\)/,
    secretFile('s3cr3t', 0o644),
  ],
  [
    'a secret that the group can read',
    withSecret({ file: 'acme' }),
    /others can access .* \(mode 0640\)/,
    secretFile('s3cr3t', 0o640),
  ],
  ['a secret that is not there', withSecret({ file: 'acme' }), /cannot read .* \(ENOENT\)/],
  [
    'a variable that is not set',
    withSecret({ env: 'NOWHERE' }),
    /the environment variable NOWHERE is not set/,
  ],
  ...['changeme', '<secret>', '', ' \n', 'ChangeMe\n', 'xxxx', '${SECRET}'].map(
    (content) =>
      [
        `the placeholder ${JSON.stringify(content)}`,
        withSecret({ file: 'acme' }),
        /is a placeholder or empty/,
        secretFile(content),
      ] as const,
  ),
  [
    'hashes that others can read',
    changed({ secretsFile: 'acme' }),
    /^secretsFile: others can access/,
    secretFile('{}', 0o604),
  ],
  [
    'a password in the address of Redis',
    changed({ cache: { redis: { url: 'redis://:pw@r:6379' } } }),
    /^cache\.redis\.url: must not contain a password/,
  ],
  ['Redis without an address', changed({ cache: { store: 'redis' } }), /^cache\.redis: is missing/],
  [
    'another protocol for Redis',
    changed({ cache: { redis: { url: 'https://r' } } }),
    /must be an address that begins with redis:\/\//,
  ],
];

for (const [what, document, fault, surroundings] of refused)
  test(`refuses ${what}, and finds nothing else`, () => {
    const faults = faultsIn(document, surroundings);
    assert.match(faults[0] ?? '', fault);
    assert.equal(faults.length, 1, faults.join('\n'));
  });

for (const [what, document, surroundings] of [
  ['http to this machine', withTenant({ url: 'http://127.0.0.1:8081' })],
  [
    'harmless options and variables',
    soundDocument(),
    {
      env: {
        NODE_OPTIONS:
          '--max-old-space-size=512 --no-warnings --disable-sigusr1 --use-system-ca --tls-min-v1.3',
        NODE_DEBUG: 'timer',
        DEBUG: '1',
        NODE_TLS_REJECT_UNAUTHORIZED: '1',
      },
    },
  ],
  ['http to this machine over IPv6', withTenant({ url: 'http://[::1]:8081' })],
  ['a quota for as many replicas as there can be', { ...soundDocument(), replicas: 64 }],
  ['a quota that the tenant has raised', withTenant({ pace: { perMinute: 500, tenantLimit: 600 } })],
  [
    'TLS that ends elsewhere',
    changed({ publicUrl: 'https://g.example', listen: { host: '0.0.0.0', tlsTerminatedElsewhere: true } }),
  ],
  [
    'a fast clock for an embedded tenant',
    changed({ tenants: { acme: { embedded: {}, pace: { minute: '1s' } } } }),
  ],
  [
    'one port on two addresses of the machine',
    changed({ listeners: { lan: { host: '127.0.0.2', port: 8080 } } }),
  ],
  ['two listeners on free ports', changed({ listen: { port: 0 }, admin: { port: 0 } })],
  ['a secret that its owner alone can read', withSecret({ file: 'acme' }), secretFile('s3cr3t', 0o400)],
] as readonly (readonly [string, unknown, Surroundings?])[])
  test(`permits ${what}`, () => {
    assert.deepEqual(faultsIn(document, surroundings), []);
  });

test('no fault shows the secret that is at fault', () => {
  const lines = ['"hunter2', '*hunter2', '!hunter2 x', '"\\hunter2"', '%hunter2', '[hunter2'];
  const documents = [
    withSecret('hunter2'),
    'hunter2',
    ...lines.map((line) => `tenants: { acme: { ca: ${line} } }`),
  ];
  for (const document of documents) {
    const told = JSON.stringify(faultsThrownBy(() => load(document)));
    assert.doesNotMatch(told, /hunter2/);
    assert.match(told, /remedy/);
  }
});

test('a listener’s key must belong to its certificate', () => {
  const tls = { certificate: { file: 'crt' }, key: { file: 'key' } };
  const [own, other] = [createCertificate(), createCertificate()];
  const files = { crt: { content: own.certificate, mode: 0o644 }, key: { content: own.key } };
  assert.deepEqual(faultsIn(changed({ listen: { tls } }), { files }), []);
  const mixed = { ...files, key: { content: other.key } };
  assert.match(
    faultsIn(changed({ listen: { tls } }), { files: mixed }).join(),
    /^listen\.tls: the key does not belong/,
  );
});

test('a certificate that is none is refused', () => {
  const ca = { file: 'ca' };
  assert.match(
    faultsIn(withTenant({ ca }), { files: { ca: { content: 'PEM' } } }).join(),
    /holds no PEM certificate/,
  );
});

test('an option of the command line is as dangerous as one of NODE_OPTIONS', () => {
  const place = 'the command line of node';
  assert.deepEqual(
    processFaults({}, ['--disable-sigusr1', '--heap-prof', '--report-on-signal']).map(({ path }) => path),
    [place, place],
  );
});
