/**
 * The store that replicas share. Every answer of Redis is optional and has a budget; what is not optional is
 * that a forgetting which Redis did not confirm is made up before this replica reads from Redis again.
 */
import type { ConnectionOptions } from 'node:tls';

import { type ChainableCommander, Redis, type RedisOptions } from 'ioredis';

import { Breaker } from './breaker.ts';
import { type Debt, Debts } from './debts.ts';
import { type Look, newToken, type Store } from './store.ts';

export interface RedisStoreOptions {
  /** `redis:` or `rediss:`, with user and password if there are any. */
  readonly url: string;
  readonly tls?: ConnectionOptions;
  /** The longest that a call waits for Redis, all its commands together. */
  readonly budgetMs?: number;
  /** Called when Redis stops or starts being used; the reason is for the log. */
  readonly onState?: (state: RedisState) => void;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

/** `read-only`: Redis answers but refuses to store, for want of memory or because it is a replica. */
export interface RedisState {
  readonly state: 'on' | 'read-only' | 'off';
  readonly reason?: string;
}

/** Longer than any entry lives, so that a generation does not end without a reason. */
const tokenLifetimeMs = 48 * 3_600_000;
const debtsPerCommand = 500;
const maxPuts = 64;
const maxPutBytes = 16 * 1024 * 1024;

/**
 * A command is tried once, now, or not at all. The ready check would need INFO, which a careful ACL denies;
 * a server that is still loading answers with errors, which are misses.
 */
const defaults = {
  lazyConnect: true,
  enableOfflineQueue: false,
  enableReadyCheck: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  disableClientInfo: true,
  connectTimeout: 500,
  // At the end of the process nobody waits for a server that does not answer.
  disconnectTimeout: 50,
  commandTimeout: 1000,
  socketTimeout: 1000,
  retryStrategy: (attempt: number) => Math.min(50 * 2 ** attempt, 2000) * (0.75 + Math.random() / 4),
  // Behind a name that moved to another server in a fail-over, only a new connection finds the new primary.
  reconnectOnError: ({ message }: Error) => message.startsWith('READONLY'),
  replyMapping: 'legacy',
} as const satisfies RedisOptions;

export function createRedisStore(options: RedisStoreOptions): Store {
  return new RedisStore(options);
}

class RedisStore implements Store {
  readonly #redis: Redis;
  readonly #budgetMs: number;
  readonly #onState: ((state: RedisState) => void) | undefined;
  readonly #breaker: Breaker;
  readonly #debts: Debts;
  #state: RedisState['state'] = 'on';
  #puts = 0;
  #putBytes = 0;

  constructor({ url, tls, budgetMs = 50, onState, now = () => performance.now() }: RedisStoreOptions) {
    this.#budgetMs = budgetMs;
    this.#onState = onState;
    this.#breaker = new Breaker({ failures: 5, pauseMs: 2000, now });
    this.#debts = new Debts(now);
    this.#redis = new Redis(url, { ...defaults, ...(tls && { tls }) });
    this.#redis.on('error', (error: Error) => this.#failed(error));
    this.#redis.on('close', () => this.#debts.doubt());
    this.#redis.on('ready', () => this.#succeeded());
    this.#redis.connect().catch((error: unknown) => this.#failed(error));
  }

  look(key: string, generations: readonly string[]): Promise<Look | undefined> {
    return this.#try(() => this.#look(key, generations));
  }

  put(key: string, value: Buffer, lifetimeMs: number): void {
    const isFull = this.#puts >= maxPuts || this.#putBytes + value.length > maxPutBytes;
    if (this.#breaker.isOpen || isFull) return;
    this.#puts += 1;
    this.#putBytes += value.length;
    void this.#redis
      .set(key, value, 'PX', Math.ceil(lifetimeMs))
      .then(
        () => this.#report('on', undefined),
        (error: unknown) => this.#refused(error),
      )
      .finally(() => {
        this.#puts -= 1;
        this.#putBytes -= value.length;
      });
  }

  drop(key: string): void {
    if (!this.#breaker.isOpen) this.#redis.del(key).catch((error: unknown) => this.#refused(error));
  }

  async renew(generations: readonly string[]): Promise<void> {
    const [first] = generations;
    if (first === undefined) return;
    this.#debts.owe(generations);
    await this.#try(async () => {
      const debts = this.#debts.of(first, debtsPerCommand);
      if (debts.length > 0) await this.#redis.del(...debts.map(({ generation }) => generation));
      this.#debts.pay(debts);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#redis.disconnect();
  }

  async #look(key: string, generations: readonly string[]): Promise<Look | undefined> {
    const keys = [key, ...generations];
    const debts = this.#debts.of(key, debtsPerCommand);
    const [value, ...tokens] =
      debts.length > 0 ? await this.#payAndRead(debts, keys) : await this.#redis.mgetBuffer(keys);
    // There may be more of them, and until the last is paid nothing that Redis says is believed.
    if (debts.length === debtsPerCommand) return undefined;
    if (tokens.every(isPresent)) return { value: value ?? undefined, tokens: tokens.map(String) };
    const begun = await this.#begin(generations);
    // No entry can carry a token that did not exist a moment ago.
    return begun.every(isPresent) ? { value: undefined, tokens: begun.map(String) } : undefined;
  }

  async #payAndRead(debts: readonly Debt[], keys: readonly string[]): Promise<(Buffer | null)[]> {
    const pipeline = this.#redis.pipeline().del(...debts.map(({ generation }) => generation));
    const values = await lastOf(pipeline.mgetBuffer([...keys]));
    this.#debts.pay(debts);
    return values;
  }

  /** Whoever comes first begins a generation; everybody reads what then is current. */
  #begin(generations: readonly string[]): Promise<(Buffer | null)[]> {
    const pipeline = this.#redis.pipeline();
    for (const generation of generations) pipeline.set(generation, newToken(), 'PX', tokenLifetimeMs, 'NX');
    return lastOf(pipeline.mgetBuffer([...generations]));
  }

  async #try<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (this.#breaker.isOpen) {
      // Nobody waits for the probe, so a frozen Redis costs callers nothing more.
      if (this.#breaker.takeProbe()) void this.#attempt(() => this.#redis.ping());
      return undefined;
    }
    return this.#attempt(work);
  }

  async #attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await within(this.#budgetMs, work());
      this.#succeeded();
      return result;
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  #succeeded(): void {
    this.#breaker.succeeded();
    if (this.#state === 'off') this.#report('on', undefined);
  }

  #failed(error: unknown): void {
    this.#breaker.failed();
    if (this.#breaker.isOpen) this.#report('off', error);
  }

  /** Not a failure of the breaker: reading may go well all the time. */
  #refused(error: unknown): void {
    if (this.#state !== 'off' && isReply(error)) this.#report('read-only', error);
  }

  #report(state: RedisState['state'], error: unknown): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#onState?.(error === undefined ? { state } : { state, reason: codeOf(error) });
  }
}

async function lastOf(pipeline: ChainableCommander): Promise<(Buffer | null)[]> {
  const results = (await pipeline.exec()) ?? [];
  for (const [error] of results) if (error) throw error;
  const last = results.at(-1)?.[1];
  if (!Array.isArray(last)) throw new Error('INCOMPLETE pipeline');
  return last;
}

function isPresent(token: Buffer | null): token is Buffer {
  return token instanceof Buffer;
}

/** Whether Redis said no, unlike a silence or a lost connection. */
function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}

/** ECONNREFUSED, NOAUTH, OOM, …; the rest of a message may name keys, users or addresses. */
function codeOf(error: unknown): string {
  const text = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : '';
  return /^[A-Z][A-Z_]+\b/.exec(text)?.[0] ?? 'unanswered';
}

function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const { promise: tooLate, reject } = Promise.withResolvers<never>();
  const fail = (): void => reject(new Error('BUDGET exceeded'));
  // After a stall of the event loop timers come before sockets; an answer that is already there must win.
  const timer = setTimeout(() => setImmediate(fail), ms);
  return Promise.race([work, tooLate]).finally(() => clearTimeout(timer));
}
