/**
 * An instance's trail from its opening to its end: recovers what a former process left, takes records, says by its
 * checkpoints how far the chain has come, and closes in order. Who gets a record's seq has it on stable storage.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

import { Ballast } from './ballast.ts';
import { Checkpoints } from './checkpoints.ts';
import { expireSegments } from './expiry.ts';
import { realFiles, type Files } from './files.ts';
import { deriveSecret, KeyStore } from './key-store.ts';
import { draft, maxLineBytes, type Draft } from './line.ts';
import { originOf } from './note.ts';
import { Owner } from './owner.ts';
import { publishKeys } from './published-keys.ts';
import { Pulse, type PulseLimits } from './pulse.ts';
import { JournalRefusal, type Members, type Waiting } from './queue.ts';
import { IntentBook, recover, unknownEvent, type Beginning } from './recover.ts';
import { reporter, type Report, type ReportedEvent } from './report.ts';
import type { Segment } from './segment.ts';
import { SiblingWatch } from './sibling-watch.ts';
import { fingerprint, SigningKey } from './signing-key.ts';
import { Succession, type Place, type RotationLimits } from './succession.ts';
import { WitnessClient, type WitnessFailure, type WitnessOptions } from './witness-client.ts';
import { Writer, type WriterLimits } from './writer.ts';

export interface JournalOptions {
  readonly directory: string;
  readonly instance: string;
  /** Who writes, for the header of every segment. */
  readonly inst: Members;
  /** 32 bytes, of which the keys for signing and for keeping signing keys are made. */
  readonly secret: Buffer;
  readonly limits?: Partial<Limits>;
  /** Goes on behind a segment that was tampered with, and says so in the trail. */
  readonly acceptDamaged?: boolean;
  readonly files?: Files;
  /** Where checkpoints are cosigned. */
  readonly witness?: WitnessOptions;
  /** Told when recording fails and when it works again; for the operational log. */
  readonly report?: Report;
}

export interface Limits extends WriterLimits, RotationLimits, PulseLimits {
  /** What is kept free for the day on which the disk is full; 0: nothing. */
  readonly ballastBytes: number;
}

const defaults: Limits = {
  segmentBytes: 64 * 1024 * 1024,
  segmentAgeMs: 3_600_000,
  queueRecords: 10_000,
  queueBytes: 16 * 1024 * 1024,
  slowMs: 2000,
  probeMs: 250,
  checkpointMs: 1000,
  heartbeatMs: 60_000,
  ballastBytes: 0,
};
/** In UTF-16 units, of which each makes at most three bytes; the rest is the line's prefix. */
const maxBodyLength = Math.floor((maxLineBytes - 1024) / 3);

/** How long the end of the process waits for the last cosignature. */
const lastWitnessMs = 2000;

export class Journal implements AsyncDisposable {
  readonly #limits: Limits;
  readonly #place: Place;
  readonly #succession: Succession;
  readonly #writer: Writer;
  readonly #intents = new IntentBook();
  readonly #header: { readonly boot: string; readonly inst: Members };
  readonly #witness: WitnessClient | undefined;
  readonly #ballast: Ballast;
  #pulse: Pulse | undefined;
  #closed = false;
  #expiring: Promise<number> | undefined;
  readonly #onNotExpired: (error: unknown) => void;
  readonly #onNoBallast: (error: unknown) => void;
  readonly #siblings: SiblingWatch;

  /** When this resolves, the new segment and all that recovery had to say are on stable storage. */
  static async open(options: JournalOptions): Promise<Journal> {
    const { files = realFiles, acceptDamaged = false, report = () => {} } = options;
    const directory = join(options.directory, options.instance);
    await files.makeDirectory(directory);
    await files.syncDirectory(options.directory);
    const owner = await Owner.acquire(files, directory);
    try {
      const keys = new KeyStore(files, directory, deriveSecret(options.secret, 'signing keys'));
      const logKey = SigningKey.from(deriveSecret(options.secret, 'log key'));
      const told = (event: ReportedEvent): ((error: unknown) => void) => reporter(report, event);
      const checkpoints = new Checkpoints(files, directory, logKey, told('audit.checkpoint_failed'));
      const beginning = await recover(files, directory, keys, acceptDamaged);
      const place = { files, directory, owner, keys, checkpoints };
      const journal = new Journal(options, place, beginning, told('audit.key_left'));
      await journal.#start(beginning);
      const { name, signer } = beginning;
      if (name.number === 1 && signer)
        report('audit.chain_begun', { chain: name.chain, rootKey: fingerprint(signer.publicKey) });
      await publishKeys(place, logKey).catch(told('audit.checkpoint_failed'));
      return journal;
    } catch (error) {
      await owner.release();
      throw error;
    }
  }

  private constructor(
    { limits, inst, witness, report = () => {} }: JournalOptions,
    place: Place,
    beginning: Beginning,
    onKeyLeft: (error: unknown) => void,
  ) {
    this.#limits = { ...defaults, ...limits };
    this.#place = place;
    this.#succession = new Succession(place, this.#limits, beginning, onKeyLeft);
    this.#header = { boot: randomUUID(), inst };
    this.#intents.take(beginning.open);
    const target = {
      current: () => this.#current(),
      abandon: () => this.#succession.abandon(),
      makeRoom: () => this.#ballast.release(),
      isRoomBack: () => this.#ballast.isBack(),
      written: (seq: number, event: string, members: Members) => this.#intents.note(seq, event, members),
    };
    this.#writer = new Writer(target, this.#limits, report);
    this.#ballast = new Ballast(place.files, place.directory, this.#limits.ballastBytes);
    this.#onNoBallast = reporter(report, 'audit.no_ballast');
    this.#onNotExpired = reporter(report, 'audit.not_expired');
    this.#siblings = new SiblingWatch({
      directory: place.directory,
      own: originOf(this.#succession.chain),
      witness,
      name: (event, sibling) => void this.owe(event, { facts: { ...sibling } }),
      onUnknown: reporter(report, 'audit.siblings_unknown'),
    });
    if (!witness) return;
    const client = new WitnessClient(place.files, place.directory, witness, (failure) => {
      const { reason } = failure ?? {};
      report(witnessEvent(failure), { reason });
      void this.owe(witnessEvent(failure), { facts: { reason } });
    });
    place.checkpoints.onSigned = (signed) => client.offer(signed);
    this.#witness = client;
  }

  /** Whether a new promise can be made now. */
  get accepting(): boolean {
    return !this.#closed && this.#writer.accepting;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves with the record's seq when it is on stable storage; rejects with JournalRefusal when it is not there. */
  append(event: string, members: Members): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const record = draft(event, members);
    const settle: Waiting['settle'] = (outcome) =>
      typeof outcome === 'number' ? resolve(outcome) : reject(outcome);
    const problem = this.#problemWith(record);
    if (problem) settle(new JournalRefusal(problem, this.#writer.failureReason));
    else this.#writer.enqueue({ draft: record, members, owed: false, settle });
    return promise;
  }

  /**
   * For what has happened already: the record waits until it is written. Resolves true when it is on stable storage,
   * false as soon as writing has failed once.
   */
  owe(event: string, members: Members): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    if (this.#closed) return Promise.resolve(false);
    if (this.#writer.failing) resolve(false);
    const settle: Waiting['settle'] = (outcome) => resolve(typeof outcome === 'number');
    this.#writer.enqueue({ draft: fitting(event, members), members, owed: true, settle });
    return promise;
  }

  /** As `owe`, for a record that nobody waits for: it is kept as far as there is room, and the trail counts the others. */
  oweIfRoom(event: string, members: Members): void {
    if (this.#closed) return;
    this.#writer.enqueueIfRoom({ draft: fitting(event, members), members, owed: true, settle: () => {} });
  }

  /** What the trail's file system still takes, and its size. */
  space(): ReturnType<Files['space']> {
    return this.#place.files.space(this.#place.directory);
  }

  /** Removes closed segments that ended before this time, and says so in the trail; returns how many. */
  expire(before: Date): Promise<number> {
    const { files, directory } = this.#place;
    const append = (event: string, members: Members): Promise<number> => this.append(event, members);
    this.#expiring ??= expireSegments({ files, directory, append }, before).finally(() => {
      this.#expiring = undefined;
    });
    return this.#expiring;
  }

  /** Writes what waits, closes the segment, signs its end and gives the directory free. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#siblings[Symbol.dispose]();
    this.#pulse?.[Symbol.dispose]();
    await this.#expiring?.catch(this.#onNotExpired);
    await this.#writer.finish();
    await this.#writer.attempt(() => this.#succession.close('stopped'));
    await this.#writer.attempt(() => this.#succession.abandon());
    await this.#place.checkpoints[Symbol.asyncDispose]();
    await this.#witness?.finish(lastWitnessMs);
    await this.#writer.attempt(() => this.#place.owner.release());
  }

  async #start({ remarks, open }: Beginning): Promise<void> {
    const segment = await this.#current();
    const drafts = [...remarks, ...open.map((intent) => draft(unknownEvent, { ...intent }))];
    try {
      if (drafts.length > 0) await segment.append(drafts);
    } catch (error) {
      await this.#writer.attempt(() => this.#succession.abandon());
      throw error;
    }
    for (const { intent } of open) this.#intents.note(0, unknownEvent, { intent });
    this.#succession.checkpoint();
    this.#pulse = this.#startPulse();
  }

  #current(): Promise<Segment> {
    return this.#succession.current(() => ({ ...this.#header, open: this.#intents.open }));
  }

  #startPulse(): Pulse {
    const [succession, writer] = [this.#succession, this.#writer];
    const isAccepting = (): boolean => this.accepting;
    return new Pulse(this.#limits, {
      get segment() {
        return succession.number;
      },
      get idleMs() {
        return writer.idleMs;
      },
      get accepting() {
        return isAccepting();
      },
      checkpoint: () => succession.checkpoint(),
      // A failure is told by the writer, and the next beat comes anyway.
      heartbeat: () => void this.append('audit.heartbeat', {}).catch(() => undefined),
      nameSiblings: () => void this.#siblings.look(),
      refill: () => void this.#ballast.fill().catch(this.#onNoBallast),
      expire: (before) => void this.expire(before).catch(this.#onNotExpired),
    });
  }

  #problemWith(record: Draft): string | undefined {
    if (!this.accepting) return 'The audit trail cannot be written now.';
    if (record.body.length > maxBodyLength) return 'The record is too long.';
    if (!this.#writer.hasRoomFor(record)) return 'Too many records wait to be written.';
    return undefined;
  }
}

/** A record that is owed must be written, so of one that is too long the essence is kept. */
function fitting(event: string, members: Members): Draft {
  const record = draft(event, members);
  if (record.body.length <= maxBodyLength) return record;
  const { req, intent, outcome } = members;
  return draft(event, { req, intent, outcome, shortened: true });
}

function witnessEvent(failure: WitnessFailure | undefined): ReportedEvent {
  if (!failure) return 'audit.witness_back';
  return failure.contradicts ? 'audit.witness_refused' : 'audit.witness_lost';
}
