/**
 * The tenant's two-step limit over a sliding minute, for proxy and real-time calls together (facts: IPS 5.1).
 * A refused call is not counted, so that the minute runs out even under a storm of them.
 */
export interface LimiterOptions {
  /** Calls within a minute that are answered at once; later ones are slowed down. */
  readonly slowAt: number;
  /** Calls within a minute after which further ones are refused. */
  readonly refuseAt: number;
  readonly minuteMs: number;
  readonly delayMs: number;
  /** `true` tells when the minute has room again, a number is told as it is; SAP documents neither. */
  readonly retryAfter?: boolean | number;
  /** How long everything is refused once the second figure is reached; until there is room when absent. */
  readonly penaltyMs?: number;
  readonly slowedBy?: 'fixed' | 'proportional';
}

/** IPS's own figures. */
export const proxyLimits: LimiterOptions = {
  slowAt: 150,
  refuseAt: 200,
  minuteMs: 60_000,
  delayMs: 1000,
};

/** Those of `/oauth2`: nothing is slowed, the 1001st request of a minute is refused (facts: IPS 5.2). */
export const tokenLimits: LimiterOptions = {
  slowAt: 1000,
  refuseAt: 1000,
  minuteMs: 60_000,
  delayMs: 0,
};

/** Those of the tenant's own directory; beyond them a whole minute is refused (facts: IPS 5.2). */
export const directoryLimits: LimiterOptions = {
  slowAt: 200,
  refuseAt: 280,
  minuteMs: 60_000,
  delayMs: 1000,
  penaltyMs: 60_000,
};

export type Admission =
  | { readonly admitted: true; readonly delayMs: number }
  | { readonly admitted: false; readonly retryAfter?: number };

export class Limiter {
  readonly #options: LimiterOptions;
  /** Instants of the counted calls, oldest first; never longer than `refuseAt`. */
  readonly #instants: number[] = [];
  #refusesUntil = -Infinity;

  constructor(options: LimiterOptions) {
    this.#options = options;
  }

  admit(now: number = performance.now()): Admission {
    const { slowAt, refuseAt, minuteMs, delayMs, slowedBy, penaltyMs = 0 } = this.#options;
    while (this.#instants[0] !== undefined && this.#instants[0] <= now - minuteMs) this.#instants.shift();
    if (now < this.#refusesUntil) return this.#refusal(now);
    if (this.#instants.length >= refuseAt) {
      this.#refusesUntil = now + penaltyMs;
      return this.#refusal(now);
    }
    const excess = this.#instants.push(now) - slowAt;
    if (excess <= 0) return { admitted: true, delayMs: 0 };
    const share = slowedBy === 'proportional' ? excess / (refuseAt - slowAt) : 1;
    return { admitted: true, delayMs: delayMs * share };
  }

  #refusal(now: number): Admission {
    const { retryAfter, minuteMs } = this.#options;
    if (!retryAfter) return { admitted: false };
    const roomAt = Math.max((this.#instants[0] ?? now) + minuteMs, this.#refusesUntil);
    const seconds = retryAfter === true ? Math.ceil((roomAt - now) / 1000) : retryAfter;
    return { admitted: false, retryAfter: seconds };
  }
}
