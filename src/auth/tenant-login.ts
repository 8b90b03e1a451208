/**
 * The gateway's own credential at a tenant, as the value of an Authorization header.
 * Invariant: neither secret nor token ever appears in an error or its cause; a tenant's answer is not quoted.
 */
import { addAbortListener } from 'node:events';

import type { Headers, Reply } from '../scim/call.ts';
import { ScimError } from '../scim/error.ts';

/** `none` where the client certificate on the tenant's agent is the whole credential. */
export type TenantCredential =
  | { readonly type: 'basic'; readonly user: string; readonly secret: string }
  | { readonly type: 'oauth'; readonly clientId: string; readonly secret: string }
  | { readonly type: 'none' };

export interface TokenCall {
  readonly method: 'POST';
  /** Below the tenant's URL. */
  readonly path: string;
  readonly headers: Headers;
  readonly body: Buffer;
}

export type FetchToken = (call: TokenCall, signal: AbortSignal) => Promise<Reply>;

export interface TenantLogin {
  authorization(signal: AbortSignal): Promise<string | undefined>;
  /** After a 401 to `used`: true when another value is there now, so that one more try makes sense. */
  renew(used: string, signal: AbortSignal): Promise<boolean>;
}

export function createTenantLogin(
  credential: TenantCredential,
  fetchToken?: FetchToken,
  now: () => number = () => performance.now(),
): TenantLogin {
  if (credential.type === 'oauth') {
    if (!fetchToken) throw new Error('A tenant with an OAuth credential needs a way to fetch tokens.');
    return new OAuthLogin(tokenCall(credential.clientId, credential.secret), fetchToken, now);
  }
  const fixed = credential.type === 'basic' ? basic(credential.user, credential.secret) : undefined;
  return { authorization: async () => fixed, renew: async () => false };
}

/** A token whose life time is not told (RFC 6749 §5.1 only recommends it) is trusted for a minute. */
const assumedLifeMs = 60_000;
const maxMarginMs = 60_000;
const fetchMs = 30_000;
/** A refused credential is not shown again at once: SAP locks a client id after five failed log-ons (facts: IPS 2). */
const refusedPauseMs = 30_000;

interface Token {
  readonly authorization: string;
  readonly renewAt: number;
  readonly expiresAt: number;
}

class OAuthLogin implements TenantLogin {
  readonly #call: TokenCall;
  readonly #fetchToken: FetchToken;
  readonly #now: () => number;
  #token: Token | undefined;
  #fetching: Promise<Token> | undefined;
  #refused: { readonly error: ScimError; readonly until: number } | undefined;

  constructor(call: TokenCall, fetchToken: FetchToken, now: () => number) {
    this.#call = call;
    this.#fetchToken = fetchToken;
    this.#now = now;
  }

  async authorization(signal: AbortSignal): Promise<string> {
    const token = this.#token;
    if (!token || this.#now() >= token.expiresAt) return (await this.#fetch(signal)).authorization;
    // Renewal begins before expiry and nobody waits for it, so that a slow token endpoint hurts nobody; whoever
    // comes after expiry waits, and is told what is wrong.
    if (this.#now() >= token.renewAt) this.#renewing().catch(() => {});
    return token.authorization;
  }

  async renew(used: string, signal: AbortSignal): Promise<boolean> {
    if (this.#token?.authorization === used) this.#token = undefined;
    const { authorization } = this.#token ?? (await this.#fetch(signal));
    return authorization !== used;
  }

  /** Each leaves by its own signal, and the fetch has its own deadline. */
  async #fetch(signal: AbortSignal): Promise<Token> {
    const { promise: left, reject } = Promise.withResolvers<never>();
    using _ = addAbortListener(signal, () => reject(leaving(signal.reason)));
    return await Promise.race([this.#renewing(), left]);
  }

  /** One fetch serves everybody who waits. */
  #renewing(): Promise<Token> {
    this.#fetching ??= this.#fetchOnce().finally(() => (this.#fetching = undefined));
    return this.#fetching;
  }

  async #fetchOnce(): Promise<Token> {
    if (this.#refused && this.#now() < this.#refused.until) throw this.#refused.error;
    const reply = await this.#fetchToken(this.#call, AbortSignal.timeout(fetchMs));
    if ([400, 401, 403].includes(reply.status)) {
      const error = new ScimError('upstream-refused-us', 'The tenant refused the credential of the gateway.');
      this.#refused = { error, until: this.#now() + refusedPauseMs };
      throw error;
    }
    this.#token = readToken(reply, this.#now());
    return this.#token;
  }
}

/** A deadline that passed while waiting for a token says nothing about the tenant's quota or the call itself. */
function leaving(reason: unknown): unknown {
  if (!(reason instanceof DOMException) || reason.name !== 'TimeoutError') return reason;
  const detail = "The tenant's token endpoint did not answer in time; the request was not sent.";
  return new ScimError('upstream-timeout', detail, { cause: reason });
}

function readToken(reply: Reply, now: number): Token {
  const answer = reply.status === 200 ? parseObject(reply.body) : {};
  const { access_token: value, token_type: type, expires_in: expiresIn } = answer;
  // RFC 6750 §2.1: what a bearer token may consist of; anything else would break out of the header.
  const usable = typeof value === 'string' && /^[\w.~+/-]+=*$/.test(value);
  if (!usable || typeof type !== 'string' || type.toLowerCase() !== 'bearer')
    throw new ScimError('upstream-broke', 'The token endpoint of the tenant did not answer with a token.');
  const seconds = Number(expiresIn);
  const lifeMs = seconds > 0 && Number.isFinite(seconds) ? seconds * 1000 : assumedLifeMs;
  const renewAt = now + lifeMs - Math.min(maxMarginMs, lifeMs / 10);
  return { authorization: `Bearer ${value}`, renewAt, expiresAt: now + lifeMs };
}

function parseObject(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {}; // no cause: JSON.parse quotes what it could not read, and that may be a token
  }
}

function tokenCall(clientId: string, secret: string): TokenCall {
  return {
    method: 'POST',
    path: '/oauth2/token',
    headers: {
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      authorization: basic(form(clientId), form(secret)),
    },
    body: Buffer.from('grant_type=client_credentials'),
  };
}

/** RFC 6749 §2.3.1: id and secret are form-encoded before they become a Basic credential. */
function form(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1);
}

function basic(user: string, secret: string): string {
  return `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`;
}
