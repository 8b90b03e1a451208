/**
 * Reads `X-Forwarded-Client-Cert`, in which a proxy that ends TLS says what its caller has shown, in Envoy's format.
 * Invariant: a value that is not wholly understood says nothing; and all that it can say is a certificate, which is
 * judged like one that was shown here.
 */
import { X509Certificate } from 'node:crypto';

/** What the caller has shown: its own certificate, and those between it and a root. */
export interface Forwarded {
  readonly own: X509Certificate;
  readonly between: readonly X509Certificate[];
}

/** Keys that a proxy writes at most once; each of the others stands for a list. */
const single = new Set(['hash', 'cert', 'chain', 'subject']);

/** Undefined for everything but one element with a certificate. */
export function readForwarded(text: string): Forwarded | undefined {
  const element = readElement(text);
  if (!element || hidesCertificate(text, element)) return undefined;
  const cert = readPem(element.get('cert'));
  const chain = readPem(element.get('chain'));
  const own = cert?.[0] ?? chain?.[0];
  if (!cert || !chain || !own || cert.length > 1) return undefined;
  if (chain[0] && !chain[0].raw.equals(own.raw)) return undefined;
  const hash = element.get('hash');
  if (hash !== undefined && hash.toLowerCase() !== digestOf(own)) return undefined;
  return { own, between: chain.slice(1) };
}

/**
 * A caller writes the names in its certificate, and a proxy that does not escape them lets it close a quotation and open
 * another around what the proxy says. Then there is a key in the text that was not read as one.
 */
function hidesCertificate(text: string, element: ReadonlyMap<string, string>): boolean {
  const written = text.match(/(?:cert|chain)=/gi)?.length ?? 0;
  return written !== ['cert', 'chain'].filter((key) => element.has(key)).length;
}

const digestOf = ({ fingerprint256 }: X509Certificate): string =>
  fingerprint256.replaceAll(':', '').toLowerCase();

/** The pairs of the only element. Elements of further proxies begin with a comma, and would each say something else. */
function readElement(text: string): ReadonlyMap<string, string> | undefined {
  const pair = /(By|Hash|Cert|Chain|Subject|URI|DNS)=(?:"((?:[^"\\]|\\[ -~])*)"|([^",;=\\ ]*))(?:;(?=.)|$)/iy;
  if (!/^[ -~]+$/.test(text)) return undefined;
  const element = new Map<string, string>();
  while (pair.lastIndex < text.length) {
    const [, name = '', quoted, plain = ''] = pair.exec(text) ?? [];
    const key = name.toLowerCase();
    if (key === '' || (single.has(key) && element.has(key))) return undefined;
    // A value that is used has nothing to escape, so the marks stay where they are.
    element.set(key, quoted ?? plain);
  }
  return element;
}

const end = '-----END CERTIFICATE-----';
/** Without a choice where to stop, so that no text makes it look back. */
const block = /^[\r\n]*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\r\n]+)$/;

/** The certificates of a URL-encoded PEM; none when nothing is given, undefined when it is not wholly one. */
function readPem(encoded: string | undefined): X509Certificate[] | undefined {
  if (encoded === undefined) return [];
  try {
    const blocks = decodeURIComponent(encoded).split(end);
    const behind = blocks.pop() ?? '';
    const found = blocks.map(readBlock);
    return found.length > 0 && /^[\r\n]*$/.test(behind) ? found : undefined;
  } catch {
    return undefined; // a broken escape, or no certificate
  }
}

function readBlock(text: string): X509Certificate {
  const base64 = block.exec(text)?.[1]?.replaceAll(/[\r\n]/g, '');
  const bytes = Buffer.from(base64 ?? '', 'base64');
  const certificate = new X509Certificate(bytes);
  // Both readers forgive: the one what is no base64, the other what follows a certificate.
  if (bytes.toString('base64') !== base64 || !certificate.raw.equals(bytes))
    throw new RangeError('This is more than a certificate.');
  return certificate;
}
