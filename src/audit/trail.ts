/**
 * The trail as the line sees it: an entry for each call, a pair of records for each upstream call.
 * A write's intent that was not confirmed in time is refused, and nothing may go up; its outcome is never given up.
 */
import { hostname } from 'node:os';

import { ScimError } from '../scim/error.ts';
import type { Operation } from '../scim/operation.ts';
import { CallEntry, type CallRecords } from './call-entry.ts';
import { Journal, type JournalOptions } from './journal.ts';
import { LogOns } from './log-ons.ts';
import { RunningPeriod, type PeriodKey } from './period.ts';
import type { Members } from './queue.ts';
import {
  upstreamMembers,
  upstreamOutcomeMembers,
  type OpenedCall,
  type RequestFacts,
  type RequestOutcome,
  type UpstreamFacts,
  type UpstreamOutcome,
} from './record.ts';
import { capName, plain, Redactor } from './redact.ts';
import type { Sealer } from './seal.ts';
import { Strangers } from './strangers.ts';

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

type Effect = Operation['effect'];

const retryAfter = 5;

export async function createTrail(options: TrailOptions): Promise<Trail> {
  const { version, configHash, key, ...rest } = options;
  const { deadlineMs = 2000 } = rest;
  const inst = { name: options.instance, host: hostname(), pid: process.pid, version, configHash };
  const journal = await Journal.open({
    ...rest,
    inst,
    secret: key,
    limits: { slowMs: deadlineMs, ...rest.limits },
  });
  return new JournalTrail(journal, options);
}

type Kept = Pick<TrailOptions, 'mode' | 'deadlineMs' | 'onRecord' | 'periodKey' | 'sealer' | 'networkOf'>;

class JournalTrail implements Trail, CallRecords {
  readonly #journal: Journal;
  readonly #sparesReads: boolean;
  readonly #deadlineMs: number;
  readonly #onRecord: NonNullable<TrailOptions['onRecord']>;
  readonly #period: RunningPeriod;
  #redactor: Redactor;
  readonly #networkOf: (ip: string) => string;
  readonly #logOns = new LogOns();
  readonly #strangers: Strangers;
  readonly sealer: Sealer | undefined;

  constructor(journal: Journal, { deadlineMs = 2000, onRecord = () => {}, networkOf, ...keys }: Kept) {
    this.#journal = journal;
    this.#sparesReads = keys.mode === 'fail-closed-writes';
    this.#deadlineMs = deadlineMs;
    this.#onRecord = onRecord;
    this.#period = new RunningPeriod(keys.periodKey);
    this.#redactor = new Redactor(this.#period.at(new Date()));
    this.#networkOf = networkOf ?? ((ip) => ip);
    this.#strangers = new Strangers({
      networkOf: this.#networkOf,
      write: (event, members) => this.owe(event, members),
    });
    this.sealer = keys.sealer;
  }

  get ready(): boolean {
    return this.#journal.accepting || (this.#sparesReads && !this.#journal.closed);
  }

  space(): ReturnType<Trail['space']> {
    return this.#journal.space();
  }

  /** Whether this call is answered also while nothing can be recorded. */
  mayGoWithout(effect: Effect | undefined): boolean {
    return this.#sparesReads && effect === 'read';
  }

  open(call: OpenedCall): RequestEntry {
    if (!this.ready) throw unavailable();
    const period = this.#period.at(new Date(call.receivedAt));
    if (period !== this.#redactor.period) this.#redactor = new Redactor(period);
    return new CallEntry(this, call, this.#redactor);
  }

  intend(upstream: UpstreamFacts): Promise<UpstreamEntry> {
    return this.intendFor({ actor: { name: 'gateway' } }, upstream);
  }

  async note(event: string, facts: Record<string, unknown> = {}): Promise<void> {
    const members = { facts: plain(facts) };
    this.#onRecord(event, members);
    await this.#durable(this.#journal.append(event, members));
  }

  async remember(event: string, facts: Record<string, unknown> = {}): Promise<void> {
    const members = { facts: plain(facts) };
    this.#onRecord(event, members);
    if (this.#journal.accepting) await within(this.#deadlineMs, this.#journal.owe(event, members));
    else this.#journal.oweIfRoom(event, members);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#strangers.flush();
    await this.#journal[Symbol.asyncDispose]();
  }

  /** @param effect of the call that it is for; the gateway's own have none and wait for the disk in any mode */
  async intendFor(members: Members, upstream: UpstreamFacts, effect?: Effect): Promise<UpstreamEntry> {
    const intended = { ...members, upstream: upstreamMembers(upstream) };
    this.#onRecord('upstream.intent', intended);
    const written = this.#journal.append('upstream.intent', intended);
    const { req } = members;
    const { tenant, system, host, attempt = 1, after } = upstream;
    const spare = this.mayGoWithout(effect);
    if (attempt > 1)
      void this.owe('retry.performed', { req, upstream: { tenant, system, attempt, after } }, spare);
    const close = async (intent: number | undefined, outcome: UpstreamOutcome): Promise<boolean> => {
      const ended = upstreamOutcomeMembers(outcome);
      const { status, error, code } = outcome;
      if (outcome.invalid)
        void this.owe(
          'upstream.invalid_response',
          { intent, req, upstream: { tenant, system, host, status }, outcome: { error, code } },
          spare,
        );
      // Whoever looks on need not join the two.
      const joined = { ...ended, upstream: { ...intended.upstream, ...(ended['upstream'] as Members) } };
      this.#onRecord('upstream.outcome', joined);
      // Without an intent the outcome says all that it would have said.
      const told = intent === undefined ? { ...members, ...joined } : { intent, req, ...ended };
      return (await this.#owe('upstream.outcome', told, spare)) || spare;
    };
    try {
      const intent = await this.#durable(written);
      return { close: (outcome) => close(intent, outcome) };
    } catch (error) {
      if (spare) return { close: (outcome) => this.#closeLate(written, close, outcome) };
      // It may still reach the disk after its deadline, and must not look like a call that went up.
      written.then(
        (intent) => close(intent, { result: 'failure', sent: false, error: 'audit-unavailable' }),
        () => undefined,
      );
      throw error;
    }
  }

  /** Of a read that went up before its intent was on disk, which may never be there. */
  #closeLate(
    written: Promise<number>,
    close: (intent: number | undefined, outcome: UpstreamOutcome) => Promise<boolean>,
    outcome: UpstreamOutcome,
  ): Promise<boolean> {
    void written.then(
      (intent) => close(intent, outcome),
      () => close(undefined, outcome),
    );
    return Promise.resolve(true);
  }

  /** The record of a call whose caller is not known: its own, or one that stands for many. */
  refuse(event: string, { ip }: OpenedCall['source'], code: string, members: Members): Promise<boolean> {
    if (this.#strangers.mayRecord(ip)) return this.owe(event, members, true);
    this.#onRecord(event, members);
    return this.#strangers.gather(event, code, ip);
  }

  /** Recorded where it is the first of its kind for some time. */
  loggedOn({ caller = '', auth, credential }: RequestFacts, call: OpenedCall): void {
    if (!this.#logOns.isFirst(caller, credential, this.#networkOf(call.source.ip))) return;
    const actor = { name: capName(caller), auth, credential };
    void this.owe('authn.success', { req: capName(call.id), actor, src: call.source });
  }

  /**
   * A record that must be there in the end, of a call.
   * @param spare of one that has changed nothing: where reads are taken while nothing can be written there would be no
   *   end of them, so they are kept as far as there is room
   */
  owe(event: string, members: Members, spare = false): Promise<boolean> {
    this.#onRecord(event, members);
    return this.#owe(event, members, spare);
  }

  async #owe(event: string, members: Members, spare: boolean): Promise<boolean> {
    if (spare && this.#sparesReads && !this.#journal.accepting) {
      this.#journal.oweIfRoom(event, members);
      return false;
    }
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
