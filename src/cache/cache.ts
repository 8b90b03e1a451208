/**
 * Reads remembered. The invariant: a read that begins after a write was answered never sees what was read
 * before that write, neither from the store nor from a flight that is still under way.
 */
import { hkdfSync } from 'node:crypto';

import type { Reply } from '../scim/call.ts';
import { ScimError } from '../scim/error.ts';
import type { Operation } from '../scim/operation.ts';
import { decodeEntry, encodeEntry } from './entry.ts';
import { areEqual, Flights } from './flights.ts';
import { createNaming, type EntryName, type Naming } from './key.ts';
import { isCacheable, mayStore } from './policy.ts';
import type { Look, Store } from './store.ts';

export interface Cache extends AsyncDisposable {
  /**
   * Answers a cacheable read from the store or by `fetch`; concurrent equal reads share one flight.
   * Errors of `fetch` reach every follower, except that of a leader who left: a follower takes over then.
   */
  read(operation: Operation, ask: CacheAsk, fetch: Fetch): Promise<CacheAnswer>;
  /**
   * Makes everything unreachable that a write may have changed. Call it after every write that was sent,
   * whatever its outcome, before its caller is answered. Never throws; takes no longer than the store's budget.
   */
  forget(operation: Operation): Promise<void>;
}

/** Asks the tenant; may call `asked` at the moment the call goes up, so that waiting for a turn does not age it. */
export type Fetch = (asked: () => void) => Promise<Reply>;

export interface CacheAsk {
  readonly accept: string | undefined;
  /** False sends this read to the tenant, past entries and earlier flights; what it brings is remembered. */
  readonly mayServe: boolean;
  /** Empty, or the caller's name when the system has `cache.scope: caller`. */
  readonly scope: string;
  /** How long an entry is fresh; 0 when the system's cache is off. */
  readonly lifetimeMs: number;
}

export interface CacheAnswer {
  readonly reply: Reply;
  readonly result: 'hit' | 'miss' | 'collapsed' | 'bypass';
  /** Since the tenant was asked. */
  readonly ageMs: number;
  /** How long the reply may still be served; 0 when it is not kept. */
  readonly ttlMs: number;
}

export interface CacheOptions {
  readonly store: Store;
  /** A secret of at least 32 bytes, equal on all replicas; names and seals are derived from it. */
  readonly key: Buffer;
  /** Wall-clock ms, because ages are compared between replicas. */
  readonly now?: () => number;
  /** An entry was not what this gateway wrote: damaged, or moved by somebody. */
  readonly onUnreadable?: () => void;
}

/** A cacheable read with all that its steps need. */
interface Reading {
  readonly operation: Operation;
  readonly name: EntryName;
  readonly look: Look | undefined;
  readonly lifetimeMs: number;
  readonly fetch: Fetch;
}

type Landing = Omit<CacheAnswer, 'result'>;

export function createCache(options: CacheOptions): Cache {
  return new ReadThroughCache(options);
}

class ReadThroughCache implements Cache {
  readonly #store: Store;
  readonly #naming: Naming;
  readonly #sealKey: Buffer;
  readonly #now: () => number;
  readonly #onUnreadable: (() => void) | undefined;
  readonly #flights = new Flights<Landing>();

  constructor({ store, key, now = Date.now, onUnreadable }: CacheOptions) {
    this.#store = store;
    this.#naming = createNaming(deriveKey(key, 'cache names'));
    this.#sealKey = deriveKey(key, 'cache entries');
    this.#now = now;
    this.#onUnreadable = onUnreadable;
  }

  async read(operation: Operation, ask: CacheAsk, fetch: Fetch): Promise<CacheAnswer> {
    const { mayServe, lifetimeMs } = ask;
    if (!isCacheable(operation) || lifetimeMs <= 0)
      return { reply: await fetch(() => {}), result: 'bypass', ageMs: 0, ttlMs: 0 };
    const name = this.#naming.entryOf(operation, ask);
    const look = await this.#store.look(name.key, name.generations);
    const reading: Reading = { operation, name, look, lifetimeMs, fetch };
    if (!mayServe) return { ...(await this.#ask(reading)), result: 'miss' };
    return this.#served(reading) ?? this.#shared(reading);
  }

  async forget(operation: Operation): Promise<void> {
    const touched = new Set(this.#naming.touchedBy(operation));
    if (touched.size === 0) return;
    this.#flights.end(touched);
    await this.#store.renew([...touched]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
  }

  #served({ name: { key }, look, lifetimeMs }: Reading): CacheAnswer | undefined {
    if (!look?.value) return undefined;
    const entry = decodeEntry(key, look.value, this.#sealKey);
    if (!entry) {
      this.#store.drop(key);
      this.#onUnreadable?.();
      return undefined;
    }
    const ageMs = this.#since(entry.askedAt);
    if (ageMs >= lifetimeMs || !areEqual(entry.tokens, look.tokens)) return undefined;
    return { reply: entry.reply, result: 'hit', ageMs, ttlMs: lifetimeMs - ageMs };
  }

  async #shared(reading: Reading): Promise<CacheAnswer> {
    for (;;) {
      const flight = this.#flights.joinable(reading.name.key, reading.look);
      if (!flight) return { ...(await this.#ask(reading)), result: 'miss' };
      try {
        return { ...(await flight), result: 'collapsed' };
      } catch (error) {
        if (!(error instanceof ScimError && error.kind === 'caller-left')) throw error;
      }
    }
  }

  #ask({ operation, name, look, lifetimeMs, fetch }: Reading): Promise<Landing> {
    return this.#flights.begin(name, look, async (mayFill) => {
      let askedAt = this.#now();
      const reply = await fetch(() => {
        askedAt = this.#now();
      });
      const ageMs = this.#since(askedAt);
      const ttlMs = look && mayFill() && mayStore(operation, reply) ? Math.max(0, lifetimeMs - ageMs) : 0;
      if (look && ttlMs > 0) {
        const value = encodeEntry(name.key, { reply, askedAt, tokens: look.tokens }, this.#sealKey);
        this.#store.put(name.key, value, ttlMs);
      }
      return { reply, ageMs, ttlMs };
    });
  }

  /** Clocks of replicas differ and are set back; an age is never negative (RFC 9111 §5.1). */
  #since(at: number): number {
    return Math.max(0, this.#now() - at);
  }
}

function deriveKey(key: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', `gatehouse ${purpose}`, 32));
}
