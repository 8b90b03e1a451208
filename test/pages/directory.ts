/**
 * A tenant for the tests of reads among writes: users that are found by id, in lists and by name. Every answer tells how
 * often what it says has changed, also that nothing is there, so a test can tell an older answer from a newer one.
 */
import type { Reply } from '../../src/scim/call.ts';
import type { Operation } from '../../src/scim/operation.ts';

interface User {
  readonly id: string;
  readonly userName: string;
  readonly groups: number;
}

const json = { 'content-type': 'application/scim+json' };

export class Directory {
  readonly #users = new Map<string, User>();
  /** How often each answer has changed: of an id, of a name, of the list. */
  readonly changes = new Map<string, number>();
  /** All that there ever were. */
  readonly ids: string[] = [];
  calls = 0;

  constructor(names: readonly string[]) {
    for (const name of names) this.create(name);
  }

  answer({ kind, id = '', query }: Operation): Reply {
    this.calls += 1;
    if (kind === 'get') return this.#single(id, 200);
    const name = /userName eq "(.*)"/.exec(query.get('filter') ?? '')?.[1];
    const all = [...this.#users.values()];
    if (name !== undefined) {
      const found = all.filter(({ userName }) => userName === name);
      return page(1, found, found.length, this.changes.get(name) ?? 0);
    }
    const startIndex = Number(query.get('startIndex') ?? 1);
    const count = Math.min(100, Number(query.get('count') ?? 25));
    const some = all.slice(startIndex - 1, startIndex - 1 + count);
    return page(startIndex, some, all.length, this.changes.get('list') ?? 0);
  }

  create(userName: string): Reply {
    const id = `u${this.ids.length}`;
    this.ids.push(id);
    this.#put({ id, userName, groups: 0 });
    return this.#single(id, 201);
  }

  /** Gives 404 for a user that is gone. */
  change(id: string, members: Partial<User>): Reply {
    const user = this.#users.get(id);
    if (user) this.#put({ ...user, ...members });
    return this.#single(id, 200);
  }

  remove(id: string): Reply {
    const user = this.#users.get(id);
    if (!user) return this.#single(id, 204);
    this.#users.delete(id);
    this.#changed(user);
    return { status: 204, headers: {}, body: Buffer.alloc(0) };
  }

  /** A group gets another member, and its user shows it. */
  join(id: string): Reply {
    this.change(id, { groups: (this.#users.get(id)?.groups ?? 0) + 1 });
    return { status: 204, headers: {}, body: Buffer.alloc(0) };
  }

  #put(user: User): void {
    const before = this.#users.get(user.id);
    this.#users.set(user.id, user);
    if (before && before.userName !== user.userName) this.#count(before.userName);
    this.#changed(user);
  }

  #changed({ id, userName }: User): void {
    for (const each of [id, userName, 'list']) this.#count(each);
  }

  #count(what: string): void {
    this.changes.set(what, (this.changes.get(what) ?? 0) + 1);
  }

  #single(id: string, status: number): Reply {
    const user = this.#users.get(id);
    const body = { ...user, changes: this.changes.get(id) ?? 0 };
    return { status: user ? status : 404, headers: json, body: Buffer.from(JSON.stringify(body)) };
  }
}

function page(startIndex: number, found: readonly User[], total: number, changes: number): Reply {
  const figures = { startIndex, itemsPerPage: found.length, totalResults: total };
  const body = { ...figures, changes, Resources: found };
  return { status: 200, headers: json, body: Buffer.from(JSON.stringify(body)) };
}
