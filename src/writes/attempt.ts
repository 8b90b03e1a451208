/**
 * One attempt at a write, under the name that its repeats have too: what it was asked, how it can be carried out or looked
 * for, and what is known of it until it has come to its end.
 */
import type { Reply } from '../scim/call.ts';
import type { Sent } from './look.ts';
import type { NamedWrite, WriteNames } from './repeat-names.ts';
import type { WriteRecord } from './write-record.ts';

/**
 * joined: it waited for the answer of the one that ran. replayed: it got what was recorded. reconciled: the tenant was looked
 * at, nothing was sent. local: Redis could not be asked, so that only repeats at this replica are known.
 */
export type Repeat = 'joined' | 'replayed' | 'reconciled' | 'local';

export interface RepeatableWrite extends NamedWrite {
  /** Aborts when the caller hangs up. */
  readonly left: AbortSignal;
  /** How long a repeat is answered from what is known. */
  readonly windowMs: number;
  /** How long it may take to its answer. */
  readonly longestMs: number;
  /** How long the answer of another replica is waited for that cannot be heard. */
  readonly patienceMs: number;
  readonly onRepeat: (repeat: Repeat) => void;
}

/** Undefined: nobody knows what became of it. */
export type Answer = Reply | undefined;

/** Who else may have written the same, as far as it is known before it is sent. */
export interface Rivals {
  /** Another write of the same has gone through us lately. */
  readonly isContested: boolean;
  /** Other replicas could not be asked, so that one of them may have sent the same at the same time. */
  readonly isUnasked: boolean;
}

export interface Work {
  /** Sends it, and looks where no certain answer came. Rejects where it was certainly not carried out. */
  send(onSent: () => void, rivals: Rivals): Promise<Answer>;
  /** Looks for what an earlier attempt did. */
  look(sent: Sent): Promise<Answer>;
}

/** One attempt to find out or to send, under one name. */
export interface Attempt {
  readonly write: RepeatableWrite;
  readonly names: WriteNames;
  readonly work: Work;
  readonly run: string;
}

/** What is known of it if it does not come to its end. */
export function begunBy({ write, names, run }: Pick<Attempt, 'write' | 'names' | 'run'>): WriteRecord {
  const { fingerprint, resources } = names;
  const sentAt = Date.now();
  // Until it is sent, and it is known whether others have written.
  return {
    run,
    fingerprint,
    sentAt,
    isContested: true,
    isSent: false,
    isShared: false,
    until: sentAt + lifetimeOf(write),
    resources,
  };
}

export function leftOf({ until }: WriteRecord): number {
  return Math.max(1, until - Date.now());
}

/** What is known of it is kept until its answer is told, and for the window after that. */
export function lifetimeOf({ longestMs, windowMs }: RepeatableWrite): number {
  return longestMs + windowMs;
}
