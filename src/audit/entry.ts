/**
 * A line of the trail as its readers see it. Its prefix is known at once, its members are parsed when first asked for;
 * they come from a file that anybody may have written, so every member is asked for by its type.
 */
import type { LinePrefix } from './line.ts';
import type { Members } from './queue.ts';
import type { SegmentName } from './segment-name.ts';

const none: Members = {};

export class Entry {
  readonly instance: string;
  readonly segment: SegmentName;
  readonly seq: number;
  /** UTC, so that texts compare as times do. */
  readonly ts: string;
  readonly event: string;
  /** The bytes as they were written, without the newline. */
  readonly line: Buffer;
  #members: Members | undefined;

  constructor(
    instance: string,
    segment: SegmentName,
    { seq, ts, event }: Omit<LinePrefix, 'prev'>,
    line: Buffer,
  ) {
    this.instance = instance;
    this.segment = segment;
    this.seq = seq;
    this.ts = ts;
    this.event = event;
    this.line = line;
  }

  /** No other line of any trail has it. */
  get id(): string {
    return `${this.segment.chain}:${this.seq}`;
  }

  /** Empty when the line is not JSON. */
  get members(): Members {
    this.#members ??= parse(this.line);
    return this.#members;
  }

  text(...path: readonly string[]): string | undefined {
    const value = this.#at(path);
    return typeof value === 'string' ? value : undefined;
  }

  number(...path: readonly string[]): number | undefined {
    const value = this.#at(path);
    return typeof value === 'number' ? value : undefined;
  }

  list(...path: readonly string[]): readonly unknown[] {
    const value = this.#at(path);
    return Array.isArray(value) ? value : [];
  }

  object(...path: readonly string[]): Members | undefined {
    const value = this.#at(path);
    return isMembers(value) ? value : undefined;
  }

  /** One that outlives its batch without keeping the whole of it in memory. */
  kept(): Entry {
    const kept = new Entry(this.instance, this.segment, this, Buffer.from(this.line));
    kept.#members = this.#members;
    return kept;
  }

  #at(path: readonly string[]): unknown {
    let value: unknown = this.members;
    for (const name of path) value = isMembers(value) && Object.hasOwn(value, name) ? value[name] : undefined;
    return value;
  }
}

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(line: Buffer): Members {
  try {
    const value: unknown = JSON.parse(line.toString());
    return isMembers(value) ? value : none;
  } catch {
    // Only JSON.parse throws here; what it says would quote the line.
    return none;
  }
}
