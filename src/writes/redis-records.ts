/**
 * What replicas know together of writes, in Redis and without scripts (docs/decisions/0018-repeats.md). Who works on a write
 * holds its lease; whoever finds a record whose lease has ended knows that its holder did not finish. Every key ends by
 * itself and names nobody, and values are sealed.
 */
import type { ChainableCommander } from 'ioredis';

import { RedisCircuit, type Compose, type RedisCircuitOptions, type Replies } from '../redis-circuit.ts';
import type { RecordSeal } from './record-seal.ts';
import { decodeRecord, encodeRecord, type WriteRecord } from './write-record.ts';

/** Apart from the prefixes of all else. One hash tag, so that a Cluster keeps what one pipeline touches on one node. */
const prefix = 'gr1:{writes}:';
/** A replica that says nothing for so long is gone, or knows that it cannot be heard. */
const leaseMs = 10_000;
export const renewEveryMs = leaseMs / 5;
/** How long those that wait for an answer have to fetch it. */
const toldMs = 10_000;

export interface Claim {
  /** The attempt that holds the lease; our own where nobody did. */
  readonly holder: string;
  /** What an earlier attempt left behind. */
  readonly before: WriteRecord | undefined;
  /** Whether something of what it writes was written lately. */
  readonly isContested: boolean;
}

export interface Standing {
  /** The attempt that holds the lease, if one does. */
  readonly holder: string | undefined;
  /** What the attempt that was waited for came to. */
  readonly told: WriteRecord | undefined;
}

type Options = Omit<RedisCircuitOptions, 'probeKey'> & { readonly seal: RecordSeal };

/** How an attempt ended. */
interface End {
  readonly name: string;
  readonly told: WriteRecord;
  /** How long a repeat is answered from it; 0: it goes up again. */
  readonly keptMs: number;
}

type Told = WriteRecord & Required<Pick<WriteRecord, 'endedAt'>>;

/** More than are at work when Redis goes away. */
const mostOwed = 1000;

/** Each answer is undefined when it did not come in time. */
export class RedisRecords implements Disposable {
  readonly #circuit: RedisCircuit;
  readonly #seal: RecordSeal;
  /** Attempts of which Redis may know that they began, or will know: what it did not answer it may carry out later. */
  readonly #begun = new Set<string>();
  /** Attempts whose end Redis has not taken, so that a record would call them unknown for as long as it lasts. */
  readonly #owed = new Map<string, End>();
  /** What Redis was told so lately that somebody may not have heard it: a Redis that dies forgets it. */
  readonly #taken = new Map<string, Told>();
  /** What is to be told again. */
  readonly #untold = new Map<string, Told>();

  constructor({ seal, onState, ...options }: Options) {
    this.#circuit = new RedisCircuit({
      ...options,
      probeKey: `${prefix}probe`,
      onState: (state) => {
        onState?.(state);
        if (state.state === 'on') void this.#tellAgain().then(() => this.#endOwed());
        else this.#doubtTaken();
      },
    });
    this.#seal = seal;
  }

  /**
   * @param begun what is known of the write if its holder does not come to its end, for so long. Nothing is marked before it
   *   is sent, so what it will write is not a part of what is kept.
   */
  async claim(name: string, begun: WriteRecord, forMs: number): Promise<Claim | undefined> {
    const [lease, record] = [keyOf('lease', name), keyOf('record', name)];
    const replies = await this.#begin(begun.run, (pipeline) =>
      pipeline
        .set(lease, begun.run, 'PX', leaseMs, 'NX')
        .set(record, this.#close(record, { ...begun, resources: [] }), 'PX', forMs, 'NX')
        .mget(lease, record, ...begun.resources.map((resource) => keyOf('writer', resource))),
    );
    if (!replies) return undefined;
    const [, , [holder, kept, ...writers] = []] = replies.values as [unknown, unknown, (string | null)[]?];
    if (holder !== begun.run) this.#begun.delete(begun.run);
    const found = this.#open(record, kept);
    const isContested = writers.some((writer) => writer !== null && writer !== found?.run);
    // What was begun and no more has not marked anything, so that all marks are others'.
    const before = found?.isSent === false ? { ...found, isContested } : found;
    // Between two commands the lease may have ended; then it is nobody's, and the next attempt sees it.
    return { holder: holder ?? '', before: before?.run === begun.run ? undefined : before, isContested };
  }

  async renew(name: string, run: string): Promise<void> {
    await this.#circuit.ask((pipeline) => pipeline.set(keyOf('lease', name), run, 'PX', leaseMs));
  }

  /** The attempts that wrote them last; undefined for those that nobody did. */
  async writers(resources: readonly string[]): Promise<(string | undefined)[] | undefined> {
    if (resources.length === 0) return [];
    const replies = await this.#circuit.ask((pipeline) =>
      pipeline.mget(resources.map((resource) => keyOf('writer', resource))),
    );
    const [writers = []] = (replies?.values ?? []) as [(string | null)[]?];
    return replies && writers.map((writer) => writer ?? undefined);
  }

  /** What is known from now on if its holder does not come to its end; false where Redis does not know it. */
  async sent(name: string, record: WriteRecord, forMs: number): Promise<boolean> {
    const key = keyOf('record', name);
    const replies = await this.#begin(record.run, (pipeline) =>
      setWriters(pipeline, record.resources, record.run, forMs).set(
        key,
        this.#close(key, record),
        'PX',
        forMs,
      ),
    );
    return replies !== undefined;
  }

  async mark(resources: readonly string[], run: string, forMs: number): Promise<void> {
    if (resources.length === 0) return;
    await this.#circuit.ask((pipeline) => setWriters(pipeline, resources, run, forMs));
  }

  /**
   * Ends the work on a write and lets others have it.
   * @param told what those that wait are told
   * @param keptMs how long a repeat is answered from it; 0: it goes up again
   */
  async end(name: string, run: string, told: WriteRecord, keptMs: number): Promise<void> {
    const end = { name, told, keptMs };
    const endedAt = Date.now();
    const isTaken = await this.#end(run, end);
    if (!this.#begun.delete(run)) return;
    const late = { ...told, endedAt };
    if (isTaken) this.#keepTaken(run, late);
    else if (this.#owed.size < mostOwed) this.#owed.set(run, { ...end, told: late });
  }

  /** What is to be told to whoever repeats it, unless somebody has begun it again. */
  async keep(name: string, record: WriteRecord, forMs: number): Promise<void> {
    const key = keyOf('record', name);
    await this.#circuit.ask((pipeline) => pipeline.set(key, this.#close(key, record), 'PX', forMs, 'NX'));
  }

  async look(name: string, run: string): Promise<Standing | undefined> {
    const answer = keyOf('told', run);
    const replies = await this.#circuit.ask((pipeline) => pipeline.mget(keyOf('lease', name), answer));
    const [[holder, told] = []] = (replies?.values ?? []) as [(string | null)[]?];
    return replies && { holder: holder ?? undefined, told: this.#open(answer, told) };
  }

  [Symbol.dispose](): void {
    this.#circuit[Symbol.dispose]();
  }

  async #begin(run: string, compose: Compose): Promise<Replies | undefined> {
    if (this.#circuit.isOpen) this.#begun.add(run);
    return this.#circuit.ask(compose);
  }

  async #end(run: string, { name, told, keptMs }: End): Promise<boolean> {
    const [lease, record] = [keyOf('lease', name), keyOf('record', name)];
    const replies = await this.#circuit.ask((pipeline) => {
      this.#tell(pipeline, run, told);
      if (keptMs === 0) return pipeline.del(record, lease);
      return pipeline.set(record, this.#close(record, told), 'PX', keptMs).del(lease);
    });
    return replies !== undefined;
  }

  #keepTaken(run: string, told: Told): void {
    this.#taken.set(run, told);
    for (const [other, { endedAt }] of this.#taken) {
      if (endedAt + toldMs > told.endedAt && this.#taken.size <= mostOwed) return;
      this.#taken.delete(other);
    }
  }

  #doubtTaken(): void {
    for (const [run, told] of this.#taken)
      if (told.endedAt + toldMs > Date.now()) this.#untold.set(run, told);
    this.#taken.clear();
  }

  /** Tells what Redis may have forgotten while it was away. */
  async #tellAgain(): Promise<void> {
    for (const [run, told] of this.#untold) {
      const replies = await this.#circuit.ask((pipeline) => this.#tell(pipeline, run, told));
      if (!replies) return;
      this.#untold.delete(run);
    }
  }

  /** Ends what Redis could not be told of while it was away, unless somebody else is at it. */
  async #endOwed(): Promise<void> {
    for (const [run, end] of this.#owed) {
      const { name, told, keptMs } = end;
      const [lease, record] = [keyOf('lease', name), keyOf('record', name)];
      const replies = await this.#circuit.ask((pipeline) => pipeline.mget(lease, record));
      if (!replies) return;
      const [[holder, kept] = []] = replies.values as [(string | null)[]?];
      const isOurs = (holder ?? run) === run && (this.#open(record, kept)?.run ?? run) === run;
      const leftMs = keptMs === 0 ? 0 : Math.max(1, told.until - Date.now());
      if (isOurs && !(await this.#end(run, { ...end, keptMs: leftMs }))) return;
      this.#owed.delete(run);
    }
  }

  #tell(pipeline: ChainableCommander, run: string, told: WriteRecord): ChainableCommander {
    const answer = keyOf('told', run);
    return pipeline.set(answer, this.#close(answer, told), 'PX', toldMs);
  }

  #close(key: string, record: WriteRecord): string {
    return this.#seal.close(key, encodeRecord(record)).toString('base64');
  }

  /** What does not open was not written by us, and what is over was put back by somebody: it says nothing. */
  #open(key: string, value: string | null | undefined): WriteRecord | undefined {
    const plain = value == null ? undefined : this.#seal.open(key, Buffer.from(value, 'base64'));
    const record = plain && decodeRecord(plain);
    return record && record.until > Date.now() ? record : undefined;
  }
}

function setWriters(
  pipeline: ChainableCommander,
  resources: readonly string[],
  run: string,
  forMs: number,
): ChainableCommander {
  return resources.reduce((all, resource) => all.set(keyOf('writer', resource), run, 'PX', forMs), pipeline);
}

function keyOf(kind: 'lease' | 'record' | 'told' | 'writer', name: string): string {
  return `${prefix}${kind}:${name}`;
}
