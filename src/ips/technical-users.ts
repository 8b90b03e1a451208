/**
 * The tenant's technical users ("administrators of type System"): who calls, and which of the three
 * authorisations they hold. Rights are tenant-wide; SAP knows none per system (facts: IPS 2).
 */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

import { Refusal } from './refusal.ts';

/** SAP's names of the authorisations that matter here; the last two are those of the tenant's own directory. */
export const permissions = [
  'Access Proxy System API',
  'Access Real-Time Provisioning API',
  'Access Identity Provisioning Tenant Admin API',
  'Manage Users',
  'Manage Groups',
] as const;
export type Permission = (typeof permissions)[number];

export interface Secret {
  readonly value: string;
  /** Instant in ms; never when absent. */
  readonly expiresAt?: number;
}

export interface TechnicalUserOptions {
  /** A UUID at SAP. */
  readonly clientId: string;
  /** At most two, so that one can be rotated while the other is in use. */
  readonly secrets: readonly (string | Secret)[];
  /** SHA-256 fingerprints of certificates, as `AB:CD:…`. */
  readonly certificates?: readonly string[];
  readonly permissions: readonly Permission[];
}

export interface TechnicalUser {
  readonly clientId: string;
  readonly permissions: readonly Permission[];
}

export interface Token {
  readonly value: string;
  readonly seconds: number;
}

const maxTokens = 10_000;

export class TechnicalUsers {
  readonly #users: ReadonlyMap<string, TechnicalUserOptions>;
  readonly #tokens = new Map<string, { readonly user: TechnicalUserOptions; readonly expiresAt: number }>();
  readonly #tokenSeconds: number;

  constructor(users: readonly TechnicalUserOptions[], tokenSeconds: number) {
    const crowded = users.find(({ secrets }) => secrets.length > 2);
    if (crowded) throw new Error(`technical user ${crowded.clientId}: at most two secrets`);
    this.#users = new Map(users.map((user) => [user.clientId, user]));
    this.#tokenSeconds = tokenSeconds;
  }

  /** Whom an Authorization header, or else a certificate, names; a refusal when neither proves anybody. */
  identify(authorization: string | undefined, certificate?: string): TechnicalUser {
    const [scheme = '', credential = ''] = (authorization ?? '').split(/ +/, 2);
    const user =
      scheme.toLowerCase() === 'basic'
        ? this.#byBasic(credential)
        : scheme.toLowerCase() === 'bearer'
          ? this.#byToken(credential)
          : this.#byCertificate(authorization === undefined ? certificate : undefined);
    if (user) return user;
    const challenge =
      scheme.toLowerCase() === 'bearer'
        ? 'Bearer realm="Identity Provisioning", error="invalid_token"'
        : 'Basic realm="Identity Provisioning"';
    throw new Refusal(401, 'Authentication failed.', { headers: { 'www-authenticate': challenge } });
  }

  /** A fresh access token for who proves to be a technical user, by header or by form fields. */
  grant(authorization: string | undefined, form: URLSearchParams, certificate?: string): Token | undefined {
    const clientId = form.get('client_id');
    const secret = form.get('client_secret');
    const user = authorization
      ? this.#byBasic(authorization.replace(/^basic +/i, ''))
      : secret === null
        ? this.#byCertificate(certificate)
        : this.#bySecret(clientId ?? '', secret);
    if (!user || (clientId !== null && clientId !== user.clientId)) return undefined;
    const value = randomBytes(32).toString('base64url');
    const oldest = this.#tokens.keys().next().value;
    if (oldest !== undefined && this.#tokens.size >= maxTokens) this.#tokens.delete(oldest);
    this.#tokens.set(value, { user, expiresAt: Date.now() + this.#tokenSeconds * 1000 });
    return { value, seconds: this.#tokenSeconds };
  }

  /** Makes every token worthless at once, as after a key rotation at the tenant. */
  forgetTokens(): void {
    this.#tokens.clear();
  }

  #byBasic(credential: string): TechnicalUserOptions | undefined {
    const text = Buffer.from(credential, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    return colon < 0 ? undefined : this.#bySecret(text.slice(0, colon), text.slice(colon + 1));
  }

  #bySecret(clientId: string, secret: string): TechnicalUserOptions | undefined {
    const user = this.#users.get(clientId);
    const proved = user?.secrets.some((known) => {
      const { value, expiresAt = Infinity } = typeof known === 'string' ? { value: known } : known;
      return expiresAt > Date.now() && timingSafeEqual(digest(value), digest(secret));
    });
    return proved ? user : undefined;
  }

  #byCertificate(fingerprint: string | undefined): TechnicalUserOptions | undefined {
    if (fingerprint === undefined) return undefined;
    return this.#users.values().find(({ certificates }) => certificates?.includes(fingerprint));
  }

  #byToken(token: string): TechnicalUserOptions | undefined {
    const known = this.#tokens.get(token);
    return known && known.expiresAt > Date.now() ? known.user : undefined;
  }
}

function digest(secret: string): Buffer {
  return hash('sha256', secret, 'buffer');
}

export function demand(user: TechnicalUser, permission: Permission): void {
  if (!user.permissions.includes(permission))
    throw new Refusal(403, `The technical user lacks the authorization "${permission}".`);
}
