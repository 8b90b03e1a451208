/**
 * That somebody looks at the trail, in the trail. Invariant: a look is on stable storage before anything is shown; one look at
 * one question is one record, though page, histogram and facets ask for it together.
 */
import { whoIs, type Session } from './sessions.ts';

interface Look {
  readonly at: number;
  readonly recorded: Promise<void>;
}

const sameLookMs = 60_000;

export class Looks {
  readonly #record: (event: string, facts: Record<string, unknown>) => Promise<void>;
  /** By person and question. */
  readonly #lately = new Map<string, Look>();

  /** @param record rejects where it is not on stable storage */
  constructor(record: (event: string, facts: Record<string, unknown>) => Promise<void>) {
    this.#record = record;
  }

  async note(who: Session, what: string, query: Record<string, unknown> = {}): Promise<void> {
    await this.#record('console.viewed', { ...whoIs(who), what, query });
  }

  async noteOnce(who: Session, what: string, query: Record<string, unknown> = {}): Promise<void> {
    const now = Date.now();
    const key = JSON.stringify([who.csrf, what, query]);
    for (const [each, { at }] of this.#lately) if (at <= now - sameLookMs) this.#lately.delete(each);
    const former = this.#lately.get(key);
    // What is asked meanwhile waits for the same record.
    if (former) return former.recorded;
    const recorded = this.note(who, what, query);
    this.#lately.set(key, { at: now, recorded });
    try {
      await recorded;
    } catch (error) {
      this.#lately.delete(key);
      throw error;
    }
  }
}
