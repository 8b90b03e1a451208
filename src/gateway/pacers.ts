/**
 * The pacer of each tenant. It outlives every reload of the configuration: what was spent of a quota stays spent, and
 * whoever waits for a turn keeps his place.
 */
import { createPacer, type CreateBudget } from '../pace/pacer.ts';
import { departingOf, shareOf } from '../pace/pool-pace.ts';
import type { Pool } from '../pace/pool.ts';
import { SharedBudget } from '../pace/shared-budget.ts';
import type { Pacer, PacerState } from '../pace/turn.ts';
import type { Config, Tenant } from './config.ts';

type Paced = Pick<Tenant, 'id' | 'pace'>;

export class Pacers implements Disposable {
  readonly #pacers = new Map<string, Pacer>();
  readonly #budgets = new Map<string, SharedBudget>();
  readonly #beats: NodeJS.Timeout[] = [];
  readonly #poolOf: ((tenant: string) => Pool) | undefined;

  /** @param poolOf where replicas share a tenant's quota; without it each keeps to its part */
  constructor(poolOf?: (tenant: string) => Pool) {
    this.#poolOf = poolOf;
  }

  of(tenant: Paced, replicas: number): Pacer {
    return this.#pacers.getOrInsertComputed(tenant.id, () =>
      createPacer(
        { ...this.#limitsOf(tenant, replicas), minuteMs: tenant.pace.minute, learns: true },
        this.#poolOf && this.#sharing(tenant, replicas, this.#poolOf(tenant.id)),
      ),
    );
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
    for (const beat of this.#beats) clearInterval(beat);
    for (const pacer of this.#pacers.values()) pacer[Symbol.dispose]();
  }

  #sharing({ id, pace }: Paced, replicas: number, pool: Pool): CreateBudget {
    return (parts) => {
      const budget = new SharedBudget({ ...pace, ...parts, pool, replicas, minuteMs: pace.minute });
      this.#budgets.set(id, budget);
      this.#beats.push(setInterval(() => budget.beat(), budget.beatMs).unref());
      return budget;
    };
  }

  #limitsOf({ pace }: Paced, replicas: number) {
    const departing = departingOf(pace.burst, replicas);
    const own = shareOf(pace, replicas);
    return {
      perMinute: this.#poolOf ? pace.perMinute : own.perMinute,
      burst: this.#poolOf ? pace.burst : Math.max(0, own.burst + 1 - departing),
      departing,
      concurrency: pace.concurrency,
      maxQueue: pace.queue,
    };
  }
}
