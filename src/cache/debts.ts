/**
 * Generations that must still end in the store. A debt stays until the store has confirmed it, and comes back
 * when the connection was lost soon after, because a fail-over may lose what was confirmed.
 */
import { certainAfterMs } from '../redis-epochs.ts';
import { spaceOf } from './key.ts';

export interface Debt {
  readonly generation: string;
  /** Which forgetting it belongs to; a later one for the same generation is another debt. */
  readonly number: number;
}

export class Debts {
  readonly #now: () => number;
  /**
   * By space, because only one system's keys may travel in one command. Not limited: the tenant's quota limits
   * writes, 150 a minute make about 1 MB an hour while the store is away.
   */
  readonly #owed = new Map<string, Map<string, number>>();
  /** When a generation was confirmed, the oldest first. */
  readonly #paidAt = new Map<string, number>();
  #number = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  owe(generations: Iterable<string>): void {
    this.#number += 1;
    for (const generation of generations)
      this.#owed.getOrInsertComputed(spaceOf(generation), () => new Map()).set(generation, this.#number);
  }

  /** A key of each space that owes something. */
  get spaces(): readonly string[] {
    return [...this.#owed.keys()];
  }

  /** At most `limit` debts of the space that a key belongs to. */
  of(key: string, limit: number): Debt[] {
    const owed = this.#owed.get(spaceOf(key)) ?? new Map<string, number>();
    return Array.from(owed.entries().take(limit), ([generation, number]) => ({ generation, number }));
  }

  pay(debts: readonly Debt[]): void {
    for (const { generation, number } of debts) {
      const space = spaceOf(generation);
      const owed = this.#owed.get(space);
      if (owed?.get(generation) === number) owed.delete(generation);
      if (owed?.size === 0) this.#owed.delete(space);
      this.#paidAt.delete(generation);
      this.#paidAt.set(generation, this.#now());
    }
    this.#settle();
  }

  /** The connection was lost: what was confirmed lately is owed again. */
  doubt(): void {
    this.#settle();
    this.owe(this.#paidAt.keys());
  }

  #settle(): void {
    const certain = this.#now() - certainAfterMs;
    for (const [generation, paidAt] of this.#paidAt) {
      if (paidAt > certain) break;
      this.#paidAt.delete(generation);
    }
  }
}
