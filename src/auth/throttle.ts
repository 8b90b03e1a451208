/**
 * Slows guessing down without giving anybody a switch to turn a caller off: attempts are charged to who makes them from
 * where, and a pair of source and technical user that was right lately answers for its own failures alone.
 * Every limit is kept in this process; what other replicas have seen (the ledger) can only be added to it.
 */
import { randomBytes } from 'node:crypto';

import { ScimError } from '../scim/error.ts';
import { allowances, charge, waitOf } from './allowance.ts';
import { namesOf, sharedScopes, type Failure, type Ledger, type Names, type Standing } from './ledger.ts';
import { Recent } from './recent.ts';
import { Spray, sprayMs } from './spray.ts';

type Scope = keyof typeof allowances;
const scopes: readonly Scope[] = ['pair', 'source', 'secret', 'all'];

/** More failures with one secret are spraying (facts: 3.5). */
const failuresPerSecret = 20;
const failuresMs = 60 * 60_000;
const trustMs = 24 * 60 * 60_000;
/** How long other replicas' word on a pair is good for, so that a flood that is refused here asks them nothing. */
const wordMs = 1000;
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
  /** Before the comparison; rejects with `throttled` when there were too many failures. */
  charge(): Promise<void>;
  /** It was no guess: the secret was right, or was not compared after all. */
  refund(): void;
  fail(): void;
  succeed(): void;
}

export interface ThrottleOptions {
  /** Told of what people should look at, for the audit trail. */
  readonly report: (event: string, facts: Readonly<Record<string, unknown>>) => void;
  /** What replicas tell each other; without it this one counts for itself. */
  readonly ledger?: Ledger;
  /** Names attempts in the ledger, hence the same for all that share it. */
  readonly key?: Buffer;
  /** Milliseconds of a clock that never jumps. */
  readonly now?: () => number;
}

export class Throttle {
  readonly #report: ThrottleOptions['report'];
  readonly #ledger: Ledger | undefined;
  readonly #key: Buffer;
  readonly #now: () => number;
  readonly #clearAt = new Recent<number>(4 * maxEntries);
  /** How often a pair and a secret have failed. */
  readonly #failures = new Recent<number>(2 * maxEntries);
  readonly #trusted = new Recent<true>(maxEntries);
  /** What the ledger said of a pair's trust. */
  readonly #word = new Recent<boolean>(maxEntries);
  readonly #spray = new Spray(maxEntries);

  constructor({ report, ledger, key = randomBytes(32), now = () => performance.now() }: ThrottleOptions) {
    this.#report = report;
    this.#ledger = ledger;
    this.#key = key;
    this.#now = now;
  }

  attempt(credential: Credential): Attempt {
    const names = namesOf(this.#key, credential);
    return {
      charge: () => this.#charge(names),
      succeed: () => void this.#succeed(credential, names),
      fail: () => void this.#fail(credential, names),
      refund: () => {
        this.#giveBack(names);
        void this.#ledger?.refund(names);
      },
    };
  }

  async #charge(names: Names): Promise<void> {
    const wait = this.#waitOf(names, this.#isTrusted(names));
    if (wait > 0 && !(await this.#isTrustedElsewhere(names))) refuseFor(wait);
    this.#addToAll(names);
    const standing = await this.#ledger?.charge(names);
    if (standing) this.#adopt(names, standing);
  }

  /** How long until the attempt may be made; 0 is now. */
  #waitOf(names: Names, isTrusted: boolean): number {
    const now = this.#now();
    const wait = (scope: Scope): number => waitOf(this.#clearAtOf(scope, names), now, allowances[scope]);
    if (isTrusted) return wait('pair');
    return Math.max(...scopes.map(wait), this.#spray.waitOf(names.source, names.user, now));
  }

  /** Goes on from how things stand among all replicas, and refuses what only this one would have let pass. */
  #adopt(names: Names, { isTrusted, clearIn, users }: Standing): void {
    const now = this.#now();
    this.#spray.adopt(names.source, users, now);
    const trusted = isTrusted || this.#isTrusted(names);
    const waits = (trusted ? (['pair'] as const) : sharedScopes).map((scope) =>
      waitOf(clearIn[scope], 0, allowances[scope]),
    );
    const wait = Math.max(...waits, trusted ? 0 : this.#spray.waitOf(names.source, names.user, now));
    if (wait > 0) this.#giveBack(names);
    for (const scope of sharedScopes) {
      const before = now + clearIn[scope];
      const clearAt = wait > 0 ? before : charge(before, now, allowances[scope]);
      this.#setClearAt(scope, names, Math.max(this.#clearAtOf(scope, names), clearAt));
    }
    if (wait > 0) void this.#ledger?.refund(names);
    refuseFor(wait);
  }

  #addToAll(names: Names): void {
    const now = this.#now();
    for (const scope of scopes)
      this.#setClearAt(scope, names, charge(this.#clearAtOf(scope, names), now, allowances[scope]));
  }

  #giveBack(names: Names): void {
    for (const scope of scopes)
      this.#setClearAt(scope, names, this.#clearAtOf(scope, names) - allowances[scope].everyMs);
  }

  #clearAtOf(scope: Scope, names: Names): number {
    return this.#clearAt.get(accountOf(scope, names), this.#now()) ?? 0;
  }

  #setClearAt(scope: Scope, names: Names, clearAt: number): void {
    this.#clearAt.set(accountOf(scope, names), clearAt, clearAt);
  }

  #isTrusted({ pair }: Names): boolean {
    return this.#trusted.get(pair, this.#now()) === true;
  }

  /** Whether others vouch for a pair that this replica has not seen; what the pair itself owes, it owes all the same. */
  async #isTrustedElsewhere(names: Names): Promise<boolean> {
    if (!this.#ledger || this.#waitOf(names, true) > 0) return false;
    const known = this.#word.get(names.pair, this.#now());
    if (known !== undefined) return known;
    this.#word.set(names.pair, false, this.#now() + wordMs);
    const isTrusted = (await this.#ledger.isTrusted(names)) ?? false;
    this.#word.set(names.pair, isTrusted, this.#now() + wordMs);
    return isTrusted;
  }

  async #succeed({ source, user }: Credential, names: Names): Promise<void> {
    const now = this.#now();
    const ofThisReplica = this.#failures.get(names.pair, now) ?? 0;
    this.#clearAt.delete(accountOf('pair', names));
    this.#failures.delete(names.pair);
    this.#trusted.set(names.pair, true, now + trustMs);
    const failures = this.#ledger ? ((await this.#ledger.succeed(names)) ?? ofThisReplica) : ofThisReplica;
    if (failures >= notableFailures) this.#report('authn.success_after_failures', { user, source, failures });
  }

  async #fail({ source }: Credential, names: Names): Promise<void> {
    const now = this.#now();
    this.#countFailure(names.pair, now + failuresMs);
    const ofThisReplica: Failure = {
      ofSecret: this.#countFailure(names.secret, now + sprayMs),
      isFirstOfSpray: this.#spray.fail(names.source, names.user, now),
    };
    const { ofSecret, isFirstOfSpray } = this.#ledger
      ? ((await this.#ledger.fail(names)) ?? ofThisReplica)
      : ofThisReplica;
    if (ofSecret % (failuresPerSecret + 1) === 0)
      this.#report('authn.spray_suspected', {
        pattern: 'one secret for many users',
        source,
        failures: ofSecret,
      });
    if (isFirstOfSpray)
      this.#report('authn.spray_suspected', { pattern: 'many users from one source', source });
  }

  #countFailure(name: string, until: number): number {
    const failures = (this.#failures.get(name, this.#now()) ?? 0) + 1;
    this.#failures.set(name, failures, until);
    return failures;
  }
}

function accountOf(scope: Scope, names: Names): string {
  return scope === 'all' ? 'all' : `${scope} ${names[scope]}`;
}

function refuseFor(wait: number): void {
  if (wait <= 0) return;
  throw new ScimError('throttled', 'Too many log-ons have failed.', { retryAfter: Math.ceil(wait / 1000) });
}
