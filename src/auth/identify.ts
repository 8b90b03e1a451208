/**
 * Who is calling? passport and its strategies behind one function of the call; passport's types stay here.
 * Invariant: every refusal is the same answer, whatever was wrong with what the caller showed.
 */
import { Passport, type StrategyCreatedStatic } from 'passport';
import { BasicStrategy, type BasicVerifyFunctionWithRequest } from 'passport-http';

import type { Call } from '../scim/call.ts';
import { ScimError } from '../scim/error.ts';
import { readBearer, type BearerLogOn } from './bearer.ts';
import type { IdentifiedCaller } from './caller.ts';
import type { CertificateLogOn } from './certificate.ts';
import { allChallenges } from './challenge.ts';
import { parseBasic, type Credentials } from './credentials.ts';
import type { LogOn } from './log-on.ts';

export type Identify = (call: Pick<Call, 'headers' | 'source' | 'certificate'>) => Promise<IdentifiedCaller>;

export interface IdentifyParts {
  readonly logOn: LogOn;
  readonly bearerLogOn: BearerLogOn;
  readonly certificateLogOn: CertificateLogOn;
  readonly realm: string;
}

export function createIdentify({ logOn, bearerLogOn, certificateLogOn, realm }: IdentifyParts): Identify {
  const strategy = new StrictBasicStrategy(
    { passReqToCallback: true },
    ({ ip = '' }, user, secret, settle) => {
      logOn({ user, secret }, { ip }).then((caller) => settle(null, caller ?? false), settle);
    },
  );
  const authenticator = new Passport().use(strategy);

  const byHeader: Identify = async ({ headers, source: { ip }, certificate }) => {
    const token = readBearer(headers['authorization']);
    if (token !== undefined) {
      const bearer = await bearerLogOn(token, certificate);
      if (bearer) return bearer;
      throw refusal('invalid-token', allChallenges(realm, 'invalid_token'));
    }
    const { promise, resolve, reject } = Promise.withResolvers<IdentifiedCaller>();
    const answer = (error: unknown, caller?: IdentifiedCaller | false): void => {
      if (error) reject(error);
      else if (caller) resolve(caller);
      else reject(refusal('unauthenticated', allChallenges(realm)));
    };
    authenticator.authenticate('basic', { session: false }, answer)({ headers, ip }, {}, reject);
    return promise;
  };

  return async (call) => {
    const certified = call.certificate && certificateLogOn(call.certificate);
    if (certified && call.headers['authorization'] === undefined) return certified;
    const caller = await byHeader(call);
    if (!certified || certified.name === caller.name) return caller;
    // Somebody else's secret on the connection of a caller that we know.
    throw refusal('unauthenticated', allChallenges(realm));
  };
}

function refusal(kind: 'unauthenticated' | 'invalid-token', challenge: string): ScimError {
  return new ScimError(kind, 'A technical user and its secret are required.', {
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
