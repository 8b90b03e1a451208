/**
 * Which records of the trail are alerts, and which end one. One table: an alert that is not here does not exist. Facts are
 * taken by name, never as a whole, so that nothing of a person comes along with a record that gets a new member.
 */
import type { Facts, Severity } from './alert.ts';

/** A record, as far as alerts are made of it. */
export interface Recorded {
  readonly op?: { readonly system?: string; readonly resourceType?: string };
  readonly actor?: { readonly name?: string };
  readonly upstream?: { readonly tenant?: string; readonly system?: string; readonly status?: number };
  readonly facts?: Readonly<Record<string, unknown>>;
}

interface Matter {
  /** It goes on until something says that it is over. */
  readonly lasts: boolean;
  /** So often within one spell before it is told; 1 unless said otherwise. */
  readonly after?: number;
  readonly says: string;
  readonly remedy: string;
  readonly see: string;
}

const operations = 'docs/operations.md';

export const matters = {
  'guard-held': {
    lasts: true,
    says: 'The guard holds back what would take away too much',
    remedy:
      "Look whether it is meant. 'gatehouse guard list' shows it, 'gatehouse guard release' lets it pass once.",
    see: `${operations}#guards`,
  },
  'guard-exceeded': {
    lasts: false,
    says: 'More is taken away than usual, and nothing holds it back',
    remedy: "Look whether it is meant; 'gatehouse tenant pause' stops it.",
    see: `${operations}#guards`,
  },
  'load-smaller': {
    lasts: true,
    says: 'A load is much smaller than the last whole one',
    remedy: 'Keep the caller from deleting accounts by it until it is known why.',
    see: `${operations}#reports-of-loads`,
  },
  'password-spraying': {
    lasts: false,
    says: 'Somebody guesses secrets',
    remedy:
      "Block the source at the firewall; 'gatehouse audit search' with the event authn.spray_suspected has it.",
    see: `${operations}#log-ons-that-fail`,
  },
  'audit-disk': {
    lasts: false,
    says: 'The disk of the audit trail fills up',
    remedy: 'Make room, or let audit.keepDays remove what is old enough.',
    see: `${operations}#the-audit-trail`,
  },
  'audit-failing': {
    lasts: true,
    says: 'The audit trail cannot be written, so calls are refused',
    remedy: 'Make room on the disk or mend it; calls are taken again by themselves.',
    see: `${operations}#the-audit-trail`,
  },
  'audit-slow': {
    lasts: false,
    says: 'The disk of the audit trail took so long that calls were refused',
    remedy: 'Look what else writes to that disk; give the trail one of its own.',
    see: `${operations}#the-audit-trail`,
  },
  ending: {
    lasts: false,
    says: 'A certificate, revocation list or secret ends',
    remedy: "Renew it; 'gatehouse check' lists all ends. Files are read again by themselves.",
    see: `${operations}#what-ends`,
  },
  'delivery-failing': {
    lasts: true,
    says: 'A destination does not take the audit trail',
    remedy: 'Look at its own log. Nothing is lost as long as the trail is kept.',
    see: `${operations}#delivery-to-the-siem`,
  },
  'delivery-lag': {
    lasts: true,
    says: 'A destination is far behind the audit trail',
    remedy: 'Give the destination more room, or a second one.',
    see: `${operations}#delivery-to-the-siem`,
  },
  'delivery-lost': {
    lasts: false,
    says: 'A destination will never get some records',
    remedy: "Copy the segments from the gateway's disk or its backup.",
    see: `${operations}#delivery-to-the-siem`,
  },
  'tenant-refuses': {
    lasts: true,
    // A token that has run out is renewed once, and that is no fault.
    after: 2,
    says: 'A tenant refuses the gateway',
    remedy:
      "SAP locks a client after five failures. 'gatehouse doctor --read' says whether secret or role is wrong.",
    see: `${operations}#alarms-and-what-to-do`,
  },
  'lost-update': {
    lasts: false,
    says: 'Writes from an old copy of a group would undo what others added',
    remedy: 'Let one of the callers write this group alone, or with PATCH.',
    see: `${operations}#groups-that-several-write`,
  },
  'snapshot-refused': {
    lasts: true,
    says: 'A snapshot would be much smaller, so the one before stays',
    remedy: 'Look at the target; once it is right, release the snapshot.',
    see: `${operations}#snapshot-mode`,
  },
  'cache-differs': {
    lasts: false,
    says: 'A system says something else one by one than in its lists',
    remedy: 'Look at the transformation; until a restart this is not remembered any more.',
    see: `${operations}#what-is-remembered`,
  },
  'process-fault': {
    lasts: false,
    says: 'The gateway ends after a fault of its own',
    remedy: 'Report it with the record process.fault and the log around it.',
    see: `${operations}#alarms-and-what-to-do`,
  },
} as const satisfies Readonly<Record<string, Matter>>;

export type AlertName = keyof typeof matters;
export const alertNames = Object.keys(matters) as AlertName[];
export const matterOf = (name: AlertName): Matter => matters[name];

/** That something has happened, or is over. */
export interface Finding {
  readonly name: AlertName;
  readonly subject: string;
  readonly isOver: boolean;
  readonly severity: Severity;
  readonly facts: Facts;
}

type Told = Readonly<Record<string, unknown>>;
type Rule = (told: Told, record: Recorded) => Finding | undefined;

const rules: Readonly<Record<string, Rule>> = {
  'guard.exceeded': (told) => {
    const named = pick(told, 'kind', 'caller', 'system', 'resourceType', 'count', 'limit', 'hold');
    if (told['action'] === 'refuse') return raised('guard-held', 'critical', text(told['hold']), named);
    // Of a load, load.completed tells.
    if (told['kind'] === 'load') return undefined;
    return raised('guard-exceeded', 'warning', joined(told, 'kind', 'caller', 'system'), named);
  },
  'guard.closed': (told) => over('guard-held', text(told['hold']), pick(told, 'why')),
  'load.completed': (told) => {
    const subject = joined(told, 'system', 'resourceType');
    const named = pick(told, 'system', 'resourceType', 'caller', 'ids', 'missing', 'verdict');
    const { verdict } = told;
    if (verdict !== 'smaller' && verdict !== 'empty') return over('load-smaller', subject, named);
    return raised('load-smaller', verdict === 'empty' ? 'critical' : 'warning', subject, named);
  },
  'authn.spray_suspected': (told) =>
    raised('password-spraying', 'warning', text(told['pattern']), pick(told, 'pattern', 'failures')),
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
  'cert.expiring': ending,
  'secret.expiring': ending,
  'audit.delivery_failing': (told) =>
    raised('delivery-failing', 'warning', text(told['destination']), pick(told, 'destination', 'reason')),
  'audit.delivery_recovered': (told) =>
    over('delivery-failing', text(told['destination']), pick(told, 'destination', 'ms')),
  'audit.delivery_lagging': (told) =>
    raised(
      'delivery-lag',
      'warning',
      text(told['destination']),
      pick(told, 'destination', 'lagSeconds', 'lagRecords'),
    ),
  'audit.delivery_caught_up': (told) =>
    over('delivery-lag', text(told['destination']), pick(told, 'destination')),
  'audit.delivery_failed': (told) =>
    raised(
      'delivery-lost',
      'critical',
      text(told['destination']),
      pick(told, 'destination', 'why', 'first', 'last'),
    ),
  'upstream.outcome': (_told, { upstream }) => {
    const { tenant = '', system, status = 0 } = upstream ?? {};
    const subject = system === undefined ? tenant : `${tenant} ${system}`;
    if (status === 401 || status === 403)
      return raised('tenant-refuses', 'critical', subject, { tenant, ...(system && { system }), status });
    return status >= 200 && status < 400 ? over('tenant-refuses', subject, { tenant }) : undefined;
  },
  'request.lost_update_suspected': (told, { op, actor }) =>
    raised('lost-update', 'warning', op?.system ?? '', {
      ...(op?.system !== undefined && { system: op.system }),
      ...(actor?.name !== undefined && { caller: actor.name }),
      ...pick(told, 'members', 'outcome'),
    }),
  'snapshot.refused': (told) =>
    raised(
      'snapshot-refused',
      'warning',
      joined(told, 'system', 'resourceType'),
      pick(told, 'system', 'resourceType', 'fault', 'before', 'after'),
    ),
  'snapshot.recovered': (told) =>
    over(
      'snapshot-refused',
      joined(told, 'system', 'resourceType'),
      pick(told, 'system', 'resourceType', 'resources'),
    ),
  'cache.probe_differs': (told) =>
    raised(
      'cache-differs',
      'warning',
      joined(told, 'system', 'resourceType'),
      pick(told, 'system', 'resourceType', 'of'),
    ),
  'process.fault': (told) => raised('process-fault', 'critical', 'the process', causeIn(told)),
};

/** Events from which alerts are made; the others cost a look into this map. */
const byEvent = new Map(Object.entries(rules));
export const alertingEvents: readonly string[] = [...byEvent.keys()];

/** What a record of the trail is told for, if for anything. */
export function findingIn(event: string, record: Recorded): Finding | undefined {
  return byEvent.get(event)?.(record.facts ?? {}, record);
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
