/**
 * The snapshot of one type as this replica shows it. The invariant: no list is answered that the board did not confirm at
 * that moment, and nobody who was written since the edition began is shown before the tenant has told how he is now.
 */
import { ageOf } from '../cache/age.ts';
import type { Reply } from '../scim/call.ts';
import type { Board, Edition, Standing } from './board.ts';
import { areIds } from './mentions.ts';
import { EditionReader } from './reader.ts';
import { Roster, type Word, wordOf } from './roster.ts';

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
  readonly #relatives: () => readonly ShownSnapshot[];
  readonly #reader: EditionReader;
  /** What the tenant said, by the changes after which it was asked. */
  readonly #words = new Map<string, Word>();
  readonly #asked = new Map<string, Promise<Word | undefined>>();
  /** The edition whose resources mention others by their ids. */
  #linked: string | undefined;

  /** @param relatives the other snapshots of the same system */
  constructor(board: Board, relatives: () => readonly ShownSnapshot[] = () => []) {
    this.#board = board;
    this.#relatives = relatives;
    this.#reader = new EditionReader(board);
  }

  /** Undefined when the tenant must be asked. */
  async page(wanted: Wanted, rules: ShownRules, reread: Reread): Promise<Shown | undefined> {
    // Another edition may come into force meanwhile, and the parts of this one go.
    const shown = (await this.#page(wanted, rules, reread)) ?? (await this.#page(wanted, rules, reread));
    if (!shown) await this.#endIfLost();
    return shown;
  }

  /** An edition of which something was evicted or damaged is made anew. */
  async #endIfLost(): Promise<void> {
    const standing = await this.#board.read();
    const edition = standing && (await this.editionOf(standing));
    if (edition && this.#reader.hasLost(edition)) await this.#board.append([{ kind: 'all' }]);
  }

  /** Undefined while nobody knows what the collection is. */
  async editionOf({ edition, changes, isFull }: Standing): Promise<Edition | undefined> {
    if (!edition || isFull || changes.some(({ kind }) => kind === 'all')) return undefined;
    const isNear = changes.some(({ kind }) => kind === 'near');
    return isNear && !(await this.#linksById(edition)) ? undefined : edition;
  }

  async #page(wanted: Wanted, rules: ShownRules, reread: Reread): Promise<Shown | undefined> {
    const standing = await this.#board.read();
    const edition = standing && (await this.editionOf(standing));
    if (!edition) return undefined;
    const ageMs = ageOf(edition.begunAt, Date.now());
    if (ageMs === undefined || ageMs > rules.maxAgeMs) return undefined;
    const ids = await this.#reader.ids(edition);
    if (!ids) return undefined;
    this.#forgetBut(new Set(standing.changes.map(({ nonce }) => nonce)));
    const roster = new Roster(ids, standing.changes, this.#words);
    const bodies = await this.#choose(edition, roster, wanted, reread);
    const fitting = bodies && fit(bodies, rules.maxReplyBytes);
    return (
      fitting && {
        reply: listOf(fitting, wanted.startIndex, roster.live().length, edition.contentType),
        ageMs,
      }
    );
  }

  async #linksById(edition: Edition): Promise<boolean> {
    if (this.#linked === edition.name) return true;
    const known = await Promise.all([this, ...this.#relatives()].map((each) => each.#names()));
    const isLinked = areIds(edition.references, new Set(known.flatMap((names) => [...names])));
    if (isLinked) this.#linked = edition.name;
    return isLinked;
  }

  async #names(): Promise<ReadonlySet<string>> {
    const standing = await this.#board.read();
    return standing?.edition ? this.#reader.names(standing.edition) : new Set();
  }

  /** The resources of a page, all of whom are known as they are now. */
  async #choose(
    edition: Edition,
    roster: Roster,
    { startIndex, count }: Wanted,
    reread: Reread,
  ): Promise<readonly Buffer[] | undefined> {
    const ahead = roster.unknown();
    if (ahead.length <= mostAhead && !(await this.#learn(roster, ahead, reread))) return undefined;
    for (let left = mostPerList; left >= 0;) {
      const { revision } = roster;
      const chosen = roster.live().slice(startIndex - 1, startIndex - 1 + count);
      const bodies = await this.#bodiesOf(edition, roster, chosen);
      const unknown = chosen.filter((id) => roster.isUnknown(id));
      if (unknown.length === 0 && roster.revision === revision) return bodies;
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
    const asked = this.#asked.getOrInsertComputed(key, () => reread(id).then((reply) => wordOf(reply, id)));
    try {
      const word = await asked;
      if (word !== undefined) this.#words.set(key, word);
      return word;
    } finally {
      this.#asked.delete(key);
    }
  }

  /** As the edition or the tenant has them; undefined when one cannot be fetched. */
  async #bodiesOf(
    edition: Edition,
    roster: Roster,
    chosen: readonly string[],
  ): Promise<readonly Buffer[] | undefined> {
    const bodies: Buffer[] = [];
    for (const id of chosen) {
      const word = roster.word(id);
      const body = word instanceof Buffer ? word : await this.#reader.body(edition, id);
      if (!body && !roster.isUnknown(id)) return undefined;
      if (!body) continue;
      roster.examine(id, body);
      bodies.push(body);
    }
    return bodies;
  }

  /** What was said before changes that no longer stand on the board is in an edition. */
  #forgetBut(nonces: ReadonlySet<string>): void {
    for (const key of this.#words.keys()) {
      const [, ...since] = JSON.parse(key) as string[];
      if (!since.every((nonce) => nonces.has(nonce))) this.#words.delete(key);
    }
  }
}

/** A shorter page leads its reader to the rest; one resource goes in any case. */
function fit(bodies: readonly Buffer[], maxBytes: number): readonly Buffer[] {
  let bytes = 0;
  const end = bodies.findIndex((body) => (bytes += body.length + 1) > maxBytes);
  return end < 0 ? bodies : bodies.slice(0, Math.max(1, end));
}

function listOf(bodies: readonly Buffer[], startIndex: number, total: number, contentType: string): Reply {
  const head =
    '{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],' +
    `"totalResults":${total},"startIndex":${startIndex},"itemsPerPage":${bodies.length},"Resources":[`;
  const separated = bodies.flatMap((body, at) => (at === 0 ? [body] : [Buffer.from(','), body]));
  const body = Buffer.concat([Buffer.from(head), ...separated, Buffer.from(']}')]);
  return { status: 200, headers: { 'content-type': contentType }, body };
}
