/**
 * Where running loads stand. Whoever loses a place asks the tenant at the caller's index, which is always right; but a
 * place that is found says what its load was given, so none may be found that was not.
 */
import type { Position } from './position.ts';
import { arrive, isOver, leave, type Standing } from './standing.ts';

export interface Loads {
  /** Whether a load of which nothing is known may begin with a block there. */
  mayBegin(startIndex: number): boolean;
  /** @param load what tells loads apart, but their positions */
  at(load: string, startIndex: number): Promise<Position | undefined>;
  /** To be called before the load is answered. False when certainly nobody will find it. */
  expect(load: string, startIndex: number, position: Position): Promise<boolean>;
}

/** Longer than a caller thinks about a page; a repeated page still finds its place. */
export const livesMs = 600_000;
const most = 2000;

/** Of replicas that share nothing: the next page may come to any of them. */
export const noLoads: Loads = {
  mayBegin: () => false,
  at: async () => undefined,
  expect: async () => false,
};

/** Of a gateway that runs alone. */
export class OwnLoads implements Loads {
  readonly #now: () => number;
  /** In order of age. */
  readonly #kept = new Map<string, Standing & { readonly until: number }>();

  /** @param now monotonic milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  mayBegin(): boolean {
    return true;
  }

  async at(load: string, startIndex: number): Promise<Position | undefined> {
    const key = keyOf(load, startIndex);
    const kept = this.#kept.get(key);
    if (!kept || kept.until <= this.#now()) return undefined;
    this.#kept.set(key, { ...leave(kept), until: kept.until });
    const from = keyOf(load, kept.position.from);
    const last = this.#kept.get(from);
    if (last && isOver(last)) this.#kept.delete(from);
    return kept.position;
  }

  async expect(load: string, startIndex: number, position: Position): Promise<boolean> {
    const key = keyOf(load, startIndex);
    const before = this.#kept.get(key);
    const now = this.#now();
    const standing = arrive(before && before.until > now ? before : undefined, position);
    this.#kept.delete(key);
    this.#kept.set(key, { ...standing, until: now + livesMs });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > most && oldest !== undefined) this.#kept.delete(oldest);
    return true;
  }
}

function keyOf(load: string, startIndex: number): string {
  return `${load}\n${startIndex}`;
}
