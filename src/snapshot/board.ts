/**
 * What replicas know in common of one type's snapshot: the edition that is in force and the changes since. Both stand in one
 * set, so that they are read at one instant. The invariant: a change is on the board before its write's caller is answered,
 * and leaves it only behind an edition that was begun after it.
 */
import { randomUUID } from 'node:crypto';

import { lengthPrefixed } from '../cache/key.ts';
import type { Seal } from '../cache/seal.ts';
import { type Deletion, type Deletions, deletionsIn, deletionsOf } from './deletions.ts';
import { boardLifetimeMs, fence, type Members, type Slate, type Written } from './slate.ts';

/**
 * What one write made of the type: a resource to be read again, one that came, one that is gone, one of whom nobody knows
 * whether he is, others, or nobody knows what.
 */
export interface Change {
  readonly nonce: string;
  /** Wall-clock ms; it orders what was created. */
  readonly at: number;
  readonly kind: 'one' | 'born' | 'gone' | 'leaving' | 'near' | 'all';
  readonly id?: string;
  /** Folded ids: who has one of them is to be read again too. */
  readonly names?: readonly string[];
  /** Folded ids: whoever mentions one of them is. */
  readonly mentioned?: readonly string[];
  /** The name under which the deletions are kept that one word has replaced. */
  readonly deletions?: string;
}

export interface Edition {
  readonly name: string;
  /** When its reading began, in wall-clock ms: it says nothing about any later instant. */
  readonly begunAt: number;
  readonly total: number;
  readonly bytes: number;
  /** How many resources each of its parts holds. */
  readonly parts: readonly number[];
  readonly contentType: string;
  /** A sample of what its resources mention others by. */
  readonly references: readonly string[];
  /** Whether the system tells what was changed since an instant. */
  readonly tellsChanges: boolean;
}

export interface Standing {
  readonly edition: Edition | undefined;
  readonly changes: readonly Change[];
  /** Too many changes to be looked at one by one. */
  readonly isFull: boolean;
}

/** Where a build begins: what stood on the board before it, and a number that later builds exceed. */
export interface Start {
  /** It stands on the board that gave the number, and on no other. */
  readonly mark: string;
  readonly number: number;
  readonly epoch: string;
  readonly standing: Standing;
  /** The last edition, in force or not: nobody is missing from the next one unheard. */
  readonly before: Edition | undefined;
  readonly covered: readonly string[];
}

interface Published extends Edition {
  readonly mark: string;
  readonly epoch: string;
  readonly number: number;
}

/** More changes than these cost as many calls as reading everything anew. */
const mostChanges = 1000;

export class Board {
  readonly #slate: Slate;
  readonly #seal: Seal | undefined;
  /** Marks of builds that came to nothing. */
  #idle: readonly string[] = [];
  #isFolding = false;

  constructor(slate: Slate, seal: Seal | undefined) {
    this.#slate = slate;
    this.#seal = seal;
  }

  async read(): Promise<Standing | undefined> {
    const written = await this.#slate.read();
    if (!written) return undefined;
    const { members } = written;
    if (changesAmong(members).length > 2 * mostChanges) void this.#fold(members);
    return this.#standingOf(written, this.#editionsOf(members));
  }

  append(changes: readonly Omit<Change, 'nonce' | 'at'>[]): Promise<void> {
    return this.#slate.insist(
      changes.map((change) => this.#written(change)),
      0,
    );
  }

  /** Undefined while another replica builds, or nobody can say. */
  async begin(leaseMs: number): Promise<Start | undefined> {
    if (!(await this.#slate.lease(leaseMs))) return undefined;
    const mark = `b${randomUUID()}`;
    const number = await this.#slate.next(mark, this.#idle);
    this.#idle = number === undefined ? [...this.#idle, mark] : [mark];
    const written = await this.#slate.read();
    if (number === undefined || written?.epoch === undefined) return undefined;
    const { members, epoch } = written;
    const names = members.map(([member]) => member);
    // Without it the board is no longer the one that gave the number.
    if (!names.includes(mark)) return undefined;
    const covered = names.filter((name) => name !== fence && name !== mark);
    const editions = this.#editionsOf(members);
    const standing = this.#standingOf(written, editions);
    return { mark, number, epoch, standing, before: standing.edition ?? editions[0], covered };
  }

  /** False when another replica may build now; undefined while nobody can say. */
  hold(leaseMs: number): Promise<boolean | undefined> {
    return this.#slate.lease(leaseMs);
  }

  /**
   * Puts an edition in force whose parts are kept, unless a build that was begun later has, or the board is no longer the one
   * that has its mark: then changes may be lost that its reading had not seen.
   */
  publish({ mark, number, epoch, covered }: Start, edition: Edition): Promise<boolean> {
    const published: Published = { ...edition, mark, epoch, number };
    this.#idle = [];
    return this.#slate.exchange(`m${this.#close(published)}`, number, covered);
  }

  async keep(name: string, bytes: Buffer, lifetimeMs: number): Promise<boolean> {
    const sealed = this.#seal ? this.#seal.close(this.#nameOf(name), [bytes]) : bytes;
    return this.#slate.put(name, sealed, lifetimeMs);
  }

  /** `lost`: there is none, or not what was kept; undefined while nobody can say. */
  async kept(name: string): Promise<Buffer | 'lost' | undefined> {
    const found = await this.#slate.get(name);
    if (!(found instanceof Buffer) || !this.#seal) return found;
    return this.#seal.open(this.#nameOf(name), found) ?? 'lost';
  }

  /** Through us, since the reading of the last edition began; undefined while nobody can say. */
  async deletions(): Promise<Deletions | undefined> {
    const written = await this.#slate.read();
    if (!written) return undefined;
    const changes = changesAmong(written.members).map((member) => this.#changeOf(member));
    const found = deletionsIn(changes);
    for (const { deletions } of changes) {
      const kept = deletions === undefined ? 'lost' : await this.kept(deletions);
      if (!kept) return undefined;
      // Without them an edition is too small, which is asked about; none is shown for it.
      if (kept !== 'lost') found.push(...(JSON.parse(kept.toString('utf8')) as Deletion[]));
    }
    return deletionsOf(found);
  }

  drop(names: readonly string[]): Promise<void> {
    return this.#slate.drop(names);
  }

  /** While no edition is made nobody takes changes away, and one word says as much; but for who was deleted. */
  async #fold(members: Members): Promise<void> {
    if (this.#isFolding) return;
    this.#isFolding = true;
    const changes = new Map(changesAmong(members).map((member) => [member, this.#changeOf(member)]));
    const folded = [...changes].filter(([, { deletions }]) => deletions === undefined);
    const found = deletionsIn(folded.map(([, change]) => change));
    const deletions = `${randomUUID()}.deletions`;
    if (await this.keep(deletions, Buffer.from(JSON.stringify(found)), boardLifetimeMs))
      await this.#slate.exchange(
        this.#written({ kind: 'all', deletions }),
        0,
        folded.map(([member]) => member),
      );
    this.#isFolding = false;
  }

  /** All that can be read, the newest first. */
  #editionsOf(members: Members): Published[] {
    return members
      .filter(([member]) => member.startsWith('m'))
      .flatMap(([member]) => (this.#open(member) as Published | undefined) ?? [])
      .toSorted((one, other) => other.number - one.number);
  }

  #standingOf({ members, epoch }: Written, editions: readonly Published[]): Standing {
    const changes = changesAmong(members);
    const isFull = changes.length > mostChanges;
    // A board that was evicted counts anew, and comes to the same numbers: it has other marks.
    const names = new Set(members.map(([member]) => member));
    return {
      edition: editions.find((each) => each.epoch === epoch && names.has(each.mark)),
      changes: isFull ? [] : changes.map((member) => this.#changeOf(member)),
      isFull,
    };
  }

  /** What cannot be read may have been anything. */
  #changeOf(member: string): Change {
    return (this.#open(member) as Change | undefined) ?? { nonce: member, at: 0, kind: 'all' };
  }

  #written(change: Omit<Change, 'nonce' | 'at'>): string {
    return `c${this.#close({ ...change, at: Date.now(), nonce: randomUUID() })}`;
  }

  #close(value: Change | Published): string {
    const plain = Buffer.from(JSON.stringify(value));
    return (this.#seal ? this.#seal.close(this.#nameOf('board'), [plain]) : plain).toString('base64url');
  }

  #open(member: string): unknown {
    const bytes = Buffer.from(member.slice(1), 'base64url');
    const plain = this.#seal ? this.#seal.open(this.#nameOf('board'), bytes) : bytes;
    return plain && (JSON.parse(plain.toString('utf8')) as unknown);
  }

  #nameOf(name: string) {
    const { key } = this.#slate;
    return { key, meaning: lengthPrefixed(['snapshot 1', key, name]), generations: [] };
  }
}

function changesAmong(members: Members): string[] {
  return members.flatMap(([member]) => (member.startsWith('c') ? [member] : []));
}
