/** What happened to each mapping of a run, in order; the material of `transform run --explain`. */
import type { Json } from './json.ts';

export interface MappingTrace {
  readonly mapping: number;
  readonly taken: boolean;
  /** What was done, or why it was skipped. */
  readonly why: string;
  readonly functions: readonly FunctionTrace[];
  /** The value that was written or stored. */
  readonly value?: Json;
}

export interface FunctionTrace {
  readonly name: string;
  readonly before: Json;
  /** Absent when the function found nothing. */
  readonly after: Json | undefined;
  readonly note?: string;
}
