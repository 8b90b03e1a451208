/**
 * What a trail does by the clock: a checkpoint for what came since the last one, a record of silence where nothing came,
 * and with each segment a look at its ballast, at the other replicas, and for segments whose time is over. It never waits,
 * and nobody waits for it.
 */
export interface PulseLimits {
  readonly checkpointMs: number;
  /** How long the trail may be silent before it says that nothing happened. */
  readonly heartbeatMs: number;
  /** How long segments are kept; for good when left out. */
  readonly keepMs?: number;
}

/** What the pulse moves. */
export interface Pulsing {
  /** The number of the segment that is written now. */
  readonly segment: number;
  /** How long nothing has been written. */
  readonly idleMs: number;
  readonly accepting: boolean;
  checkpoint(): void;
  heartbeat(): void;
  /** Names the other replicas' chains. */
  nameSiblings(): void;
  /** Puts aside what the ballast lacks. */
  refill(): void;
  expire(before: Date): void;
}

export class Pulse implements Disposable {
  readonly #limits: PulseLimits;
  readonly #trail: Pulsing;
  readonly #timer: NodeJS.Timeout;
  /** The segment in which this was done: once at the start and after each rotation. */
  #lookedIn = 0;

  constructor(limits: PulseLimits, trail: Pulsing) {
    this.#limits = limits;
    this.#trail = trail;
    this.#timer = setInterval(() => this.#beat(), limits.checkpointMs).unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #beat(): void {
    this.#trail.checkpoint();
    if (!this.#trail.accepting) return;
    if (this.#trail.idleMs >= this.#limits.heartbeatMs) this.#trail.heartbeat();
    if (this.#trail.segment === this.#lookedIn) return;
    this.#lookedIn = this.#trail.segment;
    this.#trail.refill();
    this.#trail.nameSiblings();
    const { keepMs } = this.#limits;
    if (keepMs !== undefined) this.#trail.expire(new Date(Date.now() - keepMs));
  }
}
