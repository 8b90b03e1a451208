/**
 * Makes certificates (X.509 v3) and revocation lists for loopback tests, so that they need neither a program of the
 * machine nor a private key in the repository. Without an issuer a certificate is its own authority: give it as `ca`
 * to whoever verifies.
 */
import { createPrivateKey, generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto';

const day = 86_400_000;
const oid = {
  ecdsaWithSha256: '2a8648ce3d040302',
  rsaWithSha256: '2a864886f70d01010b',
  commonName: '550403',
  keyUsage: '551d0f',
  subjectAltName: '551d11',
  nameConstraints: '551d1e',
  issuingDistributionPoint: '551d1c',
  basicConstraints: '551d13',
  extendedKeyUsage: '551d25',
  serverAuth: '2b06010505070301',
  clientAuth: '2b06010505070302',
} as const;

export interface CertificateAndKey {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateOptions {
  /** The one host that it is for, instead of those of the loopback. */
  readonly host?: string;
  /** A further name, as `subjectAltName` knows URIs. */
  readonly uri?: string;
  readonly expired?: boolean;
  /** How long it is still valid; given in whole seconds. */
  readonly endsInMs?: number;
  readonly notYetValid?: boolean;
  /** Who signs it; then it is no authority itself, unless it says so. */
  readonly issuer?: CertificateAndKey;
  readonly isAuthority?: boolean;
  readonly purpose?: 'serverAuth' | 'clientAuth';
  readonly keyType?: 'ec' | 'rsa' | 'short-rsa';
  /** How many authorities may stand below this one. */
  readonly mostBelow?: number;
  /** A critical extension that restricts the names below it. */
  readonly isConstrained?: boolean;
  /** The bits of keyUsage, the first one being 0x80. */
  readonly usage?: number;
}

export function createCertificate(
  commonName = 'localhost',
  options: CertificateOptions = {},
): CertificateAndKey {
  const { host, uri, expired = false, notYetValid = false, issuer, purpose, keyType = 'ec' } = options;
  const { isAuthority = !issuer, mostBelow, isConstrained = false, usage, endsInMs = 2 * day } = options;
  const { publicKey, privateKey } =
    keyType === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: keyType === 'rsa' ? 2048 : 1024 });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const signer = issuer?.key ?? key;
  const extensions = [
    alternativeNames(host, uri),
    ...(isAuthority ? [authority(mostBelow)] : []),
    ...(isConstrained ? [critical(oid.nameConstraints, sequence(der(0xa0, sequence(der(0x82)))))] : []),
    ...(usage === undefined ? [] : [critical(oid.keyUsage, der(0x03, Buffer.from([0, usage])))]),
    ...(purpose ? [extendedKeyUsage(oid[purpose])] : []),
  ];
  const certificate = signed('CERTIFICATE', signer, [
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1, ...randomBytes(8)])),
    algorithmOf(signer),
    issuer ? nameOf(issuer) : nameFor(commonName),
    sequence(
      time(Date.now() + (notYetValid ? day : -2 * day)),
      time(Date.now() + (expired ? -day : endsInMs)),
    ),
    nameFor(commonName),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  ]);
  return { certificate, key };
}

export interface ListOptions {
  readonly expired?: boolean;
  /** A critical extension says that it is for some certificates alone. */
  readonly isPartial?: boolean;
  /** Who signs it in the issuer's place. */
  readonly signer?: CertificateAndKey;
}

/** A list (RFC 5280 §5) of the certificates that the issuer has revoked. */
export function createRevocationList(
  issuer: CertificateAndKey,
  revoked: readonly CertificateAndKey[],
  { expired = false, isPartial = false, signer = issuer }: ListOptions = {},
): string {
  const entries = revoked.map(({ certificate }) => {
    const serial = Buffer.from(new X509Certificate(certificate).serialNumber, 'hex');
    return sequence(der(0x02, serial), time(Date.now() - day));
  });
  return signed('X509 CRL', signer.key, [
    der(0x02, Buffer.from([1])),
    algorithmOf(signer.key),
    nameOf(issuer),
    time(Date.now() - 2 * day),
    time(Date.now() + (expired ? -day : day)),
    ...(entries.length > 0 ? [sequence(...entries)] : []),
    ...(isPartial ? [der(0xa0, sequence(critical(oid.issuingDistributionPoint, sequence())))] : []),
  ]);
}

function signed(label: string, key: string, content: readonly Buffer[]): string {
  const bytes = sequence(...content);
  const signature = sign('sha256', bytes, key);
  return pem(label, sequence(bytes, algorithmOf(key), der(0x03, Buffer.from([0]), signature)));
}

function algorithmOf(key: string): Buffer {
  return createPrivateKey(key).asymmetricKeyType === 'rsa'
    ? sequence(identifier(oid.rsaWithSha256), der(0x05))
    : sequence(identifier(oid.ecdsaWithSha256));
}

function nameFor(commonName: string): Buffer {
  return sequence(der(0x31, sequence(identifier(oid.commonName), der(0x0c, Buffer.from(commonName)))));
}

/** Certificates of this file have a common name alone. */
function nameOf({ certificate }: CertificateAndKey): Buffer {
  return nameFor(new X509Certificate(certificate).subject.replace(/^CN=/, ''));
}

function alternativeNames(host: string | undefined, uri: string | undefined): Buffer {
  const loopback = [der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1]))];
  const hosts = host === undefined ? loopback : [der(0x82, Buffer.from(host))];
  const names = uri === undefined ? hosts : [...hosts, der(0x86, Buffer.from(uri))];
  return sequence(identifier(oid.subjectAltName), der(0x04, sequence(...names)));
}

function authority(mostBelow?: number): Buffer {
  const length = mostBelow === undefined ? [] : [der(0x02, Buffer.from([mostBelow]))];
  return critical(oid.basicConstraints, sequence(isTrue, ...length));
}

const isTrue = der(0x01, Buffer.from([0xff]));

function critical(id: string, value: Buffer): Buffer {
  return sequence(identifier(id), isTrue, der(0x04, value));
}

function extendedKeyUsage(purpose: string): Buffer {
  return sequence(identifier(oid.extendedKeyUsage), der(0x04, sequence(identifier(purpose))));
}

function time(instant: number): Buffer {
  const digits = new Date(instant).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return der(0x17, Buffer.from(digits.slice(2)));
}

function identifier(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, ...parts);
}

/** Tag, length and value; X.690 §8.1.3 writes lengths from 128 on with a count of their bytes before them. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  const length =
    value.length < 0x80 ? [value.length] : [0x82, Math.floor(value.length / 256), value.length % 256];
  return Buffer.concat([Buffer.from([tag, ...length]), value]);
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
