/**
 * What is known of writes, in the memory of this replica and, while Redis is there, for all of them. Invariant: where
 * nobody else can be asked, what this replica knows itself is the answer.
 */
import { OwnRecords } from './own-records.ts';
import { renewEveryMs, type Claim, type RedisRecords, type Standing } from './redis-records.ts';
import type { WriteRecord } from './write-record.ts';

/** Undefined where other replicas could not be asked, or there are none. */
type FromAll<T> = Promise<T | undefined>;

export class KnownWrites {
  readonly #own = new OwnRecords();
  readonly #shared: RedisRecords | undefined;
  /** By attempt. */
  readonly #renewals = new Map<string, NodeJS.Timeout>();

  constructor(shared: RedisRecords | undefined) {
    this.#shared = shared;
  }

  /** Whether replicas share it at all. */
  get isShared(): boolean {
    return this.#shared !== undefined;
  }

  async claim(name: string, begun: WriteRecord, forMs: number): FromAll<Claim> {
    return this.#shared?.claim(name, begun, forMs);
  }

  async look(name: string, run: string): FromAll<Standing> {
    return this.#shared?.look(name, run);
  }

  /** Keeps the lease until the work ends, or this is disposed. */
  hold(name: string, run: string): Disposable {
    const renewal = setInterval(() => void this.#shared?.renew(name, run), renewEveryMs).unref();
    this.#renewals.set(run, renewal);
    return { [Symbol.dispose]: () => this.#letGo(run) };
  }

  /** What an earlier attempt left behind. */
  before(name: string, claim: Claim | undefined): WriteRecord | undefined {
    return claim?.before ?? this.#own.get(name);
  }

  /** Whether something of what it writes was written lately. */
  isContested(resources: readonly string[], claim: Claim | undefined): boolean {
    const isWrittenHere = resources.some((resource) => this.#own.writer(resource) !== undefined);
    return isWrittenHere || claim?.isContested === true;
  }

  /** Whether somebody else has written since what the attempt wrote; `uncertain` where marks do not say. */
  async since({ run, isShared, resources }: WriteRecord): Promise<'untouched' | 'written' | 'uncertain'> {
    const shared = await this.#shared?.writers(resources);
    const standings = resources.map((resource, at) => {
      // Marks of ours are older than another replica's, so they count only where there are no others.
      const writer = isShared && shared ? shared[at] : this.#own.writer(resource);
      if (writer !== undefined && writer !== run) return 'written';
      const isOrdered = isShared || shared?.[at] === undefined;
      return writer === run && isOrdered ? 'untouched' : 'uncertain';
    });
    const found = new Set(standings);
    return (['written', 'uncertain'] as const).find((standing) => found.has(standing)) ?? 'untouched';
  }

  /** It goes up now. False where only this replica knows of it. */
  async sent(name: string, record: WriteRecord, forMs: number): Promise<boolean> {
    this.#own.mark(record.resources, record.run, forMs);
    return (await this.#shared?.sent(name, record, forMs)) ?? false;
  }

  async mark(resources: readonly string[], run: string, forMs: number): Promise<void> {
    this.#own.mark(resources, run, forMs);
    await this.#shared?.mark(resources, run, forMs);
  }

  /**
   * Ends the work on a write with what came of it.
   * @param keptMs how long a repeat is answered from it; 0: it goes up again
   */
  async end(name: string, run: string, told: WriteRecord, keptMs: number): Promise<void> {
    if (keptMs > 0) this.#own.keep(name, told, keptMs);
    else this.#own.drop(name);
    await this.release(name, run, told, keptMs);
  }

  /** Lets other replicas have a write of which this one has learnt nothing new. */
  async release(name: string, run: string, told: WriteRecord, keptMs: number): Promise<void> {
    // A renewal that came behind it would leave a lease that nobody holds.
    this.#letGo(run);
    await this.#shared?.end(name, run, told, keptMs);
  }

  /** Another replica began it and cannot be heard: a repeat that comes here is looked for. */
  doubt(name: string, begun: WriteRecord, forMs: number): void {
    this.#own.keep(name, begun, forMs);
  }

  forgetDoubt(name: string): void {
    this.#own.drop(name);
  }

  /** Keeps for its repeats what came of a write that has ended. */
  keep(name: string, record: WriteRecord, forMs: number): void {
    this.#own.keep(name, record, forMs);
    void this.#shared?.keep(name, record, forMs);
  }

  #letGo(run: string): void {
    clearInterval(this.#renewals.get(run));
    this.#renewals.delete(run);
  }
}
