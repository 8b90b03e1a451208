/**
 * A write that is repeated goes up once. While it runs, whoever sends the same waits for its answer; after an answer that is
 * unknown, or that nobody took, a repeat is told what is known. Invariant: what may have been carried out is never sent
 * again by a repeat; it is looked for. What was answered and taken is no repeat's business: the next one goes up.
 */
import { randomUUID } from 'node:crypto';

import { ScimError } from '../scim/error.ts';
import { unlessLeft } from '../scim/left.ts';
import {
  begunBy,
  leftOf,
  lifetimeOf,
  type Answer,
  type Attempt,
  type RepeatableWrite,
  type Rivals,
  type Work,
} from './attempt.ts';
import { follow } from './following.ts';
import { keyAtWork, keyReused } from './idempotency-key.ts';
import { KnownWrites } from './known-writes.ts';
import type { Claim, RedisRecords } from './redis-records.ts';
import type { RepeatNames, WriteNames } from './repeat-names.ts';
import { bounded, type WriteRecord } from './write-record.ts';

interface Running {
  readonly fingerprint: string;
  readonly ended: Promise<Answer>;
}

export class Repeats {
  readonly #names: RepeatNames;
  readonly #known: KnownWrites;
  readonly #running = new Map<string, Running>();

  constructor({ names, shared }: { names: RepeatNames; shared?: RedisRecords | undefined }) {
    this.#names = names;
    this.#known = new KnownWrites(shared);
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
      const claim = await this.#known.claim(names.write, begunBy(attempt), lifetimeOf(write));
      if (this.#known.isShared && !claim) write.onRepeat('local');
      if (!claim || claim.holder === run) return this.#settle(attempt, claim);
      if (claim.holder === '') continue;
      if (write.key !== undefined)
        throw claim.before && keyMismatch(names, claim.before) ? keyReused() : keyAtWork();
      const told = await follow(this.#known, attempt, claim);
      if (told) return told.reply;
    }
  }

  /** With the lease, or alone: tells what is known, looks for what is not, or sends. */
  async #settle(attempt: Attempt, claim: Claim | undefined): Promise<Answer> {
    const { write, names, run } = attempt;
    using _lease = this.#known.hold(names.write, run);
    const before = this.#known.before(names.write, claim);
    const isUnasked = this.#known.isShared && !claim;
    const isContested = this.#known.isContested(names.resources, claim);
    if (!before) return await this.#send(attempt, { isContested, isUnasked });
    if (write.key !== undefined && keyMismatch(names, before)) {
      await this.#known.release(names.write, run, before, leftOf(before));
      throw keyReused();
    }
    // A key stands for one request, whatever else is written.
    const since = write.key === undefined ? await this.#known.since(before) : 'untouched';
    if (since === 'written') return await this.#send(attempt, { isContested: true, isUnasked });
    if (since === 'untouched' && before.reply) {
      write.onRepeat('replayed');
      await this.#known.release(names.write, run, before, leftOf(before));
      return before.reply;
    }
    return await this.#look(attempt, before);
  }

  async #look(attempt: Attempt, before: WriteRecord): Promise<Answer> {
    const { write, names, work, run } = attempt;
    write.onRepeat('reconciled');
    const reply = await work.look(before);
    const after = bounded({ ...before, isSent: true, ...(reply && { reply }) });
    await this.#known.end(names.write, run, after, leftOf(after));
    return reply;
  }

  async #send(attempt: Attempt, rivals: Rivals): Promise<Answer> {
    const { write, names, work, run } = attempt;
    const { resources } = names;
    const forMs = lifetimeOf(write);
    let begun = { ...begunBy(attempt), isContested: rivals.isContested };
    let marked: Promise<boolean> | undefined;
    try {
      const reply = await work.send(() => {
        if (marked) return;
        begun = { ...begun, sentAt: Date.now(), isSent: true, isShared: true };
        marked = this.#known.sent(names.write, begun, forMs);
      }, rivals);
      const isShared = await marked;
      const created = reply ? this.#names.created(write, reply) : [];
      await this.#known.mark(created, run, forMs);
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
      await this.#known.end(names.write, run, begunBy(attempt), 0);
      throw error;
    }
  }

  /** A caller that has its answer may mean the same anew; one that has not will ask for it. */
  async #remember({ write, names, run }: Attempt, record: WriteRecord, isKnown: boolean): Promise<void> {
    const { windowMs, left } = write;
    const isOpen = !isKnown || left.aborted || write.key !== undefined;
    await this.#known.end(names.write, run, record, isOpen ? windowMs : 0);
    if (isOpen) return;
    const keep = (): void => {
      if (!this.#running.has(names.write)) this.#known.keep(names.write, record, windowMs);
    };
    if (left.aborted) keep();
    else left.addEventListener('abort', keep, { once: true });
  }
}

/** draft-ietf-httpapi-idempotency-key-header §2.7. */
function checkKey({ key }: RepeatableWrite, names: WriteNames, running: Running): void {
  if (key === undefined) return;
  throw names.fingerprint === running.fingerprint ? keyAtWork() : keyReused();
}

function keyMismatch(names: WriteNames, before: WriteRecord): boolean {
  return names.fingerprint !== before.fingerprint;
}
