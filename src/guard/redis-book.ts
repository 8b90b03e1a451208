/**
 * The book that replicas keep together, in Redis and without scripts: counts are additions, whoever comes first, and of two
 * replicas that open a hold one is first. Every key ends by itself, and names nobody; what no gateway wrote is not believed.
 */
import { RedisCircuit, type RedisCircuitOptions, type Replies } from '../redis-circuit.ts';
import { BookSeal } from './book-seal.ts';
import { sliceOf, slicesOf, type Book, type Charge, type Standing } from './book.ts';
import { Tally } from './redis-tally.ts';

/** Apart from the others' prefixes. One hash tag, so that a Cluster keeps what one pipeline touches on one node. */
const prefix = 'gw1:{guard}:';
/** A hold that nobody has touched for so long is held by each replica's own book alone. */
const holdMs = 30 * 24 * 60 * 60_000;

type Kind = 'part' | 'hold' | 'closed' | 'permission' | 'taken' | 'size';
const keyOf = (kind: Kind, ...names: readonly (string | number)[]): string =>
  `${prefix}${[kind, ...names].join(':')}`;
const partKey = (name: string, slice: number): string => keyOf('part', name, slice);

export interface RedisBookOptions extends Omit<RedisCircuitOptions, 'probeKey'> {
  /** What stands there is sealed with it; the same on all replicas. */
  readonly key: Buffer;
}

type Found = string | null | undefined;

export class RedisBook implements Book, Disposable {
  readonly #circuit: RedisCircuit;
  readonly #seal: BookSeal;
  readonly #tally: Tally;

  constructor({ key, ...options }: RedisBookOptions) {
    this.#circuit = new RedisCircuit({ ...options, probeKey: `${prefix}probe` });
    this.#seal = new BookSeal(key);
    this.#tally = new Tally(this.#seal);
  }

  async add({ name, amount, windowMs }: Charge, known = ''): Promise<Standing | undefined> {
    const holdKey = keyOf('hold', name);
    const closedKey = keyOf('closed', known);
    let at = 0;
    const replies = await this.#circuit.ask((pipeline, now) => {
      at = now;
      this.#tally.add(pipeline, partKey(name, sliceOf(now, windowMs)), amount, 2 * windowMs);
      for (const slice of slicesOf(now, windowMs)) this.#tally.read(pipeline, partKey(name, slice));
      return pipeline.mget(holdKey, closedKey);
    });
    if (!replies) {
      this.#tally.undo(partKey(name, sliceOf(at, windowMs)), amount);
      return undefined;
    }
    const [hold, closed] = replies.values.at(-1) as readonly Found[];
    const parts = replies.values.slice(3, -1) as (readonly string[])[];
    const sums = slicesOf(at, windowMs).map((slice, each) =>
      this.#tally.sumOf(partKey(name, slice), parts[each] ?? []),
    );
    return {
      count: sums.reduce((total, sum) => total + sum, 0),
      at,
      hold: this.#seal.open(holdKey, hold),
      isClosed: this.#seal.open(closedKey, closed) !== undefined,
    };
  }

  async takeBack({ name, amount, windowMs }: Charge, at: number): Promise<void> {
    const key = partKey(name, sliceOf(at, windowMs));
    // Whether Redis is there or not, so that the next addition is right.
    this.#tally.undo(key, amount);
    await this.#circuit.ask((pipeline) => this.#tally.add(pipeline, key, 0, 2 * windowMs));
  }

  async open(name: string, hold: string): Promise<string | undefined> {
    const key = keyOf('hold', name);
    const value = this.#seal.close(key, hold);
    const first = await this.#circuit.ask((pipeline) =>
      pipeline.set(key, value, 'PX', holdMs, 'NX').pexpire(key, holdMs).mget(key),
    );
    const found = this.#openFirst(key, first);
    if (!first || found !== undefined) return found;
    // What stands there is nobody's.
    return this.#openFirst(
      key,
      await this.#circuit.ask((pipeline) => pipeline.set(key, value, 'PX', holdMs).mget(key)),
    );
  }

  async close(name: string, hold: string): Promise<void> {
    const closedKey = keyOf('closed', hold);
    await this.#circuit.ask((pipeline) =>
      pipeline
        .del(keyOf('hold', name))
        .del(keyOf('permission', hold))
        .del(keyOf('taken', hold))
        .set(closedKey, this.#seal.close(closedKey, 'closed'), 'PX', holdMs),
    );
  }

  async permit(hold: string, count: number, lifetimeMs: number): Promise<boolean> {
    const key = keyOf('permission', hold);
    const replies = await this.#circuit.ask((pipeline) =>
      pipeline.del(keyOf('taken', hold)).set(key, this.#seal.close(key, String(count)), 'PX', lifetimeMs),
    );
    return replies !== undefined;
  }

  async leftOf(hold: string): Promise<number | undefined> {
    const permission = await this.#permissionOf(hold);
    return permission && permission.count - permission.taken;
  }

  async take(hold: string, amount: number): Promise<number | undefined> {
    const key = keyOf('taken', hold);
    const { count, taken: before } = (await this.#permissionOf(hold)) ?? { count: 0, taken: 0 };
    if (count - before < amount || amount === 0) return undefined;
    const replies = await this.#circuit.ask((pipeline) => pipeline.incrby(key, amount).pexpire(key, holdMs));
    if (!replies) return undefined;
    const rest = count - Number(replies.values[0]);
    if (rest >= 0) return rest;
    // Somebody else was faster.
    await this.#circuit.ask((pipeline) => pipeline.incrby(key, -amount));
    return undefined;
  }

  async giveBack(hold: string, amount: number): Promise<void> {
    const { taken } = (await this.#permissionOf(hold)) ?? { taken: 0 };
    if (taken >= amount)
      await this.#circuit.ask((pipeline) => pipeline.incrby(keyOf('taken', hold), -amount));
  }

  async remember(name: string, size: number | undefined, lifetimeMs: number): Promise<void> {
    const key = keyOf('size', name);
    await this.#circuit.ask((pipeline) =>
      size === undefined
        ? pipeline.del(key)
        : pipeline.set(key, this.#seal.close(key, String(size)), 'PX', lifetimeMs),
    );
  }

  /** Undefined while Redis is not used; null where it knows none. */
  async recall(name: string): Promise<number | null | undefined> {
    const key = keyOf('size', name);
    const replies = await this.#circuit.ask((pipeline) => pipeline.mget(key));
    const size = this.#openFirst(key, replies);
    if (!replies) return undefined;
    return size === undefined ? null : Number(size);
  }

  /** What is taken is a bare number, because only so of many at a time one is first; a number that cannot be leaves nothing. */
  async #permissionOf(hold: string): Promise<{ readonly count: number; readonly taken: number } | undefined> {
    const key = keyOf('permission', hold);
    const replies = await this.#circuit.ask((pipeline) => pipeline.mget(key, keyOf('taken', hold)));
    if (!replies) return undefined;
    const [permitted, said] = replies.values[0] as readonly Found[];
    const count = Number(this.#seal.open(key, permitted) ?? 0);
    const taken = /^\d+$/.test(said ?? '0') ? Number(said ?? 0) : count;
    return { count, taken: Math.min(taken, count) };
  }

  /** What the last command, an MGET, found under its first key. */
  #openFirst(key: string, replies: Replies | undefined): string | undefined {
    const [value] = (replies?.values.at(-1) ?? []) as readonly Found[];
    return this.#seal.open(key, value);
  }

  [Symbol.dispose](): void {
    this.#circuit[Symbol.dispose]();
  }
}
