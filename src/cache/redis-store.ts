/**
 * The store that replicas share. Every answer of Redis is optional and has a budget; what is not optional is
 * that a forgetting which Redis did not confirm is made up before this replica reads from Redis again.
 */
import { type ChainableCommander, Cluster, type Redis } from 'ioredis';

import { codeOf, waitOf, within } from '../redis-wait.ts';
import { Breaker } from './breaker.ts';
import { type Debt, Debts } from './debts.ts';
import { spaceOf } from './key.ts';
import { Followers, type Results } from './redis-followers.ts';
import { type Look, newToken, type Store } from './store.ts';

export interface RedisStoreOptions {
  /** Stays its opener's to close. It must fail commands at once while it has no connection, and follow no redirection. */
  readonly redis: Redis | Cluster;
  /** The longest that a call waits for Redis, all its commands together. */
  readonly budgetMs?: number;
  /** Called when Redis stops or starts being used; the reason is for the log. */
  readonly onState?: (state: RedisState) => void;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

/** `read-only`: Redis answers but has no memory to store; one that may not be written to is `off`. */
export interface RedisState {
  readonly state: 'on' | 'read-only' | 'off';
  readonly reason?: string;
}

/** Longer than any entry lives, so that a generation does not end without a reason. */
const tokenLifetimeMs = 72 * 3_600_000;
const debtsPerCommand = 500;
const collectEveryMs = 250;
const maxPuts = 64;
const maxPutBytes = 16 * 1024 * 1024;

export function createRedisStore(options: RedisStoreOptions): Store {
  return new RedisStore(options);
}

class RedisStore implements Store {
  readonly #redis: Redis | Cluster;
  readonly #budgetMs: number;
  #onState: ((state: RedisState) => void) | undefined;
  readonly #now: () => number;
  /** One for everything, or of a Cluster one for each space: a node may hang alone. */
  readonly #breakers = new Map<string, Breaker>();
  readonly #debts: Debts;
  readonly #followers: Followers;
  #collector: NodeJS.Timeout | undefined;
  #state: RedisState['state'] = 'on';
  #puts = 0;
  #putBytes = 0;

  constructor({ redis, budgetMs = 50, onState, now = () => performance.now() }: RedisStoreOptions) {
    this.#redis = redis;
    this.#budgetMs = budgetMs;
    this.#onState = onState;
    this.#now = now;
    this.#debts = new Debts(now);
    this.#followers = new Followers(Math.ceil(budgetMs / 5), now);
    watchPrimaries(redis, () => this.#debts.doubt());
    redis.on('error', (error: Error) => this.#failed(this.#breakerOf(''), error));
    redis.on('ready', () => {
      this.#followers.meet(redis instanceof Cluster ? redis.nodes('master') : [redis]);
      this.#probeAll();
      this.#collect();
    });
  }

  look(key: string, generations: readonly string[]): Promise<Look | undefined> {
    return this.#try(key, () => this.#look(key, generations));
  }

  put(key: string, value: Buffer, lifetimeMs: number): void {
    const isFull = this.#puts >= maxPuts || this.#putBytes + value.length > maxPutBytes;
    if (this.#breakerOf(key).isOpen || isFull) return;
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
    if (!this.#breakerOf(key).isOpen) this.#redis.del(key).catch((error: unknown) => this.#refused(error));
  }

  async renew(generations: readonly string[]): Promise<void> {
    const [first] = generations;
    if (first === undefined) return;
    this.#debts.owe(generations);
    await this.#try(first, () => this.#payDebts(first));
    this.#collectLater();
  }

  async advance(generations: readonly string[], guard: string, before: string): Promise<string | undefined> {
    this.#debts.owe(generations);
    const token = await this.#try(guard, () => this.#advance(guard, before));
    this.#collectLater();
    return token;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#onState = undefined;
    clearTimeout(this.#collector);
  }

  async #look(key: string, generations: readonly string[]): Promise<Look | undefined> {
    const debts = this.#debts.of(key, debtsPerCommand);
    const [value, ...tokens] = await this.#payAndRead(debts, [key, ...generations]);
    // There may be more of them, and until the last is paid nothing that Redis says is believed.
    if (debts.length === debtsPerCommand) return undefined;
    if (tokens.every(isPresent)) return { value: value ?? undefined, tokens: tokens.map(String) };
    const begun = await this.#begin(generations);
    // No entry can carry a token that did not exist a moment ago.
    return begun.every(isPresent) ? { value: undefined, tokens: begun.map(String) } : undefined;
  }

  /** This replica reads nothing before it has paid, but the others do not know what it owes. */
  #collectLater(): void {
    if (this.#debts.spaces.length === 0) return;
    this.#collector ??= setTimeout(() => this.#collect(), collectEveryMs).unref();
  }

  #collect(): void {
    clearTimeout(this.#collector);
    this.#collector = undefined;
    const attempts = this.#debts.spaces.map((space) => this.#try(space, () => this.#payDebts(space)));
    void Promise.all(attempts).then(() => this.#collectLater());
  }

  async #payDebts(key: string): Promise<void> {
    const debts = this.#debts.of(key, debtsPerCommand);
    if (debts.length > 0) {
      const deletion = this.#redis.pipeline().del(...debts.map(({ generation }) => generation));
      throwFault(await this.#followers.exec(deletion, this.#placeOf(key)));
    }
    this.#debts.pay(debts);
  }

  /** One command ends the old token and says what it was, so nobody's forgetting comes in between unseen. */
  async #advance(guard: string, before: string): Promise<string | undefined> {
    const token = newToken();
    const debts = this.#debts.of(guard, debtsPerCommand);
    const others = debts.flatMap(({ generation }) => (generation === guard ? [] : [generation]));
    const begun = this.#redis.pipeline().set(guard, token, 'PX', tokenLifetimeMs, 'GET');
    const forgetting = others.length > 0 ? begun.del(...others) : begun;
    const results = await this.#followers.exec(forgetting, this.#placeOf(guard));
    if (results.length === 0 || results.some(([error]) => error)) {
      // A server without memory refuses to set and still deletes.
      await this.#payDebts(guard);
      return undefined;
    }
    this.#debts.pay(debts);
    return results[0]?.[1] === before ? token : undefined;
  }

  /**
   * Deletes even when nothing is owed: a server that became a replica, or a primary that is cut off from its replicas
   * (`min-replicas-to-write`), refuses it, and what such a server has to read may be old.
   */
  async #payAndRead(
    debts: readonly Debt[],
    keys: readonly [string, ...string[]],
  ): Promise<(Buffer | null)[]> {
    const owed = debts.length > 0 ? debts.map(({ generation }) => generation) : [spaceOf(keys[0])];
    const values = await lastOf(
      this.#redis
        .pipeline()
        .del(...owed)
        .mgetBuffer([...keys]),
    );
    this.#debts.pay(debts);
    return values;
  }

  /** Whoever comes first begins a generation; everybody reads what then is current. */
  #begin(generations: readonly string[]): Promise<(Buffer | null)[]> {
    const pipeline = this.#redis.pipeline();
    for (const generation of generations) pipeline.set(generation, newToken(), 'PX', tokenLifetimeMs, 'NX');
    return lastOf(pipeline.mgetBuffer([...generations]));
  }

  async #try<T>(key: string, work: () => Promise<T>): Promise<T | undefined> {
    const breaker = this.#breakerOf(key);
    if (!breaker.isOpen) return this.#attempt(breaker, waitOf(this.#budgetMs), work);
    // Nobody waits for the probe, so a frozen Redis costs callers nothing more.
    if (breaker.takeProbe()) this.#probe(breaker, spaceOf(key));
    return undefined;
  }

  async #attempt<T>(breaker: Breaker, ms: number, work: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await within(ms, work());
      this.#succeeded(breaker);
      return result;
    } catch (error) {
      this.#failed(breaker, error);
      return undefined;
    }
  }

  #probe(breaker: Breaker, space: string): void {
    void this.#attempt(breaker, this.#budgetMs, () => this.#redis.del(space));
  }

  #probeAll(): void {
    for (const [space, breaker] of this.#breakers) this.#probe(breaker, space);
  }

  #breakerOf(key: string): Breaker {
    const options = { failures: 5, pauseMs: 2000, now: this.#now };
    return this.#breakers.getOrInsertComputed(this.#placeOf(key), () => new Breaker(options));
  }

  /** What fails together. */
  #placeOf(key: string): string {
    return this.#redis.isCluster ? spaceOf(key) : onlySpace;
  }

  #succeeded(breaker: Breaker): void {
    breaker.succeeded();
    const isWhole = this.#breakers.values().every(({ isOpen }) => !isOpen);
    if (this.#state === 'off' && isWhole) this.#report('on', undefined);
  }

  #failed(breaker: Breaker, error: unknown): void {
    breaker.failed();
    // The slots have other owners; whoever is new among them is noticed when they are known (watchPrimaries).
    if (this.#redis instanceof Cluster && isMoved(error)) this.#redis.refreshSlotsCache();
    if (breaker.isOpen) this.#report('off', error);
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

/** What one server has for all systems; a key that the user in Redis may touch. */
const onlySpace = 'gh1:{}';

/** Tells when commands that a primary has confirmed may be unknown to the one that answers from now on. */
function watchPrimaries(redis: Redis | Cluster, onLoss: () => void): void {
  redis.on('close', onLoss);
  if (!(redis instanceof Cluster)) return;
  redis.on('-node', onLoss);
  let known = '';
  redis.on('refresh', () => {
    const primaries = redis.nodes('master').map(({ options }) => `${options.host}:${options.port}`);
    const found = primaries.toSorted().join();
    if (found !== known) onLoss();
    known = found;
  });
}

function isMoved(error: unknown): boolean {
  return error instanceof Error && /\b(MOVED|ASK) \d/.test(error.message);
}

function throwFault(results: Results): void {
  for (const [error] of results) if (error) throw error;
}

async function lastOf(pipeline: ChainableCommander): Promise<(Buffer | null)[]> {
  const results = (await pipeline.exec()) ?? [];
  throwFault(results);
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
