/**
 * Readings of the tenant that are under way, so that equal reads share one. The invariant: nobody joins a
 * flight that began before a write which was answered before he asked.
 */
import type { EntryName } from './key.ts';
import type { Look } from './store.ts';

export interface Flight<T> {
  readonly generations: readonly string[];
  /** Unknown when the store could not say at the start. */
  readonly tokens: readonly string[] | undefined;
  readonly landed: Promise<T>;
  /** A write was answered that it may have begun before. */
  isEnded: boolean;
}

export class Flights<T> {
  readonly #flights = new Map<string, Flight<T>>();

  underWay(key: string): Flight<T> | undefined {
    return this.#flights.get(key);
  }

  /**
   * The flight that a read with this look may share. Tokens catch what other replicas wrote; while the store cannot be
   * asked, nobody knows, and every read flies alone.
   * @param before the one that was under way before the look: what has landed since is not in what the look saw
   */
  joinable(key: string, look: Look | undefined, before?: Flight<T>): Promise<T> | undefined {
    const flight = this.#flights.get(key) ?? (before?.isEnded === false ? before : undefined);
    return flight && look && areEqual(flight.tokens, look.tokens) ? flight.landed : undefined;
  }

  /** Starts a flight that later reads may join; `mayFill` says whether it is still the newest and not ended. */
  begin(
    { key, generations }: EntryName,
    look: Look | undefined,
    fly: (mayFill: () => boolean) => Promise<T>,
  ): Promise<T> {
    const isCurrent = (): boolean => this.#flights.get(key) === flight;
    const land = async (): Promise<T> => {
      try {
        return await Promise.try(fly, isCurrent);
      } finally {
        if (isCurrent()) this.#flights.delete(key);
      }
    };
    const flight: Flight<T> = { generations, tokens: look?.tokens, landed: land(), isEnded: false };
    this.#flights.set(key, flight);
    return flight.landed;
  }

  /** From now on nobody joins a flight that depends on one of these generations. */
  end(generations: ReadonlySet<string>): void {
    for (const [key, flight] of this.#flights) {
      if (!flight.generations.some((generation) => generations.has(generation))) continue;
      flight.isEnded = true;
      this.#flights.delete(key);
    }
  }
}

export function areEqual(some: readonly string[] | undefined, others: readonly string[]): boolean {
  return some?.length === others.length && some.every((token, at) => token === others[at]);
}
