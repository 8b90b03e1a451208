/**
 * The book that replicas keep together, in Redis and without scripts: counts are additions, whoever comes first, and of two
 * replicas that open a hold one is first. Every key ends by itself, and names nobody.
 */
import { RedisCircuit, type RedisCircuitOptions } from '../redis-circuit.ts';
import { sliceOf, slicesOf, type Book, type Charge, type Standing } from './book.ts';

/** Apart from the others' prefixes. One hash tag, so that a Cluster keeps what one pipeline touches on one node. */
const prefix = 'gw1:{guard}:';
/** A hold that nobody has touched for so long is held by each replica's own book alone. */
const holdMs = 30 * 24 * 60 * 60_000;

type Kind = 'count' | 'hold' | 'closed' | 'permission' | 'size';
const keyOf = (kind: Kind, ...names: readonly (string | number)[]): string =>
  `${prefix}${[kind, ...names].join(':')}`;

export class RedisBook implements Book, Disposable {
  readonly #circuit: RedisCircuit;

  constructor(options: Omit<RedisCircuitOptions, 'probeKey'>) {
    this.#circuit = new RedisCircuit({ ...options, probeKey: `${prefix}probe` });
  }

  async add({ name, amount, windowMs }: Charge, known = ''): Promise<Standing | undefined> {
    let at = 0;
    const replies = await this.#circuit.ask((pipeline, now) => {
      at = now;
      const [slice = 0] = slicesOf(now, windowMs);
      return pipeline
        .incrby(keyOf('count', name, slice), amount)
        .pexpire(keyOf('count', name, slice), 2 * windowMs)
        .mget(slicesOf(now, windowMs).map((each) => keyOf('count', name, each)))
        .mget(keyOf('hold', name), keyOf('closed', known));
    });
    if (!replies) return undefined;
    const [, , counts, [hold, closed]] = replies.values as [
      unknown,
      unknown,
      readonly (string | null)[],
      [string | null, string | null],
    ];
    const count = counts.reduce((sum, each) => sum + Number(each ?? 0), 0);
    return { count, at, hold: hold ?? undefined, isClosed: closed !== null };
  }

  async takeBack({ name, amount, windowMs }: Charge, at: number): Promise<void> {
    const key = keyOf('count', name, sliceOf(at, windowMs));
    await this.#circuit.ask((pipeline) => pipeline.incrby(key, -amount).pexpire(key, 2 * windowMs));
  }

  async open(name: string, hold: string): Promise<string | undefined> {
    const key = keyOf('hold', name);
    const replies = await this.#circuit.ask((pipeline) =>
      pipeline.set(key, hold, 'PX', holdMs, 'NX').pexpire(key, holdMs).mget(key),
    );
    const [, , [found] = []] = (replies?.values ?? []) as [unknown?, unknown?, (string | null)[]?];
    return found ?? undefined;
  }

  async close(name: string, hold: string): Promise<void> {
    await this.#circuit.ask((pipeline) =>
      pipeline
        .del(keyOf('hold', name))
        .del(keyOf('permission', hold))
        .set(keyOf('closed', hold), '1', 'PX', holdMs),
    );
  }

  async permit(hold: string, count: number, lifetimeMs: number): Promise<boolean> {
    const replies = await this.#circuit.ask((pipeline) =>
      pipeline.set(keyOf('permission', hold), count, 'PX', lifetimeMs),
    );
    return replies !== undefined;
  }

  async leftOf(hold: string): Promise<number | undefined> {
    const found = await this.#circuit.ask((pipeline) => pipeline.mget(keyOf('permission', hold)));
    const [[left] = []] = (found?.values ?? []) as [(string | null)[]?];
    return found && Number(left ?? 0);
  }

  async take(hold: string, amount: number): Promise<number | undefined> {
    const key = keyOf('permission', hold);
    if (((await this.leftOf(hold)) ?? 0) < amount || amount === 0) return undefined;
    const taken = await this.#circuit.ask((pipeline) => pipeline.incrby(key, -amount));
    if (!taken) return undefined;
    const [rest = -1] = taken.values as [number?];
    if (rest >= 0) return rest;
    // Somebody else was faster, or its time was over in between, and then the key began anew without an end.
    await this.#circuit.ask((pipeline) =>
      rest === -amount ? pipeline.del(key) : pipeline.incrby(key, amount),
    );
    return undefined;
  }

  async giveBack(hold: string, amount: number): Promise<void> {
    const key = keyOf('permission', hold);
    const found = await this.#circuit.ask((pipeline) => pipeline.mget(key));
    const [[left] = []] = (found?.values ?? []) as [(string | null)[]?];
    if (left != null) await this.#circuit.ask((pipeline) => pipeline.incrby(key, amount));
  }

  async remember(name: string, size: number | undefined, lifetimeMs: number): Promise<void> {
    const key = keyOf('size', name);
    await this.#circuit.ask((pipeline) =>
      size === undefined ? pipeline.del(key) : pipeline.set(key, size, 'PX', lifetimeMs),
    );
  }

  /** Undefined while Redis is not used; null where it knows none. */
  async recall(name: string): Promise<number | null | undefined> {
    const replies = await this.#circuit.ask((pipeline) => pipeline.mget(keyOf('size', name)));
    const [[size] = []] = (replies?.values ?? []) as [(string | null)[]?];
    if (!replies) return undefined;
    return size == null ? null : Number(size);
  }

  [Symbol.dispose](): void {
    this.#circuit[Symbol.dispose]();
  }
}
