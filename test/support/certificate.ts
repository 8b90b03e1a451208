/**
 * Makes a self-signed certificate (X.509 v3, ECDSA P-256) for loopback tests, so that they need neither a program
 * of the machine nor a private key in the repository. It is its own authority: give it as `ca` to whoever verifies.
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

const day = 86_400_000;
const oid = {
  ecdsaWithSha256: '2a8648ce3d040302',
  commonName: '550403',
  subjectAltName: '551d11',
  basicConstraints: '551d13',
} as const;

export interface CertificateAndKey {
  readonly certificate: string;
  readonly key: string;
}

export interface Flaws {
  /** The one host that it is for, instead of those of the loopback. */
  readonly host?: string;
  readonly expired?: boolean;
}

export function createCertificate(
  commonName = 'localhost',
  { host, expired = false }: Flaws = {},
): CertificateAndKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(identifier(oid.ecdsaWithSha256));
  const name = sequence(der(0x31, sequence(identifier(oid.commonName), der(0x0c, Buffer.from(commonName)))));
  const content = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1, ...randomBytes(8)])),
    algorithm,
    name,
    sequence(time(Date.now() - 2 * day), time(Date.now() + (expired ? -day : day))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(alternativeNames(host), authority())),
  );
  const signature = sign('sha256', content, privateKey);
  const whole = sequence(content, algorithm, der(0x03, Buffer.from([0]), signature));
  return { certificate: pem(whole), key: privateKey.export({ type: 'pkcs8', format: 'pem' }) };
}

function alternativeNames(host: string | undefined): Buffer {
  const loopback = [der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1]))];
  const names = host === undefined ? loopback : [der(0x82, Buffer.from(host))];
  return sequence(identifier(oid.subjectAltName), der(0x04, sequence(...names)));
}

function authority(): Buffer {
  const isTrue = der(0x01, Buffer.from([0xff]));
  return sequence(identifier(oid.basicConstraints), isTrue, der(0x04, sequence(isTrue)));
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

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
