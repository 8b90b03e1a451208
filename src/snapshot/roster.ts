/** Who is in a collection: an edition's ids in their order, without those who are gone and with those who came. Pure. */
import type { Change } from './board.ts';

/** What the tenant has said of a resource since it was changed. */
export type Word = Buffer | 'gone';

interface Changed {
  readonly nonces: string[];
  /** Nothing but deletions that were carried out. */
  isDeleted: boolean;
}

export class Roster {
  readonly #ids: readonly string[];
  readonly #changed = new Map<string, Changed>();
  readonly #words = new Map<string, Word>();

  /** @param known words by the keys that rosters give to resources */
  constructor(ids: readonly string[], changes: readonly Change[], known: ReadonlyMap<string, Word>) {
    const ordered = changes.toSorted((one, other) => one.at - other.at || (one.nonce < other.nonce ? -1 : 1));
    for (const { id = '', kind, nonce } of ordered) {
      const known = this.#changed.getOrInsertComputed(id, () => ({ nonces: [], isDeleted: true }));
      known.nonces.push(nonce);
      known.isDeleted &&= kind === 'gone';
    }
    for (const key of this.keys()) {
      const word = known.get(key);
      if (word) this.#words.set(key, word);
    }
    const before = new Set(this.#changed.size > 0 ? ids : []);
    const born = [...this.#changed.keys()].filter((id) => !before.has(id));
    this.#ids = [...ids, ...born];
  }

  tell(key: string, word: Word): void {
    this.#words.set(key, word);
  }

  /** Who is there, as far as it is known. */
  live(): readonly string[] {
    return this.#changed.size === 0 ? this.#ids : this.#ids.filter((id) => this.word(id) !== 'gone');
  }

  unknown(): readonly string[] {
    return [...this.#changed.keys()].filter((id) => this.isUnknown(id));
  }

  isUnknown(id: string): boolean {
    return this.#changed.has(id) && this.word(id) === undefined;
  }

  word(id: string): Word | undefined {
    const changed = this.#changed.get(id);
    if (!changed) return undefined;
    return changed.isDeleted ? 'gone' : this.#words.get(this.keyOf(id));
  }

  /** Of a resource and the changes it has had: one more change makes another key. */
  keyOf(id: string): string {
    return [id, ...(this.#changed.get(id)?.nonces ?? [])].join('\n');
  }

  keys(): ReadonlySet<string> {
    return new Set([...this.#changed.keys()].map((id) => this.keyOf(id)));
  }
}
