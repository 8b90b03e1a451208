/**
 * Entries as the store has them: sealed where it is outside the process, with the times that policy gives them. Nothing is
 * taken from here that a write has made unreachable: an entry's tokens are compared with those of the same look.
 */
import type { Reply } from '../scim/call.ts';
import type { Operation } from '../scim/operation.ts';
import { ageOf } from './age.ts';
import type { CacheRules } from './cache.ts';
import { decodeEntry, encodeEntry, type Entry } from './entry.ts';
import { areEqual } from './flights.ts';
import type { EntryName } from './key.ts';
import { lifetimesOf } from './policy.ts';
import type { Seal } from './seal.ts';
import type { Look, Store } from './store.ts';

export interface ShelfOptions {
  readonly store: Pick<Store, 'put' | 'drop'>;
  readonly seal: Seal | undefined;
  /** Wall-clock ms. */
  readonly now: () => number;
  readonly onUnreadable: (() => void) | undefined;
}

/** What an entry is of, and what may be made of it. */
export interface Place {
  readonly operation: Operation;
  readonly name: EntryName;
  readonly rules: CacheRules;
}

export interface Found {
  readonly reply: Reply;
  readonly ageMs: number;
  /** How long it is fresh; negative when it is stale. */
  readonly ttlMs: number;
}

export class Shelf {
  readonly #options: ShelfOptions;

  constructor(options: ShelfOptions) {
    this.#options = options;
  }

  find({ operation, name, rules }: Place, look: Look | undefined): Found | undefined {
    const { store, seal, onUnreadable } = this.#options;
    if (!look?.value) return undefined;
    const plain = seal ? seal.open(name, look.value) : look.value;
    if (!plain) {
      store.drop(name.key);
      onUnreadable?.();
      return undefined;
    }
    const { reply, askedAt, tokens } = decodeEntry(plain);
    if (!areEqual(tokens, look.tokens)) return undefined;
    const { freshMs, staleMs } = lifetimesOf(operation, reply, rules);
    const ageMs = this.ageOf(askedAt);
    if (ageMs === undefined) return undefined;
    const ttlMs = freshMs - ageMs;
    return ttlMs > -staleMs ? { reply, ageMs, ttlMs } : undefined;
  }

  put(place: Place, entry: Entry): void {
    const { store, seal } = this.#options;
    const { freshMs, staleMs } = lifetimesOf(place.operation, entry.reply, place.rules);
    const ttlMs = freshMs - (this.ageOf(entry.askedAt) ?? Infinity);
    if (ttlMs <= 0) return;
    const plain = encodeEntry(entry);
    const value = seal ? seal.close(place.name, plain) : Buffer.concat(plain);
    store.put(place.name.key, value, ttlMs + staleMs);
  }

  /** Undefined for what the clock was set back behind. */
  ageOf(askedAt: number): number | undefined {
    return ageOf(askedAt, this.#options.now());
  }
}
