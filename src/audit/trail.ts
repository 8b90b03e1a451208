/**
 * The trail as the line sees it: an entry for each call, a pair of records for each upstream call.
 * A write's intent that was not confirmed in time is refused, and nothing may go up; its outcome is never given up.
 */
import { hostname } from 'node:os';

import { JournalTrail } from './journal-trail.ts';
import { Journal, type JournalOptions } from './journal.ts';
import type { PeriodKey } from './period.ts';
import type { Members } from './queue.ts';
import type { OpenedCall, RequestFacts, RequestOutcome, UpstreamFacts, UpstreamOutcome } from './record.ts';
import type { Sealer } from './seal.ts';

export type { RequestFacts, RequestOutcome, UpstreamFacts, UpstreamOutcome };

export interface Trail extends AsyncDisposable {
  /** Opens the request record of one call; in memory until closed. Throws `audit-unavailable` when no call may be taken. */
  open(call: OpenedCall): RequestEntry;
  /** Durable intent of an upstream call that no caller asked for; its actor is `gateway`. */
  intend(upstream: UpstreamFacts): Promise<UpstreamEntry>;
  /** One durable record that belongs to no call; rejects where it is not on stable storage. */
  note(event: string, facts?: Record<string, unknown>): Promise<void>;
  /** As `note`, of what has happened already: it is made up when the disk is back. Never rejects. */
  remember(event: string, facts?: Record<string, unknown>): Promise<void>;
  /** What the trail's file system still takes, and its size. */
  space(): Promise<{ readonly freeBytes: number; readonly totalBytes: number }>;
  /** Whether calls may be taken. */
  readonly ready: boolean;
}

export interface RequestEntry {
  add(facts: RequestFacts): void;
  /** A record of its own about the call, of what has happened already: made up when the disk is back. Never rejects. */
  remark(event: string, facts: Record<string, unknown>): Promise<void>;
  /** Resolves when the intent is on stable storage; throws `audit-unavailable` else, and then nothing may go up. */
  intend(upstream: UpstreamFacts): Promise<UpstreamEntry>;
  /**
   * Never throws. False: not on stable storage now, and to be made up when the disk is back. The line then withholds
   * a read's answer and delivers a write's.
   */
  close(outcome: RequestOutcome): Promise<boolean>;
}

export interface UpstreamEntry {
  /** As a request entry's. */
  close(outcome: UpstreamOutcome): Promise<boolean>;
}

/**
 * Whom a trail that cannot be written stops. fail-closed: every call. fail-closed-writes: all but reads, whose records
 * are made up later, as many as there is room for.
 */
export type TrailMode = 'fail-closed' | 'fail-closed-writes';

export interface TrailOptions extends Omit<JournalOptions, 'inst' | 'secret'> {
  readonly version: string;
  readonly configHash: string;
  readonly mode?: TrailMode;
  /** Guards the keys that sign. */
  readonly key: Buffer;
  /** The key of the oldest period, of which all later ones are made; who has it can look for a person in the trail. */
  readonly periodKey: PeriodKey;
  /** Seals the identifiers that calls name; without it they are pseudonyms alone. */
  readonly sealer?: Sealer;
  /** The network that an address belongs to, by which strangers' refusals are gathered. */
  readonly networkOf?: (ip: string) => string;
  /** How long an intent or an outcome may take to reach the disk. */
  readonly deadlineMs?: number;
  /** Sees every record of a call, an upstream call or an event as it is handed to the disk; must not throw. */
  readonly onRecord?: (event: string, members: Members) => void;
}

export async function createTrail(options: TrailOptions): Promise<Trail> {
  const { version, configHash, key, deadlineMs = 2000, ...rest } = options;
  const inst = { name: options.instance, host: hostname(), pid: process.pid, version, configHash };
  const journal = await Journal.open({
    ...rest,
    inst,
    secret: key,
    limits: { slowMs: deadlineMs, ...rest.limits },
  });
  return new JournalTrail(journal, { ...rest, deadlineMs });
}
