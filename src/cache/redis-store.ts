/**
 * The store that replicas share. Every answer of Redis is optional and has a budget; what is not optional is
 * that a forgetting which Redis did not confirm is made up before this replica reads from Redis again.
 */
import { type ChainableCommander, Cluster, type Redis } from 'ioredis';

import { Epochs, type EpochTimes } from '../redis-epochs.ts';
import { besideCalls, within } from '../redis-wait.ts';
import { type Debt, Debts } from './debts.ts';
import { epochOf, spaceOf } from './key.ts';
import { Followers, type Results } from './redis-followers.ts';
import { RedisUse, type RedisUseOptions } from './redis-use.ts';
import { type Look, newToken, type Store } from './store.ts';

export interface RedisStoreOptions extends Partial<RedisUseOptions> {
  /** Stays its opener's to close. It must fail commands at once while it has no connection, and follow no redirection. */
  readonly redis: Redis | Cluster;
  /** Other times than those that are safe, for tests. */
  readonly epochTimes?: EpochTimes;
}

/** Longer than any entry lives, so that a generation does not end without a reason. */
const tokenLifetimeMs = 72 * 3_600_000;
const debtsPerCommand = 500;
const collectEveryMs = 250;
const collectMs = 5000;
const maxPuts = 64;
const maxPutBytes = 16 * 1024 * 1024;

export function createRedisStore(options: RedisStoreOptions): Store {
  return new RedisStore(options);
}

class RedisStore implements Store {
  readonly #redis: Redis | Cluster;
  readonly #use: RedisUse;
  readonly #debts: Debts;
  readonly #epochs: Epochs;
  readonly #followers: Followers;
  #collector: NodeJS.Timeout | undefined;
  #puts = 0;
  #putBytes = 0;

  constructor({
    redis,
    epochTimes,
    budgetMs = 50,
    onState,
    now = () => performance.now(),
  }: RedisStoreOptions) {
    this.#redis = redis;
    this.#use = new RedisUse({ redis, budgetMs, onState, now });
    this.#debts = new Debts(now);
    this.#epochs = new Epochs(redis, epochTimes);
    this.#followers = new Followers(Math.ceil(budgetMs / 5), now);
    watchPrimaries(redis, () => this.#debts.doubt());
    redis.on('ready', () => {
      this.#followers.meet(redis instanceof Cluster ? redis.nodes('master') : [redis]);
      this.#use.probe();
      this.#collect();
    });
  }

  look(key: string, generations: readonly string[]): Promise<Look | undefined> {
    return this.#use.try(key, () => this.#look(key, generations));
  }

  put(key: string, value: Buffer, lifetimeMs: number): void {
    const isFull = this.#puts >= maxPuts || this.#putBytes + value.length > maxPutBytes;
    if (this.#use.isOff(key) || isFull) return;
    this.#puts += 1;
    this.#putBytes += value.length;
    void this.#redis
      .set(key, value, 'PX', Math.ceil(lifetimeMs))
      .then(
        () => this.#use.stored(),
        (error: unknown) => this.#use.refused(error),
      )
      .finally(() => {
        this.#puts -= 1;
        this.#putBytes -= value.length;
      });
  }

  drop(key: string): void {
    if (!this.#use.isOff(key)) this.#redis.del(key).catch((error: unknown) => this.#use.refused(error));
  }

  async renew(generations: readonly string[]): Promise<void> {
    const [first] = generations;
    if (first === undefined) return;
    this.#debts.owe(generations);
    await this.#use.try(first, () => this.#payDebts(first));
    this.#collectLater();
  }

  async advance(generations: readonly string[], guard: string, before: string): Promise<string | undefined> {
    this.#debts.owe(generations);
    const token = await this.#use.try(guard, () => this.#advance(guard, before));
    this.#collectLater();
    return token;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#use[Symbol.dispose]();
    this.#epochs[Symbol.dispose]();
    clearTimeout(this.#collector);
  }

  async #look(key: string, generations: readonly string[]): Promise<Look | undefined> {
    this.#epochs.keep(epochOf(key));
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
    // No call waits for it, so it has more time: a Redis that is too slow for us may answer the others at once.
    const attempts = this.#debts.spaces.map((space) =>
      besideCalls(() => within(collectMs, this.#payDebts(space))),
    );
    void Promise.allSettled(attempts).then(() => this.#collectLater());
  }

  async #payDebts(key: string): Promise<void> {
    const debts = this.#debts.of(key, debtsPerCommand);
    if (debts.length > 0) {
      const deletion = this.#redis.pipeline().del(...debts.map(({ generation }) => generation));
      throwFault(await this.#followers.exec(deletion, this.#use.placeOf(key)));
    }
    this.#debts.pay(debts);
  }

  /** One command ends the old token and says what it was, so nobody's forgetting comes in between unseen. */
  async #advance(guard: string, before: string): Promise<string | undefined> {
    const token = newToken();
    const debts = this.#debts.of(guard, debtsPerCommand);
    const others = debts.flatMap(({ generation }) => (generation === guard ? [] : [generation]));
    const pipeline = this.#redis.pipeline();
    // First: who sees the new guard with an old list in between would keep what that list said of it (see further.ts).
    if (others.length > 0) pipeline.del(...others);
    pipeline.set(guard, token, 'PX', tokenLifetimeMs, 'GET');
    const results = await this.#followers.exec(pipeline, this.#use.placeOf(guard));
    if (results.length === 0 || results.some(([error]) => error)) {
      // A server without memory refuses to set and still deletes.
      await this.#payDebts(guard);
      return undefined;
    }
    this.#debts.pay(debts);
    return results.at(-1)?.[1] === before ? token : undefined;
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
    for (const generation of generations)
      pipeline.set(generation, newToken(), 'PX', this.#lifetimeOf(generation), 'NX');
    return lastOf(pipeline.mgetBuffer([...generations]));
  }

  #lifetimeOf(generation: string): number {
    return generation === epochOf(generation) ? this.#epochs.lifetimeMs : tokenLifetimeMs;
  }
}

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
