/**
 * Slows guessing down without giving anybody a switch to turn a caller off: attempts are charged to who makes them from
 * where, and a pair of source and technical user that was right lately answers for its own failures alone.
 * The state is this replica's; replicas do not tell each other.
 */
import { createHmac, randomBytes } from 'node:crypto';

import { ScimError } from '../scim/error.ts';
import { charge, waitOf, type Allowance } from './allowance.ts';
import { Recent } from './recent.ts';

const allowances = {
  pair: { atOnce: 5, everyMs: 30_000 },
  source: { atOnce: 30, everyMs: 2000 },
  secret: { atOnce: 21, everyMs: 30_000 },
  /** Fewer at once than may wait for a comparison, so that strangers leave room for whom they do not stop. */
  all: { atOnce: 50, everyMs: 100 },
} as const satisfies Record<string, Allowance>;
type Scope = keyof typeof allowances;
const scopes: readonly Scope[] = ['pair', 'source', 'secret', 'all'];
/** What an attempt is charged to. */
type Accounts = Readonly<Record<Scope, string>>;

/** More users than this that fail from one source, or more failures with one secret, are spraying (facts: 3.5). */
const usersPerSource = 5;
const failuresPerSecret = 20;
const sprayMs = 10 * 60_000;
const failuresMs = 60 * 60_000;
const trustMs = 24 * 60 * 60_000;
/** Failures from which a success is worth telling; one or two are a mistyped secret. */
const notableFailures = 3;
const maxEntries = 10_000;

export interface Credential {
  readonly source: string;
  readonly user: string;
  readonly secret: string;
}

/** One attempt to log on with a secret that could have been guessed. */
export interface Attempt {
  /** Before the comparison; throws `throttled` when there were too many failures. */
  charge(): void;
  /** It was no guess: the secret was right, or was not compared after all. */
  refund(): void;
  fail(): void;
  succeed(): void;
}

export interface ThrottleOptions {
  /** Told of what people should look at, for the audit trail. */
  readonly report: (event: string, facts: Readonly<Record<string, unknown>>) => void;
  /** Milliseconds of a clock that never jumps. */
  readonly now?: () => number;
}

export class Throttle {
  readonly #report: ThrottleOptions['report'];
  readonly #now: () => number;
  readonly #macKey = randomBytes(32);
  readonly #clearAt = new Recent<number>(4 * maxEntries);
  /** How often a pair and a secret have failed. */
  readonly #failures = new Recent<number>(2 * maxEntries);
  readonly #trusted = new Recent<true>(maxEntries);
  /** Source → users that failed there, and when that is forgotten. */
  readonly #users = new Recent<ReadonlyMap<string, number>>(maxEntries);

  constructor({ report, now = () => performance.now() }: ThrottleOptions) {
    this.#report = report;
    this.#now = now;
  }

  attempt(credential: Credential): Attempt {
    const accounts = this.#accountsOf(credential);
    return {
      charge: () => this.#charge(credential, accounts),
      succeed: () => this.#succeed(credential, accounts),
      fail: () => this.#fail(credential, accounts),
      refund: () => this.#refund(accounts),
    };
  }

  #accountsOf({ source, user, secret }: Credential): Accounts {
    const mac = createHmac('sha256', this.#macKey).update(secret).digest('base64');
    return {
      pair: `pair ${source} ${user}`,
      source: `source ${source}`,
      secret: `secret ${mac}`,
      all: 'all',
    };
  }

  #charge({ source, user }: Credential, accounts: Accounts): void {
    const now = this.#now();
    const isTrusted = this.#trusted.get(accounts.pair, now) === true;
    const waits = (isTrusted ? (['pair'] as const) : scopes).map((scope) =>
      waitOf(this.#clearAt.get(accounts[scope], now) ?? 0, now, allowances[scope]),
    );
    const wait = Math.max(...waits, isTrusted ? 0 : this.#sprayWait(source, user, now));
    if (wait > 0)
      throw new ScimError('throttled', 'Too many log-ons have failed.', {
        retryAfter: Math.ceil(wait / 1000),
      });
    for (const scope of scopes) {
      const clearAt = charge(this.#clearAt.get(accounts[scope], now) ?? 0, now, allowances[scope]);
      this.#clearAt.set(accounts[scope], clearAt, clearAt);
    }
  }

  /** A source of a spray may go on with the users that it has named, and name others when those are forgotten. */
  #sprayWait(source: string, user: string, now: number): number {
    const users = this.#usersFailingFrom(source, now);
    if (users.has(user) || users.size <= usersPerSource) return 0;
    const ends = [...users.values()].toSorted((some, other) => some - other);
    return (ends[users.size - usersPerSource - 1] ?? now) - now;
  }

  #usersFailingFrom(source: string, now: number): Map<string, number> {
    return new Map([...(this.#users.get(source, now) ?? [])].filter(([, end]) => end > now));
  }

  #succeed({ source, user }: Credential, accounts: Accounts): void {
    const now = this.#now();
    const failures = this.#failures.get(accounts.pair, now) ?? 0;
    if (failures >= notableFailures) this.#report('authn.success_after_failures', { user, source, failures });
    this.#clearAt.delete(accounts.pair);
    this.#failures.delete(accounts.pair);
    this.#trusted.set(accounts.pair, true, now + trustMs);
  }

  #fail({ source, user }: Credential, accounts: Accounts): void {
    const now = this.#now();
    this.#countFailure(accounts.pair, now + failuresMs);
    const failures = this.#countFailure(accounts.secret, now + sprayMs);
    if (failures % (failuresPerSecret + 1) === 0)
      this.#report('authn.spray_suspected', { pattern: 'one secret for many users', source, failures });
    const users = this.#usersFailingFrom(source, now);
    if (users.size === usersPerSource && !users.has(user))
      this.#report('authn.spray_suspected', { pattern: 'many users from one source', source });
    this.#users.set(source, users.set(user, now + sprayMs), now + sprayMs);
  }

  #countFailure(account: string, until: number): number {
    const failures = (this.#failures.get(account, this.#now()) ?? 0) + 1;
    this.#failures.set(account, failures, until);
    return failures;
  }

  #refund(accounts: Accounts): void {
    const now = this.#now();
    for (const scope of scopes) {
      const clearAt = (this.#clearAt.get(accounts[scope], now) ?? 0) - allowances[scope].everyMs;
      this.#clearAt.set(accounts[scope], clearAt, clearAt);
    }
  }
}
