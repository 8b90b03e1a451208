/**
 * The ledger in Redis, without scripts (docs/decisions/0007-shared-log-on-failures.md): replicas meet in additions, whoever
 * comes first. Every key ends by itself, and names nobody.
 */
import type { ChainableCommander } from 'ioredis';

import { RedisCircuit, type RedisCircuitOptions } from '../redis-circuit.ts';
import { allowances } from './allowance.ts';
import type { Failure, Ledger, Names, SharedScope, Standing } from './ledger.ts';
import { sprayMs, usersPerSource } from './spray.ts';

/** Apart from the cache's prefix. One hash tag, so that a Cluster keeps what one pipeline touches on one node. */
const prefix = 'gt1:{throttle}:';
const trustMs = 24 * 60 * 60_000;
const pairFailuresMs = 60 * 60_000;
/** More than can fail from one source before it is stopped, should all replicas be asked in the same moment. */
const maxUsersRead = 32;

export class RedisLedger implements Ledger, Disposable {
  readonly #circuit: RedisCircuit;

  constructor(options: Omit<RedisCircuitOptions, 'probeKey'>) {
    this.#circuit = new RedisCircuit({ ...options, probeKey: `${prefix}probe` });
  }

  async charge(names: Names): Promise<Standing | undefined> {
    const replies = await this.#circuit.ask((pipeline, now) => {
      addTo(pipeline, 'pair', names.pair, allowances.pair.everyMs, now);
      addTo(pipeline, 'source', names.source, allowances.source.everyMs, now);
      return pipeline
        .mget(keyOf('secret', names.secret), keyOf('trusted', names.pair))
        .zrangebyscore(keyOf('users', names.source), now, '+inf', 'WITHSCORES', 'LIMIT', 0, maxUsersRead);
    });
    if (!replies) return undefined;
    const { now, values } = replies;
    const [, pair, , , source, , [secret, trusted], users] = values as [
      unknown,
      number,
      unknown,
      unknown,
      number,
      unknown,
      [string | null, string | null],
      string[],
    ];
    const clearAt = {
      pair: pair - allowances.pair.everyMs,
      source: source - allowances.source.everyMs,
      secret: Number(secret ?? 0),
    };
    for (const scope of ['pair', 'source'] as const) this.#check(scope, names[scope], clearAt[scope], now);
    return { isTrusted: trusted !== null, clearIn: spansUntil(clearAt, now), users: membersOf(users, now) };
  }

  async refund(names: Names): Promise<void> {
    await this.#circuit.ask((pipeline, now) => {
      addTo(pipeline, 'pair', names.pair, -allowances.pair.everyMs, now);
      return addTo(pipeline, 'source', names.source, -allowances.source.everyMs, now);
    });
  }

  async fail(names: Names): Promise<Failure | undefined> {
    const users = keyOf('users', names.source);
    const replies = await this.#circuit.ask((pipeline, now) => {
      addTo(pipeline, 'secret', names.secret, allowances.secret.everyMs, now);
      count(pipeline, keyOf('failures', names.pair), pairFailuresMs);
      count(pipeline, keyOf('failures', names.secret), sprayMs);
      return pipeline
        .zremrangebyscore(users, '-inf', now)
        .zadd(users, now + sprayMs, names.user)
        .pexpire(users, sprayMs)
        .zcard(users);
    });
    if (!replies) return undefined;
    const [, secret = 0, , , , ofSecret = 0, , , added, , failing = 0] = replies.values as number[];
    this.#check('secret', names.secret, secret - allowances.secret.everyMs, replies.now);
    const isSpray = added === 1 && failing > usersPerSource;
    return { ofSecret, isFirstOfSpray: isSpray && (await this.#isFirst(names)) };
  }

  async succeed(names: Names): Promise<number | undefined> {
    const failures = keyOf('failures', names.pair);
    const replies = await this.#circuit.ask((pipeline) =>
      pipeline
        .mget(failures)
        .del(failures, keyOf('pair', names.pair))
        .set(keyOf('trusted', names.pair), '1', 'PX', trustMs),
    );
    const [[found] = []] = (replies?.values ?? []) as [(string | null)[]?];
    return replies && Number(found ?? 0);
  }

  async isTrusted(names: Names): Promise<boolean | undefined> {
    const replies = await this.#circuit.ask((pipeline) => pipeline.mget(keyOf('trusted', names.pair)));
    const [[trusted] = []] = (replies?.values ?? []) as [(string | null)[]?];
    return replies && trusted != null;
  }

  [Symbol.dispose](): void {
    this.#circuit[Symbol.dispose]();
  }

  async #isFirst({ source }: Names): Promise<boolean> {
    const replies = await this.#circuit.ask((pipeline) =>
      pipeline.set(keyOf('told', source), '1', 'PX', sprayMs, 'NX'),
    );
    // Told twice is better than not at all.
    return !replies || replies.values[0] === 'OK';
  }

  /** An account that ended between its beginning and the addition holds no instant, and would let everything pass. */
  #check(scope: SharedScope, name: string, clearAt: number, now: number): void {
    if (clearAt < now - lifetimeOf(scope))
      void this.#circuit.ask((pipeline) => pipeline.del(keyOf(scope, name)));
  }
}

type Kind = SharedScope | 'trusted' | 'failures' | 'users' | 'told';

function keyOf(kind: Kind, name: string): string {
  return `${prefix}${kind}:${name}`;
}

/**
 * Three replies. An account holds the instant at which all that was charged to it is forgotten; one that is not there begins
 * now. It outlives that instant, so after a rest it has credit for the rest, of one allowance at most.
 */
function addTo(
  pipeline: ChainableCommander,
  scope: SharedScope,
  name: string,
  ms: number,
  now: number,
): ChainableCommander {
  const key = keyOf(scope, name);
  const lifetimeMs = lifetimeOf(scope);
  return pipeline.set(key, now, 'PX', lifetimeMs, 'NX').incrby(key, ms).pexpire(key, lifetimeMs);
}

/** A full account takes this long to clear. */
function lifetimeOf(scope: SharedScope): number {
  const { atOnce, everyMs } = allowances[scope];
  return atOnce * everyMs;
}

/** Two replies. */
function count(pipeline: ChainableCommander, key: string, lifetimeMs: number): ChainableCommander {
  return pipeline.incrby(key, 1).pexpire(key, lifetimeMs);
}

/** Never longer than the allowance can make it, whatever stands in Redis. */
function spansUntil(clearAt: Record<SharedScope, number>, now: number): Record<SharedScope, number> {
  const spanOf = (scope: SharedScope): number =>
    Math.min(Math.max(0, clearAt[scope] - now), lifetimeOf(scope));
  return { pair: spanOf('pair'), source: spanOf('source'), secret: spanOf('secret') };
}

function membersOf(flat: readonly string[], now: number): [string, number][] {
  return Array.from({ length: flat.length / 2 }, (_, at) => [
    flat[2 * at] ?? '',
    Number(flat[2 * at + 1]) - now,
  ]);
}
