/**
 * Tokens of somebody else's issuer (RFC 9068), verified by `jose`. Invariant: which keys, algorithms and issuers are
 * trusted comes from the configuration alone; nothing that a token says about itself (jku, x5u, jwk) leads anywhere.
 */
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  errors,
  jwtVerify,
  type FetchImplementation,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
} from 'jose';

import { ScimError } from '../scim/error.ts';

export interface IssuerSettings {
  /** The `iss` of its tokens, exactly. */
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly algorithms: readonly string[];
  /** The `typ` of its tokens. */
  readonly type: string;
  readonly keys: { readonly jwks: JSONWebKeySet } | { readonly url: string };
  /** The claim that names the caller, and what its values mean. */
  readonly claim: string;
  readonly callers: ReadonlyMap<string, string>;
  /** Whether a token must be bound to a certificate, or may be. */
  readonly certificateBound: 'required' | 'optional';
}

/**
 * The technical user that a token stands for; undefined when it stands for nobody. Rejects when nobody can tell.
 * `thumbprint` is of the certificate that came with it.
 */
export type VerifyForeign = (token: string, thumbprint?: string) => Promise<string | undefined>;

const skewSeconds = 30;
const cooldownMs = 30_000;
const fetchMs = 5000;

export function createForeignVerifier(issuers: readonly IssuerSettings[]): VerifyForeign {
  const byName = new Map(issuers.map((settings) => [settings.issuer, createVerifier(settings)]));
  return async (token, thumbprint) => byName.get(issuerOf(token) ?? '')?.(token, thumbprint);
}

/** Before anything is verified: it only selects who is to be asked. */
function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined; // no JWT
  }
}

function createVerifier({ keys, claim, callers, ...settings }: IssuerSettings): VerifyForeign {
  const getKey: JWTVerifyGetKey =
    'url' in keys
      ? createRemoteJWKSet(new URL(keys.url), {
          cooldownDuration: cooldownMs,
          timeoutDuration: fetchMs,
          [customFetch]: pausing(fetch),
        })
      : createLocalJWKSet(keys.jwks);
  const options = {
    issuer: settings.issuer,
    audience: [...settings.audience],
    algorithms: [...settings.algorithms],
    typ: settings.type,
    clockTolerance: skewSeconds,
    requiredClaims: ['exp'],
  };
  return async (token, thumbprint) => {
    const payload = await jwtVerify(token, getKey, options).then((result) => result.payload, refuted);
    if (!payload || !isProven(payload['cnf'], settings.certificateBound, thumbprint)) return undefined;
    const name = payload[claim];
    return typeof name === 'string' ? callers.get(name) : undefined;
  };
}

/** Whether the caller has shown what `cnf` asks for. Other proofs than a certificate (RFC 9449) are not understood. */
function isProven(cnf: unknown, bound: IssuerSettings['certificateBound'], thumbprint?: string): boolean {
  if (cnf === undefined) return bound !== 'required';
  if (thumbprint === undefined || typeof cnf !== 'object' || cnf === null) return false;
  return 'x5t#S256' in cnf && cnf['x5t#S256'] === thumbprint && Object.keys(cnf).length === 1;
}

/** A token that is wrong is an answer; keys that cannot be had are an error. */
function refuted(error: unknown): JWTPayload | undefined {
  const code = error instanceof errors.JOSEError ? error.code : '';
  if (/^ERR_(?:JWT|JWS|JOSE_ALG|JOSE_NOT_SUPPORTED|JWKS_NO_MATCHING|JWKS_MULTIPLE)/.test(code))
    return undefined;
  throw new ScimError('issuer-unreachable', 'The keys of the token’s issuer cannot be fetched.', {
    retryAfter: cooldownMs / 1000,
    cause: error,
  });
}

/** jose rests between fetches that succeed; after one that failed, a flood of tokens must not become one of fetches. */
function pausing(send: FetchImplementation): FetchImplementation {
  let failedAt = -Infinity;
  return async (...request) => {
    if (performance.now() < failedAt + cooldownMs) throw new Error('The last fetch has failed a moment ago.');
    failedAt = performance.now();
    const response = await send(...request);
    if (response.status === 200) failedAt = -Infinity;
    return response;
  };
}
