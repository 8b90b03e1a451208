/**
 * The pool in Redis, in one round trip and without scripts: a counter of a few bits that neither rises above what they hold
 * nor falls below zero, whoever comes first (`BITFIELD … OVERFLOW FAIL`); and until when the tenant has refused everybody.
 * Every key ends by itself, and names nobody.
 */
import { type Compose, RedisCircuit, type RedisCircuitOptions } from '../redis-circuit.ts';
import type { Pool, PoolReply, PoolRequest } from './pool.ts';
import { longestPauseMs } from './quota.ts';

/** Apart from the prefixes of the cache and of log-ons. One hash tag, so that a Cluster keeps it all on one node. */
const prefix = 'gq1:{quota}:';
const lifetimeMs = 600_000;

export class RedisPools implements Disposable {
  readonly #circuit: RedisCircuit;

  constructor(options: Omit<RedisCircuitOptions, 'probeKey' | 'probe'>) {
    const probeKey = `${prefix}probe`;
    const probe: Compose = (pipeline) => pipeline.bitfield(probeKey, 'INCRBY', 'u1', 0, 0);
    this.#circuit = new RedisCircuit({ ...options, probeKey, probe });
  }

  /** @param tenant its name, which replicas have in common */
  of(tenant: string): Pool {
    const circuit = this.#circuit;
    return {
      get isOpen() {
        return circuit.isOpen;
      },
      exchange: (request) => this.#exchange(tenant, request),
    };
  }

  [Symbol.dispose](): void {
    this.#circuit[Symbol.dispose]();
  }

  async #exchange(
    tenant: string,
    { room, lends, takes, pauseMs, begins }: PoolRequest,
  ): Promise<PoolReply | undefined> {
    const bits = Math.log2(room + 1);
    // Read with another width, a counter would say something else.
    const lent = `${prefix}lent:${bits}:${tenant}`;
    const pause = `${prefix}pause:${tenant}`;
    const changes = [...Array.from({ length: takes }, () => -1), ...(lends ? [1] : [])];
    const replies = await this.#circuit.ask((pipeline, now) => {
      if (begins || pauseMs > 0) pipeline.del(lent);
      if (pauseMs > 0)
        pipeline
          // Longer than any was told only by a clock that was ahead.
          .zremrangebyscore(pause, now + longestPauseMs, '+inf')
          // The longest of all that were told stands.
          .zadd(pause, 'GT', now + pauseMs, 'until')
          .pexpire(pause, longestPauseMs);
      for (const by of changes) pipeline.bitfield(lent, 'OVERFLOW', 'FAIL', 'INCRBY', `u${bits}`, 0, by);
      return pipeline.pexpire(lent, lifetimeMs).zrangebyscore(pause, '-inf', '+inf', 'WITHSCORES');
    });
    if (!replies) return undefined;
    const [, until] = replies.values.at(-1) as [] | [name: string, until: string];
    const counts = replies.values
      .slice(-2 - changes.length, -2)
      .map((reply) => (reply as [number | null])[0]);
    return {
      isLent: lends === 1 && counts.at(-1) !== null,
      taken: counts.slice(0, takes).filter((count) => count !== null).length,
      pauseMs: Math.max(0, Number(until ?? 0) - replies.now),
    };
  }
}
