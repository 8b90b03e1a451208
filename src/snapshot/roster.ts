/** Who is in a collection: an edition's ids in their order, without those who are gone and with those who came. Pure. */
import { idOf } from '../pages/list-page.ts';
import type { Reply } from '../scim/call.ts';
import { folded } from '../scim/folded.ts';
import type { Change } from './board.ts';
import { saidIn } from './mentions.ts';

/** What the tenant has said of a resource since it was changed. */
export type Word = Buffer | 'gone';

/**
 * What the answer to a single read says; undefined where it says nothing. Of whom a condition drops there is nothing left in
 * the lists, and the single read may answer with an empty object (facts: IPS 15).
 */
export function wordOf({ status, body }: Reply, id: string): Word | undefined {
  if (status === 404 || status === 410) return 'gone';
  if (status !== 200) return undefined;
  const told = idOf(body);
  if (told === undefined) return /^\s*\{\s*\}\s*$/.test(body.toString('latin1', 0, 100)) ? 'gone' : undefined;
  return folded(told) === folded(id) ? body : undefined;
}

interface Changed {
  readonly nonces: Set<string>;
  /** Nothing but deletions that were carried out. */
  isDeleted: boolean;
}

export class Roster {
  readonly #ids: readonly string[];
  readonly #changed = new Map<string, Changed>();
  /** By what was written, the changes after which whoever mentions it is to be read again. */
  readonly #mentioned: ReadonlyMap<string, readonly string[]>;
  readonly #known: ReadonlyMap<string, Word>;
  readonly #told = new Map<string, Word>();
  #revision = 0;

  /** @param known words by the keys that rosters give to resources */
  constructor(ids: readonly string[], changes: readonly Change[], known: ReadonlyMap<string, Word>) {
    this.#known = known;
    const ordered = changes.toSorted((one, other) => one.at - other.at || (one.nonce < other.nonce ? -1 : 1));
    for (const { id, kind, nonce } of ordered)
      if (id !== undefined) this.#change(id, [nonce], kind === 'gone');
    const before = new Set(this.#changed.size > 0 ? ids : []);
    const born = [...this.#changed.keys()].filter((id) => !before.has(id));
    this.#ids = [...ids, ...born];
    const named = byName(ordered, ({ names }) => names);
    this.#mentioned = byName(ordered, ({ mentioned }) => mentioned);
    if (named.size > 0) for (const id of this.#ids) this.#change(id, named.get(folded(id)) ?? [], false);
  }

  /** Grows with every change that somebody is found to have had. */
  get revision(): number {
    return this.#revision;
  }

  /** Looks whether what is known of somebody may be old, because it mentions who was written. */
  examine(id: string, body: Buffer): void {
    if (this.#mentioned.size === 0) return;
    for (const name of saidIn(body)) this.#change(id, this.#mentioned.get(name) ?? [], false);
  }

  tell(key: string, word: Word): void {
    this.#told.set(key, word);
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
    if (changed.isDeleted) return 'gone';
    const key = this.keyOf(id);
    return this.#told.get(key) ?? this.#known.get(key);
  }

  /** Of a resource and the changes it has had: one more change makes another key. */
  keyOf(id: string): string {
    return JSON.stringify([id, ...[...(this.#changed.get(id)?.nonces ?? [])].toSorted()]);
  }

  #change(id: string, nonces: readonly string[], isDeleted: boolean): void {
    const known = this.#changed.get(id) ?? { nonces: new Set(), isDeleted: true };
    const others = nonces.filter((nonce) => !known.nonces.has(nonce));
    if (others.length === 0) return;
    for (const nonce of others) known.nonces.add(nonce);
    known.isDeleted &&= isDeleted;
    this.#revision += 1;
    this.#changed.set(id, known);
  }
}

function byName(
  changes: readonly Change[],
  pick: (change: Change) => readonly string[] | undefined,
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const change of changes)
    for (const name of pick(change) ?? []) found.getOrInsertComputed(name, () => []).push(change.nonce);
  return found;
}
