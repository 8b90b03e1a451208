/** A tenant with one collection for the tests of snapshots, paging as IPS does it, which can be changed at any moment. */
import type { Reply } from '../../src/scim/call.ts';
import type { Source } from '../../src/snapshot/build.ts';

/** The rules of facts: IPS 3.2; `provided` is a backend's own total. */
export type Totals = 'provided' | '2025' | '2026';

export interface Person {
  readonly id: string;
  /** False: a condition drops the person after paging. */
  passes: boolean;
  version: number;
}

const headers = { 'content-type': 'application/scim+json' };

export class Collection implements Source {
  people: Person[];
  readonly asked: string[] = [];
  /** Called before a page is read. */
  onPage: (startIndex: number) => void = () => {};
  /** Comes before and after the tenant reads its data. */
  pause: () => Promise<void> = async () => {};
  status = 200;
  singleStatus: number | undefined;
  readonly #totals: Totals;

  constructor(people: Person[], totals: Totals = 'provided') {
    this.people = people;
    this.#totals = totals;
  }

  readonly page = async (startIndex: number, count: number): Promise<Reply> => {
    this.asked.push(`${startIndex}/${count}`);
    await this.pause();
    this.onPage(startIndex);
    if (this.status !== 200) return { status: this.status, headers, body: Buffer.from('{}') };
    const read = this.people.slice(startIndex - 1, startIndex - 1 + count);
    const off = this.#totals === '2025' ? 1 : 0;
    const body = JSON.stringify({
      startIndex,
      itemsPerPage: read.length,
      totalResults:
        this.#totals === 'provided' || read.length === 0 ? this.people.length : startIndex + count - off,
      Resources: read.filter(({ passes }) => passes).map(({ id, version }) => ({ id, version })),
    });
    await this.pause();
    return { status: 200, headers, body: Buffer.from(body) };
  };

  readonly single = async (id: string): Promise<Reply> => {
    this.asked.push(id);
    await this.pause();
    const found = this.people.find((each) => each.id === id);
    const body = JSON.stringify(found?.passes ? { id, version: found.version } : {});
    const status = this.singleStatus ?? (found?.passes ? 200 : 404);
    await this.pause();
    return { status, headers, body: Buffer.from(body) };
  };

  /** By default it does not know the filter, and answers with everybody. */
  changed: Source['changed'] = (_, startIndex, count) => this.page(startIndex, count);

  /** Who is to be seen, in the tenant's order. */
  ids(): string[] {
    return this.people.filter(({ passes }) => passes).map(({ id }) => id);
  }

  remove(id: string): void {
    this.people = this.people.filter((each) => each.id !== id);
  }
}

export function peopleOf(passes: readonly boolean[]): Person[] {
  return passes.map((each, at) => ({ id: `u${at}`, passes: each, version: 0 }));
}

export function many(count: number): Person[] {
  return peopleOf(Array.from({ length: count }, () => true));
}
