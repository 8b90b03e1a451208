/**
 * The pace of one system whose backend says, through the tenant, that it is asked too often: its calls go up with a gap
 * between them, which grows with every such answer and shrinks with every other. No other system is slowed.
 */
import { createPacer } from './pacer.ts';
import type { RefusalDetails } from './refusal.ts';
import type { Pacer, PacerLimits, Turn } from './turn.ts';

const details: RefusalDetails = {
  of: 'system',
  tooLate: 'Waiting for the system behind the tenant would take longer than the caller waits.',
  tooMany: 'Too many calls are waiting for the system behind the tenant.',
};

export class BackendPace implements Disposable {
  readonly #minuteMs: number;
  readonly #maxQueue: number;
  readonly #pacer: Pacer;
  /** Infinitely short while the backend has not complained. */
  #gapMs = 0;

  constructor({ minuteMs, maxQueue, now }: { minuteMs: number; maxQueue: number; now?: () => number }) {
    this.#minuteMs = minuteMs;
    this.#maxQueue = maxQueue;
    this.#pacer = createPacer({ ...this.#limits, minuteMs, details, ...(now && { now }) });
  }

  run<T>(turn: Turn, work: (waitedMs: number) => Promise<T>): Promise<T> {
    return this.#pacer.run(turn, work);
  }

  get gapMs(): number {
    return this.#gapMs;
  }

  /** The backend refused a call, and named a time or none. */
  refused(afterMs: number | undefined): void {
    this.#keep(Math.min(Math.max(this.#minuteMs / 60, this.#gapMs * 2), this.#minuteMs / 2));
    this.#pacer.pause(afterMs ?? this.#gapMs);
  }

  /** The backend did not complain. */
  answered(): void {
    if (this.#gapMs === 0) return;
    const gapMs = this.#gapMs * 0.8;
    this.#keep(gapMs < this.#minuteMs / 600 ? 0 : gapMs);
  }

  [Symbol.dispose](): void {
    this.#pacer[Symbol.dispose]();
  }

  get #limits(): PacerLimits {
    const perMinute = this.#gapMs === 0 ? Infinity : this.#minuteMs / this.#gapMs;
    return { perMinute, burst: 1, concurrency: Infinity, maxQueue: this.#maxQueue };
  }

  #keep(gapMs: number): void {
    this.#gapMs = gapMs;
    this.#pacer.adjust(this.#limits);
  }
}
