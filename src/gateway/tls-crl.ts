/**
 * Which certificates a revocation list (RFC 5280 §5) names. OpenSSL asks the lists at handshakes alone, so connections
 * that are open already are compared with what is read here. Deltas and indirect lists are not understood.
 */
import { hash, type X509Certificate } from 'node:crypto';

/** One for each certificate that an authority has issued. */
type Mark = string;

interface Element {
  readonly tag: number;
  readonly content: Buffer;
  readonly whole: Buffer;
}

const integer = 0x02;
const sequence = 0x30;

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
  const fields = fieldsOf(certificate.raw);
  const [serial, , issuer] = fields[0]?.tag === integer ? fields : fields.slice(1);
  return mark(issuer, serial);
}

function marksOf(list: string): Mark[] {
  const bytes = Buffer.from(list.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
  const fields = fieldsOf(bytes);
  const [, issuer, ...rest] = fields[0]?.tag === integer ? fields.slice(1) : fields;
  // Behind one or two times; a list that revokes nothing leaves it out.
  const revoked = rest.find(({ tag }) => tag === sequence);
  if (!revoked) return [];
  return children(revoked.content).map((entry) => mark(issuer, children(entry.content)[0]));
}

function mark(issuer: Element | undefined, serial: Element | undefined): Mark {
  if (issuer?.tag !== sequence || serial?.tag !== integer) throw new RangeError('A field is missing.');
  return `${hash('sha256', issuer.whole)} ${serial.content.toString('hex')}`;
}

/** What is signed, of a certificate as of a list. */
function fieldsOf(signed: Buffer): Element[] {
  const [outer] = children(signed);
  const [inner] = children(outer?.content ?? signed);
  return children(inner?.content ?? signed);
}

/** X.690 §8.1, as far as DER goes. */
function children(bytes: Buffer): Element[] {
  const found: Element[] = [];
  for (let at = 0; at < bytes.length;) {
    const first = bytes.readUInt8(at + 1);
    const more = first < 0x80 ? 0 : first & 0x7f;
    const length = more === 0 ? first : bytes.readUIntBE(at + 2, more);
    const start = at + 2 + more;
    const end = start + length;
    if (end > bytes.length) throw new RangeError('An element is cut off.');
    found.push({
      tag: bytes.readUInt8(at),
      content: bytes.subarray(start, end),
      whole: bytes.subarray(at, end),
    });
    at = end;
  }
  return found;
}
