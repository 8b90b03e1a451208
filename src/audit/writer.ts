/**
 * Writes batches: records that come while one is being written make up the next, and a record's promise is kept only
 * when its batch is on stable storage. A batch that failed has not happened; what is owed waits until the disk is back.
 */
import type { Draft } from './line.ts';
import { draft } from './line.ts';
import { JournalRefusal, Queue, type Members, type QueueLimits, type Waiting } from './queue.ts';
import { codeOf, SegmentLost, type Segment } from './segment.ts';

export type ReportedEvent =
  | 'audit.failed'
  | 'audit.recovered'
  | 'audit.chain_begun'
  | 'audit.checkpoint_failed'
  | 'audit.key_left'
  | 'audit.not_expired'
  | 'audit.witness_lost'
  | 'audit.witness_back';
export type Report = (event: ReportedEvent, facts: Members) => void;

export interface WriterLimits extends QueueLimits {
  /** A batch that takes longer means that the disk is too slow to take calls. */
  readonly slowMs: number;
  readonly probeMs: number;
}

/** Where batches go. */
export interface Target {
  current(): Promise<Segment>;
  /** Leaves a segment whose file cannot be trusted any more. */
  abandon(): Promise<void>;
  /** Told each record that is on stable storage, in order. */
  written(seq: number, event: string, members: Members): void;
}

/** Why nothing can be written at present. */
interface Failure {
  readonly code: string;
  readonly reason: string;
  readonly since: string;
  readonly at: number;
  refused: number;
}

export class Writer {
  readonly #target: Target;
  readonly #limits: WriterLimits;
  readonly #report: Report;
  readonly #queue: Queue;
  #writing: Promise<void> | undefined;
  #trying: Promise<void> | undefined;
  #batchSince: number | undefined;
  #failure: Failure | undefined;
  #probe: NodeJS.Timeout | undefined;
  #ending = false;
  #lastAt = performance.now();

  constructor(target: Target, limits: WriterLimits, report: Report) {
    this.#target = target;
    this.#limits = limits;
    this.#report = report;
    this.#queue = new Queue(limits);
  }

  /** Whether a new promise can be made now. */
  get accepting(): boolean {
    return !this.#failure && !this.#isStuck();
  }

  get failing(): boolean {
    return this.#failure !== undefined;
  }

  get failureReason(): string | undefined {
    return this.#failure?.reason;
  }

  /** How long nothing has been written. */
  get idleMs(): number {
    return this.#queue.length > 0 ? 0 : performance.now() - this.#lastAt;
  }

  hasRoomFor(record: Draft): boolean {
    return this.#queue.hasRoomFor(record);
  }

  enqueue(waiting: Waiting): void {
    this.#queue.add(waiting);
    if (!this.#failure) this.#writing ??= this.#write();
  }

  /** Writes what waits, as far as the disk allows it. */
  async finish(): Promise<void> {
    this.#ending = true;
    clearTimeout(this.#probe);
    await this.#writing;
    await this.#trying;
    if (this.#failure) await this.#tryAgain();
    await this.#writing;
  }

  /** For steps whose failure is repaired later, and whose end nobody waits for. */
  async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#report('audit.failed', { code: codeOf(error), reason: reasonOf(error) });
    }
  }

  #isStuck(): boolean {
    return this.#batchSince !== undefined && performance.now() - this.#batchSince > this.#limits.slowMs;
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
      const segment = await this.#target.current();
      const first = await segment.append(batch.map((waiting) => waiting.draft));
      for (const [at, { draft: record, members, settle }] of batch.entries()) {
        this.#target.written(first + at, record.event, members);
        settle(first + at);
      }
    } finally {
      this.#batchSince = undefined;
    }
    this.#lastAt = performance.now();
    this.#noteSlowness(this.#lastAt - startedAt);
  }

  /** Every call that came meanwhile was refused, and the trail must say why. */
  #noteSlowness(tookMs: number): void {
    if (tookMs <= this.#limits.slowMs) return;
    const facts = { code: 'SLOW', reason: 'The disk took too long.', ms: Math.round(tookMs) };
    this.#report('audit.failed', facts);
    this.enqueue({ ...remark('audit.failed', facts), owed: true });
  }

  async #fail(batch: readonly Waiting[], error: unknown): Promise<void> {
    const reason = reasonOf(error);
    const since = new Date().toISOString();
    this.#failure ??= { code: codeOf(error), reason, since, at: performance.now(), refused: 0 };
    this.#refuse(error, batch);
    const lost = error instanceof SegmentLost;
    if (!lost) this.#refuse(error);
    if (lost) await this.attempt(() => this.#target.abandon());
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
    if (this.#ending) return;
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
      if (error instanceof SegmentLost) await this.attempt(() => this.#target.abandon());
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

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
