/**
 * Ids as the tenant writes them, for callers that put them into lower case (facts: Omada; ids of AS ABAP are upper-case
 * base32). Only an id that was seen is ever put in the place of another, and none where two differ in their case alone.
 */

/** Some 40 MB at most. */
const maxIds = 200_000;
const maxTwins = 10_000;

export class KnownIds {
  readonly #max: number;
  /** By system, type and id in lower case; the one that was seen longest ago first. */
  readonly #ids = new Map<string, string>();
  /** Keys of which two ids were seen. They are never forgotten; too many of them end all repairs. */
  readonly #twins = new Set<string>();

  constructor(max: number = maxIds) {
    this.#max = max;
  }

  learn(system: string, resourceType: string, id: string): void {
    const key = keyOf(system, resourceType, id);
    const before = this.#ids.get(key);
    if (before !== undefined && before !== id && this.#twins.size <= maxTwins) this.#twins.add(key);
    this.#ids.delete(key);
    this.#ids.set(key, id);
    const [oldest] = this.#ids.keys();
    if (this.#ids.size > this.#max && oldest !== undefined) this.#ids.delete(oldest);
  }

  /** The id in its true case; the id itself where that is not known. */
  trueId(system: string, resourceType: string, id: string): string {
    const key = keyOf(system, resourceType, id);
    if (id !== id.toLowerCase() || this.#twins.has(key) || this.#twins.size > maxTwins) return id;
    return this.#ids.get(key) ?? id;
  }

  /** Of a member, which may be a user or a group. */
  trueMember(system: string, id: string): string {
    const users = this.trueId(system, 'Users', id);
    const groups = this.trueId(system, 'Groups', id);
    if (users === id) return groups;
    return groups === id || groups === users ? users : id;
  }
}

function keyOf(system: string, resourceType: string, id: string): string {
  return JSON.stringify([system, resourceType, id.toLowerCase()]);
}
