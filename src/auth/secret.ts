/**
 * Secrets of technical users: made, hashed, compared. Only the hash is ever stored.
 * Invariant: a fast hash is only for what we made ourselves, because nobody guesses 256 bits; all slow hashes have
 * the same cost, so that the time of a refusal does not tell one user from another.
 */
import { hash as digest, randomBytes, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';

import { hash, verify } from '@node-rs/argon2';

/** OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, two passes, one lane. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

const prefix = 'gh_';
const generated = /^gh_[\w-]{43}[0-9a-f]{8}$/;
const fastHash = /^sha256:[\w-]{43}$/;
const slowHash = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22,86}\$[A-Za-z0-9+/]{43}$/;

/** 256 random bits. By prefix and checksum a scanner knows a leaked one, and we know a mistyped one. */
export function generateSecret(): string {
  const body = `${prefix}${randomBytes(32).toString('base64url')}`;
  return body + checksum(body);
}

export function isGenerated(secret: string): boolean {
  return generated.test(secret) && checksum(secret.slice(0, -8)) === secret.slice(-8);
}

/** Begins like a generated one and is none: cut off or mistyped. */
export function isBroken(secret: string): boolean {
  return secret.startsWith(prefix) && !isGenerated(secret);
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}

/** `sha256:<base64url>` for a generated secret; for any other a PHC string `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`. */
export async function hashSecret(secret: string): Promise<string> {
  if (isGenerated(secret)) return `sha256:${digest('sha256', secret, 'base64url')}`;
  return hash(secret, cost); // argon2id is the library's default; isSecretHash insists on it
}

/** The slow comparison; a hash that is not slow is nobody's. */
export async function verifySecret(hashed: string, secret: string): Promise<boolean> {
  return isSlow(hashed) && verify(hashed, secret);
}

/** The fast comparison, true for nothing but a generated secret, whatever hash somebody wrote by hand. */
export function verifyGenerated(hashed: string, secret: string): boolean {
  if (!isGenerated(secret) || !fastHash.test(hashed)) return false;
  const stored = Buffer.from(hashed.slice('sha256:'.length), 'base64url');
  return timingSafeEqual(stored, digest('sha256', secret, 'buffer'));
}

export function isSlow(hashed: string): boolean {
  return slowHash.test(hashed);
}

/** Whether the text is a hash as we make it; a costlier one would let its user's log-ons tell. */
export function isSecretHash(text: string): boolean {
  return fastHash.test(text) || isSlow(text);
}

/** Tells one entry from another in a record or a token, and tells nothing of the secret. */
export function nameOf(hashed: string): string {
  return digest('sha256', hashed, 'base64url').slice(0, 22);
}
