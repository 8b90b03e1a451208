/**
 * How many members groups had when one last passed, on any replica. It is what the tenant said and never worked out from
 * changes, and for a short time only: whatever is in doubt is forgotten, and then somebody looks.
 */
import type { RedisBook } from './redis-book.ts';

const livesMs = 300_000;
const most = 20_000;

export class GroupSizes {
  readonly #shared: Pick<RedisBook, 'remember' | 'recall'> | undefined;
  readonly #now: () => number;
  /** In order of age. */
  readonly #known = new Map<string, { readonly size: number; readonly until: number }>();

  constructor(shared?: Pick<RedisBook, 'remember' | 'recall'>, now: () => number = () => performance.now()) {
    this.#shared = shared;
    this.#now = now;
  }

  /** @param size undefined: it may be another from now on */
  async learn(group: string, size: number | undefined): Promise<void> {
    this.#known.delete(group);
    if (size !== undefined) this.#known.set(group, { size, until: this.#now() + livesMs });
    const [oldest] = this.#known.keys();
    if (this.#known.size > most && oldest !== undefined) this.#known.delete(oldest);
    const told = this.#shared?.remember(group, size, livesMs);
    // Nobody waits for what only saves a look; others must not believe what is in doubt.
    if (size === undefined) await told;
  }

  async recall(group: string): Promise<number | undefined> {
    const shared = await this.#shared?.recall(group);
    // While replicas share, one that has not heard of another's write must not believe itself.
    if (shared !== undefined) return shared ?? undefined;
    const known = this.#known.get(group);
    return known && known.until > this.#now() ? known.size : undefined;
  }
}
