/**
 * Which certificates a revocation list (RFC 5280 §5) names. OpenSSL asks the lists at handshakes alone, so connections
 * that are open already are compared with what is read here. Deltas and indirect lists are not understood.
 */
import { hash, type KeyObject, type X509Certificate } from 'node:crypto';

import { children, tags, type Element } from './der.ts';
import { extensionsIn, readSigned } from './tls-signed.ts';

/** One for each certificate that an authority has issued. */
type Mark = string;

/** A list that is wholly understood. */
export interface RevocationList {
  /** Who revokes; the same text as `issuerOf` gives for its certificates. */
  readonly issuer: string;
  /** From when until when it speaks, in milliseconds since 1970. */
  readonly from: number;
  readonly until: number;
  isBy(key: KeyObject): boolean;
}

/** Throws when the text is no PEM of such lists. */
export function readRevocations(pem: string): ReadonlySet<Mark> {
  const lists = splitLists(pem);
  if (lists.length === 0) throw new RangeError('There is no revocation list.');
  return new Set(lists.flatMap(marksOf));
}

/** Each list of the text by itself. */
export function splitLists(pem: string): string[] {
  return pem.match(/-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g) ?? [];
}

export function markOf(certificate: X509Certificate): Mark {
  // Before the serial number stands its version, when it has one.
  const { fields } = readSigned(certificate.raw);
  const [serial, , issuer] = fields[0]?.tag === tags.integer ? fields : fields.slice(1);
  return mark(issuer, serial);
}

export function issuerOf(certificate: X509Certificate): string {
  return issuerIn(markOf(certificate));
}

const issuerIn = (mark: Mark): string => mark.slice(0, mark.indexOf(' '));

/** A list with a critical extension is left out: it may not say what it seems to. */
export function readLists(pem: string): RevocationList[] {
  return splitLists(pem).flatMap((list) => {
    const signed = readSigned(bytesOf(list));
    const { issuer, thisUpdate, nextUpdate } = partsOf(signed.fields);
    if (!issuer || extensionsIn(signed, 0xa0).some(({ isCritical }) => isCritical)) return [];
    const [from, until] = [instantOf(thisUpdate), instantOf(nextUpdate)];
    return [{ issuer: hash('sha256', issuer.whole), from, until, isBy: (key) => signed.isBy(key) }];
  });
}

function marksOf(list: string): Mark[] {
  const { issuer, revoked } = partsOf(readSigned(bytesOf(list)).fields);
  if (!revoked) return [];
  return children(revoked.content).map((entry) => mark(issuer, children(entry.content)[0]));
}

function bytesOf(list: string): Buffer {
  return Buffer.from(list.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
}

function partsOf(fields: readonly Element[]) {
  const [, issuer, thisUpdate, ...rest] = fields[0]?.tag === tags.integer ? fields.slice(1) : fields;
  // A list that revokes nothing leaves it out; what follows has another tag.
  const revoked = rest.find(({ tag }) => tag === tags.sequence);
  return { issuer, thisUpdate, nextUpdate: rest[0], revoked };
}

/** RFC 5280 §5.1.2.4: two digits of the year until 2049, four from then on. NaN for what is no time. */
function instantOf(time: Element | undefined): number {
  const text = time?.content.toString('latin1') ?? '';
  const [, year = '', month, day, hour, minute, second] =
    /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(text) ?? [];
  const century = Number(year) < 50 ? '20' : '19';
  const full = year.length === 2 ? century + year : year;
  return Date.parse(`${full}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

function mark(issuer: Element | undefined, serial: Element | undefined): Mark {
  if (issuer?.tag !== tags.sequence || serial?.tag !== tags.integer)
    throw new RangeError('A field is missing.');
  return `${hash('sha256', issuer.whole)} ${serial.content.toString('hex')}`;
}
