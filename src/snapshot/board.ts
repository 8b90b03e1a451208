/**
 * What replicas know in common of one type's snapshot: the edition that is in force and the changes since. Both stand in one
 * set, so that they are read at one instant. The invariant: a change is on the board before its write's caller is answered,
 * and leaves it only behind an edition that was begun after it.
 */
import { randomUUID } from 'node:crypto';

import { lengthPrefixed } from '../cache/key.ts';
import type { Seal } from '../cache/seal.ts';

/** What one write made of the type: a resource to be read again, one that came, one that is gone, others, or nobody knows what. */
export interface Change {
  readonly nonce: string;
  /** Wall-clock ms; it orders what was created. */
  readonly at: number;
  readonly kind: 'one' | 'born' | 'gone' | 'near' | 'all';
  readonly id?: string;
  /** Folded ids: who has one of them is to be read again too. */
  readonly names?: readonly string[];
  /** Folded ids: whoever mentions one of them is. */
  readonly mentioned?: readonly string[];
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

/** Where a board stands: sets of text with scores, and named bytes. What cannot be said or done now is undefined or false. */
export interface Slate {
  readonly key: string;
  read(): Promise<Written | undefined>;
  /** Adds for certain: what cannot be added now is made up before `read` answers again. */
  insist(members: readonly string[], score: number): Promise<void>;
  /** Adds one member, then takes others away. */
  exchange(member: string, score: number, gone: readonly string[]): Promise<boolean>;
  /** A number greater than all before, which then is the score of `fence`. An epoch begins if there is none. */
  next(mark: string, gone: readonly string[]): Promise<number | undefined>;
  put(name: string, bytes: Buffer, lifetimeMs: number): Promise<boolean>;
  get(name: string): Promise<Buffer | 'lost' | undefined>;
  drop(names: readonly string[]): Promise<void>;
  /** Whether this process may build for so long; nobody else may then. Undefined while nobody can say. */
  lease(ms: number): Promise<boolean | undefined>;
}

export type Members = readonly (readonly [member: string, score: number])[];

export interface Written {
  readonly members: Members;
  /** Of which all editions are that may be shown (redis-epochs.ts). */
  readonly epoch: string | undefined;
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
export const fence = 'fence';

export class Board {
  readonly #slate: Slate;
  readonly #seal: Seal | undefined;
  /** Marks of builds that came to nothing. */
  #idle: readonly string[] = [];

  constructor(slate: Slate, seal: Seal | undefined) {
    this.#slate = slate;
    this.#seal = seal;
  }

  async read(): Promise<Standing | undefined> {
    const written = await this.#slate.read();
    if (!written) return undefined;
    const { members } = written;
    const changes = members.flatMap(([member]) => (member.startsWith('c') ? [member] : []));
    // While no edition is made nobody takes them away, and one word says as much.
    if (changes.length > 2 * mostChanges)
      void this.#slate.exchange(this.#written({ kind: 'all' }), 0, changes);
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

  drop(names: readonly string[]): Promise<void> {
    return this.#slate.drop(names);
  }

  /** All that can be read, the newest first. */
  #editionsOf(members: Members): Published[] {
    return members
      .filter(([member]) => member.startsWith('m'))
      .flatMap(([member]) => (this.#open(member) as Published | undefined) ?? [])
      .toSorted((one, other) => other.number - one.number);
  }

  #standingOf({ members, epoch }: Written, editions: readonly Published[]): Standing {
    const changes = members.filter(([member]) => member.startsWith('c'));
    const isFull = changes.length > mostChanges;
    // A board that was evicted counts anew, and comes to the same numbers: it has other marks.
    const names = new Set(members.map(([member]) => member));
    return {
      edition: editions.find((each) => each.epoch === epoch && names.has(each.mark)),
      // What cannot be read may have been anything.
      changes: isFull
        ? []
        : changes.map(
            ([member]) =>
              (this.#open(member) as Change | undefined) ?? { nonce: member, at: 0, kind: 'all' as const },
          ),
      isFull,
    };
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
