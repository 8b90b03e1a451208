/**
 * A write that is repeated goes up once. While it runs, whoever sends the same waits for its answer; after an answer that is
 * unknown, or that nobody took, a repeat is told what is known. Invariant: what may have been carried out is never sent
 * again by a repeat; it is looked for. What was answered and taken is no repeat's business: the next one goes up.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Reply } from '../scim/call.ts';
import { ScimError } from '../scim/error.ts';
import { unlessLeft } from '../scim/left.ts';
import type { Sent } from './look.ts';
import { OwnRecords } from './own-records.ts';
import { renewEveryMs, type Claim, type RedisRecords } from './redis-records.ts';
import { RepeatNames, type NamedWrite, type WriteNames } from './repeat-names.ts';
import { bounded, type WriteRecord } from './write-record.ts';

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
  readonly onRepeat: (repeat: Repeat) => void;
}

/** Undefined: nobody knows what became of it. */
type Answer = Reply | undefined;

export interface Work {
  /** Sends it, and looks where no certain answer came. Rejects where it was certainly not carried out. */
  send(onSent: () => void, isContested: boolean): Promise<Answer>;
  /** Looks for what an earlier attempt did. */
  look(sent: Sent): Promise<Answer>;
}

interface Running {
  readonly fingerprint: string;
  readonly ended: Promise<Answer>;
}

/** One attempt to find out or to send, under one name. */
interface Attempt {
  readonly write: RepeatableWrite;
  readonly names: WriteNames;
  readonly work: Work;
  readonly run: string;
}

const pollMs = 200;
/** How long the answer of another replica is waited for when Redis is gone. */
const unheardMs = 5000;

export class Repeats {
  readonly #names: RepeatNames;
  readonly #shared: RedisRecords | undefined;
  readonly #own = new OwnRecords();
  readonly #running = new Map<string, Running>();

  constructor({ names, shared }: { names: RepeatNames; shared?: RedisRecords | undefined }) {
    this.#names = names;
    this.#shared = shared;
  }

  /** Undefined: nobody knows what became of it. */
  async run(write: RepeatableWrite, work: Work): Promise<Answer> {
    const names = this.#names.of(write);
    for (;;) {
      const running = this.#running.get(names.write);
      if (!running) return this.#lead({ write, names, work, run: randomUUID() });
      checkKey(write, names, running);
      try {
        const answer = await unlessLeft(running.ended, write.left);
        write.onRepeat('joined');
        return answer;
      } catch (error) {
        // Who began it left before it was sent: the next one begins it.
        if (write.left.aborted || !(error instanceof ScimError && error.kind === 'caller-left')) throw error;
      }
    }
  }

  #lead(attempt: Attempt): Promise<Answer> {
    const { write, fingerprint } = attempt.names;
    const ended = this.#begin(attempt).finally(() => this.#running.delete(write));
    this.#running.set(write, { fingerprint, ended });
    return ended;
  }

  async #begin(attempt: Attempt): Promise<Answer> {
    const { write, names, run } = attempt;
    for (;;) {
      const claim = await this.#shared?.claim(names.write, begunBy(attempt), lifetimeOf(write));
      if (this.#shared && !claim) write.onRepeat('local');
      if (!claim || claim.holder === run) return this.#settle(attempt, claim);
      if (claim.holder === '') continue;
      if (write.key !== undefined)
        throw claim.before && keyMismatch(names, claim.before) ? reused() : atWork();
      const told = await this.#follow(attempt, claim.holder);
      if (!told) continue;
      write.onRepeat('joined');
      // An answer that is too large to be handed on is looked for like one that nobody knows.
      return told.reply ?? attempt.work.look(told);
    }
  }

  /** What the attempt of another replica came to; undefined when it gave up its lease without a word. */
  async #follow({ write, names }: Attempt, holder: string): Promise<WriteRecord | undefined> {
    let heardAt = performance.now();
    for (;;) {
      await sleep(pollMs, undefined, { signal: write.left }).catch(() => write.left.throwIfAborted());
      const standing = await this.#shared?.look(names.write, holder);
      // Whoever writes Redis can name another's attempt as the holder.
      if (standing?.told?.fingerprint === names.fingerprint) return standing.told;
      if (standing && standing.holder !== holder) return undefined;
      if (standing) heardAt = performance.now();
      // It is at work, and nobody can be asked how it ends: that is an unknown outcome, and never a reason to send.
      else if (performance.now() - heardAt > unheardMs)
        return { ...begunBy({ names, run: holder, write }), resources: [] };
    }
  }

  /** With the lease, or alone: tells what is known, looks for what is not, or sends. */
  async #settle(attempt: Attempt, claim: Claim | undefined): Promise<Answer> {
    const { write, names, run } = attempt;
    using _lease = this.#hold(names.write, run);
    const before = claim?.before ?? this.#own.get(names.write);
    const isWrittenHere = names.resources.some((resource) => this.#own.writer(resource) !== undefined);
    if (!before) return this.#send(attempt, isWrittenHere || claim?.isContested === true);
    if (write.key !== undefined && keyMismatch(names, before)) {
      await this.#end(attempt, before);
      throw reused();
    }
    // A key stands for one request, whatever else is written.
    const since = write.key === undefined ? await this.#since(before) : 'untouched';
    if (since === 'written') return this.#send(attempt, true);
    if (since === 'untouched' && before.reply) {
      write.onRepeat('replayed');
      await this.#end(attempt, before);
      return before.reply;
    }
    return this.#look(attempt, before);
  }

  /** Whether somebody else has written since what the attempt wrote; `uncertain` where marks do not say. */
  async #since({ run, isShared, resources }: WriteRecord): Promise<'untouched' | 'written' | 'uncertain'> {
    const shared = await this.#shared?.writers(resources);
    const standings = resources.map((resource, at) => {
      // Marks of ours are older than another replica's, so they count only where there are no others.
      const writer = isShared && shared ? shared[at] : this.#own.writer(resource);
      if (writer !== undefined && writer !== run) return 'written';
      const isOrdered = isShared || shared?.[at] === undefined;
      return writer === run && isOrdered ? 'untouched' : 'uncertain';
    });
    const found = new Set(standings);
    return (['written', 'uncertain'] as const).find((standing) => found.has(standing)) ?? 'untouched';
  }

  async #look(attempt: Attempt, before: WriteRecord): Promise<Answer> {
    const { write, names, work } = attempt;
    write.onRepeat('reconciled');
    const reply = await work.look(before);
    const after = bounded({ ...before, ...(reply && { reply }) });
    this.#own.keep(names.write, after, leftOf(after));
    await this.#end(attempt, after);
    return reply;
  }

  async #send(attempt: Attempt, isContested: boolean): Promise<Answer> {
    const { write, names, work, run } = attempt;
    const { resources } = names;
    const forMs = lifetimeOf(write);
    let begun = { ...begunBy(attempt), isContested };
    let marked: Promise<boolean> | undefined;
    try {
      const reply = await work.send(() => {
        if (marked) return;
        begun = { ...begun, sentAt: Date.now(), isShared: true };
        this.#own.mark(resources, run, forMs);
        marked = this.#shared?.sent(names.write, begun, forMs) ?? Promise.resolve(false);
      }, isContested);
      const isShared = await marked;
      const created = reply ? this.#names.created(write, reply) : [];
      this.#own.mark(created, run, forMs);
      await this.#shared?.mark(created, run, forMs);
      const until = Date.now() + write.windowMs;
      const record = bounded({
        ...begun,
        isShared: isShared === true,
        until,
        resources: [...resources, ...created],
        ...(reply && { reply }),
      });
      await this.#remember(attempt, record, reply !== undefined);
      return reply;
    } catch (error) {
      this.#own.drop(names.write);
      await this.#shared?.end(names.write, run, undefined, 0);
      throw error;
    }
  }

  /** A caller that has its answer may mean the same anew; one that has not will ask for it. */
  async #remember({ write, names, run }: Attempt, record: WriteRecord, isKnown: boolean): Promise<void> {
    const { windowMs, left } = write;
    const isOpen = !isKnown || left.aborted || write.key !== undefined;
    if (isOpen) this.#own.keep(names.write, record, windowMs);
    else this.#own.drop(names.write);
    await this.#shared?.end(names.write, run, record, isOpen ? windowMs : 0);
    if (isOpen) return;
    const keep = (): void => {
      if (this.#running.has(names.write)) return;
      this.#own.keep(names.write, record, windowMs);
      void this.#shared?.keep(names.write, record, windowMs);
    };
    if (left.aborted) keep();
    else left.addEventListener('abort', keep, { once: true });
  }

  async #end({ names, run }: Attempt, record: WriteRecord): Promise<void> {
    await this.#shared?.end(names.write, run, record, leftOf(record));
  }

  #hold(name: string, run: string): Disposable {
    const renew = setInterval(() => void this.#shared?.renew(name, run), renewEveryMs).unref();
    return { [Symbol.dispose]: () => clearInterval(renew) };
  }
}

/** What is known of it if it does not come to its end. */
function begunBy({ write, names, run }: Pick<Attempt, 'write' | 'names' | 'run'>): WriteRecord {
  const { fingerprint, resources } = names;
  const sentAt = Date.now();
  // Until it is sent, and it is known whether others have written.
  return {
    run,
    fingerprint,
    sentAt,
    isContested: true,
    isShared: false,
    until: sentAt + lifetimeOf(write),
    resources,
  };
}

function leftOf({ until }: WriteRecord): number {
  return Math.max(1, until - Date.now());
}

/** What is known of it is kept until its answer is told, and for the window after that. */
function lifetimeOf({ longestMs, windowMs }: RepeatableWrite): number {
  return longestMs + windowMs;
}

/** draft-ietf-httpapi-idempotency-key-header §2.7. */
function checkKey({ key }: RepeatableWrite, names: WriteNames, running: Running): void {
  if (key === undefined) return;
  throw names.fingerprint === running.fingerprint ? atWork() : reused();
}

function keyMismatch(names: WriteNames, before: WriteRecord): boolean {
  return names.fingerprint !== before.fingerprint;
}

function atWork(): ScimError {
  return new ScimError('still-running', 'The request with this Idempotency-Key is still at work.', {
    retryAfter: 5,
  });
}

function reused(): ScimError {
  return new ScimError('key-reused', 'This Idempotency-Key was used for another request.');
}
