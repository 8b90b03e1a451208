/**
 * The pacer of each tenant. It outlives every reload of the configuration: what was spent of a quota stays spent, and
 * whoever waits for a turn keeps his place.
 */
import { createPacer, type Pacer, type PacerState } from '../pace/pacer.ts';
import type { Config, Tenant } from './config.ts';

type Paced = Pick<Tenant, 'id' | 'pace'>;

export class Pacers implements Disposable {
  readonly #pacers = new Map<string, Pacer>();

  of(tenant: Paced, replicas: number): Pacer {
    return this.#pacers.getOrInsertComputed(tenant.id, () =>
      createPacer({ ...paceOf(tenant, replicas), minuteMs: tenant.pace.minute }),
    );
  }

  /** Keeps to what the configuration says from now on. */
  keepTo({ tenants, replicas }: Pick<Config, 'tenants' | 'replicas'>): void {
    for (const tenant of Object.values(tenants))
      this.#pacers.get(tenant.id)?.adjust(paceOf(tenant, replicas));
  }

  *states(): Generator<readonly [tenant: string, state: PacerState]> {
    for (const [id, { state }] of this.#pacers) yield [id, state];
  }

  [Symbol.dispose](): void {
    for (const pacer of this.#pacers.values()) pacer[Symbol.dispose]();
  }
}

/** Without a word from the other replicas each keeps to its part, so that the sum stays within the quota. */
function paceOf({ pace }: Paced, replicas: number) {
  return {
    perMinute: Math.max(1, Math.floor(pace.perMinute / replicas)),
    burst: Math.floor(pace.burst / replicas),
    concurrency: pace.concurrency,
    maxQueue: pace.queue,
  };
}
