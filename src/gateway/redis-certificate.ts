/**
 * Until when the certificates are good that Redis shows. It looks at the start and each hour, over a connection of its own: those
 * that stand know only what was shown when they began, and would tell of an end when Redis has long had another certificate.
 */
import { once } from 'node:events';

import { describeError, log } from '../log.ts';
import type { ParsedConfig } from './config-schema.ts';
import { certificateEnd, type Expiring } from './expiry.ts';
import { openRedis, securedTo, type RedisSettings } from './redis.ts';

const hourMs = 3_600_000;
const patienceMs = 5000;

export class RedisCertificate implements Disposable {
  readonly #settings: RedisSettings | undefined;
  readonly #onSeen: () => void;
  readonly #closing = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #ends: readonly Expiring[] = [];

  /** @param onSeen told after each look, since nothing is known before the first one */
  constructor({ store, redis }: ParsedConfig['cache'], onSeen: () => void) {
    if (store === 'redis' && redis && (redis.tls ?? redis.url?.reveal().startsWith('rediss:')))
      this.#settings = redis;
    this.#onSeen = onSeen;
    this.#timer = setInterval(() => void this.#look(), hourMs).unref();
    void this.#look();
  }

  /** As seen last; a Redis that is away has the certificate that it had. */
  ends(): readonly Expiring[] {
    return this.#ends;
  }

  async #look(): Promise<void> {
    if (!this.#settings) return;
    using opened = openRedis(this.#settings);
    const { redis } = opened;
    redis.on('error', () => undefined); // told by those who use Redis, and by the rejection of what waits here
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(patienceMs)]);
    try {
      await once(redis, 'ready', { signal });
      const shown = (await securedTo(redis)).map((stream) => stream.getPeerX509Certificate());
      this.#ends = shown.flatMap((each) => (each ? [certificateEnd('cache.redis', each)] : []));
    } catch (error) {
      log.debug('the certificate of Redis could not be looked at', describeError(error));
      return;
    }
    if (!this.#closing.signal.aborted) this.#onSeen();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#closing.abort();
  }
}
