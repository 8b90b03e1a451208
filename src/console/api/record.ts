/** One record of a trail, the call that it belongs to, and whether both are as they were written. */
import type { Outcomes } from './overview.ts';

export interface RecordRow {
  /** For `record` and `proof`; the same for good. */
  readonly id: string;
  readonly at: string;
  readonly instance: string;
  readonly event: string;
  readonly caller?: string;
  readonly address?: string;
  readonly system?: string;
  readonly tenant?: string;
  /** `patch Users` */
  readonly operation?: string;
  /** Pseudonym of the resource's id. */
  readonly resource?: string;
  readonly status?: number;
  readonly result?: string;
  readonly outcome?: keyof Outcomes;
  readonly error?: string;
  readonly cache?: string;
  readonly ms?: number;
  readonly request?: string;
  /** 1 nothing special … 4 look at it now. */
  readonly weight: 1 | 2 | 3 | 4;
}

export interface RecordDetail {
  readonly row: RecordRow;
  /** The line as it stands in the trail. */
  readonly line: string;
  /** All of the call, by time, this record among them; only this one when it belongs to none. */
  readonly call: readonly CallRecord[];
  /** How the call was decided, step by step, as far as its records say. */
  readonly trace: readonly TraceStep[];
  /** What went up to a tenant for it. */
  readonly physical: readonly PhysicalCall[];
}

export interface CallRecord {
  readonly row: RecordRow;
  readonly line: string;
}

export interface TraceStep {
  readonly step:
    | 'received'
    | 'identified'
    | 'asked'
    | 'authorised'
    | 'cache'
    | 'turn'
    | 'intent'
    | 'tenant'
    | 'answered';
  readonly at?: string;
  /** Went on, was the end of it, or is not known. */
  readonly state: 'passed' | 'ended' | 'unknown';
  /** Names and values to show, such as `credential`, `decision`, `waitedMs`. */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
}

export interface PhysicalCall {
  /** The record of the intent. */
  readonly intent: string;
  /** Of the outcome; absent: nobody recorded one yet. */
  readonly outcome?: string;
  readonly tenant?: string;
  readonly system?: string;
  readonly method?: string;
  readonly path?: string;
  readonly attempt: number;
  readonly waitedMs?: number;
  readonly status?: number;
  readonly result?: string;
  readonly ms?: number;
  readonly tenantRequestId?: string;
}

export interface ProofReply {
  /** For `gatehouse audit check-proof`; offer it as a file. */
  readonly proof: unknown;
  readonly index: number;
  readonly size: number;
  readonly root: string;
  /** Whether the path leads to the root; the signature is for whoever has the log key. */
  readonly holds: boolean;
}

/** Parameter of an export. `lines` is the trail's own form; only it can be looked at again line by line. */
export type ExportFormat = 'ocsf' | 'ecs' | 'cef' | 'csv' | 'lines';

export interface VerifyJob {
  readonly id: string;
  readonly state: 'running' | 'done' | 'cancelled' | 'failed';
  readonly by: string;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly bytesDone: number;
  readonly bytesTotal: number;
  /** When done. */
  readonly verdict?: 'ok' | 'incomplete' | 'truncated' | 'tampered';
  readonly findings?: readonly VerifyFinding[];
  readonly instances?: readonly {
    readonly instance: string;
    readonly verdict: 'ok' | 'incomplete' | 'truncated' | 'tampered';
    readonly records: number;
    readonly firstAt?: string;
    readonly lastAt?: string;
    readonly running: boolean;
    /** The last record that a checkpoint from elsewhere covers, and when its witness saw it. */
    readonly coveredTo?: number;
    readonly witnessedAt?: string;
    /** What no verdict follows from, in English. */
    readonly remarks: readonly string[];
  }[];
}

export interface VerifyFinding {
  readonly instance?: string;
  readonly verdict: 'incomplete' | 'truncated' | 'tampered';
  readonly file: string;
  readonly reason: string;
  readonly seq?: number;
}
