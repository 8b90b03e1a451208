/**
 * Which users have failed from which source lately. More than five from one source is spraying (facts: 3.5): such a source may
 * go on with the users that it has named, and name others when those are forgotten.
 */
import { Recent } from './recent.ts';

export const usersPerSource = 5;
export const sprayMs = 10 * 60_000;

export class Spray {
  readonly #users: Recent<ReadonlyMap<string, number>>;

  constructor(maxSources: number) {
    this.#users = new Recent(maxSources);
  }

  /** How long until the source may name the user; 0 is now. */
  waitOf(source: string, user: string, now: number): number {
    const users = this.#usersOf(source, now);
    if (users.has(user) || users.size <= usersPerSource) return 0;
    const ends = [...users.values()].toSorted((some, other) => some - other);
    return (ends[users.size - usersPerSource - 1] ?? now) - now;
  }

  /** True for the failure that makes the source a sprayer. */
  fail(source: string, user: string, now: number): boolean {
    const users = this.#usersOf(source, now);
    const isFirst = users.size === usersPerSource && !users.has(user);
    this.#users.set(source, users.set(user, now + sprayMs), now + sprayMs);
    return isFirst;
  }

  /** Takes over what others have seen of the source. */
  adopt(source: string, seen: readonly (readonly [user: string, endsIn: number])[], now: number): void {
    if (seen.length === 0) return;
    const users = this.#usersOf(source, now);
    for (const [user, endsIn] of seen) {
      const end = now + Math.min(endsIn, sprayMs);
      users.set(user, Math.max(users.get(user) ?? 0, end));
    }
    this.#users.set(source, users, now + sprayMs);
  }

  #usersOf(source: string, now: number): Map<string, number> {
    return new Map([...(this.#users.get(source, now) ?? [])].filter(([, end]) => end > now));
  }
}
