/**
 * Suspects lost updates of groups: a write that sets all members, made of a copy that is older than a member which was
 * added through us. Membership is never computed: what counts is who was told what, who added whom, and in which order.
 * The rules and their limits are in docs/decisions/0019-lost-updates.md.
 */
import { createHmac, randomUUID } from 'node:crypto';

import type { Reply } from '../scim/call.ts';
import { ScimError } from '../scim/error.ts';
import type { Operation } from '../scim/operation.ts';
import { GroupTurns, type GroupTurn, type TurnPatience } from './group-turns.ts';
import { membershipChange, toldGroups, type MembershipChange } from './membership.ts';
import { spanMs, type Addition, type Beginning, type Book, type Copy, type Place } from './updates-book.ts';
import { MemoryBook } from './updates-memory.ts';
import { keyOf, RedisBook } from './updates-redis.ts';

export type UpdatesMode = 'off' | 'report' | 'refuse';

export interface Suspicion {
  /** Members that the write would remove and that its caller may not know of. */
  readonly members: number;
  /** `refused`: it did not go up. `sent`: it did, and was not refused by the tenant. */
  readonly outcome: 'refused' | 'sent';
  /** Whether it was judged by what all replicas know. */
  readonly isShared: boolean;
}

export interface Write {
  readonly mode: UpdatesMode;
  readonly operation: Operation;
  readonly caller: string;
  readonly body: Buffer | undefined;
  readonly patience: TurnPatience;
  /** How long it may take, so that its additions count until it must have ended. */
  readonly longestMs: number;
  readonly tell: (suspicion: Suspicion) => Promise<unknown>;
}

/** A larger group's earlier members are not kept, so that each of its members may be an addition. */
const mostKnown = 20_000;

export class GroupUpdates {
  readonly #key: Buffer;
  readonly #books: readonly Book[];
  readonly #turns: GroupTurns;

  /** @param key the same on all replicas; names are digested with it */
  constructor({ key, redis }: { readonly key: Buffer; readonly redis?: RedisBook | undefined }) {
    this.#key = key;
    this.#books = [new MemoryBook(), ...(redis ? [redis] : [])];
    this.#turns = new GroupTurns(redis?.circuit);
  }

  /** @param read asks the tenant; what it tells becomes copies of its caller before the caller has them */
  async read<T extends { readonly reply: Reply }>(
    { operation, caller }: Pick<Write, 'operation' | 'caller'>,
    read: () => Promise<T>,
  ): Promise<T> {
    const { id, query } = operation;
    const system = this.#digest(operation.system);
    const group = id === undefined ? undefined : this.#digest(id);
    const moments = await Promise.all(this.#books.map((book) => book.look(system, group)));
    const answer = await read();
    if (answer.reply.status !== 200) return answer;
    const isWhole = query.canonical === '';
    for (const told of toldGroups(answer.reply.body)) {
      const place = { system, group: this.#digest(told.id), caller: this.#digest(caller) };
      const isKnown = isWhole && place.group === group && told.members.length <= mostKnown;
      const members = isKnown ? this.#digestAll(told.members) : [];
      await Promise.all(
        this.#books.map(async (book, at) => {
          const moment = moments[at];
          if (!moment) return;
          const known = isKnown ? { generation: moment.generation, members } : undefined;
          await book.tell(place, { id: randomUUID(), clock: moment.clock }, known);
        }),
      );
    }
    return answer;
  }

  /** Runs a write of a group. Throws `lost-update` before anything is sent where the mode says so. */
  async write(write: Write, send: () => Promise<Reply>): Promise<Reply> {
    const { mode, operation, caller, body, patience } = write;
    const { resourceType, kind, id } = operation;
    if (mode === 'off' || resourceType !== 'Groups' || id === undefined) return send();
    const change = membershipChange(kind, body);
    if (!change) return send();
    const system = this.#digest(operation.system);
    const place = { system, group: this.#digest(id), caller: this.#digest(caller) };
    if (mode === 'report') return this.#follow(write, place, change, undefined, send);
    await using turn = await this.#turns.take(keyOf(system, 'turn', place.group), patience);
    return await this.#follow(write, place, change, turn, send);
  }

  async #follow(
    write: Write,
    place: Place,
    change: MembershipChange,
    turn: GroupTurn | undefined,
    send: () => Promise<Reply>,
  ): Promise<Reply> {
    const named = this.#digestAll(change.named);
    const all = change.all && new Set(change.all === change.named ? named : this.#digestAll(change.all));
    const forMs = write.longestMs + spanMs;
    const begin = (book: Book): Promise<Watch | undefined> => Watch.begin(book, place, named, all, forMs);
    const watches = await Promise.all(this.#books.map(begin));
    // What all replicas know counts more than what this one does.
    const judge = watches.findLast((watch) => watch !== undefined);
    const isShared = watches.length > 1 && watches.at(-1) !== undefined && turn?.isShared !== false;
    const settle = async (fate: Fate): Promise<void> => {
      await Promise.all(watches.flatMap((watch) => (watch ? [watch.end(fate)] : [])));
    };
    const suspected = judge?.suspected.size ?? 0;
    if (suspected > 0 && turn) {
      await settle('failed');
      await write.tell({ members: suspected, outcome: 'refused', isShared });
      throw new ScimError(
        'lost-update',
        'Members that were added to the group meanwhile would be removed. Read the group again and repeat the change.',
      );
    }
    let fate: Fate = 'unknown';
    try {
      const reply = await send();
      fate = reply.status < 400 ? 'done' : 'failed';
      return reply;
    } catch (thrown) {
      if (thrown instanceof ScimError && thrown.kind !== 'outcome-unknown') fate = 'failed';
      throw thrown;
    } finally {
      await settle(fate);
      const members = fate === 'failed' ? 0 : (judge?.suspected.size ?? 0);
      if (members > 0) await write.tell({ members, outcome: 'sent', isShared });
    }
  }

  #digest(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url').slice(0, 11);
  }

  #digestAll(texts: readonly string[]): string[] {
    return [...new Set(texts.map((each) => this.#digest(each)))];
  }
}

type Fate = 'done' | 'failed' | 'unknown';

/** One write as one book knows it. */
class Watch {
  /** Digests of members of others, or of another copy, that it would remove. */
  readonly suspected = new Set<string>();
  readonly #book: Book;
  readonly #place: Place;
  readonly #began: Beginning;
  readonly #all: ReadonlySet<string> | undefined;
  readonly #entered: Addition;

  private constructor(
    book: Book,
    place: Place,
    began: Beginning,
    all: ReadonlySet<string> | undefined,
    entered: Addition,
  ) {
    this.#book = book;
    this.#place = place;
    this.#began = began;
    this.#all = all;
    this.#entered = entered;
  }

  /** Enters what it adds before it looks for what others add, and they do the same, so that one sees the other. */
  static async begin(
    book: Book,
    place: Place,
    named: readonly string[],
    all: ReadonlySet<string> | undefined,
    forMs: number,
  ): Promise<Watch | undefined> {
    const began = await book.begin(place);
    if (!began) return undefined;
    const before = new Set(knownBefore(began));
    const members = named.filter((member) => !before.has(member));
    const entered = { id: randomUUID(), caller: place.caller, members, clock: Infinity };
    const oldest = began.copies[0]?.clock;
    const others = await book.enter(place, entered, oldest ?? -1, forMs);
    if (!others) return undefined;
    const watch = new Watch(book, place, began, all, entered);
    // Who has no copy of ours knows at least what it has added itself, once that has ended.
    const isUnknown = ({ caller, clock }: Addition): boolean =>
      oldest !== undefined || caller !== place.caller || clock === Infinity;
    watch.#suspect(others.filter(isUnknown));
    return watch;
  }

  async end(fate: Fate): Promise<void> {
    // It may still be carried out: its addition stays under way until nothing can come of it any more.
    const ended = await this.#book.end(this.#place, this.#began.clock);
    if (!ended) return;
    const others = ended.others.filter(({ id }) => id !== this.#entered.id);
    if (fate !== 'failed') this.#suspect(others);
    if (fate === 'unknown') return;
    const { generation } = ended;
    const isAlone = generation === this.#began.generation + 1 && !this.#began.isShared;
    const left = this.#leftBehind(fate);
    await this.#book.settle(this.#place, {
      entered: this.#entered,
      ...(fate === 'done' && { addition: { ...this.#entered, clock: ended.clock } }),
      ...(fate === 'done' && this.#all && copyOf(this.#began)),
      ...(isAlone && left && { known: { generation, members: left } }),
    });
  }

  #leftBehind(fate: Fate): readonly string[] | undefined {
    if (fate === 'failed') return this.#began.known && knownBefore(this.#began);
    return this.#all && this.#all.size <= mostKnown ? [...this.#all] : undefined;
  }

  #suspect(additions: readonly Addition[]): void {
    if (!this.#all) return;
    for (const { members } of additions)
      for (const member of members) if (!this.#all.has(member)) this.suspected.add(member);
  }
}

/** The members that the group certainly had; none where another write came between. */
function knownBefore({ known, generation, isShared }: Beginning): readonly string[] {
  return known && known.generation === generation - 1 && !isShared ? known.members : [];
}

/**
 * The newest copy counts as the one that it was made of. Whichever it was, those that are left are no newer than those
 * that are left in truth, so what one of them lacks is still suspected.
 */
function copyOf({ copies }: Beginning): { readonly copy?: Copy } {
  const copy = copies.at(-1);
  return copy ? { copy } : {};
}
