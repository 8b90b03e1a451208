/**
 * Whether a destination that works keeps up with the trail. One that falls far behind is told once, and so is that it has
 * caught up; one that takes nothing at all is told by its health.
 */
import type { Note } from './health.ts';
import type { DeliveryState } from './shipper.ts';

export type States = () => ReadonlyMap<string, Pick<DeliveryState, 'working' | 'lagSeconds' | 'lagRecords'>>;

/** Far apart, so that nobody is told of a destination that goes up and down around one of them. */
const farSeconds = 900;
const nearSeconds = 60;
const lookEveryMs = 15_000;

export class LagWatch implements Disposable {
  readonly #states: States;
  readonly #note: Note;
  readonly #told = new Set<string>();
  readonly #timer: NodeJS.Timeout;

  constructor(states: States, note: Note) {
    this.#states = states;
    this.#note = note;
    this.#timer = setInterval(() => this.check(), lookEveryMs).unref();
  }

  check(): void {
    const states = this.#states();
    for (const destination of this.#told) if (!states.has(destination)) this.#told.delete(destination);
    for (const [destination, { working, lagSeconds, lagRecords }] of states) {
      if (!working) continue;
      if (lagSeconds > farSeconds && !this.#told.has(destination)) {
        this.#told.add(destination);
        const seconds = Math.round(lagSeconds);
        this.#note('audit.delivery_lagging', { destination, lagSeconds: seconds, lagRecords });
      } else if (lagSeconds < nearSeconds && this.#told.delete(destination))
        this.#note('audit.delivery_caught_up', { destination });
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
