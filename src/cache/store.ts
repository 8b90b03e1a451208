/**
 * What a cache needs of a store: five verbs that never throw. A store that cannot answer says so (`undefined`)
 * or does nothing; the invariant is that of `renew`, which must hold even then.
 */

import { randomBytes } from 'node:crypto';

/** What a store knew at one instant about a key and its generations. */
export interface Look {
  readonly value: Buffer | undefined;
  /** The current token of each generation asked for, in that order. */
  readonly tokens: readonly string[];
}

export interface Store extends AsyncDisposable {
  /** Reads both at one instant, beginning those generations that have no token; `undefined`: cannot say now. */
  look(key: string, generations: readonly string[]): Promise<Look | undefined>;
  /** Keeps a value for a time, or does not; nobody waits for it. */
  put(key: string, value: Buffer, lifetimeMs: number): void;
  /** Removes a value that turned out to be unreadable; nobody waits for it. */
  drop(key: string): void;
  /** When this resolves, no `look` through this store returns a token that was current when it was called. */
  renew(generations: readonly string[]): Promise<void>;
  /**
   * As `renew`, and begins one of them, the guard, at the same instant. Its new token, if `before` was current until
   * then: nobody else has renewed it since that was seen.
   */
  advance(generations: readonly string[], guard: string, before: string): Promise<string | undefined>;
}

/** Never repeats, which is what makes a generation safe to lose (docs/decisions/0003-generations.md). */
export function newToken(): string {
  return randomBytes(12).toString('base64url');
}
