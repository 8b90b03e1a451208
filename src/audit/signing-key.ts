/**
 * Ed25519 keys as the trail uses them: the private one can sign and be kept, the public one is 32 bytes in base64.
 * A private key signs one segment and the header of the next, and is destroyed when that header is on stable storage.
 */
import {
  createPrivateKey,
  createPublicKey,
  hash,
  randomBytes,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';

/** 32 bytes in base64, as `key` and `signer` of a header. */
export type PublicKey = string;

export const seedBytes = 32;
/** What RFC 8410 puts before the 32 bytes of a private and of a public key. */
const privatePrefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const publicPrefix = Buffer.from('302a300506032b6570032100', 'hex');

export class SigningKey {
  readonly publicKey: PublicKey;
  readonly #key: KeyObject;

  private constructor(key: KeyObject) {
    this.#key = key;
    const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
    this.publicKey = spki.subarray(publicPrefix.length).toString('base64');
  }

  static create(): SigningKey {
    return SigningKey.from(randomBytes(seedBytes));
  }

  /** @param seed 32 bytes, RFC 8032 §5.1.5 */
  static from(seed: Uint8Array): SigningKey {
    const der = Buffer.concat([privatePrefix, seed]);
    return new SigningKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
  }

  sign(text: string | Uint8Array): string {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    return sign(null, bytes, this.#key).toString('base64');
  }

  /** For keeping it over a crash. */
  seed(): Buffer {
    return this.#key.export({ format: 'der', type: 'pkcs8' }).subarray(privatePrefix.length);
  }
}

export function isSignature(publicKey: PublicKey, text: Uint8Array, signature: string): boolean {
  const raw = Buffer.from(publicKey, 'base64');
  if (raw.length !== 32 || raw.toString('base64') !== publicKey) return false;
  const key = createPublicKey({ key: Buffer.concat([publicPrefix, raw]), format: 'der', type: 'spki' });
  return verify(null, text, key, Buffer.from(signature, 'base64'));
}

/** What an auditor writes down: SHA-256 of the public key's 32 bytes. */
export function fingerprint(publicKey: PublicKey): string {
  return `sha256:${hash('sha256', Buffer.from(publicKey, 'base64'))}`;
}
