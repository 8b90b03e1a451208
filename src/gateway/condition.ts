/** Whether calls are taken, and how each part is: only the audit trail keeps calls away, everything else is made do without. */
import type { Trail } from '../audit/trail.ts';
import type { Shortage } from '../console/api/overview.ts';
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
    parts: Object.fromEntries([...states(parts)].map(({ kind, of, state }) => [nameOf(kind, of), state])),
  };
}

/** What is made do without now. */
export function shortagesOf(parts: ConditionParts): Shortage[] {
  return [...states(parts)].flatMap(({ kind, of, state }) =>
    state === 'degraded' && kind !== 'audit' ? [{ kind, ...(of !== undefined && { of }) }] : [],
  );
}

interface Part {
  readonly kind: 'audit' | Shortage['kind'];
  readonly of?: string;
  readonly state: PartState;
}

function* states(parts: ConditionParts): Generator<Part> {
  const { config, trail, pacers, isCacheUsed, deliveries } = parts;
  yield { kind: 'audit', state: trail.ready ? 'ok' : 'failed' };
  if (config.cache.store === 'redis') {
    yield { kind: 'redis', state: okIf(isCacheUsed()) };
    if (config.replicas > 1)
      for (const [of, { isShared }] of pacers.states()) yield { kind: 'quota', of, state: okIf(isShared) };
  }
  for (const [of, { working }] of deliveries()) yield { kind: 'delivery', of, state: okIf(working) };
}

function nameOf(kind: Part['kind'], of = ''): string {
  if (kind === 'quota') return `quota of ${of}`;
  return kind === 'delivery' ? `delivery to ${of}` : kind;
}

const okIf = (holds: boolean): PartState => (holds ? 'ok' : 'degraded');
