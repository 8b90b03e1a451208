/**
 * Whether Redis is used for the cache, and how long a call waits for it. Not the circuit of what else replicas share
 * (redis-circuit.ts), which is off as a whole after one failure: each miss costs a turn at the tenant, so neither one late answer
 * nor one node of a Cluster that hangs may end all reading, and a Redis without memory to store is read all the same.
 */
import { Cluster, type Redis } from 'ioredis';

import { codeOf, waitOf, within } from '../redis-wait.ts';
import { Breaker } from './breaker.ts';
import { spaceOf } from './key.ts';

/** `read-only`: Redis answers but has no memory to store; one that may not be written to is `off`. */
export interface RedisState {
  readonly state: 'on' | 'read-only' | 'off';
  readonly reason?: string;
}

export interface RedisUseOptions {
  readonly redis: Redis | Cluster;
  /** The longest that a call waits for Redis, all its commands together. */
  readonly budgetMs: number;
  /** Called when Redis stops or starts being used; the reason is for the log. */
  readonly onState?: ((state: RedisState) => void) | undefined;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** What one server has for all systems; a key that the user in Redis may touch. */
const onlySpace = 'gh1:{}';
const breaking = { failures: 5, pauseMs: 2000 };

export class RedisUse implements Disposable {
  readonly #redis: Redis | Cluster;
  readonly #budgetMs: number;
  #onState: RedisUseOptions['onState'];
  readonly #now: () => number;
  /** One for everything, or of a Cluster one for each space: a node may hang alone. */
  readonly #breakers = new Map<string, Breaker>();
  #state: RedisState['state'] = 'on';

  constructor({ redis, budgetMs, onState, now }: RedisUseOptions) {
    this.#redis = redis;
    this.#budgetMs = budgetMs;
    this.#onState = onState;
    this.#now = now;
    redis.on('error', (error: Error) => this.#failed(this.#breakerOf(onlySpace), error));
  }

  /** What fails together with this key. */
  placeOf(key: string): string {
    return this.#redis.isCluster ? spaceOf(key) : onlySpace;
  }

  /** Whether nobody is to ask for this key. */
  isOff(key: string): boolean {
    return this.#breakerOf(key).isOpen;
  }

  /** Undefined when Redis is not asked, late or unwilling. */
  async try<T>(key: string, work: () => Promise<T>): Promise<T | undefined> {
    const breaker = this.#breakerOf(key);
    if (!breaker.isOpen) return this.#attempt(breaker, waitOf(this.#budgetMs), work);
    // Nobody waits for the probe, so a frozen Redis costs callers nothing more.
    if (breaker.takeProbe()) this.#probe(breaker, spaceOf(key));
    return undefined;
  }

  /** Finds out at once whether all that was asked can be asked. */
  probe(): void {
    for (const [space, breaker] of this.#breakers) this.#probe(breaker, space);
  }

  stored(): void {
    this.#report('on', undefined);
  }

  /** Of what nobody waits for. Not a failure of the breaker: reading may go well all the time. */
  refused(error: unknown): void {
    if (this.#state !== 'off' && isReply(error)) this.#report('read-only', error);
  }

  [Symbol.dispose](): void {
    this.#onState = undefined;
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

  #breakerOf(key: string): Breaker {
    return this.#breakers.getOrInsertComputed(
      this.placeOf(key),
      () => new Breaker({ ...breaking, now: this.#now }),
    );
  }

  #succeeded(breaker: Breaker): void {
    breaker.succeeded();
    const isWhole = this.#breakers.values().every(({ isOpen }) => !isOpen);
    if (this.#state === 'off' && isWhole) this.#report('on', undefined);
  }

  #failed(breaker: Breaker, error: unknown): void {
    breaker.failed();
    // The slots have other owners; whoever is new among them is noticed when they are known (redis-store.ts).
    if (this.#redis instanceof Cluster && isMoved(error)) this.#redis.refreshSlotsCache();
    if (breaker.isOpen) this.#report('off', error);
  }

  #report(state: RedisState['state'], error: unknown): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#onState?.(error === undefined ? { state } : { state, reason: codeOf(error) });
  }
}

function isMoved(error: unknown): boolean {
  return error instanceof Error && /\b(MOVED|ASK) \d/.test(error.message);
}

/** Whether Redis said no, unlike a silence or a lost connection. */
function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}
