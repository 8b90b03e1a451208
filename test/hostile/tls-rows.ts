/** Rows 63 to 66 and 97: certificates that are not what they should be, on both sides. */
import { hash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type ConnectionOptions } from 'node:tls';

import type { TlsClients } from '../../src/gateway/config-certificates.ts';
import { createCertificate, createRevocationList, type CertificateAndKey } from '../support/certificate.ts';
import { RawConnection, request } from '../support/raw.ts';
import { besiege, type Siege } from '../support/siege.ts';
import { credential, pace } from './plain-stage.ts';
import { closed, refused, served, type Case, type Seen, type Stage } from './row.ts';
import type { Scene } from './scene.ts';

const shown = createCertificate();
const authority = createCertificate('callers');
const caller = issue('known');
const deceiver = issue('known', { issuer: createCertificate('callers') });
const revocable = issue('revocable');

function issue(name: string, options: Parameters<typeof createCertificate>[1] = {}): CertificateAndKey {
  return createCertificate(name, { issuer: authority, purpose: 'clientAuth', ...options });
}

interface TlsSiege extends Siege {
  revoke(some: readonly CertificateAndKey[]): Promise<void>;
}

async function besiegeTls(mode: TlsClients['mode']): Promise<TlsSiege> {
  const directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-hostile-'));
  const at = (name: string) => ({ file: join(directory.path, name) });
  const revoke = (some: readonly CertificateAndKey[]): Promise<void> =>
    writeFile(at('crl').file, createRevocationList(authority, some));
  await writeFile(at('crt').file, shown.certificate);
  await writeFile(at('key').file, shown.key, { mode: 0o600 });
  await writeFile(at('ca').file, authority.certificate);
  await revoke([]);
  const permission = { permission: 'Access Proxy System API', systems: 'all', access: ['read'] } as const;
  const known = [caller, revocable].map(({ certificate }) => ({
    sha256: new X509Certificate(certificate).fingerprint256,
  }));
  const siege = await besiege({
    tenant: { credential, pace },
    callers: { known: { permissions: [{ ...permission, access: ['read'] }], certificates: known } },
    config: {
      listen: {
        port: 0,
        tls: { certificate: at('crt'), key: at('key'), clients: { ca: at('ca'), crl: at('crl'), mode } },
      },
    },
  });
  return {
    ...siege,
    revoke,
    async [Symbol.asyncDispose]() {
      await siege[Symbol.asyncDispose]();
      await directory.remove();
    },
  };
}

const identityOf = ({ certificate, key }: CertificateAndKey): ConnectionOptions => ({
  cert: certificate,
  key,
});
/** What a caller with a certificate sends; with `secret` also the right log-on of another user. */
const bytes = (scene: Scene<TlsSiege>, secret = false): string =>
  request(scene.head('GET', scene.path).toSpliced(2, secret ? 0 : 1));

const comes =
  (identity: ConnectionOptions, secret = false): Case<TlsSiege>['play'] =>
  async (scene) =>
    void (await scene.sendTls({ ca: shown.certificate, ...identity }, bytes(scene, secret)));

const rejected = (sent: string, identity: ConnectionOptions, answers = 'none'): Case<TlsSiege> => ({
  sent,
  play: comes(identity, true),
  expected: closed(refused(answers, 'mtls.rejected')),
});

async function serves(siege: TlsSiege): Promise<void> {
  using connection = await RawConnection.openTls(siege.gateway.authority, {
    ca: shown.certificate,
    ...identityOf(caller),
  });
  connection.send(request(siege.head('GET', '/Users/alive').toSpliced(2, 1)));
  const { status } = await connection.answer();
  if (status !== 200) throw new Error(`the gateway does not serve any more: ${status}`);
}

/** A connection and a session from before the revocation, and what becomes of both and of a new one. */
async function comesRevoked(scene: Scene<TlsSiege>): Promise<void> {
  const { hostname: host, port } = new URL(scene.siege.gateway.url);
  const identity = { ca: shown.certificate, ...identityOf(revocable), localAddress: scene.source };
  const open = connect({ ...identity, host, port: Number(port), maxVersion: 'TLSv1.2' });
  await once(open, 'secureConnect');
  open.write(bytes(scene));
  await once(open, 'data');
  const session = open.getSession();
  const cut = once(
    open.resume().on('error', () => {}),
    'close',
  ); // a reset ends it as well
  const begunAt = performance.now();
  await scene.siege.revoke([revocable]);
  await cut;
  if (performance.now() - begunAt < 2500) scene.found.add('soon');
  await scene.sendTls(identity, bytes(scene));
  await scene.sendTls({ ...identity, maxVersion: 'TLSv1.2', ...(session && { session }) }, bytes(scene));
}

const sni = (servername: string): Case<TlsSiege> => ({
  sent: `SNI ${servername.slice(0, 20)}${servername.length > 20 ? '…' : ''}`,
  play: comes({ ...identityOf(caller), servername, checkServerIdentity: () => undefined }),
  expected: served(),
});

export const clients: Stage<TlsSiege> = {
  title: 'where callers show certificates',
  open: () => besiegeTls('required'),
  serves,
  rows: [
    {
      row: 63,
      situation: 'certificates that are not valid, with a right secret beside them',
      differs:
        'the list wants a TLS alert; Node judges a certificate when the handshake is over, so the connection just ends',
      cases: [
        rejected('none', {}, 'alert'),
        rejected('expired', identityOf(issue('known', { expired: true }))),
        rejected('not yet valid', identityOf(issue('known', { notYetValid: true }))),
        rejected('of another authority', identityOf(deceiver)),
        rejected('for servers', identityOf(issue('known', { purpose: 'serverAuth' }))),
        rejected('signed by itself', identityOf(createCertificate('known', { purpose: 'clientAuth' }))),
      ],
    },
    {
      row: 64,
      situation: 'a valid certificate that stands for nobody',
      cases: [
        {
          sent: 'with the name of a user',
          play: comes(identityOf(issue('known'))),
          expected: refused('401', 'authn.failure'),
        },
        { sent: 'the one that is configured', play: comes(identityOf(caller)), expected: served() },
      ],
    },
    {
      row: 65,
      situation: 'a revoked certificate',
      cases: [
        {
          sent: 'on an open connection, a new one, a resumed one',
          open: () => besiegeTls('required'),
          play: comesRevoked,
          expected: { ...closed(served('none, none')), trail: 'request.outcome, mtls.rejected' },
          besides: { 'the open one is cut soon': ({ found }: Seen) => found.has('soon') },
        },
      ],
    },
    {
      row: 66,
      situation: 'names that the gateway does not have',
      cases: ['LOCALHOST', 'unknown.example', 'a'.repeat(255), 'xn--a', '-'].map(sni),
    },
  ],
};

const good = createCertificate();
const expired = createCertificate('localhost', { expired: true });
const misnamed = createCertificate('localhost', { host: 'other.example' });

/** @param trusts the authority that the gateway is given for a tenant that shows another certificate */
async function besiegeTenantTls(shows: CertificateAndKey, trusts: CertificateAndKey): Promise<Siege> {
  const directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-tenant-'));
  const file = join(directory.path, hash('sha256', trusts.certificate));
  await writeFile(file, trusts.certificate);
  const siege = await besiege({
    tenantSide: { tls: { key: shows.key, cert: shows.certificate } },
    tenant: { credential, pace, ca: { file } },
  });
  return {
    ...siege,
    async [Symbol.asyncDispose]() {
      await siege[Symbol.asyncDispose]();
      await directory.remove();
    },
  };
}

const wrongTenant = (what: string, shows: CertificateAndKey, trusts: CertificateAndKey): Case[] =>
  (['GET', 'POST'] as const).map((method) => ({
    sent: `${method}: ${what}`,
    open: () => besiegeTenantTls(shows, trusts),
    play: async (scene) => {
      await scene.call(method, method === 'GET' ? scene.path : '/Users', method === 'GET' ? undefined : {});
    },
    expected: refused('502', 'request.outcome'),
    besides: {
      'the caller hears that nothing was sent': ({ answers: [told] }) =>
        /was not sent/.test(told?.body ?? ''),
    },
  }));

export const tenantTls: Stage = {
  title: 'before a tenant with TLS',
  open: () => besiegeTenantTls(good, good),
  rows: [
    {
      row: 97,
      situation: 'a tenant with a wrong certificate',
      cases: [
        {
          sent: 'the right one',
          play: async (scene) => void (await scene.call('GET', scene.path)),
          expected: served(),
        },
        ...wrongTenant('an expired one', expired, expired),
        ...wrongTenant('another host’s', misnamed, misnamed),
        ...wrongTenant('of an unknown authority', createCertificate(), good),
      ],
    },
  ],
};
