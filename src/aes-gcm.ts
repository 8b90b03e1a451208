/** AES-256-GCM (NIST SP 800-38D), as all that is sealed uses it. Whoever seals sees to it that no nonce meets a key twice. */
import { createCipheriv, createDecipheriv } from 'node:crypto';

export interface Sealing {
  readonly key: Buffer;
  readonly nonce: Buffer;
  /** What the ciphertext is bound to; it opens with the same alone. */
  readonly context: Buffer;
}

const algorithm = 'aes-256-gcm';
export const nonceBytes = 12;
export const tagBytes = 16;

/** `ciphertext ‖ tag`, in parts. */
export function encrypt({ key, nonce, context }: Sealing, plain: readonly Buffer[]): Buffer[] {
  const cipher = createCipheriv(algorithm, key, nonce).setAAD(context);
  return [...plain.map((part) => cipher.update(part)), cipher.final(), cipher.getAuthTag()];
}

/**
 * Undefined for another key, nonce or context, or a changed byte.
 * @param sealed `ciphertext ‖ tag`
 */
export function decrypt({ key, nonce, context }: Sealing, sealed: Buffer): Buffer | undefined {
  const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes }).setAAD(context);
  decipher.setAuthTag(sealed.subarray(-tagBytes));
  const plain = decipher.update(sealed.subarray(0, -tagBytes));
  try {
    decipher.final();
    return plain;
  } catch {
    return undefined; // Node says in no other way that the tag is wrong.
  }
}
