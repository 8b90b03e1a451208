/**
 * Secrets of technical users: made, hashed, compared. Only the hash is ever stored.
 * All hashes have the same cost, so that the time of a refusal does not tell one user from another.
 */
import { randomBytes } from 'node:crypto';

import { hash, verify } from '@node-rs/argon2';

/** OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, two passes, one lane. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** A PHC string: `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`. */
export function hashSecret(secret: string): Promise<string> {
  return hash(secret, cost); // argon2id is the library's default; isSecretHash insists on it
}

export function verifySecret(hashed: string, secret: string): Promise<boolean> {
  return verify(hashed, secret);
}

/** 256 random bits; the prefix lets secret scanners find a leaked one. */
export function generateSecret(): string {
  return `gh_${randomBytes(32).toString('base64url')}`;
}

/** Whether the text is a hash of the one cost that we make; a costlier one would let its user's log-ons tell. */
export function isSecretHash(text: string): boolean {
  return /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22,86}\$[A-Za-z0-9+/]{43}$/.test(text);
}
