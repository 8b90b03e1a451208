/** The trail over a journal: what the line tells becomes members of records, and a promise of the disk in time or none. */
import { ScimError } from '../scim/error.ts';
import type { Operation } from '../scim/operation.ts';
import { CallEntry, type CallRecords } from './call-entry.ts';
import type { Journal } from './journal.ts';
import { LogOns } from './log-ons.ts';
import { RunningPeriod } from './period.ts';
import type { Members } from './queue.ts';
import {
  upstreamMembers,
  upstreamOutcomeMembers,
  type OpenedCall,
  type RequestFacts,
  type UpstreamFacts,
  type UpstreamOutcome,
} from './record.ts';
import { capName, plain, Redactor } from './redact.ts';
import type { Sealer } from './seal.ts';
import { Strangers } from './strangers.ts';
import type { RequestEntry, Trail, TrailOptions, UpstreamEntry } from './trail.ts';

type Effect = Operation['effect'];

const retryAfter = 5;

type Kept = Pick<TrailOptions, 'mode' | 'onRecord' | 'periodKey' | 'sealer' | 'networkOf'> &
  Required<Pick<TrailOptions, 'deadlineMs'>>;

export class JournalTrail implements Trail, CallRecords {
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

  constructor(journal: Journal, { deadlineMs, onRecord = () => {}, networkOf, ...keys }: Kept) {
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
