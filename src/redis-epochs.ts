/**
 * Epochs: random tokens in Redis that end by themselves unless somebody at work prolongs them. What carries one is not believed
 * once it has ended, so a Redis that starts from an earlier state of its own (a dump, a backup) brings nothing back: the times
 * at which its keys end are instants, and this one is over. The invariant: an epoch is prolonged, and never put back.
 */
import type { Cluster, Redis } from 'ioredis';

import { besideCalls } from './redis-wait.ts';

/**
 * What was confirmed within this time is owed again when the connection is lost: a server that takes over may not have it.
 * An older confirmation has reached the replica that a fail-over would promote.
 */
export const certainAfterMs = 60_000;

export interface EpochTimes {
  readonly lifetimeMs: number;
  readonly prolongEveryMs: number;
}

/**
 * An epoch that has not ended is in a state of Redis younger than its lifetime, and what such a state lacks is owed again. The
 * difference is what a lost connection may take to be noticed: a prolongation that nobody answers shows it.
 */
const epochTimes: EpochTimes = { lifetimeMs: certainAfterMs - 15_000, prolongEveryMs: 5000 };

export class Epochs implements Disposable {
  readonly lifetimeMs: number;
  readonly #redis: Redis | Cluster;
  readonly #prolongEveryMs: number;
  readonly #keys = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(redis: Redis | Cluster, { lifetimeMs, prolongEveryMs } = epochTimes) {
    this.#redis = redis;
    this.lifetimeMs = lifetimeMs;
    this.#prolongEveryMs = prolongEveryMs;
  }

  /** From now on it goes on as long as this process does, whether anybody asks for anything or not. */
  keep(key: string): void {
    this.#keys.add(key);
    this.#timer ??= besideCalls(() => setInterval(() => this.#prolong(), this.#prolongEveryMs).unref());
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#keys.clear();
  }

  /** A command for each: two of them may lie on two nodes of a Cluster. */
  #prolong(): void {
    for (const key of this.#keys)
      // One that is not prolonged ends, and what carries it is made anew: dearer, and never wrong.
      this.#redis.pexpire(key, this.lifetimeMs).catch(() => undefined);
  }
}
