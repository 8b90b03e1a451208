/**
 * What is kept of a write's answer outside the process: AES-256-GCM, bound to the name that it is kept under. An answer is
 * personal data, so that whoever reads or moves what is kept gets nothing from it.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const algorithm = 'aes-256-gcm';
/** `salt(32) ‖ ciphertext ‖ tag(16)`. */
const saltBytes = 32;
const tagBytes = 16;
const keyBytes = 32;

export class RecordSeal {
  readonly #key: Buffer;

  /** @param key the same on all replicas */
  constructor(key: Buffer) {
    this.#key = key;
  }

  close(name: string, plain: Buffer): Buffer {
    const salt = randomBytes(saltBytes);
    const cipher = createCipheriv(algorithm, ...this.#keyAndNonce(salt)).setAAD(Buffer.from(name));
    return Buffer.concat([salt, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }

  /** Undefined for what was not closed under this name and key. */
  open(name: string, sealed: Buffer): Buffer | undefined {
    if (sealed.length < saltBytes + tagBytes) return undefined;
    const decipher = createDecipheriv(algorithm, ...this.#keyAndNonce(sealed.subarray(0, saltBytes)), {
      authTagLength: tagBytes,
    }).setAAD(Buffer.from(name));
    decipher.setAuthTag(sealed.subarray(-tagBytes));
    const plain = decipher.update(sealed.subarray(saltBytes, -tagBytes));
    try {
      decipher.final();
      return plain;
    } catch {
      return undefined; // Node says in no other way that the tag is wrong.
    }
  }

  /** Each value has a key of its own, so that no nonce can meet a key twice. */
  #keyAndNonce(salt: Buffer): [key: Buffer, nonce: Buffer] {
    const derived = Buffer.from(hkdfSync('sha256', this.#key, salt, 'gatehouse write record', keyBytes + 12));
    return [derived.subarray(0, keyBytes), derived.subarray(keyBytes)];
  }
}
