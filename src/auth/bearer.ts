/**
 * A bearer token (RFC 6750 §2.1) → the caller: a token of ours, or one of an issuer that the configuration trusts.
 * Undefined for every token that does not stand for somebody, whatever is wrong with it. One that is bound to a
 * certificate stands for nobody without it (RFC 8705 §3).
 */
import type { ClientCertificate } from '../scim/call.ts';
import type { Caller, IdentifiedCaller } from './caller.ts';
import { thumbprintOf, type CertificateLogOn } from './certificate.ts';
import type { VerifyForeign } from './issuer.ts';
import type { SecretBook } from './secret-book.ts';
import type { Token, Tokens } from './token.ts';

/** @param certificate what the caller has shown with the token */
export type BearerLogOn = (
  token: string,
  certificate?: ClientCertificate,
) => Promise<IdentifiedCaller | undefined>;

export interface BearerParts {
  readonly callers: ReadonlyMap<string, Caller>;
  readonly secrets: Pick<SecretBook, 'holds'>;
  readonly certificateLogOn: CertificateLogOn;
  readonly tokens: Tokens;
  readonly verifyForeign: VerifyForeign;
}

/** The token of an Authorization header; undefined when it holds something else. */
export function readBearer(header: string | undefined): string | undefined {
  return /^bearer ([\w.~+/-]+=*)$/i.exec(header ?? '')?.[1];
}

export function createBearerLogOn(parts: BearerParts): BearerLogOn {
  const { callers, secrets, certificateLogOn, tokens, verifyForeign } = parts;
  /** Asked each time, so that a token does not outlive what it was given for. */
  const credentialBehind = ({ user, secret }: Token, certificate?: ClientCertificate): string | undefined => {
    if (secret !== undefined) return secrets.holds(user, secret) ? secret : undefined;
    return certificate && certificateLogOn(certificate)?.name === user ? certificate.sha256 : undefined;
  };
  return async (text, certificate) => {
    const thumbprint = certificate && thumbprintOf(certificate);
    if (!tokens.isOurs(text)) {
      const caller = callers.get((await verifyForeign(text, thumbprint)) ?? '');
      return caller && { ...caller, auth: 'jwt' };
    }
    const token = tokens.verify(text);
    if (!token || (token.thumbprint ?? thumbprint) !== thumbprint) return undefined;
    const credential = credentialBehind(token, certificate);
    const caller = callers.get(token.user);
    return caller && credential !== undefined ? { ...caller, auth: 'token', credential } : undefined;
  };
}
