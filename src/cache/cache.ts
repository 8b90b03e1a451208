/**
 * Reads remembered. The invariant: a read that begins after a write was answered never sees what was read
 * before that write, neither from the store nor from a flight that is still under way.
 */
import { hkdfSync } from 'node:crypto';

import type { Reply } from '../scim/call.ts';
import { ScimError } from '../scim/error.ts';
import type { Operation } from '../scim/operation.ts';
import { decodeEntry, encodeEntry, type Entry } from './entry.ts';
import { areEqual, Flights } from './flights.ts';
import { type Further, keepFurther } from './further.ts';
import { createNaming, type EntryName, type Naming, type Variant } from './key.ts';
import { isCacheable, isTenantsFault, mayStore } from './policy.ts';
import { Refreshes } from './refreshes.ts';
import type { Seal } from './seal.ts';
import type { Look, Store } from './store.ts';

export interface Cache extends AsyncDisposable {
  /**
   * Answers a cacheable read from the store or by `fetch`; concurrent equal reads share one flight.
   * Errors of `fetch` reach every follower, except that of a leader who left: a follower takes over then.
   */
  read(operation: Operation, ask: CacheAsk, fetch: Fetch): Promise<CacheAnswer>;
  /** What is there and fresh, else undefined: nobody is asked. */
  recall(operation: Operation, ask: CacheAsk): Promise<CacheAnswer | undefined>;
  /**
   * Makes everything unreachable that a write may have changed. Call it after every write that was sent,
   * whatever its outcome, before its caller is answered. Never throws; takes no longer than the store's budget.
   */
  forget(operation: Operation): Promise<void>;
}

/**
 * Asks the tenant; may call `asked` at the moment the call goes up, so that waiting for a turn does not age it, and
 * `also` with what else the answer holds, which is kept as if it had been asked for.
 */
export type Fetch = (asked: () => void, also: (further: readonly Further[]) => void) => Promise<Reply>;

/** What a system's replies allow. */
export interface CacheRules {
  /** How long an entry is fresh; 0 when the system's cache is off. */
  readonly lifetimeMs: number;
  /** How long an entry may be told after that: while it is brought anew, or when it could not be. */
  readonly maxStaleMs: number;
  readonly staleWhileRevalidate: boolean;
  readonly staleOnError: boolean;
  /** How often a minute a caller may have brought anew what is there and fresh. */
  readonly refreshesPerMinute: number;
}

export interface CacheAsk extends Variant {
  readonly caller: string;
  readonly rules: CacheRules;
  /** False sends this read to the tenant, past entries and earlier flights; what it brings is remembered. */
  readonly mayServe: boolean;
  /** How old an answer the caller wants at most; 0: the tenant's own word, Infinity: whatever the rules allow. */
  readonly maxAgeMs: number;
  readonly mayKeep: boolean;
}

export interface CacheAnswer {
  readonly reply: Reply;
  /** `stale`: an entry past its lifetime, which a write through us would have made unreachable all the same. */
  readonly result: 'hit' | 'stale' | 'miss' | 'collapsed' | 'bypass';
  /** Why, where the result alone does not say. */
  readonly reason?: Reason;
  /** Since the tenant was asked. */
  readonly ageMs: number;
  /** How long the reply may still be served; 0 when it is not kept, negative when it is stale. */
  readonly ttlMs: number;
}

/**
 * For a miss: the entry was too old, or younger than the caller wanted it. For a hit: the caller has asked for too
 * many of them anew. For a stale one: it is being brought anew, or could not be.
 */
export type Reason = 'expired' | 'asked-anew' | 'refresh-limit' | 'revalidating' | 'tenant-error';

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
  readonly look: Look | undefined;
  readonly ask: CacheAsk;
  readonly fetch: Fetch;
}

type Landing = Omit<CacheAnswer, 'result' | 'reason'>;

export function createCache(options: CacheOptions): Cache {
  return new ReadThroughCache(options);
}

class ReadThroughCache implements Cache {
  readonly #store: Store;
  readonly #naming: Naming;
  readonly #seal: Seal | undefined;
  readonly #now: () => number;
  readonly #onUnreadable: (() => void) | undefined;
  readonly #flights = new Flights<Landing>();
  readonly #refreshes = new Refreshes();

  constructor({ store, key, seal, now = Date.now, onUnreadable }: CacheOptions) {
    this.#store = store;
    this.#naming = createNaming(Buffer.from(hkdfSync('sha256', key, '', 'gatehouse cache names', 32)));
    this.#seal = seal;
    this.#now = now;
    this.#onUnreadable = onUnreadable;
  }

  async read(operation: Operation, ask: CacheAsk, fetch: Fetch): Promise<CacheAnswer> {
    if (!isCacheable(operation) || ask.rules.lifetimeMs <= 0)
      return { reply: await fetch(ignore, ignore), result: 'bypass', ageMs: 0, ttlMs: 0 };
    const name = this.#naming.entryOf(operation, ask);
    const look = await this.#store.look(name.key, name.generations);
    const reading: Reading = { operation, name, look, ask, fetch };
    if (!ask.mayServe) return { ...(await this.#ask(reading)), result: 'miss' };
    return this.#answer(reading, this.#kept(reading));
  }

  async recall(operation: Operation, ask: CacheAsk): Promise<CacheAnswer | undefined> {
    if (!isCacheable(operation) || ask.rules.lifetimeMs <= 0) return undefined;
    const name = this.#naming.entryOf(operation, ask);
    const look = await this.#store.look(name.key, name.generations);
    const kept = this.#kept({ name, look, ask });
    return kept && kept.ttlMs > 0 && kept.ageMs <= ask.maxAgeMs ? { ...kept, result: 'hit' } : undefined;
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

  async #answer(reading: Reading, kept: Landing | undefined): Promise<CacheAnswer> {
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
  #mayRefresh({ operation, name, look, ask: { caller, rules } }: Reading, isFresh: boolean): boolean {
    if (!isFresh && !this.#flights.joinable(name.key, look)) return true;
    return this.#refreshes.take(JSON.stringify([caller, operation.system]), rules.refreshesPerMinute);
  }

  /** The entry, if nothing was written since that could have changed it; it may be too old. */
  #kept({ name, look, ask: { rules } }: Pick<Reading, 'name' | 'look' | 'ask'>): Landing | undefined {
    if (!look?.value) return undefined;
    const plain = this.#seal ? this.#seal.open(name, look.value) : look.value;
    if (!plain) {
      this.#store.drop(name.key);
      this.#onUnreadable?.();
      return undefined;
    }
    const { reply, askedAt, tokens } = decodeEntry(plain);
    const ageMs = this.#since(askedAt);
    const ttlMs = rules.lifetimeMs - ageMs;
    if (ttlMs <= -staleMs(rules) || !areEqual(tokens, look.tokens)) return undefined;
    return { reply, ageMs, ttlMs };
  }

  async #shared(reading: Reading, kept: Landing | undefined): Promise<CacheAnswer> {
    for (;;) {
      const flight = this.#flights.joinable(reading.name.key, reading.look);
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
  async #unlessFails(reading: Reading, kept: Landing): Promise<CacheAnswer> {
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
    if (this.#flights.joinable(reading.name.key, reading.look)) return;
    // Whoever asked is answered already, and what came of it is in the trail.
    this.#ask(reading).catch(() => undefined);
  }

  #ask({ operation, name, look, ask, fetch }: Reading): Promise<Landing> {
    const { rules, mayKeep } = ask;
    return this.#flights.begin(name, look, async (mayFill) => {
      let askedAt = this.#now();
      const further: Further[] = [];
      const reply = await fetch(
        () => (askedAt = this.#now()),
        (more) => further.push(...more),
      );
      const ageMs = this.#since(askedAt);
      const isKept = look && mayKeep && mayFill() && mayStore(operation, reply);
      const ttlMs = isKept ? Math.max(0, rules.lifetimeMs - ageMs) : 0;
      if (look && ttlMs > 0) {
        const put = (of: EntryName, entry: Entry): void => {
          const plain = encodeEntry(entry);
          const value = this.#seal ? this.#seal.close(of, plain) : Buffer.concat(plain);
          this.#store.put(of.key, value, ttlMs + staleMs(rules));
        };
        put(name, { reply, askedAt, tokens: look.tokens });
        const named = further
          .filter((each) => mayStore(each.operation, each.reply))
          .map((each) => ({
            ...each,
            name: this.#naming.entryOf(each.operation, { ...ask, scope: each.scope }),
          }));
        const known = { generations: name.generations, tokens: look.tokens };
        // Nobody waits for it: who asked for this page has it.
        void keepFurther(named, known, this.#store, (each, tokens) =>
          put(each.name, { reply: each.reply, askedAt, tokens }),
        );
      }
      return { reply, ageMs, ttlMs };
    });
  }

  /** Clocks of replicas differ and are set back; an age is never negative (RFC 9111 §5.1). */
  #since(at: number): number {
    return Math.max(0, this.#now() - at);
  }
}

function ignore(): void {}

function staleMs({ maxStaleMs, staleWhileRevalidate, staleOnError }: CacheRules): number {
  return staleWhileRevalidate || staleOnError ? maxStaleMs : 0;
}
