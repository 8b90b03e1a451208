/**
 * Who is calling? passport and its strategies behind one function of the call; passport's types stay here.
 * Invariant: every refusal is the same answer, whatever was wrong with what the caller showed.
 */
import { Passport, type StrategyCreatedStatic } from 'passport';
import { BasicStrategy, type BasicVerifyFunctionWithRequest } from 'passport-http';

import type { Call } from '../scim/call.ts';
import { ScimError } from '../scim/error.ts';
import type { Caller } from './caller.ts';
import { parseBasic, type Credentials } from './credentials.ts';
import { sourceOf } from './network.ts';
import type { SecretBook } from './secret-book.ts';
import type { Throttle } from './throttle.ts';

/** A caller and how it proved to be it, for the audit record. */
export interface IdentifiedCaller extends Caller {
  readonly auth: 'basic';
}

export type Identify = (call: Pick<Call, 'headers' | 'source'>) => Promise<IdentifiedCaller>;

export interface IdentifyParts {
  readonly callers: ReadonlyMap<string, Caller>;
  readonly secrets: Pick<SecretBook, 'verify'>;
  readonly throttle: Throttle;
  readonly realm: string;
}

export function createIdentify({ callers, secrets, throttle, realm }: IdentifyParts): Identify {
  const findCaller = async (
    { user, secret }: Credentials,
    source: string,
  ): Promise<IdentifiedCaller | false> => {
    // Compared also when no such caller is configured: the answer must not come sooner for it.
    const verified = await secrets.verify(user, secret, throttle.attempt({ source, user, secret }));
    const caller = callers.get(user);
    return verified && caller !== undefined && { ...caller, auth: 'basic' };
  };
  const strategy = new StrictBasicStrategy(
    { passReqToCallback: true },
    ({ ip = '' }, user, secret, settle) => {
      findCaller({ user, secret }, sourceOf(ip)).then((caller) => settle(null, caller), settle);
    },
  );
  const authenticator = new Passport().use(strategy);
  const challenge = `Basic realm="${realm.replaceAll(/["\\]/g, String.raw`\$&`)}", charset="UTF-8"`;

  return ({ headers, source: { ip } }) => {
    const { promise, resolve, reject } = Promise.withResolvers<IdentifiedCaller>();
    const answer = (error: unknown, caller?: IdentifiedCaller | false): void => {
      if (error) reject(error);
      else if (caller) resolve(caller);
      else reject(refusal(challenge));
    };
    authenticator.authenticate('basic', { session: false }, answer)({ headers, ip }, {}, reject);
    return promise;
  };
}

function refusal(challenge: string): ScimError {
  return new ScimError('unauthenticated', 'A technical user and its secret are required.', {
    headers: { 'www-authenticate': challenge },
  });
}

/**
 * passport-http's own reading cuts a secret at its second colon, refuses one that begins with a colon and takes
 * any scheme that contains "basic" (facts: finding 5). Its place in passport stays, its reading is ours.
 */
class StrictBasicStrategy extends BasicStrategy {
  /** Where passport-http keeps the callback of the constructor. */
  declare readonly _verify: BasicVerifyFunctionWithRequest;
  /** How an attempt ends; passport gives them to each attempt's own object. */
  declare readonly success: StrategyCreatedStatic['success'];
  declare readonly fail: StrategyCreatedStatic['fail'];
  declare readonly error: StrategyCreatedStatic['error'];

  override authenticate(request: Parameters<BasicStrategy['authenticate']>[0]): void {
    let credentials: Credentials;
    try {
      credentials = parseBasic(request.headers.authorization);
    } catch {
      this.fail(); // the one refusal; which rule was broken is not told
      return;
    }
    this._verify(
      request,
      credentials.user,
      credentials.secret,
      (error: unknown, caller?: IdentifiedCaller | false) => {
        if (error) this.error(error);
        else if (caller) this.success(caller);
        else this.fail();
      },
    );
  }
}
