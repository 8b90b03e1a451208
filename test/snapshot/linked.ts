/** A directory of users and groups that show each other, for the tests of what a write reaches. */
import type { Reply } from '../../src/scim/call.ts';
import type { Source } from '../../src/snapshot/build.ts';
import type { Collection, Snapshots } from '../../src/snapshot/snapshots.ts';

type Type = 'Users' | 'Groups';
const headers = { 'content-type': 'application/scim+json' };

export class Linked {
  readonly asked: string[] = [];
  readonly #users: readonly string[];
  readonly #members = new Map<string, Set<string>>();
  readonly #mention: (id: string) => string;

  /** @param mention what stands in place of an id */
  constructor(users: number, groups: number, mention = (id: string): string => id) {
    this.#users = Array.from({ length: users }, (_, at) => `u${at}`);
    for (let group = 0; group < groups; group += 1)
      this.#members.set(`g${group}`, new Set(this.#users.filter((_, at) => at % (groups * 2) === group)));
    this.#mention = mention;
  }

  join(group: string, user: string): void {
    this.#members.get(group)?.add(user);
  }

  removeGroup(group: string): void {
    this.#members.delete(group);
  }

  users(): unknown[] {
    return this.#users.map((id) => this.#user(id));
  }

  groups(): unknown[] {
    return [...this.#members.keys()].map((id) => this.#group(id));
  }

  collection(resourceType: Type): Collection {
    return { tenant: 'acme', system: 'hr', origin: 'https://acme/', resourceType };
  }

  source(type: Type): Source {
    return {
      page: async (startIndex, count) => {
        const all = type === 'Users' ? this.users() : this.groups();
        const Resources = all.slice(startIndex - 1, startIndex - 1 + count);
        return reply(200, {
          startIndex,
          itemsPerPage: Resources.length,
          totalResults: all.length,
          Resources,
        });
      },
      single: (id) => this.#single(type, id),
      changed: async () => reply(400, {}),
    };
  }

  /** All that the snapshot shows of a type. */
  async shown(snapshots: Snapshots, type: Type): Promise<unknown[] | undefined> {
    const wanted = { startIndex: 1, count: 1000 };
    const shown = await snapshots.show(this.collection(type), wanted, (id) => this.#single(type, id));
    return shown && (JSON.parse(shown.reply.body.toString('utf8')) as { Resources: unknown[] }).Resources;
  }

  async #single(type: Type, id: string): Promise<Reply> {
    this.asked.push(id);
    if (type === 'Users') return reply(200, this.#user(id));
    return this.#members.has(id) ? reply(200, this.#group(id)) : reply(404, {});
  }

  #user(id: string): unknown {
    const of = [...this.#members].filter(([, members]) => members.has(id));
    return { id, groups: of.map(([group]) => ({ value: this.#mention(group) })) };
  }

  #group(id: string): unknown {
    const members = [...(this.#members.get(id) ?? [])];
    return { id, members: members.map((value) => ({ value: this.#mention(value) })) };
  }
}

function reply(status: number, body: unknown): Reply {
  return { status, headers, body: Buffer.from(JSON.stringify(body)) };
}
