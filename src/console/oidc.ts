/**
 * Log-on with somebody's identity provider: authorization code flow with PKCE, state and nonce, checked by `openid-client`.
 * Invariant: an answer counts only in the browser that asked, once, and the role comes from the configuration's mapping of a
 * signed claim.
 */
import { randomBytes } from 'node:crypto';

import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  ClientSecretPost,
  discovery,
  enableNonRepudiationChecks,
  None,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
  type Configuration,
} from 'openid-client';

import type { Role } from './api/endpoints.ts';
import type { Person } from './sessions.ts';

export interface OidcOptions {
  readonly issuer: string;
  readonly clientId: string;
  /** Absent: a public client, which PKCE alone protects. */
  readonly clientSecret?: string | undefined;
  readonly scopes: readonly string[];
  /** The claim with the groups or roles of a person, as a path with dots. */
  readonly claim: string;
  /** Which of its values give which role. */
  readonly roles: Readonly<Partial<Record<Role, readonly string[]>>>;
  /** The claim whose value is shown and recorded as the person's name. */
  readonly nameClaim: string;
  /** Where the issuer leads back to. */
  readonly redirectUri: string;
}

export type OidcRefusal = 'not-allowed' | 'failed' | 'expired';

export class OidcRefused extends Error {
  readonly why: OidcRefusal;

  constructor(why: OidcRefusal, options?: ErrorOptions) {
    super(`The log-on by OIDC was refused: ${why}.`, options);
    this.name = 'OidcRefused';
    this.why = why;
  }
}

interface Attempt {
  /** The address that it came from. */
  readonly source: string;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly back: string;
  readonly endsAt: number;
}

export const attemptSeconds = 600;
const mostAttempts = 1000;
/** So that one who begins without end, which needs no log-on, ends only attempts from the same address. */
const mostOfSource = 100;
const metadataMs = 60 * 60_000;
const restMs = 5000;
const timeoutSeconds = 10;
/** Whoever is in groups of several gets the first. */
const precedence: readonly Role[] = ['administrator', 'operator', 'auditor'];

export class Oidc {
  readonly #options: OidcOptions;
  /** By an id that the browser has as a cookie; the oldest first. */
  readonly #attempts = new Map<string, Attempt>();
  #metadata: { readonly found: Promise<Configuration>; readonly until: number } | undefined;

  constructor(options: OidcOptions) {
    this.#options = options;
  }

  /** @returns where the browser goes, and what it keeps as a cookie until it comes back */
  async begin(back: string, source: string): Promise<{ readonly url: URL; readonly attempt: string }> {
    const metadata = await this.#discover();
    const [state, nonce, verifier] = [randomState(), randomNonce(), randomPKCECodeVerifier()];
    const url = buildAuthorizationUrl(metadata, {
      redirect_uri: this.#options.redirectUri,
      scope: this.#options.scopes.join(' '),
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
    });
    const attempt = randomBytes(32).toString('base64url');
    this.#makeRoom(source);
    const endsAt = Date.now() + attemptSeconds * 1000;
    this.#attempts.set(attempt, { source, state, nonce, verifier, back, endsAt });
    return { url, attempt };
  }

  /** @param url with which the browser came back */
  async finish(
    attempt: string | undefined,
    url: URL,
  ): Promise<{ readonly person: Person; readonly back: string }> {
    const known = attempt === undefined ? undefined : this.#attempts.get(attempt);
    if (attempt !== undefined) this.#attempts.delete(attempt);
    if (!known || known.endsAt < Date.now()) throw new OidcRefused('expired');
    const claims = await this.#exchange(url, known);
    const role = this.#roleOf(claims);
    const name = claims[this.#options.nameClaim];
    const { sub } = claims;
    if (!role || typeof sub !== 'string') throw new OidcRefused('not-allowed');
    const person = {
      name: typeof name === 'string' && name !== '' ? name : sub,
      subject: sub,
      role,
      by: 'oidc',
    } as const;
    return { person, back: known.back };
  }

  #makeRoom(source: string): void {
    const [oldest] = this.#attempts.keys();
    const own = [...this.#attempts].flatMap(([id, each]) => (each.source === source ? [id] : []));
    const [ownOldest] = own;
    if (own.length >= mostOfSource && ownOldest !== undefined) this.#attempts.delete(ownOldest);
    else if (this.#attempts.size >= mostAttempts && oldest !== undefined) this.#attempts.delete(oldest);
  }

  async #exchange(url: URL, { state, nonce, verifier }: Attempt): Promise<Readonly<Record<string, unknown>>> {
    const returned = new URL(this.#options.redirectUri);
    returned.search = url.search;
    try {
      const tokens = await authorizationCodeGrant(await this.#discover(), returned, {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      });
      return tokens.claims() ?? {};
    } catch (cause) {
      throw new OidcRefused('failed', { cause });
    }
  }

  #roleOf(claims: Readonly<Record<string, unknown>>): Role | undefined {
    const { claim, roles } = this.#options;
    const value = claims[claim] ?? claim.split('.').reduce(memberOf, claims as unknown);
    const values = new Set([value].flat());
    return precedence.find((role) => roles[role]?.some((wanted) => values.has(wanted)));
  }

  #discover(): Promise<Configuration> {
    if (this.#metadata && this.#metadata.until > Date.now()) return this.#metadata.found;
    const found = discover(this.#options);
    const metadata = { found, until: Date.now() + metadataMs };
    this.#metadata = metadata;
    // One that cannot be reached is asked again soon, and not by each who tries.
    found.catch(() => (this.#metadata = { ...metadata, until: Date.now() + restMs }));
    return found;
  }
}

function discover({ issuer, clientId, clientSecret }: OidcOptions): Promise<Configuration> {
  const url = new URL(issuer);
  return discovery(
    url,
    clientId,
    undefined,
    clientSecret === undefined ? None() : ClientSecretPost(clientSecret),
    {
      timeout: timeoutSeconds,
      execute: [
        // The signature counts, too, and not the connection to the token endpoint alone.
        enableNonRepudiationChecks,
        // The configuration allows plain HTTP to this machine only.
        ...(url.protocol === 'http:' ? [allowInsecureRequests] : []),
      ],
    },
  );
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}
