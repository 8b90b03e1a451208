/**
 * Whether the replicas at a Redis have one key. All names there are derived from it, so that with another key a replica would
 * find nothing of what the others have forgotten, and serve what they have changed.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';

import type { Cluster, Redis } from 'ioredis';

import { describeError, log } from '../log.ts';

/** Apart from the prefixes of all else. */
const place = 'gk1:{replicas}:key';
/** Whoever has the key says so again; a key that nobody has any more is forgotten. */
const lifetimeMs = 6000;
const repeatMs = 2000;
const patienceMs = 1000;

export interface KinshipOptions {
  /** Stays its opener's to close. */
  readonly redis: Redis | Cluster;
  readonly key: Buffer;
  readonly onChange: (isKin: boolean) => void;
}

export class Kinship implements Disposable {
  readonly #redis: Redis | Cluster;
  readonly #fingerprint: string;
  readonly #onChange: (isKin: boolean) => void;
  readonly #timer: NodeJS.Timeout;
  #isKin = true;
  #hasFailed = false;

  constructor({ redis, key, onChange }: KinshipOptions) {
    this.#redis = redis;
    this.#fingerprint = createHash('sha256').update(key).digest('base64url');
    this.#onChange = onChange;
    redis.on('error', () => undefined); // whoever uses Redis tells
    redis.on('ready', () => void this.#look());
    this.#timer = setInterval(() => void this.#look(), repeatMs).unref();
  }

  /** Looks for the first time, if Redis says it soon. */
  async meet(): Promise<void> {
    // A Redis that is away keeps nobody from starting; when it is there this is asked again.
    if (this.#redis.status !== 'ready')
      await once(this.#redis, 'ready', { signal: AbortSignal.timeout(patienceMs) }).catch(() => undefined);
    await this.#look();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#redis.status !== 'ready') return;
    try {
      const found = await this.#ask();
      const isKin = found === this.#fingerprint;
      if (isKin) await this.#redis.pexpire(place, lifetimeMs);
      if (isKin !== this.#isKin) this.#onChange(isKin);
      this.#isKin = isKin;
      this.#hasFailed = false;
    } catch (error) {
      if (!this.#hasFailed) log.warn('whether the replicas have one key is not known', describeError(error));
      this.#hasFailed = true;
    }
  }

  /** Whose key stands there; ours where nobody's did. */
  async #ask(): Promise<unknown> {
    const results = await this.#redis
      .pipeline()
      .set(place, this.#fingerprint, 'PX', lifetimeMs, 'NX')
      .mget(place)
      .exec();
    for (const [error] of results ?? []) if (error) throw error;
    const [found] = (results?.at(-1)?.[1] ?? []) as [string?];
    return found;
  }
}
