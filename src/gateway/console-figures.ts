/** What the gateway's own parts say of themselves, in the form in which the console's page shows it. */
import type { Expiring as ExpiringReply, Paused, TenantGauge } from '../console/api/overview.ts';
import type { CallerState, Hold, Permitted, SnapshotState, SystemState } from '../console/api/parties.ts';
import type { Traffic } from '../console/traffic.ts';
import type { Holds } from '../guard/holds.ts';
import type { Part } from '../pace/part.ts';
import type { PacerState } from '../pace/turn.ts';
import type { KeeperState } from '../snapshot/keeper.ts';
import type { Caller, Permission, System, Tenant } from './config.ts';
import type { Expiring } from './expiry.ts';

const dayMs = 86_400_000;

export interface TenantFigures {
  readonly replicas: number;
  readonly part: Pick<Part, 'perMinute'>;
  readonly state: PacerState | undefined;
  readonly paused: Paused | undefined;
  readonly upLastMinute: number;
}

export function gaugeOf(
  { id, pace }: Tenant,
  { replicas, part, state, paused, upLastMinute }: TenantFigures,
): TenantGauge {
  const isPaused = paused && Date.parse(paused.until) > Date.now();
  return {
    tenant: id,
    upLastMinute,
    perMinute: pace.perMinute,
    replicas,
    part: Math.floor(part.perMinute),
    burst: pace.burst,
    tenantLimit: pace.tenantLimit,
    queued: state?.queued ?? 0,
    running: state?.running ?? 0,
    predictedWaitMs: Math.round(state?.longestWaitMs ?? 0),
    tempo: state?.tempo ?? 1,
    refusedForMs: Math.round(state?.pausedForMs ?? 0),
    ...(isPaused && { paused }),
    shared: state?.isShared ?? false,
  };
}

export interface SystemFigures {
  readonly snapshots: readonly KeeperState[];
  readonly forgottenAt: string | undefined;
  /** A probe has compared, and found the same. */
  readonly hasAgreed: boolean;
}

export function systemStateOf(
  system: System,
  traffic: Traffic,
  { snapshots, forgottenAt, hasAgreed }: SystemFigures,
): SystemState {
  const { id, name, tenant, kind, resourceTypes, cache, pages } = system;
  const oldestServedMs = traffic.oldestServed(id);
  const difference = traffic.differenceOf(id);
  const snapshot = worstOf(snapshots);
  return {
    id,
    name,
    tenant,
    kind,
    resourceTypes,
    ...traffic.system(id),
    cache: {
      on: cache.enabled,
      lifetimeMs: cache.lifetime,
      ...(oldestServedMs !== undefined && { oldestServedMs: Math.round(oldestServedMs) }),
      ...(forgottenAt !== undefined && { forgottenAt }),
    },
    ...(snapshot && {
      snapshot: {
        ...(snapshot.ageMs !== undefined && { ageMs: snapshot.ageMs }),
        state: stateOf(snapshot),
      },
    }),
    probe: difference
      ? { state: 'differs', ...difference }
      : { state: pages.singleReads ? (hasAgreed ? 'agrees' : 'untried') : 'off' },
  };
}

/** Of each of its collections. */
export function snapshotsOf({ id }: System, kept: ReadonlyMap<string, KeeperState>): KeeperState[] {
  return [...kept].filter(([collection]) => collection.startsWith(`${id}/`)).map(([, snapshot]) => snapshot);
}

const bySeverity: readonly SnapshotState[] = ['faulty', 'building', 'shown'];

/** The one that somebody should know of; of those the oldest. */
function worstOf(snapshots: readonly KeeperState[]): KeeperState | undefined {
  return snapshots.toSorted(
    (some, other) =>
      bySeverity.indexOf(stateOf(some)) - bySeverity.indexOf(stateOf(other)) ||
      (other.ageMs ?? 0) - (some.ageMs ?? 0),
  )[0];
}

function stateOf({ isFaulty, isShown }: KeeperState): SnapshotState {
  return isFaulty ? 'faulty' : isShown ? 'shown' : 'building';
}

export function callerStateOf({ name, permissions, sourceNetworks }: Caller, traffic: Traffic): CallerState {
  const networks = sourceNetworks && { sourceNetworks };
  return { name, may: permissions.map(permittedOf), ...networks, ...traffic.caller(name) };
}

function permittedOf(permission: Permission): Permitted {
  if (!('systems' in permission))
    return { what: permission.permission, systems: permission.sourceSystems, without: [] };
  const { access, resourceTypes, systems, deniedAttributes } = permission;
  return { what: access, resourceTypes, systems, without: deniedAttributes };
}

export function holdOf(
  { id, caller, system, kind, resourceType, amount, since }: Holds['all'][number],
  left: number,
): Hold {
  const what = `${kind} ${resourceType}`;
  return { id, caller, system, what, count: amount, since, ...(left > 0 && { released: left }) };
}

export function soonest(ends: readonly Expiring[]): ExpiringReply[] {
  const now = Date.now();
  return ends
    .toSorted((some, other) => some.notAfter - other.notAfter)
    .map(({ kind, what, subject, notAfter }) => ({
      kind,
      what,
      ...(subject !== undefined && { subject }),
      notAfter: new Date(notAfter).toISOString(),
      daysLeft: Math.floor((notAfter - now) / dayMs),
    }));
}
