/** Whether calls are taken, and how each part is: only the audit trail keeps calls away, everything else is made do without. */
import type { Trail } from '../audit/trail.ts';
import type { Condition, PartState } from '../console/health.ts';
import type { DeliveryState } from '../delivery/shipper.ts';
import type { Config } from './config.ts';
import type { Pacers } from './pacers.ts';
import type { Running } from './running.ts';

export interface ConditionParts {
  readonly config: Pick<Config, 'cache' | 'replicas'>;
  readonly trail: Pick<Trail, 'ready'>;
  readonly running: Pick<Running, 'draining'>;
  readonly pacers: Pick<Pacers, 'states'>;
  readonly isCacheUsed: () => boolean;
  readonly deliveries: () => ReadonlyMap<string, Pick<DeliveryState, 'working'>>;
  /** Whether callers are let in. */
  readonly hasStarted: () => boolean;
}

export function conditionOf(parts: ConditionParts): Condition {
  const { trail, running } = parts;
  const hasStarted = parts.hasStarted();
  return {
    hasStarted,
    reasons: [
      ...(hasStarted ? [] : ['the gateway is starting']),
      ...(running.draining ? ['the gateway is shutting down'] : []),
      ...(trail.ready ? [] : ['the audit trail cannot be written']),
    ],
    parts: Object.fromEntries(states(parts)),
  };
}

function* states(parts: ConditionParts): Generator<readonly [part: string, state: PartState]> {
  const { config, trail, pacers, isCacheUsed, deliveries } = parts;
  yield ['audit', trail.ready ? 'ok' : 'failed'];
  if (config.cache.store === 'redis') {
    yield ['redis', okIf(isCacheUsed())];
    if (config.replicas > 1)
      for (const [tenant, { isShared }] of pacers.states()) yield [`quota of ${tenant}`, okIf(isShared)];
  }
  for (const [name, { working }] of deliveries()) yield [`delivery to ${name}`, okIf(working)];
}

const okIf = (holds: boolean): PartState => (holds ? 'ok' : 'degraded');
