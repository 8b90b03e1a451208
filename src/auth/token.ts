/**
 * The gateway's own access tokens: signed, so that every replica with the installation's key verifies them without asking
 * anybody. They hold no secret and no right, only who logged on with what and until when.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** What a token says. */
export interface Token {
  readonly user: string;
  /** Which of the user's secrets it was given for; it dies with that. None: it was given for a certificate. */
  readonly secret?: string | undefined;
  /** Of the certificate without which it is worth nothing (RFC 8705 §3). */
  readonly thumbprint?: string | undefined;
}

export interface IssuedToken {
  readonly text: string;
  readonly expiresInSeconds: number;
}

export interface TokensOptions {
  readonly key: Buffer;
  readonly lifetimeMs: number;
  /** The time of day in milliseconds, because replicas have no other clock in common. */
  readonly now?: () => number;
}

interface Claims {
  readonly user: string;
  readonly secret?: string | undefined;
  readonly cnf?: { readonly 'x5t#S256': string };
  readonly expiresAt: number;
  readonly nonce: string;
}

const prefix = 'gt_';
const form = /^gt_([\w-]+)\.([\w-]{43})$/;

export class Tokens {
  readonly #key: Buffer;
  readonly #lifetimeMs: number;
  readonly #now: () => number;

  constructor({ key, lifetimeMs, now = Date.now }: TokensOptions) {
    this.#key = key;
    this.#lifetimeMs = lifetimeMs;
    this.#now = now;
  }

  /** Whether it claims to be one of ours; nobody else is asked about it then. */
  isOurs(text: string): boolean {
    return text.startsWith(prefix);
  }

  issue({ user, secret, thumbprint }: Token): IssuedToken {
    const expiresAt = this.#now() + this.#lifetimeMs;
    const claims: Claims = {
      user,
      secret,
      ...(thumbprint !== undefined && { cnf: { 'x5t#S256': thumbprint } }),
      expiresAt,
      // Something random, so that no two tokens are equal.
      nonce: randomBytes(9).toString('base64url'),
    };
    const payload = Buffer.from(JSON.stringify(claims)).toString('base64url');
    const text = `${prefix}${payload}.${this.#sign(payload).toString('base64url')}`;
    return { text, expiresInSeconds: Math.floor(this.#lifetimeMs / 1000) };
  }

  /** Undefined for what we did not sign and for what is over. */
  verify(text: string): Token | undefined {
    const [, payload = '', signature = ''] = form.exec(text) ?? [];
    const given = Buffer.from(signature, 'base64url');
    const wanted = this.#sign(payload);
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return undefined;
    const { user, secret, cnf, expiresAt }: Claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    return expiresAt > this.#now() ? { user, secret, thumbprint: cnf?.['x5t#S256'] } : undefined;
  }

  #sign(payload: string): Buffer {
    return createHmac('sha256', this.#key).update(payload).digest();
  }
}
