/**
 * Writes batches: records that come while one is being written make up the next, and a record's promise is kept only
 * when its batch is on stable storage. A batch that failed has not happened; what is owed waits until the disk is back.
 */
import { isFull } from './ballast.ts';
import { draft, type Draft } from './line.ts';
import { JournalRefusal, Queue, type Members, type QueueLimits, type Waiting } from './queue.ts';
import { codeOf, reasonOf, type Report } from './report.ts';
import { SegmentLost, type Segment } from './segment.ts';

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
  /** Gives free what was put aside for a full disk; false when there is nothing. */
  makeRoom(): Promise<boolean>;
  /** Whether new promises can be kept again, which is more than that a last word can be written. */
  isRoomBack(): Promise<boolean>;
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
  /** Whether the trail says so already. */
  told: boolean;
}

/** Records that were not kept, because too many waited while nothing could be written. */
interface Gap {
  readonly notKept: number;
  readonly since: string;
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
  #gap: Gap | undefined;
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

  /** For a record that nobody waits for; where there is no room for it the trail will say that one is missing. */
  enqueueIfRoom(waiting: Waiting): void {
    if (this.hasRoomFor(waiting.draft)) return this.enqueue(waiting);
    const { notKept, since } = this.#gap ?? { notKept: 0, since: new Date().toISOString() };
    this.#gap = { notKept: notKept + 1, since };
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

  async #commit(records: readonly Waiting[]): Promise<void> {
    const startedAt = performance.now();
    this.#batchSince = startedAt;
    const gap = this.#gap;
    const batch = gap ? [remark('audit.gap', { ...gap }), ...records] : records;
    try {
      const segment = await this.#target.current();
      const first = await segment.append(batch.map((waiting) => waiting.draft));
      for (const [at, { draft: record, members, settle }] of batch.entries()) {
        this.#target.written(first + at, record.event, members);
        settle(first + at);
      }
      this.#gap = withoutTold(this.#gap, gap);
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
    this.#failure ??= { code: codeOf(error), reason, since, at: performance.now(), refused: 0, told: false };
    this.#refuse(error, batch);
    const lost = error instanceof SegmentLost;
    if (!lost) this.#refuse(error);
    if (lost) await this.attempt(() => this.#target.abandon());
    this.#report('audit.failed', factsOf(this.#failure));
    if (isFull(error)) await this.#tellOfFullDisk(this.#failure);
    // Another file may well work at once; a disk that refuses to write needs time.
    this.#probeAfter(lost ? 0 : this.#limits.probeMs);
  }

  /** In the space that was kept for it; calls are refused all the same until there is other space. */
  async #tellOfFullDisk(failure: Failure): Promise<void> {
    try {
      if (!(await this.#target.makeRoom())) return;
      const owed = this.#queue.take();
      try {
        await this.#commit([remark('audit.failed', factsOf(failure)), ...owed]);
        failure.told = true;
      } catch (error) {
        this.#refuse(error, owed);
        throw error;
      }
    } catch (error) {
      // The next attempts tell it.
      this.#report('audit.no_ballast', { code: codeOf(error), reason: reasonOf(error) });
      if (error instanceof SegmentLost) await this.attempt(() => this.#target.abandon());
    }
  }

  /** A batch, or with none all that wait. */
  #refuse(error: unknown, batch?: readonly Waiting[]): void {
    const refused = this.#queue.refuse(new JournalRefusal('The write failed.', error), batch);
    if (this.#failure) this.#failure.refused += refused;
  }

  async #isRoomBack(): Promise<boolean> {
    try {
      return await this.#target.isRoomBack();
    } catch (error) {
      this.#report('audit.no_ballast', { code: codeOf(error), reason: reasonOf(error) });
      return false;
    }
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
    const isBack = await this.#isRoomBack();
    // The last words are written into the space that was kept for them.
    if (!isBack && !this.#ending) return this.#probeAfter(this.#limits.probeMs);
    const batch = this.#queue.take();
    const silentMs = Math.round(performance.now() - failure.at);
    const remarks = [
      ...(failure.told ? [] : [remark('audit.failed', factsOf(failure))]),
      ...(isBack ? [remark('audit.recovered', { silentMs })] : []),
    ];
    try {
      if (remarks.length + batch.length > 0) await this.#commit([...remarks, ...batch]);
    } catch (error) {
      this.#refuse(error, batch);
      this.#refuse(error);
      if (error instanceof SegmentLost) await this.attempt(() => this.#target.abandon());
      this.#probeAfter(this.#limits.probeMs);
      return;
    }
    this.#failure = undefined;
    if (isBack) this.#report('audit.recovered', { silentMs });
    if (this.#queue.length > 0) this.#writing ??= this.#write();
  }
}

function factsOf({ code, reason, since, refused }: Failure): Members {
  return { code, reason, since, refused };
}

/** What came while this much of it was being written. */
function withoutTold(gap: Gap | undefined, told: Gap | undefined): Gap | undefined {
  if (!gap || !told) return gap;
  const notKept = gap.notKept - told.notKept;
  return notKept === 0 ? undefined : { ...gap, notKept };
}

function remark(event: string, members: Members): Waiting {
  return { draft: draft(event, members), members, owed: false, settle: () => {} };
}
