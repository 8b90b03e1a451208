/**
 * Brings the trail to one destination, in order and at least once. It reads from disk what it sends, so that an outage of
 * any length needs no memory, and it runs beside the line: nobody who calls waits for it.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { describeError, log } from '../log.ts';
import { BackOff } from './back-off.ts';
import { NotTaken, reasonOf, Refused, type Destination } from './destination.ts';
import { Health, type Note } from './health.ts';
import { messageOf, type FormatName, type Message } from './message.ts';
import { batchesOf, type Batch, type Parcel } from './parcel.ts';
import { Progress } from './progress.ts';
import { Source, type Step } from './source.ts';

export interface ShipperOptions {
  readonly name: string;
  readonly destination: Destination;
  readonly format: FormatName;
  /** Whether an event is for this destination. */
  readonly wants: (event: string) => boolean;
  /** Longest time for one batch. */
  readonly timeoutMs: number;
  /** What was sent so lately is sent again after a break; 0 where the destination confirms. */
  readonly resendMs: number;
  /** Records into the trail. */
  readonly note: Note;
  /** How long a failure lasts before the trail says so. */
  readonly patienceMs?: number;
}

/** For the figures. */
export interface DeliveryState {
  readonly working: boolean;
  /** Age of the oldest record that was not sent yet. */
  readonly lagSeconds: number;
  readonly lagRecords: number;
  /** Since the start of the process: records and checkpoints, those that were sent again included. */
  readonly sent: number;
  /** Since the start of the process: records that the destination will never get. */
  readonly dropped: number;
}

const pollMs = 500;
/** So many in a row are refused before the destination itself must be at fault. */
const mostRefused = 8;

export class Shipper {
  readonly #options: ShipperOptions;
  readonly #source: Source;
  readonly #progress: Progress;
  readonly #health: Health;
  readonly #backOff = new BackOff();
  readonly #ending = new AbortController();
  /** Aborted when there is no reason to wait on. */
  #pause = new AbortController();
  #finishing = false;
  #size = 0;
  #oldestAt: number | undefined;
  #sent = 0;
  #dropped = 0;
  #droppedTo = 0;
  readonly #running: Promise<void>;

  /** @param directory the instance's, where its segments are */
  constructor(directory: string, instance: string, options: ShipperOptions) {
    this.#options = options;
    this.#source = new Source(directory, instance);
    this.#progress = new Progress(directory, options.name, options.resendMs);
    this.#health = new Health(options.name, options.note, options.patienceMs);
    this.#running = this.#run();
  }

  get state(): DeliveryState {
    const behind = Math.max(this.#size - (this.#progress.place?.seq ?? 0), 0);
    const oldestAt = behind === 0 ? undefined : this.#oldestAt;
    return {
      working: this.#health.working,
      lagSeconds: oldestAt === undefined ? 0 : Math.max(Date.now() - oldestAt, 0) / 1000,
      lagRecords: behind,
      sent: this.#sent,
      dropped: this.#dropped,
    };
  }

  /** Sends what is there, as far as that takes no longer than this; the rest is sent after the next start. */
  async finish(patienceMs: number): Promise<void> {
    this.#finishing = true;
    this.#pause.abort();
    const timer = setTimeout(() => this.#ending.abort(), patienceMs);
    await this.#running;
    clearTimeout(timer);
    await this.#options.destination[Symbol.asyncDispose]();
  }

  async #run(): Promise<void> {
    for (let isLast = false; !isLast && !this.#ending.signal.aborted;) {
      // Whatever came to be after the end was asked for is in the last round.
      isLast = this.#finishing;
      try {
        const moved = await this.#round();
        if (moved) isLast = false;
        else if (!isLast) await this.#wait(pollMs);
      } catch (error) {
        this.#progress.rewind();
        if (this.#ending.signal.aborted) break;
        this.#health.failed(reasonOf(error));
        log.debug('a delivery failed', { destination: this.#options.name, ...describeError(error) });
        if (!isLast) await this.#wait(this.#backOff.next(error instanceof NotTaken ? error.retryAfterMs : 0));
      }
    }
    // In order, so that what was sent last is read too; whether it was or not, it is sent again.
    if (this.#health.working) await this.#prove().catch(() => undefined);
    await this.#progress.keep(true);
  }

  /** @returns whether there was something to do */
  async #round(): Promise<boolean> {
    await this.#progress.load();
    await this.#secure();
    const confirmed = await this.#source.look(this.#progress.place);
    if (!confirmed) return false;
    this.#size = confirmed.size;
    const steps = this.#source.read(confirmed, this.#progress.begin(confirmed));
    for await (const batch of batchesOf(steps, (step) => this.#pack(step))) {
      this.#oldestAt = batch[0]?.at;
      await this.#ship(batch);
      await this.#secure();
    }
    return true;
  }

  #pack({ entry, author }: Step): Message | undefined {
    const { wants, format, destination } = this.#options;
    return entry && wants(entry.event) ? messageOf(entry, author, format, destination.enveloped) : undefined;
  }

  async #ship(batch: Batch): Promise<void> {
    try {
      await this.#send(batch);
    } catch (error) {
      if (!(error instanceof Refused) || batch.length === 1) throw error;
      await this.#shipSingly(batch, error);
    }
  }

  /**
   * Something in the batch is refused. It is left out only when the destination takes one behind it: else it is the
   * destination that is at fault, and nothing may be left out.
   */
  async #shipSingly(batch: Batch, refusal: Refused): Promise<void> {
    let refused: Parcel[] = [];
    let held: Parcel[] = [];
    for (const parcel of batch) {
      if (!parcel.message) {
        held.push(parcel);
        continue;
      }
      try {
        await this.#send([...held, parcel]);
      } catch (error) {
        if (!(error instanceof Refused) || refused.length + 1 === mostRefused) throw error;
        refused.push(parcel);
        continue;
      }
      for (const { place } of refused) this.#drop('refused', place.seq, place.seq, refusal.reason);
      [refused, held] = [[], []];
    }
    if (refused.length > 0) throw refusal;
    if (held.length > 0) await this.#send(held);
  }

  async #send(batch: Batch): Promise<void> {
    const { destination, timeoutMs } = this.#options;
    const messages = batch.map(({ message }) => message).filter((message) => message !== undefined);
    if (messages.length > 0) {
      await destination.send(messages, this.#deadline(timeoutMs));
      this.#sent += messages.length;
      // Whether a destination without confirmation works again shows when it has read something.
      if (!destination.prove) this.#works();
      else if (!this.#health.working) await this.#prove();
    }
    for (const { missing, place } of batch)
      if (missing > 0) this.#drop('gone', place.seq - missing, place.seq - 1);
    const last = batch.at(-1);
    if (last) this.#progress.sent(last.place);
  }

  /** @param why gone: not in the trail any more, or damaged there · refused: the destination does not want it */
  #drop(why: 'gone' | 'refused', first: number, last: number, reason?: string): void {
    // After a break the same hole is met again.
    if (last <= this.#droppedTo) return;
    this.#droppedTo = last;
    this.#dropped += last - first + 1;
    this.#options.note('audit.delivery_failed', {
      destination: this.#options.name,
      why,
      first,
      last,
      ...(reason !== undefined && { reason }),
    });
  }

  /** Finds out what has arrived, when it is time to, and keeps it. */
  async #secure(): Promise<void> {
    if (this.#options.destination.prove && this.#progress.isDue) await this.#prove();
    await this.#progress.keep();
  }

  async #prove(): Promise<void> {
    const { destination, timeoutMs } = this.#options;
    if (!destination.prove) return;
    await destination.prove(this.#deadline(timeoutMs));
    this.#progress.prove();
    this.#works();
  }

  #works(): void {
    this.#backOff.reset();
    this.#health.worked();
  }

  #deadline(ms: number): AbortSignal {
    return AbortSignal.any([this.#ending.signal, AbortSignal.timeout(ms)]);
  }

  async #wait(ms: number): Promise<void> {
    if (this.#finishing) return;
    this.#pause = new AbortController();
    await sleep(ms, undefined, { signal: this.#pause.signal }).catch(() => undefined); // only `finish` ends it early
  }
}
