/**
 * A checkpoint as if it were a record, so that every form has a way to say it. It is none: it has a size instead of a
 * number in the chain, and its id is one that no record has.
 */
import { Entry } from '../audit/entry.ts';
import type { SegmentName } from '../audit/segment-name.ts';

export const checkpointEvent = 'audit.checkpoint';

export interface CheckpointFacts {
  /** How many lines the chain has up to it. */
  readonly size: number;
  /** The signed note, byte for byte. */
  readonly note: string;
  /** When it was put down, in ms. */
  readonly at: number;
}

export class CheckpointEntry extends Entry {
  constructor(instance: string, segment: SegmentName, { size, note, at }: CheckpointFacts) {
    const ts = new Date(at).toISOString();
    const members = { v: 1, event: checkpointEvent, ts, chain: segment.chain, size, facts: { note } };
    const prefix = { seq: size, ts, event: checkpointEvent };
    super(instance, segment, prefix, Buffer.from(JSON.stringify(members)));
  }

  override get id(): string {
    return `${this.segment.chain}:checkpoint:${this.seq}`;
  }
}
