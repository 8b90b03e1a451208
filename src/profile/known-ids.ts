/**
 * Ids as the tenant writes them, for callers that put them into lower case (facts: Omada; ids of AS ABAP are upper-case
 * base32). Only an id that was seen is ever put in the place of another, and none where two differ in their case alone.
 */
import { noNotes, type Notes } from './notes.ts';

export interface KnownIdsOptions {
  readonly notes?: Notes;
  readonly max?: number;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

interface Seen {
  readonly id: string;
  /** When the other replicas were told. */
  readonly notedAt: number;
}

/** Some 40 MB at most. */
const maxIds = 200_000;
const maxTwins = 10_000;
/** A request that names more is answered by what this replica has seen. */
const mostAsked = 2000;
const day = 24 * 60 * 60_000;
/** An id that is told once in this time stays known to all replicas. */
const notedForMs = 7 * day;

export class KnownIds {
  readonly #notes: Notes;
  readonly #max: number;
  readonly #now: () => number;
  /** By system, type and id in lower case; the one that was seen longest ago first. */
  readonly #ids = new Map<string, Seen>();
  /** Keys of which two ids were seen. They are never forgotten; too many of them end all repairs. */
  readonly #twins = new Set<string>();

  constructor({ notes = noNotes, max = maxIds, now = () => performance.now() }: KnownIdsOptions = {}) {
    this.#notes = notes;
    this.#max = max;
    this.#now = now;
  }

  /** To be awaited before anybody is told of the ids, so that whoever writes one can come to any replica. */
  async learn(system: string, resourceType: string, ids: readonly string[]): Promise<void> {
    const news = ids.filter((id) => isPlain(id) && this.#see(keyOf(system, resourceType, id), id));
    const noted = news.map((id) => ({ name: keyOf(system, resourceType, id), value: casesOf(id) }));
    if (await this.#notes.add(noted, notedForMs)) return;
    for (const id of news) this.#ids.set(keyOf(system, resourceType, id), { id, notedAt: -Infinity });
  }

  /** The id in its true case; the id itself where that is not known. */
  async trueId(system: string, resourceType: string, id: string): Promise<string> {
    await this.#ask([keyOf(system, resourceType, id)], [id]);
    return this.#known(system, resourceType, id);
  }

  /** What members are, each of which may be a user or a group; an id that is not among them stays as it is. */
  async trueMembers(system: string, ids: readonly string[]): Promise<(id: string) => string> {
    const [users, groups] = ['Users', 'Groups'].map((type) => ids.map((id) => keyOf(system, type, id)));
    await this.#ask([...(users ?? []), ...(groups ?? [])], [...ids, ...ids]);
    return (id) => {
      const [user = id, group = id] = ['Users', 'Groups'].map((type) => this.#known(system, type, id));
      if (user === id) return group;
      return group === id || group === user ? user : id;
    };
  }

  #known(system: string, resourceType: string, id: string): string {
    const key = keyOf(system, resourceType, id);
    if (!isLower(id) || this.#twins.has(key) || this.#twins.size > maxTwins) return id;
    return this.#ids.get(key)?.id ?? id;
  }

  /** Learns what other replicas have seen under these keys. */
  async #ask(keys: readonly string[], ids: readonly string[]): Promise<void> {
    const asked = keys.map((key, at) => ({ key, id: ids[at] ?? '' })).filter(({ id }) => isLower(id));
    if (asked.length > mostAsked) return;
    const found = await this.#notes.read(asked.map(({ key }) => key));
    found?.forEach((cases, at) => {
      const { key, id } = asked[at] ?? { key: '', id: '' };
      for (const each of cases) if (each.length === id.length) this.#see(key, withCases(id, each));
    });
  }

  /** Whether the other replicas are to be told. */
  #see(key: string, id: string): boolean {
    const before = this.#ids.get(key);
    const isOther = before !== undefined && before.id !== id;
    if (isOther && this.#twins.size <= maxTwins) this.#twins.add(key);
    const now = this.#now();
    const isNews = before === undefined || isOther || now - before.notedAt > day;
    this.#ids.delete(key);
    this.#ids.set(key, { id, notedAt: isNews ? now : before.notedAt });
    const [oldest] = this.#ids.keys();
    if (this.#ids.size > this.#max && oldest !== undefined) this.#ids.delete(oldest);
    return isNews;
  }
}

function keyOf(system: string, resourceType: string, id: string): string {
  return JSON.stringify([system, resourceType, id.toLowerCase()]);
}

/** Of other letters nobody knows how many one becomes in the other case. */
const isPlain = (id: string): boolean => /^[!-~]+$/.test(id);
/** What somebody may have put into lower case. */
const isLower = (id: string): boolean => isPlain(id) && id === id.toLowerCase();

/** Which letters are capitals: with the id in lower case it is the id, and without it nothing. */
const casesOf = (id: string): string => id.replaceAll(/./g, (letter) => (/[A-Z]/.test(letter) ? '1' : '0'));
const withCases = (id: string, cases: string): string =>
  id.replaceAll(/./g, (letter, at: number) => (cases[at] === '1' ? letter.toUpperCase() : letter));
