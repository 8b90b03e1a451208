/**
 * The store of a gateway that runs alone: a map in the process that forgets what was used longest ago.
 * Several replicas must not use it, because none would see what another one's write made stale.
 */
import { type Look, newToken, type Store } from './store.ts';

export interface MemoryStoreOptions {
  readonly maxBytes: number;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

interface Slot {
  readonly value: Buffer;
  readonly expiresAt: number;
}

/** What a slot costs beside its value: 478 bytes of heap each in a store of 200,000, the key among them. */
const overheadBytes = 480;

export function createMemoryStore({ maxBytes, now = () => performance.now() }: MemoryStoreOptions): Store {
  return new MemoryStore(maxBytes, now);
}

class MemoryStore implements Store {
  /** In order of use, the longest unused first. */
  readonly #slots = new Map<string, Slot>();
  readonly #maxBytes: number;
  readonly #now: () => number;
  #bytes = 0;

  constructor(maxBytes: number, now: () => number) {
    this.#maxBytes = maxBytes;
    this.#now = now;
  }

  async look(key: string, generations: readonly string[]): Promise<Look> {
    const tokens = generations.map((generation) => this.#get(generation) ?? this.#begin(generation));
    return { value: this.#get(key), tokens: tokens.map((token) => token.toString('latin1')) };
  }

  put(key: string, value: Buffer, lifetimeMs: number): void {
    // One value must not push everything else out.
    if (value.length <= this.#maxBytes / 4) this.#set(key, value, this.#now() + lifetimeMs);
  }

  drop(key: string): void {
    const slot = this.#slots.get(key);
    if (!slot) return;
    this.#slots.delete(key);
    this.#bytes -= sizeOf(slot);
  }

  async renew(generations: readonly string[]): Promise<void> {
    for (const generation of generations) this.drop(generation);
  }

  async advance(generations: readonly string[], guard: string, before: string): Promise<string | undefined> {
    const isUntouched = this.#get(guard)?.toString('latin1') === before;
    for (const generation of generations) this.drop(generation);
    return isUntouched ? this.#begin(guard).toString('latin1') : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#slots.clear();
    this.#bytes = 0;
  }

  #begin(generation: string): Buffer {
    const token = Buffer.from(newToken(), 'latin1');
    this.#set(generation, token, Number.POSITIVE_INFINITY);
    return token;
  }

  #get(key: string): Buffer | undefined {
    const slot = this.#slots.get(key);
    if (!slot) return undefined;
    this.#slots.delete(key);
    if (slot.expiresAt <= this.#now()) {
      this.#bytes -= sizeOf(slot);
      return undefined;
    }
    this.#slots.set(key, slot);
    return slot.value;
  }

  #set(key: string, value: Buffer, expiresAt: number): void {
    this.drop(key);
    const slot = { value, expiresAt };
    this.#slots.set(key, slot);
    this.#bytes += sizeOf(slot);
    for (const oldest of this.#slots.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.drop(oldest);
    }
  }
}

function sizeOf({ value }: Slot): number {
  return value.length + overheadBytes;
}
