/**
 * A gateway that asks its callers for certificates, and callers that show them over real TLS. Authorities are shared
 * by the tests of one process; what is trusted and revoked is each gateway's own.
 */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { TlsClients } from '../../src/gateway/config-certificates.ts';
import type { ConfigDocument } from '../../src/gateway/config-schema.ts';
import { createCertificate, createRevocationList, type CertificateAndKey } from './certificate.ts';
import type { RawAnswer } from './raw.ts';
import { besiege, type Siege } from './siege.ts';

/** What the gateway shows. */
export const shown = createCertificate();
export const root = createCertificate('root');
export const between = createCertificate('between', { issuer: root, isAuthority: true });

/** A certificate of the lower authority, followed by that authority's own, unless the options name another issuer. */
export function issue(
  name: string,
  options: Parameters<typeof createCertificate>[1] = {},
): CertificateAndKey {
  const issued = createCertificate(name, { issuer: between, purpose: 'clientAuth', ...options });
  const chain = options.issuer ? '' : between.certificate;
  return { key: issued.key, certificate: issued.certificate + chain };
}

export const own = ({ certificate }: CertificateAndKey): X509Certificate => new X509Certificate(certificate);

export const permissions = [
  { permission: 'Access Proxy System API' as const, systems: 'all' as const, access: ['read' as const] },
];

export interface CertifiedSiege extends AsyncDisposable {
  readonly siege: Siege;
  /** The whole list of the lower authority. */
  revoke(some: readonly CertificateAndKey[]): Promise<void>;
  writeList(text: string): Promise<void>;
  trust(authority: CertificateAndKey): Promise<void>;
}

export interface CertifiedOptions {
  readonly mode: TlsClients['mode'];
  readonly revoked?: readonly CertificateAndKey[];
  readonly callers: NonNullable<ConfigDocument['callers']>;
  readonly oauth?: ConfigDocument['oauth'];
  readonly keyFile?: string;
  readonly forwarders?: NonNullable<TlsClients['forwarders']>;
}

export async function besiegeByCertificate(options: CertifiedOptions): Promise<CertifiedSiege> {
  const { mode, revoked = [], callers, oauth, keyFile, forwarders } = options;
  await using starting = new AsyncDisposableStack();
  const directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-mtls-'));
  starting.defer(() => directory.remove());
  const at = (name: string) => ({ file: join(directory.path, name) });
  const write = async (name: string, text: string, mode = 0o644): Promise<void> =>
    writeFile(at(name).file, text, { mode });
  const revoke = (some: readonly CertificateAndKey[]): Promise<void> =>
    write('clients.crl', createRevocationList(root, []) + createRevocationList(between, some));
  await write('tls.crt', shown.certificate);
  await write('tls.key', shown.key, 0o600);
  await write('ca.crt', root.certificate);
  await revoke(revoked);
  const clients = {
    ca: at('ca.crt'),
    crl: at('clients.crl'),
    mode,
    ...(forwarders && { forwarders: [...forwarders] }),
  };
  const tls = { certificate: at('tls.crt'), key: at('tls.key'), clients };
  const config = { listen: { port: 0, tls }, ...(oauth && { oauth }) };
  const siege = starting.use(await besiege({ callers, config, ...(keyFile !== undefined && { keyFile }) }));
  const running = starting.move();
  const writeList = (text: string): Promise<void> => write('clients.crl', text);
  const trust = (authority: CertificateAndKey): Promise<void> => write('ca.crt', authority.certificate);
  return { siege, revoke, writeList, trust, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

export function agentOf(caller?: CertificateAndKey): https.Agent {
  const identity = caller && { key: caller.key, cert: caller.certificate };
  return new https.Agent({ ca: shown.certificate, keepAlive: true, maxSockets: 1, ...identity });
}

type Fields = Readonly<Record<string, string | string[]>>;

export function get(siege: Siege, agent: https.Agent, headers: Fields = {}): Promise<RawAnswer> {
  return send(https.get(`${siege.gateway.base}/Users/${crypto.randomUUID()}`, { agent, headers }));
}

export async function getOnce(
  siege: Siege,
  caller?: CertificateAndKey,
  headers?: Fields,
): Promise<RawAnswer> {
  const agent = agentOf(caller);
  try {
    return await get(siege, agent, headers);
  } finally {
    agent.destroy();
  }
}

/** Asks the token endpoint. */
export async function askToken(
  { gateway }: Siege,
  caller: CertificateAndKey | undefined,
  parameters: Readonly<Record<string, string>>,
  headers: Fields = {},
): Promise<RawAnswer> {
  const agent = agentOf(caller);
  const form = { 'content-type': 'application/x-www-form-urlencoded', ...headers };
  const asked = https.request(`${gateway.url}/oauth2/token`, { agent, method: 'POST', headers: form });
  asked.end(new URLSearchParams({ grant_type: 'client_credentials', ...parameters }).toString());
  try {
    return await send(asked);
  } finally {
    agent.destroy();
  }
}

async function send(asked: ReturnType<typeof https.get>): Promise<RawAnswer> {
  const [answer] = await once(asked, 'response');
  const body = (await answer.setEncoding('utf8').toArray()).join('');
  return { status: answer.statusCode, headers: answer.headers, body };
}
