/**
 * What is kept of a write's answer outside the process, bound to the name that it is kept under. An answer is personal data,
 * so that whoever reads or moves what is kept gets nothing from it.
 */
import { hkdfSync, randomBytes } from 'node:crypto';

import { decrypt, encrypt, nonceBytes, tagBytes, type Sealing } from '../aes-gcm.ts';

/** `salt(32) ‖ ciphertext ‖ tag(16)`. */
const saltBytes = 32;
const keyBytes = 32;

export class RecordSeal {
  readonly #key: Buffer;

  /** @param key the same on all replicas */
  constructor(key: Buffer) {
    this.#key = key;
  }

  close(name: string, plain: Buffer): Buffer {
    const salt = randomBytes(saltBytes);
    return Buffer.concat([salt, ...encrypt(this.#sealing(name, salt), [plain])]);
  }

  /** Undefined for what was not closed under this name and key. */
  open(name: string, sealed: Buffer): Buffer | undefined {
    if (sealed.length < saltBytes + tagBytes) return undefined;
    return decrypt(this.#sealing(name, sealed.subarray(0, saltBytes)), sealed.subarray(saltBytes));
  }

  /** Each value has a key of its own, so that no nonce can meet a key twice. */
  #sealing(name: string, salt: Buffer): Sealing {
    const info = 'gatehouse write record';
    const derived = Buffer.from(hkdfSync('sha256', this.#key, salt, info, keyBytes + nonceBytes));
    return {
      key: derived.subarray(0, keyBytes),
      nonce: derived.subarray(keyBytes),
      context: Buffer.from(name),
    };
  }
}
