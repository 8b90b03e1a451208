/**
 * A technical user and its secret → the caller, wherever they were shown. Undefined is the one refusal: it comes for
 * an unknown user and a wrong secret after the same work, and its caller must not tell them apart either.
 */
import type { Source } from '../scim/call.ts';
import type { Caller, IdentifiedCaller } from './caller.ts';
import type { Credentials } from './credentials.ts';
import { sourceOf } from './network.ts';
import type { SecretBook } from './secret-book.ts';
import type { Throttle } from './throttle.ts';

export type LogOn = (
  credentials: Credentials,
  source: Pick<Source, 'ip'>,
) => Promise<IdentifiedCaller | undefined>;

export interface LogOnParts {
  readonly callers: ReadonlyMap<string, Caller>;
  readonly secrets: Pick<SecretBook, 'verify'>;
  readonly throttle: Throttle;
}

export function createLogOn({ callers, secrets, throttle }: LogOnParts): LogOn {
  return async ({ user, secret }, { ip }) => {
    const attempt = throttle.attempt({ source: sourceOf(ip), user, secret });
    // Compared also when no such caller is configured: the answer must not come sooner for it.
    const credential = await secrets.verify(user, secret, attempt);
    const caller = callers.get(user);
    return credential !== undefined && caller ? { ...caller, auth: 'basic', credential } : undefined;
  };
}
