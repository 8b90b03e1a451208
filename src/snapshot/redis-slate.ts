/**
 * The slate in Redis, without scripts. What a write has to say is owed until Redis has confirmed it, and again when a lost
 * connection may mean a fail-over; while something is owed or Redis is away, nothing that it says is believed.
 */
import { randomUUID } from 'node:crypto';

import type { ChainableCommander } from 'ioredis';

import { RedisCircuit, type RedisCircuitOptions } from '../redis-circuit.ts';
import { certainAfterMs, Epochs, type EpochTimes } from '../redis-epochs.ts';
import { boardLifetimeMs, fence, type Slate, type Written } from './slate.ts';

/** Apart from the other prefixes; the system is the hash tag, so that a Cluster keeps a snapshot on one node. */
export const prefixOf = (system: string): string => `gs1:{${encodeURIComponent(system)}}:`;

export interface RedisSlatesOptions extends Omit<RedisCircuitOptions, 'probeKey'> {
  /** The longest that a part of an edition may take; nobody but a list waits for it. */
  readonly partBudgetMs?: number;
  /** Other times than those that are safe, for tests. */
  readonly epochTimes?: EpochTimes;
}

export class RedisSlates implements Disposable {
  readonly #circuit: RedisCircuit;
  readonly #parts: RedisCircuit;
  readonly #slates = new Map<string, RedisSlate>();
  readonly #epochs: Epochs;
  readonly #member = randomUUID();

  constructor({ partBudgetMs = 1000, epochTimes, onState, ...options }: RedisSlatesOptions) {
    const probeKey = 'gs1:{}:probe';
    this.#circuit = new RedisCircuit({
      ...options,
      probeKey,
      onState: (state) => {
        for (const slate of this.#slates.values())
          if (state.state === 'off') slate.doubt();
          else void slate.settle();
        onState?.(state);
      },
    });
    this.#parts = new RedisCircuit({ ...options, probeKey, budgetMs: partBudgetMs });
    this.#epochs = new Epochs(options.redis, epochTimes);
  }

  of(key: string): Slate {
    return this.#slates.getOrInsertComputed(
      key,
      () => new RedisSlate(key, this.#member, this.#circuit, this.#parts, this.#epochs),
    );
  }

  [Symbol.dispose](): void {
    this.#circuit[Symbol.dispose]();
    this.#parts[Symbol.dispose]();
    this.#epochs[Symbol.dispose]();
  }
}

class RedisSlate implements Slate {
  readonly key: string;
  readonly #member: string;
  readonly #circuit: RedisCircuit;
  readonly #parts: RedisCircuit;
  readonly #epochs: Epochs;
  readonly #owed = new Map<string, number>();
  /** What was confirmed lately, the oldest first. */
  readonly #paid = new Map<string, { readonly score: number; readonly at: number }>();

  constructor(key: string, member: string, circuit: RedisCircuit, parts: RedisCircuit, epochs: Epochs) {
    this.key = key;
    this.#member = member;
    this.#circuit = circuit;
    this.#parts = parts;
    this.#epochs = epochs;
  }

  async read(): Promise<Written | undefined> {
    const epoch = this.#keyOf('epoch');
    this.#epochs.keep(epoch);
    const owed = [...this.#owed];
    // Written to in any case: a server that became a replica refuses it, and what it has to read may be old.
    const replies = await this.#circuit.ask((pipeline) =>
      this.#add(pipeline, owed)
        .pexpire(this.key, boardLifetimeMs)
        .mget(epoch)
        .zrangebyscore(this.key, '-inf', '+inf', 'WITHSCORES'),
    );
    if (!replies) return undefined;
    this.#pay(owed);
    if (this.#owed.size > 0) return undefined;
    const [[current], flat] = replies.values.slice(-2) as [[string | null], string[]];
    const members = Array.from(
      { length: flat.length / 2 },
      (_, at) => [flat[2 * at] ?? '', Number(flat[2 * at + 1])] as const,
    );
    return { members, epoch: current ?? undefined };
  }

  async insist(members: readonly string[], score: number): Promise<void> {
    for (const member of members) this.#owed.set(member, score);
    await this.settle();
  }

  /** Says what is owed. */
  async settle(): Promise<void> {
    if (this.#owed.size === 0) return;
    const owed = [...this.#owed];
    if (await this.#circuit.ask((pipeline) => this.#add(pipeline, owed).pexpire(this.key, boardLifetimeMs)))
      this.#pay(owed);
  }

  async exchange(member: string, score: number, gone: readonly string[]): Promise<boolean> {
    const replies = await this.#circuit.ask((pipeline) => {
      pipeline.zadd(this.key, score, member).pexpire(this.key, boardLifetimeMs);
      return gone.length > 0 ? pipeline.zrem(this.key, ...gone) : pipeline;
    });
    return replies !== undefined;
  }

  async next(mark: string, gone: readonly string[]): Promise<number | undefined> {
    const replies = await this.#circuit.ask((pipeline) => {
      // The mark first: on a board that is evicted in between, the number stands without it.
      pipeline
        .zadd(this.key, 0, mark)
        .zincrby(this.key, 1, fence)
        .set(this.#keyOf('epoch'), randomUUID(), 'PX', this.#epochs.lifetimeMs, 'NX');
      return gone.length > 0 ? pipeline.zrem(this.key, ...gone) : pipeline;
    });
    return replies && Number(replies.values[1]);
  }

  async put(name: string, bytes: Buffer, ms: number): Promise<boolean> {
    const key = this.#keyOf(name);
    const replies = await this.#parts.ask((pipeline) => pipeline.set(key, bytes, 'PX', ms));
    return replies?.values[0] === 'OK';
  }

  async get(name: string): Promise<Buffer | 'lost' | undefined> {
    const replies = await this.#parts.ask((pipeline) => pipeline.mgetBuffer(this.#keyOf(name)));
    const found = replies?.values[0] as (Buffer | null)[] | undefined;
    return found && (found[0] ?? 'lost');
  }

  async drop(names: readonly string[]): Promise<void> {
    const keys = names.map((name) => this.#keyOf(name));
    await this.#parts.ask((pipeline) => pipeline.del(keys));
  }

  async lease(ms: number): Promise<boolean | undefined> {
    const key = this.#keyOf('lease');
    const replies = await this.#circuit.ask((pipeline) =>
      pipeline.set(key, this.#member, 'PX', ms, 'NX').mget(key),
    );
    if (!replies) return undefined;
    const [, [holder]] = replies.values as [unknown, (string | null)[]];
    if (holder !== this.#member) return false;
    await this.#circuit.ask((pipeline) => pipeline.pexpire(key, ms));
    return true;
  }

  /** What was confirmed lately may be lost with the server that confirmed it. */
  doubt(): void {
    this.#forgetCertain();
    for (const [member, { score }] of this.#paid) this.#owed.set(member, score);
    this.#paid.clear();
  }

  #add(pipeline: ChainableCommander, owed: readonly (readonly [string, number])[]): ChainableCommander {
    const flat = owed.flatMap(([member, score]) => [score, member]);
    return flat.length > 0 ? pipeline.zadd(this.key, ...flat) : pipeline;
  }

  #pay(owed: readonly (readonly [string, number])[]): void {
    const at = performance.now();
    for (const [member, score] of owed) {
      this.#owed.delete(member);
      this.#paid.set(member, { score, at });
    }
    this.#forgetCertain();
  }

  #forgetCertain(): void {
    const certain = performance.now() - certainAfterMs;
    for (const [member, { at }] of this.#paid) {
      if (at > certain) break;
      this.#paid.delete(member);
    }
  }

  #keyOf(name: string): string {
    return `${this.key}:${name}`;
  }
}
