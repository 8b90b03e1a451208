/** Each leg that can break, broken for real: the examination names the cause and the remedy, and goes no further. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import http, { type RequestListener } from 'node:http';
import https from 'node:https';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

import { parse, stringify } from 'yaml';

import type { Files } from '../../src/audit/files.ts';
import { examine } from '../../src/doctor/examine.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import { loadConfig } from '../../src/gateway/config.ts';
import {
  createCertificate,
  type CertificateAndKey,
  type CertificateOptions,
} from '../support/certificate.ts';
import { readRecords, startGateway, systemId } from '../support/gateway.ts';
import { prepareInstallation } from '../support/installation.ts';
import { freePort, startRedis } from '../support/redis.ts';
import { createSmallDisk } from '../support/small-disk.ts';

interface Tenant extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly paths: readonly string[];
}

const scim: RequestListener = (_request, response) =>
  void response.setHeader('content-type', 'application/scim+json').end('{"Resources":[]}');

async function startTenant(shown?: CertificateAndKey, answer: RequestListener = scim): Promise<Tenant> {
  const paths: string[] = [];
  const listener: RequestListener = (request, response) => {
    paths.push(`${request.method} ${request.url}`);
    answer(request, response);
  };
  const server = shown
    ? https.createServer({ cert: shown.certificate, key: shown.key }, listener)
    : http.createServer(listener);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `${shown ? 'https://localhost' : 'http://127.0.0.1'}:${port}`,
    port,
    paths,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Case {
  readonly url?: string;
  /** Other keys of the tenant. */
  readonly tenant?: object;
  /** Other keys of the configuration. */
  readonly config?: object;
  readonly texts?: Readonly<Record<string, string>>;
  readonly reads?: boolean;
  readonly files?: Files | undefined;
}

async function findings({
  url = 'http://127.0.0.1:1',
  tenant,
  config,
  texts = {},
  reads = false,
  files,
}: Case) {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-doctor-'));
  const { file } = await prepareInstallation(directory.path, url);
  const document = parse(await readFile(file, 'utf8'));
  Object.assign(document, config);
  Object.assign(document.tenants.acme, { pace: {} }, tenant);
  await writeFile(file, stringify(document));
  for (const [name, text] of Object.entries(texts))
    await writeFile(join(directory.path, name), text, { mode: 0o600 });
  const found: Finding[] = [];
  const options = { version: 'test', reads, secretsEnd: [], ...(files && { files }) };
  await examine((finding) => void found.push(finding), loadConfig(file), options);
  return found;
}

/** The one leg that is broken, and that it says what to do. */
function brokenIn(found: readonly Finding[]): Finding {
  const [broken, ...others] = found.filter(({ outcome }) => outcome === 'failed');
  assert.ok(broken, JSON.stringify(found, null, 2));
  assert.deepEqual(others, []);
  assert.ok(broken.remedy);
  return broken;
}

async function behindTls(shown: CertificateOptions, trusted: 'own' | 'other'): Promise<readonly Finding[]> {
  const issuer = createCertificate('an authority', { endsInMs: 90 * 86_400_000 });
  const certificate = createCertificate('localhost', { ...shown, issuer });
  const ca = (trusted === 'own' ? issuer : createCertificate('somebody else')).certificate;
  await using tenant = await startTenant(certificate);
  const found = await findings({
    url: tenant.url,
    tenant: { ca: { file: 'ca.pem' } },
    texts: { 'ca.pem': ca },
  });
  const isSound = found.every(({ outcome }) => outcome !== 'failed');
  assert.deepEqual(tenant.paths, isSound ? ['HEAD /'] : []);
  return found;
}

test('a way that holds is told leg by leg, and costs the tenant no counted call', async () => {
  const found = await behindTls({ endsInMs: 90 * 86_400_000 }, 'own');
  const legs = found.filter(({ of }) => of === 'tenant acme').map(({ leg, outcome }) => `${leg} ${outcome}`);
  assert.deepEqual(legs, ['name ok', 'connection ok', 'tls ok', 'answer ok', 'clock ok']);
  assert.equal(found.find(({ leg }) => leg === 'read')?.outcome, 'skipped');
});

test('a name that nobody knows is told as such', async () => {
  const broken = brokenIn(await findings({ url: 'https://no-such-tenant.invalid' }));
  assert.equal(broken.leg, 'name');
  assert.match(broken.found, /no-such-tenant\.invalid/);
  assert.match(broken.remedy ?? '', /tenants\.acme\.url/);
});

test('what only a way through a proxy would help is not said of the proxy itself', async () => {
  const outboundProxy = { url: 'http://no-such-proxy.invalid:3128' };
  const broken = brokenIn(await findings({ url: 'https://acme.example', tenant: { outboundProxy } }));
  assert.match(broken.found, /no-such-proxy\.invalid/);
  assert.match(broken.remedy ?? '', /tenants\.acme\.outboundProxy\.url/);
  assert.doesNotMatch(broken.remedy ?? '', /Behind an outbound proxy/);
});

/** Takes connections and never says a word. */
async function startSilence(): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket.on('error', () => {})));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

test('who takes a connection and stays silent is not told as no way there', async () => {
  await using silence = await startSilence();
  await using hanging = await startTenant(undefined, () => {});
  const { port } = silence;
  const outboundProxy = { url: `http://127.0.0.1:${port}` };
  const cases = [
    { leg: 'tls', says: /does not answer TLS/, given: { url: `https://localhost:${port}` } },
    { leg: 'answer', says: /took the connection and the call/, given: { url: hanging.url } },
    {
      leg: 'proxy',
      says: /took the connection and the call/,
      given: { url: 'https://acme.example', tenant: { outboundProxy } },
    },
  ];
  await Promise.all(
    cases.map(async ({ leg, says, given }) => {
      const broken = brokenIn(await findings(given));
      assert.equal(broken.leg, leg);
      assert.match(broken.found, says);
      assert.doesNotMatch(broken.remedy ?? '', /Open the firewall/);
    }),
  );
});

for (const [status, says] of [
  [407, /another credential/],
  [403, /refuses the way/],
  [502, /could not reach/],
] as const)
  test(`an outbound proxy that answers ${status} is told as the broken leg`, async () => {
    await using proxy = await startTenant();
    await using refusing = await startProxy(status);
    const outboundProxy = { url: `http://127.0.0.1:${refusing.port}` };
    const broken = brokenIn(await findings({ url: proxy.url, tenant: { outboundProxy } }));
    assert.equal(broken.leg, 'proxy');
    assert.match(broken.found, says);
    assert.deepEqual(proxy.paths, []);
  });

async function startProxy(status: number) {
  const server = http.createServer();
  server.on('connect', (_request, socket) =>
    socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`),
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, 'close');
    },
  };
}

test('nobody who listens is told with host and port to look at', async () => {
  const broken = brokenIn(await findings({ url: `http://127.0.0.1:${await freePort()}` }));
  assert.equal(broken.leg, 'connection');
  assert.match(broken.found, /refuses connections/);
});

test('a certificate of an authority that is not trusted is told with the key of what is trusted', async () => {
  const broken = brokenIn(await behindTls({}, 'other'));
  assert.equal(broken.leg, 'tls');
  assert.match(broken.remedy ?? '', /tenants\.acme\.ca/);
});

test('a certificate that has expired is told as expired', async () => {
  const broken = brokenIn(await behindTls({ expired: true }, 'own'));
  assert.equal(broken.leg, 'tls');
  assert.match(broken.found, /expired/);
});

test('a certificate for another name is told as such', async () => {
  const broken = brokenIn(await behindTls({ host: 'elsewhere.example' }, 'own'));
  assert.match(broken.found, /other names than localhost/);
});

test('a client secret that the tenant refuses is told, and asked about once', async () => {
  await using tenant = await startTenant(undefined, ({ url }, response) => {
    if (url === '/oauth2/token') response.statusCode = 401;
    response.end('{}');
  });
  const secret = { env: 'DOCTOR_TEST_SECRET' };
  process.env['DOCTOR_TEST_SECRET'] = 'not the right one';
  const found = await findings({
    url: tenant.url,
    tenant: { credential: { type: 'oauth', clientId: 'gateway', secret } },
    reads: true,
  });
  const broken = brokenIn(found);
  assert.equal(broken.leg, 'token');
  assert.match(broken.remedy ?? '', /tenants\.acme\.credential/);
  assert.deepEqual(tenant.paths, ['HEAD /', 'POST /oauth2/token']);
  assert.doesNotMatch(JSON.stringify(found), /not the right one/);
});

for (const [status, says] of [
  [401, /refused the credential/],
  [403, /may not use proxy systems/],
  [404, /does not know this system/],
  [429, /quota is spent/],
  [500, /answered with 500/],
] as const)
  test(`a read that is answered with ${status} is told with what it means`, async () => {
    await using tenant = await startTenant(undefined, ({ method }, response) => {
      if (method === 'GET') response.writeHead(status, { 'retry-after': '17' });
      response.end('{}');
    });
    const broken = brokenIn(await findings({ url: tenant.url, reads: true }));
    assert.equal(broken.leg, 'read');
    assert.equal(broken.of, `system ${systemId}`);
    assert.match(broken.found, says);
    assert.deepEqual(tenant.paths, ['HEAD /', `GET /ipsproxy/service/api/v1/scim/${systemId}/Users?count=1`]);
  });

test('a credential that the tenant refused is not tried again for other systems', async () => {
  await using tenant = await startTenant(undefined, ({ method }, response) => {
    if (method === 'GET') response.statusCode = 401;
    response.end('{}');
  });
  const systems = Object.fromEntries(['one', 'two', 'three'].map((id) => [id, { tenant: 'acme' }]));
  const found = await findings({ url: tenant.url, reads: true, config: { systems } });
  assert.match(brokenIn(found).found, /refused the credential/);
  const reads = found.filter(({ leg }) => leg === 'read').map(({ outcome }) => outcome);
  assert.deepEqual(reads, ['failed', 'skipped', 'skipped']);
  assert.equal(tenant.paths.filter((path) => path.startsWith('GET')).length, 1);
});

test('a tenant that has enough of calls is warned of without a read', async () => {
  await using tenant = await startTenant(undefined, (_request, response) =>
    response.writeHead(429, { 'retry-after': '30' }).end(),
  );
  const answer = (await findings({ url: tenant.url })).find(({ leg }) => leg === 'answer');
  assert.equal(answer?.outcome, 'warning');
  assert.match(answer?.found ?? '', /come back after 30 s$/);
});

test('an answer that is no SCIM is somebody else in the place of the tenant', async () => {
  await using tenant = await startTenant(undefined, (_request, response) => {
    response.setHeader('content-type', 'text/html').end('<html>Please log on');
  });
  const broken = brokenIn(await findings({ url: tenant.url, reads: true }));
  assert.match(broken.found, /no SCIM/);
});

test('a clock that is an hour off is told with how much', async () => {
  await using tenant = await startTenant(undefined, (_request, response) => {
    response.setHeader('date', new Date(Date.now() + 3_600_000).toUTCString()).end();
  });
  const broken = brokenIn(await findings({ url: tenant.url }));
  assert.equal(broken.leg, 'clock');
  assert.match(broken.found, /3[56]\d\d\.\d s behind/);
});

test('a Redis that is away is told, and one that is there is measured', async () => {
  await using tenant = await startTenant();
  await using redis = await startRedis();
  const config = { cache: { store: 'redis', redis: { url: redis.url } } };
  const held = await findings({ url: tenant.url, config });
  assert.match(held.find(({ leg }) => leg === 'redis')?.found ?? '', /stores and reads/);
  await redis.kill();
  const broken = brokenIn(await findings({ url: tenant.url, config }));
  assert.equal(broken.leg, 'redis');
  assert.match(broken.found, /refuses connections/);
});

for (const [days, outcome] of [
  [2, 'warning'],
  [60, 'ok'],
] as const)
  test(`a certificate of Redis that is good for ${days} days is told with ${outcome}`, async () => {
    await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-doctor-'));
    const { certificate, key } = createCertificate('localhost', { endsInMs: (days + 0.5) * 86_400_000 });
    const shown = join(directory.path, 'redis.crt');
    const own = join(directory.path, 'redis.key');
    await writeFile(shown, certificate);
    await writeFile(own, key);
    const tlsPort = await freePort();
    const files = ['--tls-cert-file', shown, '--tls-ca-cert-file', shown, '--tls-key-file', own];
    await using _ = await startRedis(['--tls-port', `${tlsPort}`, '--tls-auth-clients', 'no', ...files]);
    const redis = { url: `rediss://localhost:${tlsPort}`, tls: { ca: { file: 'ca.pem' } } };
    const found = await findings({
      config: { cache: { store: 'redis', redis } },
      texts: { 'ca.pem': certificate },
    });
    const leg = found.find(({ leg: name, of }) => name === 'tls' && of === 'cache.redis');
    assert.equal(leg?.outcome, outcome, JSON.stringify(found));
    assert.match(leg?.found ?? '', new RegExp(`localhost, valid for ${days} more days`));
    assert.equal(leg?.remedy !== undefined, outcome === 'warning');
  });

test('a wrong password and a missing right in Redis are two causes', async () => {
  await using tenant = await startTenant();
  await using redis = await startRedis([
    '--user',
    'gatehouse',
    'on',
    '>right',
    '~gh1:*',
    '-@all',
    '+time',
    '+set',
    '--user',
    'default',
    'off',
  ]);
  const found = async (password: string): Promise<string> => {
    const url = `redis://gatehouse:${password}@127.0.0.1:${redis.port}`;
    const texts = { 'redis.url': url };
    const config = { cache: { store: 'redis', redis: { url: { file: 'redis.url' } } } };
    return brokenIn(await findings({ url: tenant.url, config, texts })).found;
  };
  assert.match(await found('wrong'), /refuses user or password/);
  assert.match(await found('right'), /lacks a right/);
});

test('a list of rights of an earlier release is told with what it lacks', async () => {
  const acl = await readFile(resolve(import.meta.dirname, '../../deploy/redis/users.acl'), 'utf8');
  const rights = acl.match(/[~+]\S+/g) ?? [];
  const prefixes = rights.filter((each) => each.startsWith('~'));
  assert.ok(prefixes.length > 7);
  await using tenant = await startTenant();
  for (const missing of prefixes) {
    const kept = rights.filter((each) => each !== missing);
    await using redis = await startRedis([
      '--user',
      'default',
      'on',
      'nopass',
      'resetkeys',
      '-@all',
      ...kept,
    ]);
    const config = { cache: { store: 'redis', redis: { url: redis.url } } };
    const { found } = brokenIn(await findings({ url: tenant.url, config }));
    assert.match(
      found,
      missing === '~gh1:*' ? /lacks a right/ : new RegExp(`keys ${RegExp.escape(missing.slice(1))}`),
    );
  }
});

test('a full disk is told, and then no call goes out that could not be recorded', async () => {
  await using disk = await createSmallDisk(2 * 1024 * 1024);
  await using tenant = await startTenant();
  const audit = {
    directory: join(disk.directory, 'audit'),
    instance: 'test',
    keyFile: 'audit.key',
    ballast: '0B',
  };
  await disk.fill();
  const found = await findings({ url: tenant.url, config: { audit }, reads: true, files: disk.files });
  const broken = brokenIn(found);
  assert.equal(broken.leg, 'audit');
  assert.match(broken.found, /is full/);
  assert.deepEqual(tenant.paths, []);
  assert.match(found.find(({ leg }) => leg === 'answer')?.found ?? '', /cannot be recorded/);
});

test('a trail in a place where nothing can be made is told', async () => {
  const audit = { directory: '/proc/audit', instance: 'test', keyFile: 'audit.key', ballast: '0B' };
  await using tenant = await startTenant();
  const broken = brokenIn(await findings({ url: tenant.url, config: { audit } }));
  assert.deepEqual([broken.leg, broken.found], ['audit', '/proc/audit cannot be made.']);
});

test('a key that the trail was not kept under is told, and the rest is examined all the same', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-doctor-key-'));
  await using tenant = await startTenant();
  const audit = { directory: directory.path, instance: 'test', keyFile: 'audit.key', ballast: '0B' };
  await findings({ url: tenant.url, config: { audit } });
  const found = await findings({ url: tenant.url, config: { audit } });
  const broken = brokenIn(found);
  assert.equal(broken.leg, 'audit');
  assert.match(broken.remedy ?? '', /Restore audit\.keyFile/);
  assert.ok(found.some(({ leg, outcome }) => leg === 'connection' && outcome === 'ok'));
});

test('destinations and channels are legs of their own, and nothing is sent to them', async () => {
  const issuer = createCertificate('an authority');
  await using tenant = await startTenant();
  await using collector = await startTenant(createCertificate('localhost', { issuer }));
  const url = `${collector.url}/alerts`;
  const mail = { host: '127.0.0.1', port: collector.port, from: 'a@example.com', to: ['b@example.com'] };
  const destinations = {
    siem: { type: 'syslog', host: 'localhost', port: await freePort() },
    disk: { type: 'file', path: 'a.log' },
  };
  const channels = {
    hook: { type: 'webhook', url, secret: { file: 'hook' } },
    trusted: { type: 'webhook', url, secret: { file: 'hook' }, ca: { file: 'ca.pem' } },
    mail: { type: 'smtp', ...mail },
  };
  const audit = { directory: 'audit', keyFile: 'audit.key', ballast: '0B', destinations };
  const texts = { hook: 'a secret of the webhook', 'ca.pem': issuer.certificate };
  const found = await findings({ url: tenant.url, config: { audit, alerts: { channels } }, texts });
  const last = (of: string) => found.findLast((each) => each.of === of);
  const ends = Object.fromEntries(found.map(({ of, leg, outcome }) => [of, `${leg} ${outcome}`]));
  assert.partialDeepStrictEqual(ends, {
    'destination siem': 'connection failed',
    'destination disk': 'connection skipped',
    'channel hook': 'tls failed',
    'channel trusted': 'tls warning',
    'channel mail': 'tls skipped',
  });
  assert.match(last('destination siem')?.remedy ?? '', /audit\.destinations\.siem\.host/);
  assert.match(last('channel hook')?.remedy ?? '', /alerts\.channels\.hook\.ca/);
  assert.deepEqual(collector.paths, []);
});

test('a gateway that runs beside it is seen', async () => {
  await using tenant = await startTenant();
  await using gateway = await startGateway();
  const admin = { port: Number(new URL(gateway.adminUrl).port) };
  const found = await findings({ url: tenant.url, config: { admin } });
  assert.match(found.find(({ leg }) => leg === 'gateway')?.found ?? '', /takes calls/);
});

test('what an examination sends is in a trail of its own', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-doctor-trail-'));
  await using tenant = await startTenant();
  const audit = { directory: directory.path, instance: 'test', keyFile: 'audit.key', ballast: '0B' };
  await findings({ url: tenant.url, config: { audit }, reads: true });
  const records = await readRecords(directory.path, 'doctor');
  assert.equal(records.filter(({ event }) => event === 'doctor.run').length, 1);
  const sent = records.filter(({ event }) => event === 'upstream.intent');
  assert.deepEqual(
    sent.map(({ upstream }) => (upstream as { readonly purpose: string }).purpose),
    ['doctor', 'doctor'],
  );
  assert.equal(records.filter(({ event }) => event === 'upstream.outcome').length, 2);
});
