/** Pins towards a tenant, against real TLS servers: what vouches for a certificate, and that nothing goes around it. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { PeerCertificate, TLSSocket } from 'node:tls';

import { NoReply } from '../../src/gateway/forward.ts';
import { checkPins, PinMismatch, pinOf } from '../../src/gateway/pins.ts';
import { Secret } from '../../src/gateway/secret.ts';
import { createTenantAccess, type TenantAccess, type Upstream } from '../../src/gateway/upstream.ts';
import { createCertificate, type CertificateAndKey } from '../support/certificate.ts';
import { faultsIn, load, withTenant } from '../support/configuration.ts';

const root = createCertificate('root');
const authority = createCertificate('authority', { issuer: root, isAuthority: true });
const leaf = createCertificate('localhost', { issuer: authority });
const stranger = createCertificate('stranger');
const pin = ({ certificate }: CertificateAndKey): string => pinOf(new X509Certificate(certificate));
const pem = (...chain: readonly CertificateAndKey[]): string =>
  chain.map(({ certificate }) => certificate).join('');

interface Tenant extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Whether each request came on a resumed session. */
  readonly resumed: boolean[];
}

async function startTenant(cert: string, maxVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3'): Promise<Tenant> {
  const resumed: boolean[] = [];
  const server = https.createServer({ key: leaf.key, cert, maxVersion }, (request, response) => {
    resumed.push((request.socket as TLSSocket).isSessionReused());
    response.end('{}');
  });
  server.on('tlsClientError', () => {}); // the other side says what it was
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://localhost:${port}`,
    port,
    resumed,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
}

interface Noted {
  readonly event: string;
  readonly facts: Record<string, unknown> | undefined;
}

/** @param trusted authorities beyond which the pins are asked for */
function accessTo(
  { url }: Tenant,
  pins: readonly string[] | undefined,
  trusted: string,
  more: Partial<Upstream> = {},
): { access: TenantAccess; noted: Noted[] } {
  const config = load(withTenant({ url, ...(pins && { pins }) })).tenants['acme'];
  assert.ok(config?.url);
  const noted: Noted[] = [];
  const trail = {
    note: async (event: string, facts?: Record<string, unknown>) => void noted.push({ event, facts }),
    intend: async () => ({ close: async () => true }),
  };
  const parts = { trail, pacer: {}, ending: new AbortController().signal };
  const ca = { path: 'ca.pem', text: trusted };
  const access = createTenantAccess(
    { ...config, ca, ...more },
    // No more of them than a connection needs.
    parts as unknown as Parameters<typeof createTenantAccess>[1],
  );
  return { access, noted };
}

const call = { method: 'GET', path: '/Users', headers: {}, maxReplyBytes: 1000 };
const settings = { deadlines: { read: 5000, write: 5000 }, maxReplyBytes: 1000 };

async function ask(access: TenantAccess, url: string, way: 'forwardRead' | 'forwardWrite' = 'forwardWrite') {
  return access.routeTo(url, 'ips', settings)[way](call, AbortSignal.timeout(5000));
}

const isMismatch = (thrown: unknown): boolean => {
  assert.ok(thrown instanceof NoReply);
  assert.equal((thrown.cause as NodeJS.ErrnoException).code, 'PIN_MISMATCH');
  assert.equal(thrown.sent, false);
  return true;
};

for (const [what, pinned] of [
  ['the key of the certificate', leaf],
  ['the key of its authority', authority],
  ['the key of a root that is not sent', root],
] as const)
  test(`${what} is enough among the pins`, async () => {
    await using tenant = await startTenant(pem(leaf, authority));
    const { access, noted } = accessTo(tenant, [pin(stranger), pin(pinned)], root.certificate);
    assert.equal((await ask(access, tenant.url)).status, 200);
    assert.deepEqual(noted, []);
  });

test('without a pinned key nothing is sent, and the trail has the keys that were found', async () => {
  await using tenant = await startTenant(pem(leaf, authority));
  const { access, noted } = accessTo(tenant, [pin(stranger), '0'.repeat(64)], root.certificate);
  await assert.rejects(ask(access, tenant.url), isMismatch);
  assert.deepEqual(tenant.resumed, []);
  const facts = {
    tenant: 'acme',
    host: new URL(tenant.url).host,
    code: 'PIN_MISMATCH',
    found: [leaf, authority, root].map(pin),
  };
  assert.deepEqual(noted, [{ event: 'upstream.tls_failure', facts }]);
});

test('a pinned key in a certificate that has not signed the one below does not vouch for it', async () => {
  // Trusted: the authority that has issued the leaf. Shown: another of its name, with the key that is pinned.
  const namesake = createCertificate('authority');
  await using tenant = await startTenant(pem(leaf, namesake));
  const { access } = accessTo(tenant, [pin(namesake), pin(stranger)], pem(authority, root));
  await assert.rejects(ask(access, tenant.url), isMismatch);
  assert.deepEqual(tenant.resumed, []);
});

test('a pinned certificate that is no authority does not vouch for others', () => {
  const noAuthority = createCertificate('other', { issuer: authority });
  const below = createCertificate('localhost', { issuer: noAuthority });
  const rawOf = ({ certificate }: CertificateAndKey) => new X509Certificate(certificate).raw;
  const shown = {
    raw: rawOf(below),
    subjectaltname: 'DNS:localhost',
    issuerCertificate: { raw: rawOf(noAuthority) },
    // No more of it than a pin looks at.
  } as unknown as PeerCertificate;
  const fault = checkPins([pin(noAuthority), pin(stranger)])('localhost', shown);
  assert.deepEqual(fault, new PinMismatch([pin(below)]));
  assert.equal(checkPins([pin(below), pin(stranger)])('localhost', shown), undefined);
});

test('a pinned key does not make up for a certificate that TLS refuses', async () => {
  const expired = createCertificate('localhost', { issuer: authority, expired: true });
  const server = https.createServer({ key: expired.key, cert: pem(expired, authority) });
  await using _closed = server;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `https://localhost:${(server.address() as AddressInfo).port}`;
  const tenant: Tenant = { url, port: 0, resumed: [], [Symbol.asyncDispose]: async () => {} };
  const { access, noted } = accessTo(tenant, [pin(expired), pin(authority)], root.certificate);
  await assert.rejects(ask(access, url), { name: 'NoReply' });
  assert.deepEqual(
    noted.map(({ event, facts }) => [event, facts?.['code']]),
    [['upstream.tls_failure', 'CERT_HAS_EXPIRED']],
  );
});

for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
  test(`a tenant that resumes sessions of ${version} is asked for its certificate each time`, async () => {
    await using tenant = await startTenant(pem(leaf, authority), version);
    const free = accessTo(tenant, undefined, root.certificate).access.routeTo(tenant.url, 'ips', settings);
    for (const _ of [1, 2]) await free.forwardWrite(call, AbortSignal.timeout(5000));
    assert.deepEqual(tenant.resumed, [false, true], 'it does resume them');
    tenant.resumed.length = 0;
    const pins = [pin(authority), pin(stranger)];
    const pinned = accessTo(tenant, pins, root.certificate).access.routeTo(tenant.url, 'ips', settings);
    for (const _ of [1, 2, 3]) await pinned.forwardWrite(call, AbortSignal.timeout(5000));
    assert.deepEqual(tenant.resumed, [false, false, false]);
  });

test('pins hold through the outbound proxy, which could end TLS otherwise', async () => {
  await using tenant = await startTenant(pem(leaf, authority));
  await using proxy = http.createServer();
  const tunnels: (string | undefined)[] = [];
  proxy.on('connect', (request, caller) => {
    tunnels.push(request.url);
    const inner = net.connect(tenant.port, '127.0.0.1', () => {
      caller.write('HTTP/1.1 200 Connection established\r\n\r\n');
      caller.pipe(inner).pipe(caller);
    });
    for (const socket of [caller, inner]) socket.on('error', () => inner.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const url = new Secret(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
  const way = { outboundProxy: { url, noProxy: [] } };
  const good = accessTo(tenant, [pin(authority), pin(stranger)], root.certificate, way);
  assert.equal((await ask(good.access, tenant.url)).status, 200);
  const bad = accessTo(tenant, [pin(stranger), '0'.repeat(64)], root.certificate, way);
  await assert.rejects(ask(bad.access, tenant.url), isMismatch);
  assert.deepEqual([tunnels.length, tenant.resumed.length], [2, 1]);
  assert.deepEqual(
    bad.noted.map(({ event }) => event),
    ['upstream.tls_failure'],
  );
});

test('the token endpoint is pinned too: a secret goes to nobody else', async () => {
  await using tenant = await startTenant(pem(leaf, authority));
  const credential = { type: 'oauth', clientId: 'c', secret: new Secret('hush') } as const;
  const { access, noted } = accessTo(tenant, [pin(stranger), '0'.repeat(64)], root.certificate, {
    credential,
  });
  await assert.rejects(access.login.authorization(AbortSignal.timeout(5000)), {
    kind: 'upstream-unreachable',
  });
  assert.deepEqual([noted.length, tenant.resumed], [1, []]);
});

test('a system under an address of its own is pinned too', async () => {
  await using tenant = await startTenant(pem(leaf, authority));
  await using other = await startTenant(pem(leaf, authority));
  const { access } = accessTo(tenant, [pin(stranger), '0'.repeat(64)], root.certificate);
  await assert.rejects(
    access.routeTo(other.url, 'scim', settings).forwardRead(call, AbortSignal.timeout(5000)),
    isMismatch,
  );
  assert.deepEqual(other.resumed, []);
});

test('the configured host is asked for by its name, and an address by none', async () => {
  const names: unknown[] = [];
  const own = createCertificate();
  await using server = https.createServer({ key: own.key, cert: own.certificate }, (request, response) => {
    names.push((request.socket as TLSSocket & { servername?: unknown }).servername);
    response.end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (const host of ['localhost', '127.0.0.1']) {
    const url = `https://${host}:${port}`;
    const tenant: Tenant = { url, port, resumed: [], [Symbol.asyncDispose]: async () => {} };
    const { access } = accessTo(tenant, undefined, own.certificate);
    assert.equal((await ask(access, url)).status, 200);
  }
  assert.deepEqual(names, ['localhost', false]);
});

test('pins are read in the notations of openssl', () => {
  const hex = pin(root);
  const bytes = Buffer.from(hex, 'hex');
  const colons = hex.toUpperCase().match(/../g)?.join(':');
  const { tenants } = load(withTenant({ pins: [bytes.toString('base64'), colons, pin(leaf)] }));
  assert.deepEqual(tenants['acme']?.pins, [hex, hex, pin(leaf)]);
});

test('one pin, or one twice, is refused: its key could never be replaced', () => {
  for (const pins of [[pin(root)], [pin(root), pin(root).toUpperCase()]])
    assert.match(faultsIn(withTenant({ pins })).join(), /^tenants\.acme\.pins: must have at least two/);
  assert.match(faultsIn(withTenant({ pins: ['abc', pin(root)] })).join(), /must be a SHA-256 digest/);
});
