/**
 * The certificates that callers show, here or to a proxy that says so. OpenSSL has judged each at its handshake; it is
 * judged again for every call, by what is trusted and revoked now: a connection may live longer than the trust in its
 * caller. Invariant: nobody is believed about a certificate but a listed proxy, which itself is no caller.
 */
import { hash, X509Certificate } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

import { isOneOf } from '../auth/certificate.ts';
import { allChallenges } from '../auth/challenge.ts';
import type { ClientCertificate } from '../scim/call.ts';
import { ScimError } from '../scim/error.ts';
import type { TlsClients } from './config-certificates.ts';
import { readForwarded } from './forwarded-certificate.ts';
import { peerOf } from './peer.ts';
import type { ReportNoise } from './server.ts';
import { markOf, readLists, readRevocations } from './tls-crl.ts';
import { clientAuth, judgePath, type Anchors } from './tls-path.ts';
import { splitCertificates } from './tls.ts';

interface Shown {
  /** Of a caller that may be believed. */
  readonly certificate?: ClientCertificate;
  /** Why not, in the words of OpenSSL. */
  readonly fault?: string;
}

/** One reading of the authorities and their lists, and what was judged by it. */
interface Trust extends Anchors {
  readonly judged: WeakMap<Socket, Shown>;
  /** What proxies forwarded and was believed, by its SHA-256, and until when. */
  readonly believed: Map<string, { readonly certificate: ClientCertificate; readonly until: number }>;
}

export interface ClientsOptions {
  readonly report: ReportNoise;
  readonly realm: string;
}

/** Callers behind proxies whose certificates are remembered as good. */
const mostBelieved = 500;

export class Clients {
  readonly #settings: TlsClients;
  readonly #options: ClientsOptions;
  readonly #open = new Set<TLSSocket>();
  #trust: Trust;

  constructor(settings: TlsClients, options: ClientsOptions) {
    this.#settings = settings;
    this.#options = options;
    this.#trust = readTrust(settings);
  }

  watch(server: Server): void {
    server.on('secureConnection', (socket: TLSSocket) => {
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
    });
  }

  /** From now on these are trusted; whoever was believed and is not any more is cut off. */
  trust(settings: TlsClients): void {
    const believed = [...this.#open].filter((socket) => this.#judge(socket).certificate);
    this.#trust = readTrust(settings);
    for (const socket of believed) {
      const { fault } = this.#judge(socket);
      if (fault === undefined) continue;
      this.#options.report('mtls.rejected', fault, peerOf(socket).ip);
      socket.destroy();
    }
  }

  /** What the caller has shown; undefined when it may come without. Throws when it may not call. */
  check({ socket, headersDistinct }: IncomingMessage): ClientCertificate | undefined {
    const { certificate, fault } = this.#shownBy(socket, headersDistinct['x-forwarded-client-cert']);
    if (fault === undefined) return certificate;
    this.#options.report('mtls.rejected', fault, peerOf(socket).ip);
    const detail = `Calls need a valid client certificate here: ${explanations[fault] ?? 'its authority is not trusted'}.`;
    throw new ScimError('unauthenticated', detail, {
      headers: { 'www-authenticate': allChallenges(this.#options.realm) },
    });
  }

  #shownBy(socket: Socket, forwarded: readonly string[] | undefined): Shown {
    const { forwarders = [] } = this.#settings;
    const shown = this.#judge(socket);
    if (shown.certificate && isOneOf(forwarders, shown.certificate)) {
      if (forwarded) return this.#judgeForwarded(forwarded);
      return this.#settings.mode === 'optional' ? {} : { fault: 'NO_CERTIFICATE' };
    }
    // A proxy that the list has lost, or somebody who tries; the call itself is judged as if it were not there.
    if (forwarded && forwarders.length > 0)
      this.#options.report('mtls.rejected', 'FORWARDED_BY_STRANGER', peerOf(socket).ip);
    return shown;
  }

  #judgeForwarded(fields: readonly string[]): Shown {
    const { believed } = this.#trust;
    const digest = hash('sha256', fields.join('\n'));
    const known = believed.get(digest);
    if (known && Date.now() < known.until) return { certificate: known.certificate };
    const found = fields.length === 1 ? readForwarded(fields[0] ?? '') : undefined;
    if (!found) return { fault: 'FORWARDED_MALFORMED' };
    const judgement = judgePath(found.own, found.between, this.#trust);
    if ('fault' in judgement) return judgement;
    const certificate = plain(found.own);
    if (isOneOf(this.#settings.forwarders ?? [], certificate)) return { fault: 'FORWARDED_OF_PROXY' };
    if (believed.size >= mostBelieved) believed.clear();
    believed.set(digest, { certificate, until: judgement.until });
    return { certificate };
  }

  #judge(socket: Socket): Shown {
    const own = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
    if (!own) return this.#settings.mode === 'optional' ? {} : { fault: 'NO_CERTIFICATE' };
    if (own.validToDate.getTime() < Date.now()) return { fault: 'CERT_HAS_EXPIRED' };
    const { judged } = this.#trust;
    const known = judged.get(socket);
    if (known) return known;
    const fault = faultOf(socket as TLSSocket, own, this.#trust);
    const shown = fault === undefined ? { certificate: plain(own) } : { fault };
    judged.set(socket, shown);
    return shown;
  }
}

const explanations: Readonly<Record<string, string>> = {
  NO_CERTIFICATE: 'none was shown',
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  CERT_REVOKED: 'it was revoked',
  INVALID_PURPOSE: 'it is not for the authentication of clients',
  UNABLE_TO_GET_CRL: 'nobody can tell whether it was revoked',
  CRL_HAS_EXPIRED: 'nobody can tell whether it was revoked',
  CERT_UNREADABLE: 'it cannot be read',
  UNHANDLED_CRITICAL_EXTENSION: 'it is restricted in a way that is not understood',
  FORWARDED_MALFORMED:
    'what the proxy says of it (X-Forwarded-Client-Cert) is not one element with Cert or Chain',
  FORWARDED_OF_PROXY: 'the one that the proxy forwarded is a proxy’s own',
};

function readTrust({ ca, crl }: TlsClients): Trust {
  return {
    authorities: splitCertificates(ca.text).map((text) => new X509Certificate(text)),
    revoked: crl ? readRevocations(crl.text) : new Set(),
    lists: crl && readLists(crl.text),
    judged: new WeakMap(),
    believed: new Map(),
  };
}

function faultOf(
  socket: TLSSocket,
  own: X509Certificate,
  { authorities, revoked }: Anchors,
): string | undefined {
  if (!socket.authorized) return String(socket.authorizationError);
  const chain = [own];
  for (let next = own.issuerCertificate; next && chain.length < 10; next = next.issuerCertificate)
    chain.push(next);
  if (chain.some((each) => revoked.has(markOf(each)))) return 'CERT_REVOKED';
  const leadsHere = authorities.some((authority) =>
    chain.some((each) => each.checkIssued(authority) && each.verify(authority.publicKey)),
  );
  if (!leadsHere) return 'UNABLE_TO_GET_ISSUER_CERT';
  // OpenSSL takes a certificate that names no purpose for one of every purpose.
  return own.keyUsage?.includes(clientAuth) ? undefined : 'INVALID_PURPOSE';
}

function plain(own: X509Certificate): ClientCertificate {
  const spki = own.publicKey.export({ type: 'spki', format: 'der' });
  return {
    sha256: hex(own.fingerprint256),
    spki: hash('sha256', spki),
    names: namesIn(own.subjectAltName ?? ''),
  };
}

const hex = (fingerprint: string): string => fingerprint.replaceAll(':', '').toLowerCase();

/**
 * DNS and URI names out of Node's text of them. What could be taken for a separator stands there as a JSON string
 * (CVE-2021-44532); a text that is not wholly understood gives no name.
 */
function namesIn(text: string): string[] {
  const name = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y;
  const names: string[] = [];
  while (name.lastIndex < text.length) {
    const [, kind = '', value = ''] = name.exec(text) ?? [];
    if (!kind) return [];
    if (kind === 'DNS' || kind === 'URI')
      names.push(`${kind}:${value.startsWith('"') ? String(JSON.parse(value)) : value}`);
  }
  return names;
}
