/**
 * Judges a certificate that OpenSSL has not seen, because TLS ended elsewhere: from it to a trusted root (RFC 5280 §6),
 * by its purpose, its time and the revocation lists. Invariant: what is not wholly understood is not believed; so a
 * critical extension that is not named here, such as name constraints, is a fault.
 */
import type { X509Certificate } from 'node:crypto';

import { children, tags } from './der.ts';
import { issuerOf, markOf, type RevocationList } from './tls-crl.ts';
import { extensionsIn, isWeak, readSigned } from './tls-signed.ts';

/** What is trusted now. */
export interface Anchors {
  /** Roots, and perhaps those between. */
  readonly authorities: readonly X509Certificate[];
  /** Undefined when revocation is not asked about. */
  readonly lists?: readonly RevocationList[] | undefined;
  readonly revoked: ReadonlySet<string>;
}

/** Until when the certificate may be believed, in milliseconds since 1970; or why not, in the words of OpenSSL. */
export type Judgement = { readonly until: number } | { readonly fault: string };

export const clientAuth = '1.3.6.1.5.5.7.3.2';

const maxLength = 8;
const keyUsage = '551d0f';
const basicConstraints = '551d13';
const understood = new Set([keyUsage, basicConstraints, '551d11', '551d25']);
/** Bits of keyUsage that TLS clients prove themselves with: digitalSignature, keyAgreement. */
const provingBits = 0x88;

/** @param between what may stand between the certificate and a root, as it was shown with it */
export function judgePath(
  own: X509Certificate,
  between: readonly X509Certificate[],
  anchors: Anchors,
  now = Date.now(),
): Judgement {
  try {
    return judge(own, between, anchors, now);
  } catch {
    // What was shown may be anything, and readers of keys and DER refuse by throwing.
    return { fault: 'CERT_UNREADABLE' };
  }
}

function judge(
  own: X509Certificate,
  between: readonly X509Certificate[],
  anchors: Anchors,
  now: number,
): Judgement {
  const path = pathFrom(own, between, anchors.authorities);
  if (!path) return { fault: 'UNABLE_TO_GET_ISSUER_CERT' };
  const speaking = path.map((each, at) => listsFor(each, path[at + 1] ?? each, anchors));
  const fault = faultOfPath(path, now) ?? faultOfLists(path, speaking, anchors, now);
  if (fault !== undefined) return { fault };
  const ends = path.map(({ validToDate }) => validToDate.getTime());
  const lists = speaking.flat().filter((list) => isCurrent(list, now));
  return { until: Math.min(...ends, ...lists.map(({ until }) => until)) };
}

/** The certificate first, its root last. Each has signed the one before it. */
function pathFrom(
  own: X509Certificate,
  between: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
): readonly X509Certificate[] | undefined {
  const path = [own];
  while (path.length < maxLength) {
    const last = path.at(-1) ?? own;
    const root = authorities.find((each) => hasIssued(each, each) && hasIssued(each, last));
    if (root) return [...path, root];
    const next = [...between, ...authorities].find(
      (each) => !path.some((known) => known.raw.equals(each.raw)) && hasIssued(each, last),
    );
    if (!next) return undefined;
    path.push(next);
  }
  return undefined;
}

/** `ca` and `checkIssued` look at basicConstraints, keyUsage, names and key identifiers. */
function hasIssued(issuer: X509Certificate, issued: X509Certificate): boolean {
  return issuer.ca && issued.checkIssued(issuer) && readSigned(issued.raw).isBy(issuer.publicKey);
}

function faultOfPath(path: readonly X509Certificate[], now: number): string | undefined {
  const [own] = path;
  if (!own?.keyUsage?.includes(clientAuth) || !mayProve(own)) return 'INVALID_PURPOSE';
  for (const [at, each] of path.entries()) {
    if (each.validFromDate.getTime() > now) return 'CERT_NOT_YET_VALID';
    if (each.validToDate.getTime() < now) return 'CERT_HAS_EXPIRED';
    // An authority that names purposes gives no others.
    if (each.keyUsage && !each.keyUsage.includes(clientAuth)) return 'INVALID_PURPOSE';
    if (isWeak(each.publicKey)) return 'EE_KEY_TOO_SMALL';
    if (at > 0 && at - 1 > mostBelow(each)) return 'PATH_LENGTH_EXCEEDED';
    if (extensionsOf(each).some(({ id, isCritical }) => isCritical && !understood.has(id)))
      return 'UNHANDLED_CRITICAL_EXTENSION';
  }
  return undefined;
}

/** @param speaking for each of the path the lists that could name it */
function faultOfLists(
  path: readonly X509Certificate[],
  speaking: readonly RevocationList[][],
  { lists, revoked }: Anchors,
  now: number,
): string | undefined {
  if (path.some((each) => revoked.has(markOf(each)))) return 'CERT_REVOKED';
  if (!lists) return undefined;
  if (speaking.some((some) => some.length === 0)) return 'UNABLE_TO_GET_CRL';
  if (speaking.some((some) => !some.some((list) => isCurrent(list, now)))) return 'CRL_HAS_EXPIRED';
  return undefined;
}

/** The root's own list says whether the root is revoked. */
function listsFor(each: X509Certificate, issuer: X509Certificate, { lists = [] }: Anchors): RevocationList[] {
  return lists.filter((list) => list.issuer === issuerOf(each) && list.isBy(issuer.publicKey));
}

const isCurrent = ({ from, until }: RevocationList, now: number): boolean => from <= now && now < until;

const extensionsOf = (certificate: X509Certificate) => extensionsIn(readSigned(certificate.raw), 0xa3);

function valueOf(certificate: X509Certificate, id: string) {
  const value = extensionsOf(certificate).find((extension) => extension.id === id)?.value;
  return value && children(value)[0]?.content;
}

function mayProve(own: X509Certificate): boolean {
  const bits = valueOf(own, keyUsage);
  // Behind the count of unused bits. Without the extension a key is for everything.
  return !bits || ((bits[1] ?? 0) & provingBits) !== 0;
}

/** How many authorities may stand between this one and the certificate. */
function mostBelow(authority: X509Certificate): number {
  const constraints = valueOf(authority, basicConstraints) ?? Buffer.alloc(0);
  const length = children(constraints).find(({ tag }) => tag === tags.integer)?.content;
  return length ? length.readUIntBE(0, length.length) : Infinity;
}
