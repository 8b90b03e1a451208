/**
 * Brings alerts to one channel, one after the other. What a channel does is nobody's business but this file's: one that is
 * away or hangs delays no call and no other channel, and only so many alerts wait for it, and only so long.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { BackOff } from '../delivery/back-off.ts';
import { NotTaken, reasonOf, Refused } from '../delivery/destination.ts';
import { describeError, log } from '../log.ts';
import type { Alert, Channel } from './alert.ts';

/** failed: a try, and there may be another · dropped: it will never be sent. */
export type Result = 'sent' | 'failed' | 'dropped';

export interface CourierOptions {
  readonly name: string;
  readonly channel: Channel;
  readonly timeoutMs: number;
  /** Told of each try, and of each alert that is given up. */
  readonly onResult: (alert: Alert, channel: string, result: Result) => void;
}

/** What came first is the least news. */
const mostWaiting = 100;
/** Who learns of it later than this has learnt of it elsewhere. */
const longestMs = 3_600_000;

export class Courier {
  readonly #options: CourierOptions;
  readonly #backOff = new BackOff();
  readonly #ending = new AbortController();
  /** Aborted when there is no reason to wait on. */
  readonly #finishing = new AbortController();
  readonly #waiting: Alert[] = [];
  #running: Promise<void> | undefined;
  #works: boolean | undefined;

  constructor(options: CourierOptions) {
    this.#options = options;
  }

  /** Whether the last try came through; undefined before the first. */
  get works(): boolean | undefined {
    return this.#works;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Never throws. */
  push(alert: Alert): void {
    // The first one is on its way.
    if (this.#waiting.length === mostWaiting) this.#drop(this.#waiting.splice(1, 1)[0], 'too many wait');
    this.#waiting.push(alert);
    this.#running ??= this.#run();
  }

  /**
   * One try, now and beside what waits; throws what the channel says.
   * @param longest how long it may take at most
   */
  async try(alert: Alert, longest = Infinity): Promise<void> {
    const { channel, timeoutMs } = this.#options;
    try {
      const late = AbortSignal.timeout(Math.min(timeoutMs, longest));
      await channel.send(alert, AbortSignal.any([this.#ending.signal, late]));
    } catch (error) {
      this.#warn(error);
      this.#told(alert, 'failed');
      throw error;
    }
    if (this.#works === false)
      log.info('a channel for alerts takes them again', { channel: this.#options.name });
    this.#works = true;
    this.#told(alert, 'sent');
  }

  /** Sends what waits, as far as that takes no longer than this. */
  async finish(patienceMs: number): Promise<void> {
    this.#finishing.abort();
    const timer = setTimeout(() => this.#ending.abort(), patienceMs);
    await this.#running;
    clearTimeout(timer);
    for (const alert of this.#waiting.splice(0)) this.#drop(alert, 'the end');
    this.#options.channel.close();
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    for (let alert; (alert = this.#waiting[0]);) {
      const asked = await this.#bring(alert);
      if (asked === undefined) this.#waiting.shift();
      else if (this.#finishing.signal.aborted) break;
      else await this.#wait(this.#backOff.next(asked));
    }
    this.#running = undefined;
  }

  /** @returns undefined when it is done with, else how long the channel wants to be left alone */
  async #bring(alert: Alert): Promise<number | undefined> {
    try {
      await this.try(alert);
      this.#backOff.reset();
      return undefined;
    } catch (error) {
      const isLate = Date.now() - Date.parse(alert.at) > longestMs;
      if (!(error instanceof Refused) && !isLate) return error instanceof NotTaken ? error.retryAfterMs : 0;
      this.#drop(alert, isLate ? 'too late' : 'refused');
      return undefined;
    }
  }

  #warn(error: unknown): void {
    const { name: channel } = this.#options;
    const facts = { channel, reason: reasonOf(error), ...describeError(error) };
    if (this.#works === false) log.debug('a channel does not take an alert', facts);
    else log.warn('a channel does not take an alert', facts);
    this.#works = false;
  }

  #drop(alert: Alert | undefined, why: string): void {
    if (!alert) return;
    const { name, subject, state } = alert;
    log.warn('an alert is given up', { channel: this.#options.name, alert: name, subject, state, why });
    this.#told(alert, 'dropped');
  }

  #told(alert: Alert, result: Result): void {
    this.#options.onResult(alert, this.#options.name, result);
  }

  async #wait(ms: number): Promise<void> {
    const { signal } = this.#finishing;
    await sleep(ms, undefined, { signal }).catch(() => undefined); // only `finish` ends it early
  }
}
