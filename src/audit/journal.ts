/**
 * The writer of an instance's trail: records that come while a batch is being written make up the next one, and a
 * record's promise is kept only when its batch is on stable storage. A batch that failed has not happened.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

import { realFiles, type Files } from './files.ts';
import { draft, maxLineBytes, type Draft } from './line.ts';
import { Owner } from './owner.ts';
import { JournalRefusal, Queue, type Members, type QueueLimits, type Waiting } from './queue.ts';
import { IntentBook, recover, unknownEvent, type Beginning } from './recover.ts';
import { codeOf, SegmentLost } from './segment.ts';
import { Succession, type RotationLimits } from './succession.ts';

export interface JournalOptions {
  readonly directory: string;
  readonly instance: string;
  /** Who writes, for the header of every segment. */
  readonly inst: Members;
  readonly limits?: Partial<Limits>;
  /** Goes on behind a segment that was tampered with, and says so in the trail. */
  readonly acceptDamaged?: boolean;
  readonly files?: Files;
  /** Told when recording fails and when it works again; for the operational log. */
  readonly report?: (event: 'audit.failed' | 'audit.recovered', facts: Members) => void;
}

export interface Limits extends QueueLimits, RotationLimits {
  /** A batch that takes longer means that the disk is too slow to take calls. */
  readonly slowMs: number;
  readonly probeMs: number;
}

const defaults: Limits = {
  segmentBytes: 64 * 1024 * 1024,
  segmentAgeMs: 3_600_000,
  queueRecords: 10_000,
  queueBytes: 16 * 1024 * 1024,
  slowMs: 2000,
  probeMs: 250,
};
/** In UTF-16 units, of which each makes at most three bytes; the rest is the line's prefix. */
const maxBodyLength = Math.floor((maxLineBytes - 1024) / 3);

/** Why nothing can be written at present. */
interface Failure {
  readonly code: string;
  readonly reason: string;
  readonly since: string;
  readonly at: number;
  refused: number;
}

export class Journal implements AsyncDisposable {
  readonly #limits: Limits;
  readonly #owner: Owner;
  readonly #succession: Succession;
  readonly #queue: Queue;
  readonly #intents = new IntentBook();
  readonly #header: { readonly boot: string; readonly inst: Members };
  readonly #report: NonNullable<JournalOptions['report']>;

  #writing: Promise<void> | undefined;
  #trying: Promise<void> | undefined;
  #batchSince: number | undefined;
  #failure: Failure | undefined;
  #probe: NodeJS.Timeout | undefined;
  #closed = false;

  /** When this resolves, the new segment and all that recovery had to say are on stable storage. */
  static async open(options: JournalOptions): Promise<Journal> {
    const { files = realFiles, acceptDamaged = false } = options;
    const directory = join(options.directory, options.instance);
    await files.makeDirectory(directory);
    await files.syncDirectory(options.directory);
    const owner = await Owner.acquire(files, directory);
    try {
      const beginning = await recover(files, directory, acceptDamaged);
      const journal = new Journal(options, directory, owner, beginning);
      await journal.#start(beginning);
      return journal;
    } catch (error) {
      await owner.release();
      throw error;
    }
  }

  private constructor(options: JournalOptions, directory: string, owner: Owner, beginning: Beginning) {
    const { files = realFiles, limits, inst, report = () => {} } = options;
    this.#limits = { ...defaults, ...limits };
    this.#owner = owner;
    this.#succession = new Succession(files, directory, owner, this.#limits, beginning);
    this.#queue = new Queue(this.#limits);
    this.#header = { boot: randomUUID(), inst };
    this.#report = report;
    this.#intents.take(beginning.open);
  }

  /** Whether a new promise can be made now. */
  get accepting(): boolean {
    return !this.#closed && !this.#failure && !this.#isStuck();
  }

  /** Resolves with the record's seq when it is on stable storage; rejects with JournalRefusal when it is not there. */
  append(event: string, members: Members): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const record = draft(event, members);
    const problem = this.#problemWith(record);
    if (problem) reject(new JournalRefusal(problem, this.#failure?.reason));
    else
      this.#enqueue(record, members, false, (outcome) =>
        typeof outcome === 'number' ? resolve(outcome) : reject(outcome),
      );
    return promise;
  }

  /**
   * For what has happened already: the record waits until it is written. Resolves true when it is on stable storage,
   * false as soon as writing has failed once.
   */
  owe(event: string, members: Members): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    if (this.#closed) return Promise.resolve(false);
    if (this.#failure) resolve(false);
    this.#enqueue(fitting(event, members), members, true, (outcome) => resolve(typeof outcome === 'number'));
    return promise;
  }

  /** Writes what waits, closes the segment and gives the directory free. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#probe);
    await this.#writing;
    await this.#trying;
    if (this.#failure) await this.#tryAgain();
    await this.#writing;
    await this.#attempt(() => this.#succession.close('stopped'));
    await this.#attempt(() => this.#succession.abandon());
    await this.#attempt(() => this.#owner.release());
  }

  /** For the end of things: the next start repairs what fails here, and nobody waits for an answer any more. */
  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#report('audit.failed', { code: codeOf(error), reason: reasonOf(error) });
    }
  }

  async #start({ remarks, open }: Beginning): Promise<void> {
    const segment = await this.#succession.current(() => this.#headerFacts());
    const drafts = [...remarks, ...open.map((intent) => draft(unknownEvent, { ...intent }))];
    try {
      if (drafts.length > 0) await segment.append(drafts);
    } catch (error) {
      await this.#attempt(() => this.#succession.abandon());
      throw error;
    }
    for (const { intent } of open) this.#intents.note(0, unknownEvent, { intent });
  }

  #headerFacts(): { boot: string; inst: Members; open: IntentBook['open'] } {
    return { ...this.#header, open: this.#intents.open };
  }

  #problemWith(record: Draft): string | undefined {
    if (!this.accepting) return 'The audit trail cannot be written now.';
    if (record.body.length > maxBodyLength) return 'The record is too long.';
    if (!this.#queue.hasRoomFor(record)) return 'Too many records wait to be written.';
    return undefined;
  }

  #isStuck(): boolean {
    return this.#batchSince !== undefined && performance.now() - this.#batchSince > this.#limits.slowMs;
  }

  #enqueue(record: Draft, members: Members, owed: boolean, settle: Waiting['settle']): void {
    this.#queue.add({ draft: record, members, owed, settle });
    if (!this.#failure) this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    // What the same turn of the event loop brings shares the first batch.
    await Promise.resolve();
    while (this.#queue.length > 0 && !this.#failure) {
      const batch = this.#queue.take();
      try {
        await this.#commit(batch);
      } catch (error) {
        await this.#fail(batch, error);
      }
    }
    this.#writing = undefined;
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    const startedAt = performance.now();
    this.#batchSince = startedAt;
    try {
      const segment = await this.#succession.current(() => this.#headerFacts());
      const first = await segment.append(batch.map((waiting) => waiting.draft));
      for (const [at, { draft: record, members, settle }] of batch.entries()) {
        this.#intents.note(first + at, record.event, members);
        settle(first + at);
      }
    } finally {
      this.#batchSince = undefined;
    }
    this.#noteSlowness(performance.now() - startedAt);
  }

  /** Every call that came meanwhile was refused, and the trail must say why. */
  #noteSlowness(tookMs: number): void {
    if (tookMs <= this.#limits.slowMs) return;
    const facts = { code: 'SLOW', reason: 'The disk took too long.', ms: Math.round(tookMs) };
    this.#report('audit.failed', facts);
    void this.owe('audit.failed', facts);
  }

  async #fail(batch: readonly Waiting[], error: unknown): Promise<void> {
    const reason = reasonOf(error);
    const since = new Date().toISOString();
    this.#failure ??= { code: codeOf(error), reason, since, at: performance.now(), refused: 0 };
    this.#refuse(error, batch);
    const lost = error instanceof SegmentLost;
    if (!lost) this.#refuse(error);
    if (lost) await this.#attempt(() => this.#succession.abandon());
    this.#report('audit.failed', { ...this.#failure });
    // Another file may well work at once; a disk that refuses to write needs time.
    this.#probeAfter(lost ? 0 : this.#limits.probeMs);
  }

  /** A batch, or with none all that wait. */
  #refuse(error: unknown, batch?: readonly Waiting[]): void {
    const refused = this.#queue.refuse(new JournalRefusal('The write failed.', error), batch);
    if (this.#failure) this.#failure.refused += refused;
  }

  #probeAfter(ms: number): void {
    if (this.#closed) return;
    this.#probe = setTimeout(() => void this.#tryAgain(), ms);
  }

  async #tryAgain(): Promise<void> {
    this.#trying = this.#resume();
    await this.#trying;
  }

  /** What is owed is the probe; before it the trail says how long it was silent. */
  async #resume(): Promise<void> {
    const failure = this.#failure;
    if (!failure) return;
    const batch = this.#queue.take();
    const { at, ...facts } = failure;
    const silentMs = Math.round(performance.now() - at);
    const remarks = [remark('audit.failed', facts), remark('audit.recovered', { silentMs })];
    try {
      await this.#commit([...remarks, ...batch]);
    } catch (error) {
      this.#refuse(error, batch);
      this.#refuse(error);
      if (error instanceof SegmentLost) await this.#attempt(() => this.#succession.abandon());
      this.#probeAfter(this.#limits.probeMs);
      return;
    }
    this.#failure = undefined;
    this.#report('audit.recovered', { silentMs });
    if (this.#queue.length > 0) this.#writing ??= this.#write();
  }
}

function remark(event: string, members: Members): Waiting {
  return { draft: draft(event, members), members, owed: false, settle: () => {} };
}

/** A record that is owed must be written, so of one that is too long the essence is kept. */
function fitting(event: string, members: Members): Draft {
  const record = draft(event, members);
  if (record.body.length <= maxBodyLength) return record;
  const { req, intent, outcome } = members;
  return draft(event, { req, intent, outcome, shortened: true });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
