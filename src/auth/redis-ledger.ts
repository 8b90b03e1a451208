/**
 * The ledger in Redis, without scripts (docs/decisions/0007-shared-log-on-failures.md). Every key ends by itself, an attempt
 * costs one round trip within the budget, and a Redis that has failed once is not asked again before a probe has succeeded,
 * for which nobody waits.
 */
import type { ChainableCommander, Redis } from 'ioredis';

import { allowances } from './allowance.ts';
import { type Failure, type Ledger, type Names, type SharedScope, type Standing } from './ledger.ts';
import { sprayMs, usersPerSource } from './spray.ts';

export interface RedisLedgerOptions {
  /** Stays its opener's to close. It must fail commands at once while it has no connection. */
  readonly redis: Redis;
  /** The longest that an attempt waits for Redis. */
  readonly budgetMs?: number;
  /** Called when Redis stops or starts being used; the reason is for the log. */
  readonly onState?: (state: LedgerState) => void;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

export interface LedgerState {
  readonly state: 'on' | 'off';
  readonly reason?: string;
}

/** Apart from the cache's prefix. One hash tag, so that a Cluster keeps what one pipeline touches on one node. */
const prefix = 'gt1:{throttle}:';
const pauseMs = 1000;
const trustMs = 24 * 60 * 60_000;
const pairFailuresMs = 60 * 60_000;
/** More than can fail from one source before it is stopped, should all replicas be asked in the same moment. */
const maxUsersRead = 32;

export class RedisLedger implements Ledger, Disposable {
  readonly #redis: Redis;
  readonly #budgetMs: number;
  readonly #onState: RedisLedgerOptions['onState'];
  readonly #now: () => number;
  /** What Redis's clock is ahead of ours; undefined while Redis is not used. */
  #ahead: number | undefined;
  #state: LedgerState['state'] = 'on';
  #probe: NodeJS.Timeout | undefined;
  #closed = false;

  constructor({ redis, budgetMs = 50, onState, now = () => performance.now() }: RedisLedgerOptions) {
    this.#redis = redis;
    this.#budgetMs = budgetMs;
    this.#onState = onState;
    this.#now = now;
    redis.on('error', (error: Error) => this.#failed(error));
    redis.on('close', () => this.#failed(new Error('CLOSED')));
    redis.on('ready', () => void this.#tryAgain());
    if (redis.status === 'ready') void this.#tryAgain();
  }

  async charge(names: Names): Promise<Standing | undefined> {
    const replies = await this.#ask((pipeline, now) => {
      addTo(pipeline, 'pair', names.pair, allowances.pair.everyMs, now);
      addTo(pipeline, 'source', names.source, allowances.source.everyMs, now);
      return pipeline
        .mget(keyOf('secret', names.secret), keyOf('trusted', names.pair))
        .zrangebyscore(keyOf('users', names.source), now, '+inf', 'WITHSCORES', 'LIMIT', 0, maxUsersRead);
    });
    if (!replies) return undefined;
    const { now, values } = replies;
    const [, pair, , source, [secret, trusted], users] = values as [
      unknown,
      number,
      unknown,
      number,
      [string | null, string | null],
      string[],
    ];
    this.#endAt([
      ['pair', names.pair, pair],
      ['source', names.source, source],
    ]);
    const clearAt = {
      pair: pair - allowances.pair.everyMs,
      source: source - allowances.source.everyMs,
      secret: Number(secret ?? 0),
    };
    return { isTrusted: trusted !== null, clearIn: spansUntil(clearAt, now), users: membersOf(users, now) };
  }

  async refund(names: Names): Promise<void> {
    const replies = await this.#ask((pipeline, now) => {
      addTo(pipeline, 'pair', names.pair, -allowances.pair.everyMs, now);
      return addTo(pipeline, 'source', names.source, -allowances.source.everyMs, now);
    });
    if (!replies) return;
    const [, pair = 0, , source = 0] = replies.values as number[];
    this.#endAt([
      ['pair', names.pair, pair],
      ['source', names.source, source],
    ]);
  }

  async fail(names: Names): Promise<Failure | undefined> {
    const users = keyOf('users', names.source);
    const replies = await this.#ask((pipeline, now) => {
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
    const [, secret = 0, , , ofSecret = 0, , , added, , failing = 0] = replies.values as number[];
    this.#endAt([['secret', names.secret, secret]]);
    const isSpray = added === 1 && failing > usersPerSource;
    return { ofSecret, isFirstOfSpray: isSpray && (await this.#isFirst(names)) };
  }

  async succeed(names: Names): Promise<number | undefined> {
    const failures = keyOf('failures', names.pair);
    const replies = await this.#ask((pipeline) =>
      pipeline
        .mget(failures)
        .del(failures, keyOf('pair', names.pair))
        .set(keyOf('trusted', names.pair), '1', 'PX', trustMs),
    );
    const [[found] = []] = (replies?.values ?? []) as [(string | null)[]?];
    return replies && Number(found ?? 0);
  }

  async isTrusted(names: Names): Promise<boolean | undefined> {
    const replies = await this.#ask((pipeline) => pipeline.mget(keyOf('trusted', names.pair)));
    const [[trusted] = []] = (replies?.values ?? []) as [(string | null)[]?];
    return replies && trusted != null;
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#ahead = undefined;
    clearTimeout(this.#probe);
  }

  async #isFirst({ source }: Names): Promise<boolean> {
    const replies = await this.#ask((pipeline) =>
      pipeline.set(keyOf('told', source), '1', 'PX', sprayMs, 'NX'),
    );
    // Told twice is better than not at all.
    return !replies || replies.values[0] === 'OK';
  }

  /** An account ends when all that was charged to it is forgotten; until then it holds the instant of that. */
  #endAt(accounts: readonly (readonly [SharedScope, string, clearAt: number])[]): void {
    void this.#ask((pipeline) => {
      for (const [scope, name, clearAt] of accounts) pipeline.pexpireat(keyOf(scope, name), clearAt);
      return pipeline;
    });
  }

  /** The replies, and what time it is for Redis; undefined when Redis is not used, late or unwilling. */
  async #ask(
    compose: (pipeline: ChainableCommander, now: number) => ChainableCommander,
  ): Promise<Replies | undefined> {
    if (this.#ahead === undefined) return undefined;
    try {
      const replies = await this.#send(compose, this.#ahead);
      if (this.#ahead !== undefined) this.#ahead = replies.now - this.#now();
      return replies;
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  async #send(
    compose: (pipeline: ChainableCommander, now: number) => ChainableCommander,
    ahead: number,
  ): Promise<Replies> {
    const pipeline = compose(this.#redis.pipeline(), Math.round(this.#now() + ahead)).time();
    const results = (await within(this.#budgetMs, pipeline.exec())) ?? [];
    for (const [error] of results) if (error) throw error;
    const values = results.map(([, value]) => value);
    const [seconds, micros] = values.pop() as [string, string];
    return { now: Number(seconds) * 1000 + Math.floor(Number(micros) / 1000), values };
  }

  /** Whether Redis answers, stores, and what time it is there. */
  async #tryAgain(): Promise<void> {
    const key = `${prefix}probe`;
    try {
      const { now } = await this.#send((pipeline) => pipeline.incrby(key, 1).pexpire(key, pauseMs), 0);
      if (this.#closed) return;
      this.#ahead = now - this.#now();
      this.#report('on');
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    this.#ahead = undefined;
    if (this.#closed) return;
    this.#report('off', error);
    clearTimeout(this.#probe);
    this.#probe = setTimeout(() => void this.#tryAgain(), pauseMs).unref();
  }

  #report(state: LedgerState['state'], error?: unknown): void {
    if (state === this.#state || this.#closed) return;
    this.#state = state;
    this.#onState?.(error === undefined ? { state } : { state, reason: codeOf(error) });
  }
}

interface Replies {
  readonly now: number;
  readonly values: unknown[];
}

type Kind = SharedScope | 'trusted' | 'failures' | 'users' | 'told';

function keyOf(kind: Kind, name: string): string {
  return `${prefix}${kind}:${name}`;
}

/** Two replies. An account that is not there was cleared, so it begins now (GCRA in one addition, whoever adds too). */
function addTo(
  pipeline: ChainableCommander,
  scope: SharedScope,
  name: string,
  ms: number,
  now: number,
): ChainableCommander {
  const key = keyOf(scope, name);
  return pipeline.set(key, now, 'PX', allowances[scope].everyMs, 'NX').incrby(key, ms);
}

/** Two replies. */
function count(pipeline: ChainableCommander, key: string, lifetimeMs: number): ChainableCommander {
  return pipeline.incrby(key, 1).pexpire(key, lifetimeMs);
}

/** Never longer than the allowance can make it, whatever stands in Redis. */
function spansUntil(clearAt: Record<SharedScope, number>, now: number): Record<SharedScope, number> {
  const spanOf = (scope: SharedScope): number => {
    const { atOnce, everyMs } = allowances[scope];
    return Math.min(Math.max(0, clearAt[scope] - now), atOnce * everyMs);
  };
  return { pair: spanOf('pair'), source: spanOf('source'), secret: spanOf('secret') };
}

function membersOf(flat: readonly string[], now: number): [string, number][] {
  return Array.from({ length: flat.length / 2 }, (_, at) => [
    flat[2 * at] ?? '',
    Number(flat[2 * at + 1]) - now,
  ]);
}

/** ECONNREFUSED, NOAUTH, OOM, …; the rest of a message may name keys, users or addresses. */
function codeOf(error: unknown): string {
  const text = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : '';
  return /^[A-Z][A-Z_]+\b/.exec(text)?.[0] ?? 'unanswered';
}

function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  // One turn later, because after a stall of the event loop timers come before an answer that is already there.
  const timer = setTimeout(() => setImmediate(reject, new Error('BUDGET exceeded')), ms);
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
