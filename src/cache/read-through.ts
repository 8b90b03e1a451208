/**
 * Answers a read with what is kept, with a flight that is under way, or by asking the tenant, and keeps what came. It keeps
 * the invariant of cache.ts: nothing is kept or shared but with the tokens that were seen before the tenant was asked.
 */
import { hkdfSync } from 'node:crypto';

import { ScimError } from '../scim/error.ts';
import type { Operation } from '../scim/operation.ts';
import type { Cache, CacheAnswer, CacheAsk, Fetch } from './cache.ts';
import { type Flight, Flights } from './flights.ts';
import { type Further, keepFurther, type Known } from './further.ts';
import { createNaming, type EntryName, type Naming } from './key.ts';
import { isCacheable, isTenantsFault, lifetimesOf, mayStore } from './policy.ts';
import { Refreshes } from './refreshes.ts';
import type { Seal } from './seal.ts';
import { type Found, Shelf } from './shelf.ts';
import type { Look, Store } from './store.ts';
import { beginWatch, endWatch, holds, type Watch } from './watch.ts';

export interface CacheOptions {
  readonly store: Store;
  /** A secret of at least 32 bytes, equal on all replicas; names are derived from it. It must not change while they run. */
  readonly key: Buffer;
  /** For a store outside the process. In our own memory it would keep nothing from whoever can read its key there. */
  readonly seal?: Seal;
  /** Wall-clock ms, because ages are compared between replicas. */
  readonly now?: () => number;
  /** An entry was not what this gateway wrote: damaged, or moved by somebody. */
  readonly onUnreadable?: () => void;
}

/** A cacheable read with all that its steps need. */
interface Reading {
  readonly operation: Operation;
  readonly name: EntryName;
  /** What was asked already when this read began to look. */
  readonly before: Flight<Found> | undefined;
  readonly look: Look | undefined;
  readonly ask: CacheAsk;
  readonly fetch: Fetch;
}

export function createCache(options: CacheOptions): Cache {
  return new ReadThroughCache(options);
}

class ReadThroughCache implements Cache {
  readonly #store: Store;
  readonly #naming: Naming;
  readonly #now: () => number;
  readonly #shelf: Shelf;
  readonly #flights = new Flights<Found>();
  readonly #refreshes = new Refreshes();

  constructor({ store, key, seal, now = Date.now, onUnreadable }: CacheOptions) {
    this.#store = store;
    this.#naming = createNaming(Buffer.from(hkdfSync('sha256', key, '', 'gatehouse cache names', 32)));
    this.#now = now;
    this.#shelf = new Shelf({ store, seal, now, onUnreadable });
  }

  async read(operation: Operation, ask: CacheAsk, fetch: Fetch): Promise<CacheAnswer> {
    if (!isCacheable(operation) || ask.rules.lifetimeMs <= 0)
      return { reply: await fetch(ignore, ignore), result: 'bypass', ageMs: 0, ttlMs: 0 };
    const name = this.#naming.entryOf(operation, ask);
    const before = this.#flights.underWay(name.key);
    const look = await this.#store.look(name.key, name.generations);
    const reading: Reading = { operation, name, before, look, ask, fetch };
    if (!ask.mayServe) return { ...(await this.#ask(reading)), result: 'miss' };
    return this.#answer(reading, this.#shelf.find({ operation, name, rules: ask.rules }, look));
  }

  async recall(operation: Operation, ask: CacheAsk): Promise<CacheAnswer | undefined> {
    if (!isCacheable(operation) || ask.rules.lifetimeMs <= 0) return undefined;
    const name = this.#naming.entryOf(operation, ask);
    const look = await this.#store.look(name.key, name.generations);
    const kept = this.#shelf.find({ operation, name, rules: ask.rules }, look);
    return kept && kept.ttlMs > 0 && kept.ageMs <= ask.maxAgeMs ? { ...kept, result: 'hit' } : undefined;
  }

  async forget(operation: Operation): Promise<void> {
    await this.#store.renew(this.#endFlights(operation));
  }

  watch(operation: Operation): Promise<Watch | undefined> {
    return beginWatch(this.#naming, this.#store, operation);
  }

  forgetWatched(operation: Operation, watch: Watch): Promise<Watch | undefined> {
    return endWatch(this.#store, watch, this.#endFlights(operation));
  }

  holds(watch: Watch): Promise<boolean> {
    return holds(this.#store, watch);
  }

  keep(further: Further, watch: Watch, askedAt: number, ask: CacheAsk): void {
    const mayKeep = ask.mayKeep && ask.rules.lifetimeMs > 0;
    if (mayKeep && isCacheable(further.operation)) this.#keepFurther([further], watch, askedAt, ask);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
  }

  async #answer(reading: Reading, kept: Found | undefined): Promise<CacheAnswer> {
    const { maxAgeMs, rules } = reading.ask;
    const isFresh = kept !== undefined && kept.ttlMs > 0;
    const wantsAnew = maxAgeMs <= (kept?.ageMs ?? 0);
    if (wantsAnew && this.#mayRefresh(reading, isFresh))
      return { ...(await this.#ask(reading)), result: 'miss', ...(kept && { reason: 'asked-anew' }) };
    if (isFresh) return { ...kept, result: 'hit', ...(wantsAnew && { reason: 'refresh-limit' }) };
    // RFC 9111 §5.2.1.1: who names an age does not want to be told anything stale.
    if (!kept || maxAgeMs !== Infinity) return this.#shared(reading, kept);
    if (!rules.staleWhileRevalidate) return this.#unlessFails(reading, kept);
    this.#revalidate(reading);
    return { ...kept, result: 'stale', reason: 'revalidating' };
  }

  /** What costs the tenant a call that it would not have had is limited, and nothing else. */
  #mayRefresh({ operation, name, before, look, ask: { caller, rules } }: Reading, isFresh: boolean): boolean {
    if (!isFresh && !this.#flights.joinable(name.key, look, before)) return true;
    return this.#refreshes.take(JSON.stringify([caller, operation.system]), rules.refreshesPerMinute);
  }

  async #shared(reading: Reading, kept: Found | undefined): Promise<CacheAnswer> {
    const { name, look } = reading;
    for (let { before } = reading; ; before = undefined) {
      const flight = this.#flights.joinable(name.key, look, before);
      if (!flight)
        return { ...(await this.#ask(reading)), result: 'miss', ...(kept && { reason: 'expired' }) };
      try {
        return { ...(await flight), result: 'collapsed' };
      } catch (error) {
        if (!(error instanceof ScimError && error.kind === 'caller-left')) throw error;
      }
    }
  }

  /** Tells what it had when the tenant fails. No write was answered between its look and this read's beginning. */
  async #unlessFails(reading: Reading, kept: Found): Promise<CacheAnswer> {
    const { staleOnError } = reading.ask.rules;
    const old: CacheAnswer = { ...kept, result: 'stale', reason: 'tenant-error' };
    try {
      const answer = await this.#shared(reading, kept);
      return staleOnError && isTenantsFault(answer.reply) ? old : answer;
    } catch (error) {
      if (staleOnError && error instanceof ScimError && isTenantsFault(error)) return old;
      throw error;
    }
  }

  #revalidate(reading: Reading): void {
    if (this.#flights.joinable(reading.name.key, reading.look, reading.before)) return;
    // Whoever asked is answered already, and what came of it is in the trail.
    this.#ask(reading).catch(() => undefined);
  }

  #ask({ operation, name, look, ask, fetch }: Reading): Promise<Found> {
    const { rules, mayKeep } = ask;
    return this.#flights.begin(name, look, async (mayFill) => {
      let askedAt = this.#now();
      const further: Further[] = [];
      const reply = await fetch(
        () => (askedAt = this.#now()),
        (more) => further.push(...more),
      );
      const ageMs = this.#shelf.ageOf(askedAt);
      const mayPut = look && mayKeep && mayFill() && mayStore(operation, reply);
      if (!mayPut || ageMs === undefined) return { reply, ageMs: ageMs ?? 0, ttlMs: 0 };
      const { tokens } = look;
      this.#shelf.put({ operation, name, rules }, { reply, askedAt, tokens });
      this.#keepFurther(further, { generations: name.generations, tokens }, askedAt, ask);
      return { reply, ageMs, ttlMs: Math.max(0, lifetimesOf(operation, reply, rules).freshMs - ageMs) };
    });
  }

  /** Nobody waits for it: who asked has its answer. */
  #keepFurther(further: readonly Further[], known: Known, askedAt: number, ask: CacheAsk): void {
    const named = further
      .filter(({ operation, reply }) => mayStore(operation, reply))
      .map((each) => ({
        ...each,
        name: this.#naming.entryOf(each.operation, { ...ask, scope: each.scope }),
      }));
    void keepFurther(named, known, this.#store, ({ operation, name, reply }, tokens) =>
      this.#shelf.put({ operation, name, rules: ask.rules }, { reply, askedAt, tokens }),
    );
  }

  /** The generations that a write ends; nobody joins a flight that depends on one of them. */
  #endFlights(operation: Operation): readonly string[] {
    const touched = this.#naming.touchedBy(operation);
    this.#flights.end(new Set(touched));
    return touched;
  }
}

function ignore(): void {}
