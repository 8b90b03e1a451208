/**
 * The pool in Redis, in one round trip and without scripts: a counter of a few bits that neither rises above what they hold
 * nor falls below zero, whoever comes first (`BITFIELD … OVERFLOW FAIL`); until when the tenant has refused everybody; and
 * which replica was the last to have calls of each priority waiting. Every key ends by itself, and names nobody.
 */
import { randomUUID } from 'node:crypto';

import { type Compose, RedisCircuit, type RedisCircuitOptions } from '../redis-circuit.ts';
import { priorities } from '../scim/operation.ts';
import type { Pool, PoolReply, PoolRequest } from './pool.ts';
import type { Need } from './queue.ts';
import { longestPauseMs } from './quota.ts';

/** Apart from the prefixes of the cache and of log-ons. One hash tag, so that a Cluster keeps it all on one node. */
const prefix = 'gq1:{quota}:';
const lifetimeMs = 600_000;
/** How far replicas may be apart about Redis's clock. */
const apartMs = 5000;
/** The most urgent first, so that a priority is its own index. */
const byUrgency = Object.values(priorities);

export class RedisPools implements Disposable {
  readonly #circuit: RedisCircuit;
  readonly #member = randomUUID();

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
    { room, lends, takes, pauseMs, begins, waits }: PoolRequest,
  ): Promise<PoolReply | undefined> {
    const bits = Math.log2(room + 1);
    // Read with another width, a counter would say something else.
    const lent = `${prefix}lent:${bits}:${tenant}`;
    const pause = `${prefix}pause:${tenant}`;
    const waiting = byUrgency.map((priority) => `${prefix}waits:${priority}:${tenant}`);
    const changes = [...Array<number>(takes).fill(-1), ...Array<number>(lends).fill(1)];
    const replies = await this.#circuit.ask((pipeline, now) => {
      if (begins || pauseMs > 0) pipeline.del(lent);
      if (pauseMs > 0)
        pipeline
          // Longer than any was told only by a clock that was ahead.
          .zremrangebyscore(pause, now + longestPauseMs + apartMs, '+inf')
          // The longest of all that were told stands.
          .zadd(pause, 'GT', now + pauseMs, 'until')
          .pexpire(pause, longestPauseMs);
      if (waits)
        pipeline.set(
          waiting[waits.priority] ?? '',
          `${waits.calls} ${this.#member}`,
          'PX',
          Math.ceil(waits.ms),
        );
      pipeline.mget(...waiting).zrangebyscore(pause, '-inf', '+inf', 'WITHSCORES');
      for (const by of changes) pipeline.bitfield(lent, 'OVERFLOW', 'FAIL', 'INCRBY', `u${bits}`, 0, by);
      return pipeline.pexpire(lent, lifetimeMs);
    });
    if (!replies) return undefined;
    const [known, [, until], ...counts] = replies.values.slice(-3 - changes.length, -1) as [
      (string | null)[],
      [] | [name: string, until: string],
      ...[number | null][],
    ];
    const isDone = counts.map(([count]) => count !== null);
    return {
      lent: isDone.slice(takes).filter(Boolean).length,
      taken: isDone.slice(0, takes).filter(Boolean).length,
      pauseMs: Math.min(Math.max(0, Number(until ?? 0) - replies.now), longestPauseMs),
      elsewhere: this.#elsewhere(known),
    };
  }

  /** @param waiting what the last of the replicas has written of each priority */
  #elsewhere(waiting: readonly (string | null)[]): Need | undefined {
    for (const [at, priority] of byUrgency.entries()) {
      const [calls, member] = waiting[at]?.split(' ') ?? [];
      if (member !== undefined && member !== this.#member) return { priority, calls: Number(calls) };
    }
    return undefined;
  }
}
