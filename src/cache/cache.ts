/**
 * What a cache of reads promises. The invariant: a read that begins after a write was answered never sees what was read
 * before that write, neither from a store nor from a flight that is still under way.
 */
import type { Reply } from '../scim/call.ts';
import type { Operation } from '../scim/operation.ts';
import type { Further } from './further.ts';
import type { Variant } from './key.ts';
import type { Watch } from './watch.ts';

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
  /** Before a write goes up whose reply may be kept. Undefined when it cannot be. */
  watch(operation: Operation): Promise<Watch | undefined>;
  /** As `forget`; gives a watch that goes on if no other write that matters was answered since this one began. */
  forgetWatched(operation: Operation, watch: Watch): Promise<Watch | undefined>;
  /** Whether none was answered since either. */
  holds(watch: Watch): Promise<boolean>;
  /** Keeps what a write brought back, for as long as its watch holds. */
  keep(further: Further, watch: Watch, askedAt: number, ask: CacheAsk): void;
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
  /** How long it may be told that a filter has found nothing; 0: not at all. */
  readonly absenceMs: number;
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
