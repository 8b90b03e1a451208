/**
 * The snapshot of one type as this replica shows it. The invariant: no list is answered that the board did not confirm at
 * that moment, and nobody who was written since the edition began is shown before the tenant has told how he is now.
 */
import { idOf } from '../pages/list-page.ts';
import type { Reply } from '../scim/call.ts';
import type { Board, Edition, Standing } from './board.ts';
import { EditionReader } from './reader.ts';
import { Roster, type Word } from './roster.ts';

export interface Wanted {
  readonly startIndex: number;
  readonly count: number;
}

export interface Shown {
  readonly reply: Reply;
  readonly ageMs: number;
}

/** The tenant's own word on one resource, asked for now. */
export type Reread = (id: string) => Promise<Reply>;

export interface ShownRules {
  readonly maxAgeMs: number;
  readonly maxReplyBytes: number;
}

/** So many changes are looked at before a list is answered, so that its total is exact. */
const mostAhead = 20;
/** A list that needs more is better asked for at the tenant. */
const mostPerList = 100;

export class ShownSnapshot {
  readonly #board: Board;
  readonly #reader: EditionReader;
  /** What the tenant said, by the changes after which it was asked. */
  readonly #words = new Map<string, Word>();
  readonly #asked = new Map<string, Promise<Word | undefined>>();

  constructor(board: Board) {
    this.#board = board;
    this.#reader = new EditionReader(board);
  }

  /** Undefined when the tenant must be asked. */
  async page(wanted: Wanted, rules: ShownRules, reread: Reread): Promise<Shown | undefined> {
    // Another edition may come into force meanwhile, and the parts of this one go.
    return (await this.#page(wanted, rules, reread)) ?? (await this.#page(wanted, rules, reread));
  }

  async #page(wanted: Wanted, rules: ShownRules, reread: Reread): Promise<Shown | undefined> {
    const standing = await this.#board.read();
    const edition = standing && editionOf(standing);
    if (!edition) return undefined;
    const ageMs = Math.max(0, Date.now() - edition.begunAt);
    const ids = ageMs <= rules.maxAgeMs ? await this.#reader.ids(edition) : undefined;
    if (!ids) return undefined;
    const roster = new Roster(ids, standing.changes, this.#words);
    const chosen = await this.#choose(roster, wanted, reread);
    this.#forgetBut(roster.keys());
    const bodies = chosen && (await this.#bodiesOf(edition, roster, chosen, rules.maxReplyBytes));
    if (!bodies) return undefined;
    return { reply: listOf(bodies, wanted.startIndex, roster.live().length, edition.contentType), ageMs };
  }

  /** The ids of a page, all of whom are known as they are now. */
  async #choose(roster: Roster, wanted: Wanted, reread: Reread): Promise<readonly string[] | undefined> {
    const { startIndex, count } = wanted;
    const ahead = roster.unknown();
    if (ahead.length <= mostAhead && !(await this.#learn(roster, ahead, reread))) return undefined;
    for (let left = mostPerList; left >= 0;) {
      const chosen = roster.live().slice(startIndex - 1, startIndex - 1 + count);
      const unknown = chosen.filter((id) => roster.isUnknown(id));
      if (unknown.length === 0) return chosen;
      left -= unknown.length;
      if (left >= 0 && !(await this.#learn(roster, unknown, reread))) return undefined;
    }
    return undefined;
  }

  /** False when the tenant did not say. */
  async #learn(roster: Roster, ids: readonly string[], reread: Reread): Promise<boolean> {
    const told = ids.map(async (id) => {
      const key = roster.keyOf(id);
      const word = await this.#ask(id, key, reread);
      if (word !== undefined) roster.tell(key, word);
      return word !== undefined;
    });
    return (await Promise.all(told)).every(Boolean);
  }

  async #ask(id: string, key: string, reread: Reread): Promise<Word | undefined> {
    const asked = this.#asked.getOrInsertComputed(key, () => reread(id).then(wordOf));
    try {
      const word = await asked;
      if (word !== undefined) this.#words.set(key, word);
      return word;
    } finally {
      this.#asked.delete(key);
    }
  }

  async #bodiesOf(
    edition: Edition,
    roster: Roster,
    chosen: readonly string[],
    maxBytes: number,
  ): Promise<Buffer[] | undefined> {
    const bodies: Buffer[] = [];
    let bytes = 0;
    for (const id of chosen) {
      const word = roster.word(id);
      const body = word instanceof Buffer ? word : await this.#reader.body(edition, id);
      if (!body) return undefined;
      bytes += body.length + 1;
      // A shorter page leads its reader to the rest; one resource goes in any case.
      if (bytes > maxBytes && bodies.length > 0) break;
      bodies.push(body);
    }
    return bodies;
  }

  /** What no longer stands on the board is in an edition. */
  #forgetBut(keys: ReadonlySet<string>): void {
    for (const key of this.#words.keys()) if (!keys.has(key)) this.#words.delete(key);
  }
}

/** Undefined while nobody knows what the collection is. */
export function editionOf({ edition, changes, isFull }: Standing): Edition | undefined {
  return isFull || changes.some(({ kind }) => kind === 'all') ? undefined : edition;
}

function wordOf({ status, body }: Reply): Word | undefined {
  if (status === 404 || status === 410) return 'gone';
  return status === 200 && idOf(body) !== undefined ? body : undefined;
}

function listOf(bodies: readonly Buffer[], startIndex: number, total: number, contentType: string): Reply {
  const head =
    '{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],' +
    `"totalResults":${total},"startIndex":${startIndex},"itemsPerPage":${bodies.length},"Resources":[`;
  const separated = bodies.flatMap((body, at) => (at === 0 ? [body] : [Buffer.from(','), body]));
  const body = Buffer.concat([Buffer.from(head), ...separated, Buffer.from(']}')]);
  return { status: 200, headers: { 'content-type': contentType }, body };
}
