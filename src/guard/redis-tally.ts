/**
 * Sums that replicas keep together in Redis without scripts: each process writes its own part of one, sealed, and whoever
 * reads adds them up. Invariant: what no gateway has written counts for nothing, and our own part is what we know it to be.
 */
import { randomInt, randomUUID } from 'node:crypto';

import type { ChainableCommander } from 'ioredis';

import type { BookSeal } from './book-seal.ts';

interface Part {
  readonly sum: number;
  readonly version: number;
  /** Monotonic ms. */
  readonly until: number;
}

/** Versions of one part; no sum is changed so often while it lives. */
const versions = 2 ** 20;
const maxPartsRead = 256;

export class Tally {
  readonly #seal: BookSeal;
  /** Of this process; who comes after it has a part of its own. */
  readonly #owner = randomUUID();
  /** Scores of our parts begin here, so that what is older than the latest is found without a list. */
  readonly #first = randomInt(2 ** 31) * versions;
  readonly #own = new Map<string, Part>();

  constructor(seal: BookSeal) {
    this.#seal = seal;
  }

  /** Three commands. The new part is there before the old one goes, so nobody sees neither. */
  add(pipeline: ChainableCommander, key: string, amount: number, lifetimeMs: number): ChainableCommander {
    const { sum, version } = this.#change(key, amount, performance.now() + lifetimeMs);
    const at = this.#first + version;
    return pipeline
      .zadd(key, at, this.#seal.close(key, `${this.#owner}:${sum}`))
      .zremrangebyscore(key, this.#first, `(${at}`)
      .pexpire(key, lifetimeMs);
  }

  /** Of what was not lost, or did not come to Redis, where the next addition puts it right. */
  undo(key: string, amount: number): void {
    const own = this.#own.get(key);
    if (own) this.#change(key, -amount, own.until);
  }

  read(pipeline: ChainableCommander, key: string): ChainableCommander {
    return pipeline.zrangebyscore(key, '-inf', '+inf', 'LIMIT', 0, maxPartsRead);
  }

  /** @param parts what `read` gave, of each owner the latest last */
  sumOf(key: string, parts: readonly string[]): number {
    const sums = new Map<string, number>();
    for (const part of parts) {
      const [owner, sum] = this.#seal.open(key, part)?.split(':') ?? [];
      if (owner !== undefined) sums.set(owner, Number(sum));
    }
    sums.set(this.#owner, this.#own.get(key)?.sum ?? 0);
    return sums.values().reduce((total, sum) => total + sum, 0);
  }

  #change(key: string, amount: number, until: number): Part {
    const now = performance.now();
    for (const [other, part] of this.#own) if (part.until <= now) this.#own.delete(other);
    const { sum = 0, version = 0 } = this.#own.get(key) ?? {};
    const part = { sum: Math.max(0, sum + amount), version: version + 1, until };
    this.#own.set(key, part);
    return part;
  }
}
