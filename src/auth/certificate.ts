/**
 * A client certificate → the caller, by its fingerprint, its key or an exact alternative name; never by its subject,
 * which authorities write as they like.
 */
import type { ClientCertificate } from '../scim/call.ts';
import type { Caller, IdentifiedCaller } from './caller.ts';

export type CertificateLogOn = (certificate: ClientCertificate) => IdentifiedCaller | undefined;

/** What a certificate must have to stand for a caller; digests in lower-case hexadecimal. */
export type CertificateMatch =
  | { readonly sha256: string }
  | { readonly spki: string }
  | { readonly san: string };

/** @param matches for each what it takes, with the name of the caller */
export function createCertificateLogOn(
  callers: ReadonlyMap<string, Caller>,
  matches: readonly (readonly [CertificateMatch, name: string])[],
): CertificateLogOn {
  const byKey = new Map(matches.map(([match, name]) => [keyOf(match), name]));
  return (certificate) => {
    const meant = new Set(matchesOf(certificate).flatMap((match) => byKey.get(keyOf(match)) ?? []));
    // A certificate that stands for two callers stands for none.
    const [name = ''] = meant.size === 1 ? meant : [];
    const caller = callers.get(name);
    return caller && { ...caller, auth: 'certificate', credential: certificate.sha256 };
  };
}

/** Whether a certificate is one of those that are meant. */
export function isOneOf(matches: readonly CertificateMatch[], certificate: ClientCertificate): boolean {
  const shown = new Set(matchesOf(certificate).map(keyOf));
  return matches.some((match) => shown.has(keyOf(match)));
}

function matchesOf({ sha256, spki, names }: ClientCertificate): CertificateMatch[] {
  return [{ sha256 }, { spki }, ...names.map((san) => ({ san }))];
}

/** As tokens name the certificate that they are bound to (`x5t#S256`, RFC 8705 §3.1). */
export function thumbprintOf({ sha256 }: ClientCertificate): string {
  return Buffer.from(sha256, 'hex').toString('base64url');
}

function keyOf(match: CertificateMatch): string {
  return Object.entries(match).flat().join(' ');
}
