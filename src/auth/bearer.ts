/**
 * A bearer token (RFC 6750 §2.1) → the caller: a token of ours, or one of an issuer that the configuration trusts.
 * Undefined for every token that does not stand for somebody, whatever is wrong with it.
 */
import type { Caller, IdentifiedCaller } from './caller.ts';
import type { VerifyForeign } from './issuer.ts';
import type { SecretBook } from './secret-book.ts';
import type { Tokens } from './token.ts';

export type BearerLogOn = (token: string) => Promise<IdentifiedCaller | undefined>;

export interface BearerParts {
  readonly callers: ReadonlyMap<string, Caller>;
  readonly secrets: Pick<SecretBook, 'holds'>;
  readonly tokens: Tokens;
  readonly verifyForeign: VerifyForeign;
}

/** The token of an Authorization header; undefined when it holds something else. */
export function readBearer(header: string | undefined): string | undefined {
  return /^bearer ([\w.~+/-]+=*)$/i.exec(header ?? '')?.[1];
}

export function createBearerLogOn({ callers, secrets, tokens, verifyForeign }: BearerParts): BearerLogOn {
  return async (text) => {
    if (!tokens.isOurs(text)) {
      const caller = callers.get((await verifyForeign(text)) ?? '');
      return caller && { ...caller, auth: 'jwt' };
    }
    const token = tokens.verify(text);
    // The file of secrets is asked each time, so that a token does not outlive its secret.
    if (!token || !secrets.holds(token.user, token.credential)) return undefined;
    const caller = callers.get(token.user);
    return caller && { ...caller, auth: 'token', credential: token.credential };
  };
}
