/**
 * Asks Redis within a budget, and not at all after it has failed once, until a probe has succeeded for which nobody waits. So
 * a Redis that is away or hangs costs an attempt nothing. Replies come with the time of Redis's clock, which is everybody's.
 * The cache decides for itself (cache/redis-use.ts says why).
 */
import type { ChainableCommander, Cluster, Redis } from 'ioredis';

import { codeOf, waitOf, within } from './redis-wait.ts';

export interface RedisCircuitOptions {
  /** Stays its opener's to close. It must fail commands at once while it has no connection. */
  readonly redis: Redis | Cluster;
  /** What may be written to, to see whether Redis stores. */
  readonly probeKey: string;
  /** What else must be allowed there before Redis is used again. */
  readonly probe?: Compose;
  /** The longest that an attempt waits for Redis; a call that has waited for others in vain waits less. */
  readonly budgetMs?: number;
  /** Called when Redis stops or starts being used; the reason is for the log. */
  readonly onState?: (state: CircuitState) => void;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

export interface CircuitState {
  readonly state: 'on' | 'off';
  readonly reason?: string;
}

export interface Replies {
  /** Milliseconds by Redis's clock. */
  readonly now: number;
  readonly values: unknown[];
}

/** @param now milliseconds by Redis's clock, as well as it is known before it answers */
export type Compose = (pipeline: ChainableCommander, now: number) => ChainableCommander;

const pauseMs = 1000;

export class RedisCircuit implements Disposable {
  readonly #redis: Redis | Cluster;
  readonly #probeKey: string;
  readonly #alsoProbe: Compose;
  /** A reload of the configuration may change it. */
  budgetMs: number;
  readonly #onState: RedisCircuitOptions['onState'];
  readonly #now: () => number;
  /** What Redis's clock is ahead of ours; undefined while Redis is not used. */
  #ahead: number | undefined;
  #state: CircuitState['state'] = 'on';
  #probe: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: RedisCircuitOptions) {
    const {
      redis,
      probeKey,
      probe = (pipeline) => pipeline,
      budgetMs = 50,
      onState,
      now = () => performance.now(),
    } = options;
    this.#redis = redis;
    this.#probeKey = probeKey;
    this.#alsoProbe = probe;
    this.budgetMs = budgetMs;
    this.#onState = onState;
    this.#now = now;
    redis.on('error', (error: Error) => this.#failed(error));
    redis.on('close', () => this.#failed(new Error('CLOSED')));
    redis.on('ready', () => void this.#tryAgain());
    if (redis.status === 'ready') void this.#tryAgain();
  }

  /** False while Redis would not even be asked. */
  get isOpen(): boolean {
    return this.#ahead !== undefined;
  }

  /** The replies, and what time it is for Redis; undefined when Redis is not used, late or unwilling. */
  async ask(compose: Compose): Promise<Replies | undefined> {
    if (this.#ahead === undefined) return undefined;
    try {
      const replies = await this.#send(compose, this.#ahead, waitOf(this.budgetMs));
      if (this.#ahead !== undefined) this.#ahead = replies.now - this.#now();
      return replies;
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#ahead = undefined;
    clearTimeout(this.#probe);
  }

  async #send(compose: Compose, ahead: number, ms: number): Promise<Replies> {
    const pipeline = compose(this.#redis.pipeline(), Math.round(this.#now() + ahead)).time();
    const results = (await within(ms, pipeline.exec())) ?? [];
    for (const [error] of results) if (error) throw error;
    const values = results.map(([, value]) => value);
    const [seconds, micros] = values.pop() as [string, string];
    return { now: Number(seconds) * 1000 + Math.floor(Number(micros) / 1000), values };
  }

  /** Whether Redis answers, stores, and what time it is there. */
  async #tryAgain(): Promise<void> {
    const key = this.#probeKey;
    try {
      const { now } = await this.#send(
        (pipeline, at) => this.#alsoProbe(pipeline.incrby(key, 1).pexpire(key, pauseMs), at),
        0,
        this.budgetMs,
      );
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

  #report(state: CircuitState['state'], error?: unknown): void {
    if (state === this.#state || this.#closed) return;
    this.#state = state;
    this.#onState?.(error === undefined ? { state } : { state, reason: codeOf(error) });
  }
}
