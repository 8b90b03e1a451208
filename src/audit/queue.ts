/**
 * The records that wait for the next batch: bounded, in the order in which they came.
 * A record that tells of something that has happened is owed: it is never refused and never leaves unwritten.
 */
import type { Draft } from './line.ts';

export type Members = Readonly<Record<string, unknown>>;

export class JournalRefusal extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'JournalRefusal';
  }
}

export interface Waiting {
  readonly draft: Draft;
  readonly members: Members;
  readonly owed: boolean;
  /** Told the record's seq, or why it is not written. */
  readonly settle: (outcome: number | JournalRefusal) => void;
}

export interface QueueLimits {
  readonly queueRecords: number;
  readonly queueBytes: number;
}

const maxBatchRecords = 4096;

export class Queue {
  readonly #limits: QueueLimits;
  #waiting: Waiting[] = [];
  #bytes = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#waiting.length;
  }

  hasRoomFor(record: Draft): boolean {
    const { queueRecords, queueBytes } = this.#limits;
    return this.#waiting.length < queueRecords && this.#bytes + sizeOf(record) <= queueBytes;
  }

  add(waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.#bytes += sizeOf(waiting.draft);
  }

  take(maxRecords = maxBatchRecords): Waiting[] {
    const batch = this.#waiting.splice(0, maxRecords);
    for (const { draft } of batch) this.#bytes -= sizeOf(draft);
    return batch;
  }

  /** Tells a failed batch, or with none all that wait, that they are not written; what is owed waits on, in front. */
  refuse(refusal: JournalRefusal, batch: readonly Waiting[] = this.take(Infinity)): number {
    for (const { settle } of batch) settle(refusal);
    const owed = batch.filter((waiting) => waiting.owed);
    this.#waiting.unshift(...owed);
    for (const { draft } of owed) this.#bytes += sizeOf(draft);
    return batch.length - owed.length;
  }
}

function sizeOf({ body }: Draft): number {
  return body.length;
}
