/**
 * What replicas tell each other about log-ons that failed. It is help and never a condition: each answer is undefined when
 * it did not come in time, nothing rejects, and times are spans, because replicas share no clock.
 */
import { createHmac } from 'node:crypto';

import type { Credential } from './throttle.ts';

/** Keyed MACs, because they leave the process: whoever reads them learns neither source nor user nor secret. */
export interface Names {
  readonly pair: string;
  readonly source: string;
  readonly secret: string;
  /** The user as one of those that failed from this source. */
  readonly user: string;
}

/** An account that replicas share. */
export type SharedScope = 'pair' | 'source' | 'secret';
export const sharedScopes: readonly SharedScope[] = ['pair', 'source', 'secret'];

/** How things stood before an attempt, whichever replica it came to. */
export interface Standing {
  readonly isTrusted: boolean;
  /** Milliseconds until all that was charged to the account is forgotten. */
  readonly clearIn: Readonly<Record<SharedScope, number>>;
  /** Users that failed from the source, and in how many milliseconds that is forgotten. */
  readonly users: readonly (readonly [user: string, endsIn: number])[];
}

export interface Failure {
  /** How often the secret has failed lately, this time included. */
  readonly ofSecret: number;
  /** This failure made the source a sprayer; of all replicas one is told so. */
  readonly isFirstOfSpray: boolean;
}

export interface Ledger {
  /** Charges pair and source. The secret is charged when it has failed: the name of a right one is never written. */
  charge(names: Names): Promise<Standing | undefined>;
  /** Takes back what `charge` has charged. */
  refund(names: Names): Promise<void>;
  fail(names: Names): Promise<Failure | undefined>;
  /** How often the pair had failed; that is forgotten, and the pair trusted. */
  succeed(names: Names): Promise<number | undefined>;
  isTrusted(names: Names): Promise<boolean | undefined>;
}

/** @param key the same for all replicas that share a ledger */
export function namesOf(key: Buffer, { source, user, secret }: Credential): Names {
  const name = (...parts: readonly string[]): string =>
    createHmac('sha256', key).update(JSON.stringify(parts)).digest('base64url');
  return {
    pair: name('pair', source, user),
    source: name('source', source),
    secret: name('secret', secret),
    user: name('user', source, user),
  };
}
