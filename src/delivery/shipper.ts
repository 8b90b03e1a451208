/**
 * Brings the trail to one destination, in order and at least once. It reads from disk what it sends, so that an outage of
 * any length needs no memory, and it runs beside the line: nobody who calls waits for it.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { describeError, log } from '../log.ts';
import { BackOff } from './back-off.ts';
import { NotTaken, reasonOf, Refused, type Destination } from './destination.ts';
import { Health, type Note } from './health.ts';
import { Horizon } from './horizon.ts';
import { messageOf, type FormatName, type Message } from './message.ts';
import { beginningOf, PlaceFile, type Place } from './place.ts';
import { Source, type Confirmed, type Step } from './source.ts';

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

interface Parcel {
  /** Undefined when the destination does not want it. */
  readonly message: Message | undefined;
  readonly missing: number;
  readonly place: Place;
}

const pollMs = 500;
const mostMessages = 500;
const mostBytes = 512 * 1024;
/** Of records that nobody wants, so that the place moves on. */
const mostParcels = 5000;
/** So many in a row are refused before the destination itself must be at fault. */
const mostRefused = 8;
const saveEveryMs = 1000;

export class Shipper {
  readonly #options: ShipperOptions;
  readonly #source: Source;
  readonly #file: PlaceFile;
  readonly #health: Health;
  readonly #backOff = new BackOff();
  readonly #ending = new AbortController();
  /** Aborted and replaced whenever there is a reason not to wait on. */
  #pause = new AbortController();
  #finishing = false;
  #place: Place | undefined;
  #horizon: Horizon | undefined;
  #saved: Place | undefined;
  #savedAt = -Infinity;
  #size = 0;
  #oldestAt: number | undefined;
  #sent = 0;
  #dropped = 0;
  readonly #running: Promise<void>;

  /** @param directory the instance's, where its segments are */
  constructor(directory: string, instance: string, options: ShipperOptions) {
    this.#options = options;
    this.#source = new Source(directory, instance);
    this.#file = new PlaceFile(directory, options.name);
    this.#health = new Health(options.name, options.note, options.patienceMs);
    this.#running = this.#run();
  }

  get state(): DeliveryState {
    const seq = this.#place?.seq ?? 0;
    const behind = Math.max(this.#size - seq, 0);
    const oldestAt = behind === 0 ? undefined : this.#oldestAt;
    return {
      working: this.#health.working,
      lagSeconds: oldestAt === undefined ? 0 : Math.max(Date.now() - oldestAt, 0) / 1000,
      lagRecords: behind,
      sent: this.#sent,
      dropped: this.#dropped,
    };
  }

  reopen(): void {
    this.#options.destination.reopen?.();
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
        if (this.#ending.signal.aborted) break;
        this.#place = this.#horizon?.rewind();
        this.#health.failed(reasonOf(error));
        log.debug('a delivery failed', { destination: this.#options.name, ...describeError(error) });
        if (!isLast) await this.#wait(this.#backOff.next(error instanceof NotTaken ? error.retryAfterMs : 0));
      }
    }
    // In order, so that what was sent last is read too; it is sent again all the same.
    if (this.#health.working)
      await this.#options.destination.prove?.(this.#ending.signal).catch(() => undefined);
    await this.#save(true).catch(this.#tellUnsaved);
  }

  /** @returns whether there was something to do */
  async #round(): Promise<boolean> {
    this.#saved ??= await this.#file.read();
    this.#place ??= this.#saved;
    await this.#secure();
    const confirmed = await this.#source.look(this.#place);
    if (!confirmed) return false;
    this.#size = confirmed.size;
    const from = this.#begin(confirmed);
    for await (const parcels of this.#batches(confirmed, from)) {
      await this.#ship(parcels);
      await this.#secure();
    }
    return true;
  }

  #begin({ chain, segments }: Confirmed): Place {
    if (this.#place?.chain !== chain) {
      // What was removed before anybody asked for a delivery is not missing in it.
      this.#place = { ...beginningOf(chain), seq: (segments[0]?.firstSeq ?? 1) - 1 };
      this.#horizon = undefined;
    }
    this.#horizon ??= new Horizon(this.#place, this.#options.resendMs);
    return this.#place;
  }

  async *#batches(confirmed: Confirmed, from: Place): AsyncGenerator<readonly Parcel[]> {
    let parcels: Parcel[] = [];
    let [messages, bytes] = [0, 0];
    for await (const step of this.#source.read(confirmed, from)) {
      const { entry, missing, place } = step;
      const message = this.#messageOf(step);
      parcels.push({ message, missing, place });
      if (message) [messages, bytes] = [messages + 1, bytes + message.entry.line.length];
      if (entry && parcels.length === 1) this.#oldestAt = Date.parse(entry.ts);
      if (messages < mostMessages && bytes < mostBytes && parcels.length < mostParcels) continue;
      yield parcels;
      [parcels, messages, bytes] = [[], 0, 0];
    }
    if (parcels.length > 0) yield parcels;
  }

  #messageOf({ entry, author }: Step): Message | undefined {
    const { wants, format, destination } = this.#options;
    return entry && wants(entry.event) ? messageOf(entry, author, format, destination.enveloped) : undefined;
  }

  async #ship(parcels: readonly Parcel[]): Promise<void> {
    try {
      await this.#send(parcels);
    } catch (error) {
      if (!(error instanceof Refused) || parcels.length === 1) throw error;
      await this.#shipSingly(parcels, error);
    }
  }

  /**
   * Something in the batch is refused. It is left out only when the destination takes one behind it: else it is the
   * destination that is at fault, and nothing may be left out.
   */
  async #shipSingly(parcels: readonly Parcel[], refusal: Refused): Promise<void> {
    let refused: Parcel[] = [];
    let held: Parcel[] = [];
    for (const parcel of parcels) {
      held.push(parcel);
      if (!parcel.message) continue;
      try {
        await this.#send(held.filter((each) => !refused.includes(each)));
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        refused.push(parcel);
        if (refused.length === mostRefused) throw error;
        continue;
      }
      for (const { place } of refused) this.#drop('refused', place.seq, place.seq, refusal.reason);
      [refused, held] = [[], []];
    }
    if (refused.length > 0) throw refusal;
    if (held.length > 0) await this.#send(held);
  }

  async #send(parcels: readonly Parcel[]): Promise<void> {
    const { destination, timeoutMs } = this.#options;
    const messages = parcels.map(({ message }) => message).filter((message) => message !== undefined);
    if (messages.length > 0) {
      await destination.send(messages, this.#deadline(timeoutMs));
      this.#sent += messages.length;
      // Whether a destination without confirmation works again shows when it has read something.
      if (this.#health.failing && destination.prove) await this.#prove();
      if (!destination.prove) this.#works();
    }
    for (const { missing, place } of parcels)
      if (missing > 0) this.#drop('gone', place.seq - missing, place.seq - 1);
    const last = parcels.at(-1);
    if (!last) return;
    this.#place = last.place;
    this.#horizon?.sent(last.place, performance.now());
  }

  #works(): void {
    this.#backOff.reset();
    this.#health.worked();
  }

  /** @param why gone: not in the trail any more, or damaged there · refused: the destination does not want it */
  #drop(why: 'gone' | 'refused', first: number, last: number, reason?: string): void {
    this.#dropped += last - first + 1;
    this.#options.note('audit.delivery_failed', {
      destination: this.#options.name,
      why,
      first,
      last,
      reason,
    });
  }

  /** Finds out what has arrived, when it is time to, and keeps it. */
  async #secure(): Promise<void> {
    if (this.#options.destination.prove && this.#horizon?.isDue(performance.now())) await this.#prove();
    this.#horizon?.settle(performance.now());
    await this.#save(false).catch(this.#tellUnsaved);
  }

  async #prove(): Promise<void> {
    await this.#options.destination.prove?.(this.#deadline(this.#options.timeoutMs));
    this.#horizon?.prove();
    this.#works();
  }

  async #save(atOnce: boolean): Promise<void> {
    const place = this.#horizon?.safe;
    const now = performance.now();
    if (!place || place === this.#saved || (!atOnce && now - this.#savedAt < saveEveryMs)) return;
    this.#savedAt = now;
    await this.#file.write(place);
    this.#saved = place;
  }

  /** Things are sent again after the next start, which is no reason not to send now. */
  readonly #tellUnsaved = (error: unknown): void =>
    void log.warn('how far the delivery has got could not be kept', {
      destination: this.#options.name,
      ...describeError(error),
    });

  #deadline(ms: number): AbortSignal {
    return AbortSignal.any([this.#ending.signal, AbortSignal.timeout(ms)]);
  }

  async #wait(ms: number): Promise<void> {
    if (this.#finishing) return;
    this.#pause = new AbortController();
    await sleep(ms, undefined, { signal: this.#pause.signal }).catch(() => undefined); // only `finish` ends it early
  }
}
