/** The book of one process; it is kept beside the one in Redis, and is all there is while Redis is away. */
import {
  spanMs,
  type Addition,
  type Beginning,
  type Book,
  type Copy,
  type Known,
  type Moment,
  type Place,
  type Settlement,
} from './updates-book.ts';

type Until<T> = T & { readonly until: number };

interface Group {
  generation: number;
  known: Known | undefined;
  readonly copies: Map<string, Until<Copy>[]>;
  additions: Until<Addition>[];
  touchedAt: number;
}

const mostGroups = 10_000;
/** No copy and no addition lives longer, the longest write included. */
const idleMs = 45 * 60_000;

export class MemoryBook implements Book {
  readonly #groups = new Map<string, Group>();
  readonly #now: () => number;
  #clock = 0;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  look(system: string, group: string | undefined): Promise<Moment> {
    const generation = group === undefined ? 0 : (this.#groups.get(`${system} ${group}`)?.generation ?? 0);
    return Promise.resolve({ clock: this.#clock, generation });
  }

  tell(place: Place, copy: Copy, known: Known | undefined): Promise<void> {
    const group = this.#at(place);
    const copies = this.#copiesOf(group, place);
    copies.push({ ...copy, until: this.#now() + spanMs });
    group.copies.set(place.caller, copies.slice(-mostCopies));
    if (known) group.known = known;
    return Promise.resolve();
  }

  begin(place: Place): Promise<Beginning> {
    const group = this.#at(place);
    group.generation += 1;
    this.#clock += 1;
    const copies = this.#copiesOf(group, place).toSorted((some, other) => some.clock - other.clock);
    const { generation, known } = group;
    const isShared = this.#additionsOf(group).some(({ clock }) => clock === Infinity);
    return Promise.resolve({ clock: this.#clock, generation, known, copies, isShared });
  }

  enter(place: Place, addition: Addition, since: number, forMs: number): Promise<Addition[]> {
    const group = this.#at(place);
    const others = this.#additionsOf(group).filter(({ clock }) => clock > since);
    group.additions.push({ ...addition, until: this.#now() + forMs });
    return Promise.resolve(others);
  }

  end(place: Place, since: number): Promise<Moment & { readonly others: Addition[] }> {
    const group = this.#at(place);
    group.generation += 1;
    this.#clock += 1;
    const others = this.#additionsOf(group).filter(({ clock }) => clock > since);
    return Promise.resolve({ clock: this.#clock, generation: group.generation, others });
  }

  settle(place: Place, { entered, addition, copy, known }: Settlement): Promise<void> {
    const group = this.#at(place);
    group.additions = this.#additionsOf(group).filter(({ id }) => id !== entered.id);
    if (addition) group.additions.push({ ...addition, until: this.#now() + spanMs });
    if (copy)
      group.copies.set(
        place.caller,
        this.#copiesOf(group, place).filter(({ id }) => id !== copy.id),
      );
    if (known) group.known = known;
    return Promise.resolve();
  }

  #at({ system, group: id }: Place): Group {
    const key = `${system} ${id}`;
    const now = this.#now();
    const empty = { generation: 0, known: undefined, copies: new Map(), additions: [], touchedAt: now };
    const group: Group = this.#groups.get(key) ?? empty;
    group.touchedAt = now;
    // The longest untouched stands first.
    this.#groups.delete(key);
    this.#groups.set(key, group);
    for (const [oldest, { touchedAt }] of this.#groups) {
      if (this.#groups.size <= mostGroups && touchedAt > now - idleMs) break;
      this.#groups.delete(oldest);
    }
    return group;
  }

  #copiesOf(group: Group, { caller }: Place): Until<Copy>[] {
    return (group.copies.get(caller) ?? []).filter(({ until }) => until > this.#now());
  }

  #additionsOf(group: Group): Until<Addition>[] {
    group.additions = group.additions.filter(({ until }) => until > this.#now());
    return group.additions;
  }
}

const mostCopies = 500;
