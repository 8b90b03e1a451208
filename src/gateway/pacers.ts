/**
 * The pacer of each tenant. It outlives every reload of the configuration: what was spent of a quota stays spent, and
 * whoever waits for a turn keeps his place.
 */
import { OwnBudget, type Pace } from '../pace/budget.ts';
import { createPacer, type CreateBudget } from '../pace/pacer.ts';
import { partOf } from '../pace/part.ts';
import type { Pool } from '../pace/pool.ts';
import { SharedBudget } from '../pace/shared-budget.ts';
import type { Pacer, PacerLimits, PacerState } from '../pace/turn.ts';
import type { Config, Tenant } from './config.ts';

type Paced = Pick<Tenant, 'id' | 'pace'>;

export class Pacers implements Disposable {
  readonly #pacers = new Map<string, Pacer>();
  readonly #budgets = new Map<string, SharedBudget>();
  readonly #beats = new Map<SharedBudget, NodeJS.Timeout>();
  readonly #startedAt: number;
  readonly #quietMs: number;
  readonly #poolOf: ((tenant: string) => Pool) | undefined;

  /**
   * @param quietMs for how long nothing of this instance has gone up
   * @param poolOf where replicas share a tenant's quota; without it each keeps to its part
   */
  constructor(quietMs: number, poolOf?: (tenant: string) => Pool) {
    this.#startedAt = performance.now();
    this.#quietMs = quietMs;
    this.#poolOf = poolOf;
  }

  of(tenant: Paced, replicas: number): Pacer {
    return this.#pacers.getOrInsertComputed(tenant.id, () => {
      const limits = this.#limitsOf(tenant, replicas);
      return createPacer(
        { ...limits, minuteMs: tenant.pace.minute, learns: true },
        this.#poolOf
          ? this.#sharing(tenant, replicas, this.#poolOf(tenant.id))
          : this.#alone(limits, tenant.pace.minute),
      );
    });
  }

  /** Keeps to what the configuration says from now on. */
  keepTo({ tenants, replicas }: Pick<Config, 'tenants' | 'replicas'>): void {
    for (const tenant of Object.values(tenants)) {
      this.#budgets.get(tenant.id)?.resize(replicas);
      this.#pacers.get(tenant.id)?.adjust(this.#limitsOf(tenant, replicas));
    }
  }

  /** Sends nothing to the tenant for so long; 0 ends it. False: there is no such tenant. */
  hold(tenant: string, ms: number): boolean {
    const pacer = this.#pacers.get(tenant);
    pacer?.hold(ms);
    return pacer !== undefined;
  }

  *states(): Generator<readonly [tenant: string, state: PacerState]> {
    for (const [id, { state }] of this.#pacers) yield [id, state];
  }

  [Symbol.dispose](): void {
    for (const beat of this.#beats.values()) clearTimeout(beat);
    for (const pacer of this.#pacers.values()) pacer[Symbol.dispose]();
  }

  #alone(pace: Pace, minuteMs: number): CreateBudget {
    return ({ now }) => {
      const budget = new OwnBudget(pace, minuteMs);
      this.#begin(budget, now, minuteMs);
      return budget;
    };
  }

  #sharing({ id, pace }: Paced, replicas: number, pool: Pool): CreateBudget {
    return (parts) => {
      const budget = new SharedBudget({ ...pace, ...parts, pool, replicas, minuteMs: pace.minute });
      this.#budgets.set(id, budget);
      this.#begin(budget, parts.now, pace.minute);
      this.#beat(budget);
      return budget;
    };
  }

  /** Not all at the same pace, or one would always come first to what another lends. */
  #beat(budget: SharedBudget): void {
    const again = setTimeout(() => this.#beat(budget), budget.beat() * (0.75 + Math.random() / 4)).unref();
    this.#beats.set(budget, again);
  }

  /** Whoever ran in our place before may have spent all that is saved up in a minute. */
  #begin(budget: OwnBudget | SharedBudget, now: () => number, minuteMs: number): void {
    const quietMs = this.#quietMs + performance.now() - this.#startedAt;
    if (quietMs < minuteMs) budget.saveNothing(now());
  }

  #limitsOf({ pace }: Paced, replicas: number): PacerLimits {
    const part = partOf(pace, replicas, this.#poolOf !== undefined);
    return {
      // A shared budget parts it by itself.
      ...(this.#poolOf ? pace : part),
      departing: part.departing,
      concurrency: pace.concurrency,
      maxQueue: pace.queue,
    };
  }
}
