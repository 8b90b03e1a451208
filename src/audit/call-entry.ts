/**
 * What the trail learns of one call while the line follows it, and the records that come of it. Its content is read once,
 * and what went up is sealed with its intent alone.
 */
import type { Operation } from '../scim/operation.ts';
import { contentOf, type Content } from './content.ts';
import type { Members } from './queue.ts';
import {
  callMembers,
  requestEnding,
  type OpenedCall,
  type RequestFacts,
  type RequestOutcome,
  type UpstreamFacts,
} from './record.ts';
import { capName, plain, type Redactor } from './redact.ts';
import type { Sealer } from './seal.ts';
import type { RequestEntry, UpstreamEntry } from './trail.ts';

type Effect = Operation['effect'];

/** What the line has come to when it knows this of a call. */
const stepOf = { caller: 'identified', decision: 'authorised', body: 'received' } as const;

/** Where the records of a call go. */
export interface CallRecords {
  readonly sealer: Sealer | undefined;
  /** Whether this call is answered also while nothing can be recorded. */
  mayGoWithout(effect: Effect | undefined): boolean;
  intendFor(members: Members, upstream: UpstreamFacts, effect?: Effect): Promise<UpstreamEntry>;
  refuse(event: string, source: OpenedCall['source'], code: string, members: Members): Promise<boolean>;
  loggedOn(facts: RequestFacts, call: OpenedCall): void;
  owe(event: string, members: Members, spare?: boolean): Promise<boolean>;
}

export class CallEntry implements RequestEntry {
  readonly #trail: CallRecords;
  readonly #call: OpenedCall;
  readonly #redactor: Redactor;
  readonly #openedAt = performance.now();
  #facts: RequestFacts = {};
  /** When each step was taken, in milliseconds since the call came. */
  readonly #steps: Record<string, number> = {};
  #content: Content | undefined;
  #wentUp = false;
  #closed: Promise<boolean> | undefined;

  constructor(trail: CallRecords, call: OpenedCall, redactor: Redactor) {
    this.#trail = trail;
    this.#call = call;
    this.#redactor = redactor;
  }

  add(facts: RequestFacts): void {
    this.#facts = { ...this.#facts, ...facts };
    if (facts.operation ?? facts.body) this.#content = undefined;
    for (const [fact, step] of Object.entries(stepOf))
      if (fact in facts) this.#steps[step] ??= Math.round((performance.now() - this.#openedAt) * 10) / 10;
  }

  async intend(upstream: UpstreamFacts): Promise<UpstreamEntry> {
    const effect = this.#facts.operation?.effect;
    const entry = await this.#trail.intendFor(this.#sealed(), upstream, effect);
    this.#wentUp = true;
    return entry;
  }

  async remark(event: string, facts: Record<string, unknown>): Promise<void> {
    await this.#trail.owe(event, { ...this.#members(), facts: plain(facts) });
  }

  close(outcome: RequestOutcome): Promise<boolean> {
    this.#closed ??= this.#close(outcome);
    return this.#closed;
  }

  async #close(outcome: RequestOutcome): Promise<boolean> {
    const ms = performance.now() - this.#openedAt;
    const { event, members } = requestEnding(this.#facts, outcome, ms, this.#wentUp);
    const recorded = await this.#record(event, { ...members, steps: this.#steps });
    const effect = this.#facts.operation?.effect;
    if (recorded || this.#trail.mayGoWithout(effect)) return true;
    if (effect === 'write') return false;
    // The record will say what the answer would have been, so the trail must add that it was not given.
    const withheld = { req: capName(this.#call.id), outcome: { result: 'failure', http: 503 } };
    void this.#trail.owe('request.withheld', withheld, true);
    return false;
  }

  #record(event: string, members: Members): Promise<boolean> {
    const { caller, error = 'none' } = this.#facts;
    if (caller === undefined && this.#facts.error !== undefined)
      return this.#trail.refuse(event, this.#call.source, error, { ...this.#members(), ...members });
    if (caller !== undefined) this.#trail.loggedOn(this.#facts, this.#call);
    // What went up was sealed with its intent.
    const told = this.#wentUp ? this.#members() : this.#sealed();
    const changedNothing = !this.#wentUp || this.#facts.operation?.effect === 'read';
    return this.#trail.owe(event, { ...told, ...members }, changedNothing);
  }

  #members(): Members {
    return callMembers(this.#call, this.#facts, this.#known(), this.#redactor);
  }

  #sealed(): Members {
    const { sealer } = this.#trail;
    const { identifiers } = this.#known();
    const members = this.#members();
    if (!sealer || identifiers === '') return members;
    return { ...members, sealed: sealer.seal(identifiers, this.#redactor.period, capName(this.#call.id)) };
  }

  /** Read once, however many records the call has. */
  #known(): Content {
    const { operation, body } = this.#facts;
    this.#content ??= contentOf(operation, body, this.#redactor, this.#trail.sealer !== undefined);
    return this.#content;
  }
}
