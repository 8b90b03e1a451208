/**
 * Identifiers sealed for those who may reveal them: X25519 to their public keys, HKDF, AES-256-GCM. The gateway keeps no
 * private half, so what it sealed in the past it cannot open. Everybody is needed: the holder of each key, and the key
 * of the period, so that with the period's key the seals are erased as well.
 */
import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hash,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto';

import { decrypt, encrypt, nonceBytes, tagBytes } from '../aes-gcm.ts';
import { derive, isPeriod, type PeriodKey } from './period.ts';

const publicBytes = 32;
const keyPrefix = 'x25519:';

export function createRevealKey(): { readonly privateKey: KeyObject; readonly publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  return { privateKey, publicKey: encodeRevealKey(publicKey) };
}

export function encodeRevealKey(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return `${keyPrefix}${rawOf(publicKey).toString('base64')}`;
}

export function parseRevealKey(text: string): KeyObject | undefined {
  const bytes = Buffer.from(text.slice(keyPrefix.length), 'base64');
  if (bytes.length !== publicBytes || `${keyPrefix}${bytes.toString('base64')}` !== text) return undefined;
  return publicKeyOf(bytes);
}

/** @param pem PKCS #8, as `openssl genpkey -algorithm X25519` writes it too */
export function readRevealKey(pem: string): KeyObject | undefined {
  try {
    const key = createPrivateKey(pem);
    return key.asymmetricKeyType === 'x25519' ? key : undefined;
  } catch {
    return undefined; // no key, or one with a passphrase
  }
}

/** Tells which keys are needed, not which they are. */
function idOf(keys: readonly KeyObject[]): string {
  return hash('sha256', Buffer.concat(keys.map(rawOf))).slice(0, 8);
}

/** How long one agreement of keys serves: who takes the gateway over can open what it sealed since the last one. */
const sessionMs = 600_000;
const sessionSeals = 1_000_000;

interface Session {
  readonly period: string;
  readonly ephemeral: Buffer;
  readonly key: Buffer;
  readonly until: number;
  seals: number;
}

export class Sealer {
  readonly #keys: readonly KeyObject[];
  readonly #id: string;
  #session: Session | undefined;

  /** @param keys of one person, or of two who are needed together, in this order */
  constructor(keys: readonly KeyObject[]) {
    this.#keys = keys;
    this.#id = idOf(keys);
  }

  /** @param context what the seal belongs to; it opens with the same alone */
  seal(text: string, period: PeriodKey, context: string): string {
    const { key, ephemeral } = this.#sessionFor(period);
    const nonce = randomBytes(nonceBytes);
    const sealed = encrypt({ key, nonce, context: Buffer.from(context) }, [Buffer.from(text)]);
    const bytes = [ephemeral, nonce, ...sealed];
    return `s${period.period}:${this.#id}:${Buffer.concat(bytes).toString('base64url')}`;
  }

  #sessionFor(period: PeriodKey): Session {
    const now = performance.now();
    let session = this.#session;
    if (session?.period !== period.period || session.until < now || session.seals >= sessionSeals) {
      const { privateKey, publicKey } = generateKeyPairSync('x25519');
      const ephemeral = rawOf(publicKey);
      const shared = this.#keys.map((key) => diffieHellman({ privateKey, publicKey: key }));
      const key = sealKey(shared, period, ephemeral, this.#keys);
      session = { period: period.period, ephemeral, key, until: now + sessionMs, seals: 0 };
      this.#session = session;
    }
    session.seals += 1;
    return session;
  }
}

export interface SealParts {
  readonly period: string;
  /** Of the keys that open it. */
  readonly keys: string;
  readonly bytes: Buffer;
}

export function readSeal(text: string): SealParts | undefined {
  const [, period = '', keys = '', encoded = ''] = /^s(\w+):([0-9a-f]{8}):([\w-]+)$/.exec(text) ?? [];
  const bytes = Buffer.from(encoded, 'base64url');
  const least = publicBytes + nonceBytes + tagBytes;
  return isPeriod(period) && bytes.length >= least ? { period, keys, bytes } : undefined;
}

/** Undefined for other keys than those it was sealed for, another context, or a changed byte. */
export function openSeal(
  { keys: id, bytes }: SealParts,
  privateKeys: readonly KeyObject[],
  period: PeriodKey,
  context: string,
): string | undefined {
  const publicKeys = privateKeys.map((key) => createPublicKey(key));
  if (idOf(publicKeys) !== id) return undefined;
  const ephemeral = bytes.subarray(0, publicBytes);
  const nonce = bytes.subarray(publicBytes, publicBytes + nonceBytes);
  const shared = agree(privateKeys, ephemeral);
  if (!shared) return undefined;
  const key = sealKey(shared, period, ephemeral, publicKeys);
  const sealing = { key, nonce, context: Buffer.from(context) };
  return decrypt(sealing, bytes.subarray(publicBytes + nonceBytes))?.toString('utf8');
}

function agree(privateKeys: readonly KeyObject[], ephemeral: Buffer): Buffer[] | undefined {
  try {
    const publicKey = publicKeyOf(ephemeral);
    return privateKeys.map((privateKey) => diffieHellman({ privateKey, publicKey }));
  } catch {
    return undefined; // the bytes are no point of the curve
  }
}

/** All shared secrets go in, so with one of two keys nothing opens; the period's secret is the salt. */
function sealKey(
  shared: readonly Buffer[],
  { period, secret }: PeriodKey,
  ephemeral: Buffer,
  keys: readonly KeyObject[],
): Buffer {
  const info = Buffer.concat([
    Buffer.from(`gatehouse audit seal v1 ${period}\0`),
    ephemeral,
    ...keys.map(rawOf),
  ]);
  return Buffer.from(hkdfSync('sha256', Buffer.concat(shared), derive(secret, 'seals'), info, 32));
}

function rawOf(key: KeyObject): Buffer {
  return Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url');
}

function publicKeyOf(bytes: Buffer): KeyObject {
  const x = bytes.toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' });
}
