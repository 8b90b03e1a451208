/**
 * Whether a destination takes what it gets. The trail is told when a failure has lasted, and when it is over: not of every
 * try, because each such record would have to be delivered as well.
 */
import { log } from '../log.ts';

export type Note = (event: string, facts: Record<string, unknown>) => void;

const defaultPatienceMs = 10_000;

export class Health {
  readonly #destination: string;
  readonly #note: Note;
  readonly #patienceMs: number;
  #failingSince: number | undefined;
  #isTold = false;

  constructor(destination: string, note: Note, patienceMs = defaultPatienceMs) {
    this.#destination = destination;
    this.#note = note;
    this.#patienceMs = patienceMs;
  }

  get working(): boolean {
    return this.#failingSince === undefined;
  }

  failed(reason: string): void {
    const now = performance.now();
    this.#failingSince ??= now;
    if (this.#isTold || now - this.#failingSince < this.#patienceMs) return;
    this.#isTold = true;
    this.#tell('audit.delivery_failing', { reason });
  }

  worked(): void {
    const since = this.#failingSince;
    this.#failingSince = undefined;
    if (!this.#isTold || since === undefined) return;
    this.#isTold = false;
    this.#tell('audit.delivery_recovered', { ms: Math.round(performance.now() - since) });
  }

  #tell(event: string, facts: Record<string, unknown>): void {
    const told = { destination: this.#destination, ...facts };
    log.warn(event, told);
    this.#note(event, told);
  }
}
