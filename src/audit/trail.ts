/**
 * The trail as the line sees it: an entry for each call, a pair of records for each upstream call.
 * An intent that was not confirmed in time is refused, and nothing may go up; an outcome is never given up.
 */
import { hostname } from 'node:os';

import { ScimError } from '../scim/error.ts';
import { Journal, type JournalOptions } from './journal.ts';
import type { Members } from './queue.ts';
import {
  callMembers,
  requestEnding,
  upstreamMembers,
  upstreamOutcomeMembers,
  type OpenedCall,
  type RequestFacts,
  type RequestOutcome,
  type UpstreamFacts,
  type UpstreamOutcome,
} from './record.ts';
import { capName, plain, Redactor } from './redact.ts';

export type { RequestFacts, RequestOutcome, UpstreamFacts, UpstreamOutcome };

export interface Trail extends AsyncDisposable {
  /** Opens the request record of one call; in memory until closed. Throws `audit-unavailable` when no call may be taken. */
  open(call: OpenedCall): RequestEntry;
  /** Durable intent of an upstream call that no caller asked for; its actor is `gateway`. */
  intend(upstream: UpstreamFacts): Promise<UpstreamEntry>;
  /** One durable record that belongs to no call. */
  note(event: string, facts?: Record<string, unknown>): Promise<void>;
  /** Whether calls may be taken. */
  readonly ready: boolean;
}

export interface RequestEntry {
  add(facts: RequestFacts): void;
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

export interface TrailOptions extends Omit<JournalOptions, 'inst' | 'secret'> {
  readonly version: string;
  readonly configHash: string;
  /** Makes pseudonyms and guards signing keys; whoever has it can look for a person in the trail. */
  readonly key: Buffer;
  /** How long an intent or an outcome may take to reach the disk. */
  readonly deadlineMs?: number;
  /** Sees every record of a call, an upstream call or an event as it is handed to the disk; must not throw. */
  readonly onRecord?: (event: string, members: Members) => void;
}

const retryAfter = 5;

export async function createTrail(options: TrailOptions): Promise<Trail> {
  const { version, configHash, key, deadlineMs = 2000, onRecord = () => {}, ...rest } = options;
  const inst = { name: options.instance, host: hostname(), pid: process.pid, version, configHash };
  const journal = await Journal.open({
    ...rest,
    inst,
    secret: key,
    limits: { slowMs: deadlineMs, ...rest.limits },
  });
  return new JournalTrail(journal, new Redactor(key), deadlineMs, onRecord);
}

class JournalTrail implements Trail {
  readonly #journal: Journal;
  readonly #redactor: Redactor;
  readonly #deadlineMs: number;
  readonly #onRecord: NonNullable<TrailOptions['onRecord']>;

  constructor(
    journal: Journal,
    redactor: Redactor,
    deadlineMs: number,
    onRecord: NonNullable<TrailOptions['onRecord']>,
  ) {
    this.#journal = journal;
    this.#redactor = redactor;
    this.#deadlineMs = deadlineMs;
    this.#onRecord = onRecord;
  }

  get ready(): boolean {
    return this.#journal.accepting;
  }

  open(call: OpenedCall): RequestEntry {
    if (!this.ready) throw unavailable();
    return new JournalEntry(this, call, this.#redactor);
  }

  intend(upstream: UpstreamFacts): Promise<UpstreamEntry> {
    return this.intendFor({ actor: { name: 'gateway' } }, upstream);
  }

  async note(event: string, facts: Record<string, unknown> = {}): Promise<void> {
    const members = { facts: plain(facts) };
    this.#onRecord(event, members);
    await this.#durable(this.#journal.append(event, members));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#journal[Symbol.asyncDispose]();
  }

  async intendFor(members: Members, upstream: UpstreamFacts): Promise<UpstreamEntry> {
    const intended = { ...members, upstream: upstreamMembers(upstream) };
    this.#onRecord('upstream.intent', intended);
    const written = this.#journal.append('upstream.intent', intended);
    const { req } = members;
    const close = (intent: number, outcome: UpstreamOutcome): Promise<boolean> => {
      const ended = upstreamOutcomeMembers(outcome);
      // Whoever looks on need not join the two.
      this.#onRecord('upstream.outcome', {
        ...ended,
        upstream: { ...intended.upstream, ...(ended['upstream'] as Members) },
      });
      return this.#owe('upstream.outcome', { intent, req, ...ended });
    };
    try {
      const intent = await this.#durable(written);
      return { close: (outcome) => close(intent, outcome) };
    } catch (error) {
      // It may still reach the disk after its deadline, and must not look like a call that went up.
      written.then(
        (intent) => close(intent, { result: 'failure', sent: false, error: 'audit-unavailable' }),
        () => undefined,
      );
      throw error;
    }
  }

  /** A record that must be there in the end, of a call. */
  owe(event: string, members: Members): Promise<boolean> {
    this.#onRecord(event, members);
    return this.#owe(event, members);
  }

  async #owe(event: string, members: Members): Promise<boolean> {
    const outcome = await within(this.#deadlineMs, this.#journal.owe(event, members));
    return outcome ?? false;
  }

  async #durable(written: Promise<number>): Promise<number> {
    let seq: number | undefined;
    try {
      seq = await within(this.#deadlineMs, written);
    } catch (cause) {
      throw unavailable(cause);
    }
    if (seq === undefined) throw unavailable(new Error('The disk did not confirm the record in time.'));
    return seq;
  }
}

class JournalEntry implements RequestEntry {
  readonly #trail: JournalTrail;
  readonly #call: OpenedCall;
  readonly #redactor: Redactor;
  readonly #openedAt = performance.now();
  #facts: RequestFacts = {};
  #wentUp = false;
  #closed: Promise<boolean> | undefined;

  constructor(trail: JournalTrail, call: OpenedCall, redactor: Redactor) {
    this.#trail = trail;
    this.#call = call;
    this.#redactor = redactor;
  }

  add(facts: RequestFacts): void {
    this.#facts = { ...this.#facts, ...facts };
  }

  async intend(upstream: UpstreamFacts): Promise<UpstreamEntry> {
    const entry = await this.#trail.intendFor(this.#members(), upstream);
    this.#wentUp = true;
    return entry;
  }

  close(outcome: RequestOutcome): Promise<boolean> {
    this.#closed ??= this.#close(outcome);
    return this.#closed;
  }

  async #close(outcome: RequestOutcome): Promise<boolean> {
    const ms = performance.now() - this.#openedAt;
    const { event, members } = requestEnding(this.#facts, outcome, ms, this.#wentUp);
    const recorded = await this.#trail.owe(event, { ...this.#members(), ...members });
    if (recorded || this.#facts.operation?.effect === 'write') return recorded;
    // The record will say what the answer would have been, so the trail must add that it was not given.
    void this.#trail.owe('request.withheld', {
      req: capName(this.#call.id),
      outcome: { result: 'failure', http: 503 },
    });
    return false;
  }

  #members(): Members {
    return callMembers(this.#call, this.#facts, this.#redactor);
  }
}

function unavailable(cause?: unknown): ScimError {
  return new ScimError('audit-unavailable', 'The gateway cannot record calls at present.', {
    cause,
    retryAfter,
  });
}

/** Undefined when the time is over first; the promise then goes its own way. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  const { promise: over, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, ms, undefined);
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}
