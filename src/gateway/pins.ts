/**
 * Pins towards a tenant: public keys, one of which must vouch for its certificate. They are verified in addition to
 * everything that TLS verifies. Invariant: a certificate counts only if its key signed the one below it; the chain
 * that Node shows is joined by names, so whoever answers could put a copy of a pinned key into it.
 */
import { hash, X509Certificate } from 'node:crypto';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';

/** SHA-256 of a SubjectPublicKeyInfo in DER, in lower-case hexadecimal digits. */
export type Pin = string;

export class PinMismatch extends Error {
  readonly code = 'PIN_MISMATCH';
  /** The keys that did vouch for the certificate, its own first. */
  readonly found: readonly Pin[];

  constructor(found: readonly Pin[]) {
    super('no pinned key vouches for the certificate');
    this.name = 'PinMismatch';
    this.found = found;
  }
}

export type CheckServerIdentity = (host: string, certificate: PeerCertificate) => Error | undefined;

/** For the options of a TLS connection; Node calls it when the certificate is already verified, but not for resumed sessions. */
export function checkPins(pins: readonly Pin[]): CheckServerIdentity {
  const wanted = new Set(pins);
  return (host, certificate) => {
    const fault = checkServerIdentity(host, certificate);
    if (fault) return fault;
    const found = vouchersOf(certificate).map(pinOf);
    return found.some((pin) => wanted.has(pin)) ? undefined : new PinMismatch(found);
  };
}

export function pinOf({ publicKey }: X509Certificate): Pin {
  return hash('sha256', publicKey.export({ type: 'spki', format: 'der' }));
}

/** The certificate and those above it, as far as each has signed the one before. */
function vouchersOf(certificate: PeerCertificate): X509Certificate[] {
  const vouchers: X509Certificate[] = [];
  let above: PeerCertificate | undefined = certificate;
  while (above) {
    const next: X509Certificate = new X509Certificate(above.raw);
    const below = vouchers.at(-1);
    if (below && !hasIssued(next, below)) break;
    vouchers.push(next);
    above = issuerOf(above);
  }
  return vouchers;
}

function hasIssued(issuer: X509Certificate, issued: X509Certificate): boolean {
  return issuer.ca && issued.checkIssued(issuer) && issued.verify(issuer.publicKey);
}

/** A root stands above itself. */
function issuerOf(certificate: PeerCertificate): PeerCertificate | undefined {
  const issuer =
    'issuerCertificate' in certificate ? (certificate.issuerCertificate as PeerCertificate) : undefined;
  return issuer === certificate ? undefined : issuer;
}
