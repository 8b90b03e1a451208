/**
 * How many calls may be at work at a time, and how many of them between their turn and their departure. Invariant: a call
 * that is taken in departs once and ends once, whatever becomes of it.
 */
import type { PacerLimits } from './turn.ts';

export class Places {
  limits: Pick<PacerLimits, 'concurrency' | 'departing'>;
  #running = 0;
  #departing = 0;
  /** Moving average of how long work takes. */
  #workUs = 0;

  constructor(limits: Places['limits']) {
    this.limits = limits;
  }

  get running(): number {
    return this.#running;
  }

  /** How many calls could start now, had they a turn; less than none after a lower limit. */
  get free(): number {
    const { concurrency, departing = Infinity } = this.limits;
    return Math.min(concurrency - this.#running, departing - this.#departing);
  }

  /** When there is room behind so many others, by what the tenant manages at a time. */
  freeAt(now: number, ahead: number): number {
    const { concurrency } = this.limits;
    const endingsBefore = Math.max(0, this.#running + ahead + 1 - concurrency);
    return now + (endingsBefore * this.#workUs) / concurrency;
  }

  takeIn(): void {
    this.#running += 1;
    this.#departing += 1;
  }

  departed(): void {
    this.#departing -= 1;
  }

  ended(tookUs: number): void {
    this.#running -= 1;
    this.#workUs += (tookUs - this.#workUs) / (this.#workUs === 0 ? 1 : 8);
  }
}
