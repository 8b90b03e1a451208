/**
 * The pool in Redis, in one round trip and without scripts: an account and its members are sorted sets, because
 * `ZADD … GT` keeps the greater of two instants and `ZINCRBY` adds, whoever comes first. Every key ends by itself, and
 * names nobody.
 */
import { randomUUID } from 'node:crypto';

import { RedisCircuit, type RedisCircuitOptions } from '../redis-circuit.ts';
import type { Pool, PoolReply, PoolRequest } from './pool.ts';

/** Apart from the prefixes of the cache and of log-ons. One hash tag, so that a Cluster keeps it all by one clock. */
const prefix = 'gq1:{quota}:';
/** Longer than the longest pause and than any outage after which somebody could still have something booked. */
const lifetimeMs = 60 * 60_000;
const maxMembersRead = 256;

export class RedisPools implements Disposable {
  readonly #circuit: RedisCircuit;
  /** Of this process; who comes after it is another member. */
  readonly #member = randomUUID();

  constructor(options: Omit<RedisCircuitOptions, 'probeKey'>) {
    this.#circuit = new RedisCircuit({ ...options, probeKey: `${prefix}probe` });
  }

  /** @param tenant its name, which replicas have in common */
  of(tenant: string): Pool {
    const circuit = this.#circuit;
    const [account, members] = [`${prefix}account:${tenant}`, `${prefix}members:${tenant}`];
    return {
      get isOpen() {
        return circuit.isOpen;
      },
      exchange: (request) => this.#exchange(account, members, request),
      forget: async () => void (await circuit.ask((pipeline) => pipeline.del(account))),
    };
  }

  [Symbol.dispose](): void {
    this.#circuit[Symbol.dispose]();
  }

  async #exchange(account: string, members: string, request: PoolRequest): Promise<PoolReply | undefined> {
    const { leaseUs, startUs, spentAtLeast, costUs } = request;
    const replies = await this.#circuit.ask((pipeline, nowMs) => {
      const now = nowMs * 1000;
      return pipeline
        .zadd(account, 'NX', now + startUs, 'spent')
        .zadd(account, 'GT', Math.max(now, Math.ceil(spentAtLeast)), 'spent')
        .zadd(members, now + Math.floor(leaseUs), this.#member)
        .zincrby(account, Math.ceil(costUs), 'spent')
        .zremrangebyscore(members, '-inf', now)
        .zrangebyscore(members, now, '+inf', 'WITHSCORES', 'LIMIT', 0, maxMembersRead)
        .pexpire(account, lifetimeMs)
        .pexpire(members, lifetimeMs);
    });
    if (!replies) return undefined;
    const [, , , spentUntil, , flat] = replies.values as [
      unknown,
      unknown,
      unknown,
      string,
      unknown,
      string[],
    ];
    return {
      now: replies.now * 1000,
      spentUntil: Number(spentUntil),
      membersUntil: flat.filter((_, at) => at % 2 === 1).map(Number),
    };
  }
}
