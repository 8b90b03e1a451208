/**
 * Which records of the trail are alerts, and which end one. One table: an alert that is not here does not exist. Facts are
 * taken by name, never as a whole, so that nothing of a person comes along with a record that gets a new member.
 */
import type { Facts, Severity } from './alert.ts';
import type { AlertName } from './matters.ts';

/** A record, as far as alerts are made of it. */
export interface Recorded {
  readonly op?: { readonly system?: string; readonly resourceType?: string };
  readonly actor?: { readonly name?: string };
  readonly upstream?: {
    readonly tenant?: string;
    readonly system?: string;
    readonly host?: string;
    readonly status?: number;
  };
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** That something has happened, or is over. */
export interface Finding {
  readonly name: AlertName;
  readonly subject: string;
  /** One of several that are the same matter, which is over when it is over for all of them. */
  readonly part?: string;
  readonly isOver: boolean;
  readonly severity: Severity;
  readonly facts: Facts;
  /** In ms since 1970: somebody has acted, and until then it is not told again though it goes on. */
  readonly restsUntil?: number;
}

type Told = Readonly<Record<string, unknown>>;
type Rule = (told: Told, record: Recorded) => Finding | readonly Finding[] | undefined;

const collection = ['system', 'resourceType'] as const;

const rules: Readonly<Record<string, Rule>> = {
  'guard.exceeded': (told) => {
    const named = pick(told, 'kind', 'caller', 'system', 'resourceType', 'count', 'limit', 'hold');
    if (told['action'] === 'refuse') return raised('guard-held', 'critical', text(told['hold']), named);
    // Of a load, load.completed tells.
    if (told['kind'] === 'load') return undefined;
    return raised('guard-exceeded', 'warning', joined(told, 'kind', 'caller', 'system'), named);
  },
  'guard.released': (told) => {
    const restsUntil = Date.parse(text(told['until']));
    // What lets nothing pass ends the hold, which is told by itself.
    if (Number.isNaN(restsUntil)) return undefined;
    return { ...raised('guard-held', 'critical', text(told['hold']), {}), restsUntil };
  },
  'guard.closed': (told) => over('guard-held', text(told['hold']), pick(told, 'why')),
  'load.completed': (told) => {
    const subject = joined(told, 'system', 'resourceType');
    const named = pick(told, 'system', 'resourceType', 'caller', 'ids', 'missing', 'verdict');
    const { verdict } = told;
    if (verdict !== 'smaller' && verdict !== 'empty') return over('load-smaller', subject, named);
    return raised('load-smaller', verdict === 'empty' ? 'critical' : 'warning', subject, named);
  },
  'authn.spray_suspected': raises('password-spraying', 'warning', ['pattern'], 'failures'),
  'audit.space_low': (told) => {
    const named = pick(told, 'freeBytes', 'freePercent', 'bytesPerDay', 'daysLeft');
    const isLast = below(told['daysLeft'], 1) || below(told['freePercent'], 1);
    return raised('audit-disk', isLast ? 'critical' : 'warning', 'audit.directory', named);
  },
  'audit.failed': (told) =>
    told['code'] === 'SLOW'
      ? raised('audit-slow', 'warning', 'audit.directory', pick(told, 'ms'))
      : raised('audit-failing', 'critical', 'audit.directory', pick(told, 'code', 'refused')),
  'audit.recovered': (told) => over('audit-failing', 'audit.directory', pick(told, 'silentMs')),
  'audit.witness_lost': (told) => raised('witness-lost', 'warning', 'audit.witness', pick(told, 'reason')),
  'audit.witness_refused': (told) => [
    over('witness-lost', 'audit.witness', {}),
    raised('witness-refuses', 'critical', 'audit.witness', pick(told, 'reason')),
  ],
  'audit.witness_back': () => [
    over('witness-lost', 'audit.witness', {}),
    over('witness-refuses', 'audit.witness', {}),
  ],
  'cert.expiring': ending,
  'secret.expiring': ending,
  'audit.delivery_failing': raises('delivery-failing', 'warning', ['destination'], 'reason'),
  'audit.delivery_recovered': ends('delivery-failing', ['destination'], 'ms'),
  'audit.delivery_lagging': raises('delivery-lag', 'warning', ['destination'], 'lagSeconds', 'lagRecords'),
  'audit.delivery_caught_up': ends('delivery-lag', ['destination']),
  'audit.delivery_failed': raises('delivery-lost', 'critical', ['destination'], 'why', 'first', 'last'),
  'upstream.outcome': (_told, { upstream }) => {
    const { tenant = '', system, host = '', status = 0 } = upstream ?? {};
    if (status === 0) return undefined;
    const subject = system === undefined ? tenant : `${tenant} ${system}`;
    const believed = over('tenant-untrusted', `${tenant} ${host}`, { tenant, host });
    if (status === 401 || status === 403)
      return [
        believed,
        raised('tenant-refuses', 'critical', subject, { tenant, ...(system && { system }), status }),
      ];
    return status < 400 ? [believed, over('tenant-refuses', subject, { tenant })] : believed;
  },
  'upstream.tls_failure': raises('tenant-untrusted', 'critical', ['tenant', 'host'], 'code'),
  'request.lost_update_suspected': (told, { op, actor }) =>
    raised('lost-update', 'warning', op?.system ?? '', {
      ...(op?.system !== undefined && { system: op.system }),
      ...(actor?.name !== undefined && { caller: actor.name }),
      ...pick(told, 'members', 'outcome'),
    }),
  'snapshot.refused': both(
    ends('snapshot-failing', collection, 'fault', 'before', 'after'),
    raises('snapshot-refused', 'warning', collection, 'fault', 'before', 'after'),
  ),
  'snapshot.failed': raises('snapshot-failing', 'warning', collection, 'fault'),
  'snapshot.recovered': both(
    ends('snapshot-refused', collection, 'resources'),
    ends('snapshot-failing', collection, 'resources'),
  ),
  'cache.probe_differs': raises('cache-differs', 'warning', collection, 'of'),
  'cache.integrity_failure': (told) =>
    raised('cache-tampered', 'critical', 'Redis', pick(told, 'count', 'firstAt', 'lastAt')),
  'sharing.refused': () => raised('replicas-apart', 'critical', 'Redis', {}),
  'sharing.resumed': () => over('replicas-apart', 'Redis', {}),
  ...withoutRedis({
    cache: ['cache.degraded', 'cache.recovered'],
    quota: ['quota.degraded', 'quota.recovered'],
    'failed log-ons': ['throttle.degraded', 'throttle.recovered'],
    'repeated writes': ['repeats.degraded', 'repeats.recovered'],
    'lost updates': ['updates.degraded', 'updates.recovered'],
    guards: ['guard.degraded', 'guard.recovered'],
    profiles: ['profiles.degraded', 'profiles.recovered'],
    loads: ['loads.degraded', 'loads.recovered'],
    snapshots: ['snapshot.unreachable', 'snapshot.reachable'],
  }),
  'process.fault': (told) => raised('process-fault', 'critical', 'the process', causeIn(told)),
};

/** Events from which alerts are made; the others cost a look into this map. */
const byEvent = new Map(Object.entries(rules));
export const alertingEvents: readonly string[] = [...byEvent.keys()];

/** What a record of the trail is told for, if for anything. */
export function findingsIn(event: string, record: Recorded): readonly Finding[] {
  return [byEvent.get(event)?.(record.facts ?? {}, record) ?? []].flat();
}

/** @param parts of the gateway, each with the events that it goes on without Redis, and with it again */
function withoutRedis(parts: Readonly<Record<string, readonly [off: string, on: string]>>) {
  return Object.fromEntries(
    Object.entries(parts).flatMap(([part, [off, on]]): [string, Rule][] => [
      [
        off,
        (told) => ({
          ...raised('redis-away', 'warning', 'Redis', { part, ...pick(told, 'state', 'reason') }),
          part,
        }),
      ],
      [on, () => ({ ...over('redis-away', 'Redis', { part }), part })],
    ]),
  );
}

/** @param subject the facts that name what it is about; they are told with the others */
function raises(
  name: AlertName,
  severity: Severity,
  subject: readonly string[],
  ...others: readonly string[]
) {
  return (told: Told): Finding =>
    raised(name, severity, joined(told, ...subject), pick(told, ...subject, ...others));
}

function ends(name: AlertName, subject: readonly string[], ...others: readonly string[]) {
  return (told: Told): Finding => over(name, joined(told, ...subject), pick(told, ...subject, ...others));
}

function both(first: (told: Told) => Finding, second: (told: Told) => Finding): Rule {
  return (told) => [first(told), second(told)];
}

function raised(name: AlertName, severity: Severity, subject: string, facts: Facts): Finding {
  return { name, severity, subject, facts, isOver: false };
}

function over(name: AlertName, subject: string, facts: Facts): Finding {
  return { name, severity: 'warning', subject, facts, isOver: true };
}

function ending(told: Told): Finding {
  const severity = below(told['daysLeft'], 0) ? 'critical' : 'warning';
  return raised('ending', severity, text(told['what']), pick(told, 'what', 'notAfter', 'daysLeft'));
}

/** The names and codes of an error, never a message. */
function causeIn({ causes }: Told): Facts {
  const [first] = Array.isArray(causes) ? (causes as readonly Told[]) : [];
  return first ? pick(first, 'name', 'code') : {};
}

function pick(told: Told, ...names: readonly string[]): Facts {
  const found: Record<string, string | number | boolean> = {};
  for (const name of names) {
    const value = told[name];
    if (typeof value === 'number' || typeof value === 'boolean') found[name] = value;
    else if (typeof value === 'string' && value !== '') found[name] = text(value);
  }
  return found;
}

function joined(told: Told, ...names: readonly string[]): string {
  return names
    .map((name) => text(told[name]))
    .filter(Boolean)
    .join(' ');
}

const longest = 200;

/** One line, whatever it was. */
function text(value: unknown): string {
  return typeof value === 'string' ? value.replaceAll(/[^\P{C}]/gu, ' ').slice(0, longest) : '';
}

function below(value: unknown, limit: number): boolean {
  return typeof value === 'number' && value <= limit;
}
