/**
 * How far running loads have come: which page each will ask for next, and what it must not be given twice. Known to
 * this replica alone; whoever loses it asks the tenant at the caller's index, which is always right.
 */
import type { Estimate } from './block.ts';

/** What is known of the load that will ask for a page. */
export interface Position {
  /** The block that the page before was cut from, where only this block goes on; else undefined. */
  readonly tag: string | undefined;
  /** Where the block of the page before ends. */
  readonly blockEnd: number;
  /** Ids that blocks with dropped entities gave early; the tenant has them before `givenEnd`. */
  readonly given: ReadonlySet<string>;
  readonly givenEnd: number;
  readonly estimate: Estimate;
  /** Pages in a row that should have been kept, and were not. */
  readonly losses: number;
}

interface Kept {
  readonly position: Position;
  /** How many loads stand here and have not asked for the page yet. */
  waiting: number;
  readonly until: number;
}

/** Longer than a caller thinks about a page; a repeated page still finds its place. */
const livesMs = 600_000;
const most = 2000;

export class Loads {
  readonly #now: () => number;
  /** In order of age. */
  readonly #kept = new Map<string, Kept>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @param load what tells loads apart, but their positions */
  at(load: string, startIndex: number): Position | undefined {
    const kept = this.#live(keyOf(load, startIndex));
    if (kept) kept.waiting = Math.max(0, kept.waiting - 1);
    return kept?.position;
  }

  expect(load: string, startIndex: number, position: Position): void {
    const key = keyOf(load, startIndex);
    const before = this.#live(key);
    const others = before?.waiting ?? 0;
    // Loads that stand here after different blocks: none may have the rest of another's.
    const isDoubtful = before !== undefined && others > 0 && !isSame(before.position, position);
    this.#kept.delete(key);
    this.#kept.set(key, {
      position: isDoubtful ? { ...position, tag: undefined, given: new Set() } : position,
      waiting: others + 1,
      until: this.#now() + livesMs,
    });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > most && oldest !== undefined) this.#kept.delete(oldest);
  }

  #live(key: string): Kept | undefined {
    const kept = this.#kept.get(key);
    return kept && kept.until > this.#now() ? kept : undefined;
  }
}

function isSame(one: Position, other: Position): boolean {
  const { given } = other;
  return one.tag === other.tag && one.given.size === given.size && one.given.isSubsetOf(given);
}

function keyOf(load: string, startIndex: number): string {
  return `${load}\n${startIndex}`;
}
