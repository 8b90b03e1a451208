/**
 * What a record says, by the questions that every export asks: who, what, on what, from where, how it ended. The mappers
 * differ only in how they write the answers, so a member that moves is followed here alone.
 */
import type { Entry } from './entry.ts';

export type Area =
  | 'call'
  | 'upstream'
  | 'log-on'
  | 'lifecycle'
  | 'configuration'
  | 'protocol'
  | 'trail'
  | 'other';

const areas: readonly (readonly [RegExp, Area])[] = [
  [/^request\.|^authz\./, 'call'],
  [/^upstream\.|^retry\./, 'upstream'],
  [/^authn\.|^token\.|^mtls\.|^console\.(?:logged|local|log_on)/, 'log-on'],
  [/^process\.|^clock\./, 'lifecycle'],
  [/^config\.|^secret\.|^cert\.|^crl\.|^key\.|^console\.acted/, 'configuration'],
  [/^proto\.|^tls\./, 'protocol'],
  [/^audit\.|^console\.(?:viewed|verified)/, 'trail'],
];

export function areaOf(event: string): Area {
  return areas.find(([pattern]) => pattern.test(event))?.[1] ?? 'other';
}

export type Verb = 'create' | 'read' | 'update' | 'delete' | 'other';

const verbs: Readonly<Record<string, Verb>> = {
  create: 'create',
  replace: 'update',
  patch: 'update',
  delete: 'delete',
  get: 'read',
  list: 'read',
  search: 'read',
  probe: 'read',
  discover: 'read',
  'job-log': 'read',
};

const verbOfMethod: Readonly<Record<string, Verb>> = {
  GET: 'read',
  HEAD: 'read',
  POST: 'other',
  PUT: 'update',
  PATCH: 'update',
  DELETE: 'delete',
};

export type Ending = 'success' | 'failure' | 'unknown';

export interface RecordFacts {
  readonly area: Area;
  readonly verb: Verb;
  /** `create Users`, else the method, else the event. */
  readonly operation: string;
  readonly ending: Ending;
  readonly caller: string | undefined;
  /** Pseudonym of a name that was not believed. */
  readonly claimed: string | undefined;
  readonly auth: string | undefined;
  readonly credential: string | undefined;
  readonly address: string | undefined;
  readonly port: number | undefined;
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly agent: string | undefined;
  readonly api: string | undefined;
  readonly tenant: string | undefined;
  readonly system: string | undefined;
  readonly resourceType: string | undefined;
  /** Pseudonym of the resource's id; of one that was created, where its creation ends. */
  readonly resource: string | undefined;
  readonly request: string | undefined;
  readonly callerRequest: string | undefined;
  readonly traceparent: string | undefined;
  readonly upstreamHost: string | undefined;
  readonly status: number | undefined;
  readonly result: string | undefined;
  readonly error: string | undefined;
  readonly decision: string | undefined;
  readonly cache: string | undefined;
  readonly ms: number | undefined;
  readonly bytesIn: number | undefined;
  readonly bytesOut: number | undefined;
}

export function factsOf(entry: Entry): RecordFacts {
  const kind = entry.text('op', 'kind');
  const method = entry.text('target', 'method') ?? entry.text('upstream', 'method');
  const resourceType = entry.text('op', 'resourceType');
  return {
    area: areaOf(entry.event),
    verb: verbs[kind ?? ''] ?? (kind === undefined ? verbOfMethod[method ?? ''] : undefined) ?? 'other',
    operation: kind === undefined ? (method ?? entry.event) : [kind, resourceType].filter(Boolean).join(' '),
    ending: endingOf(entry),
    caller: entry.text('actor', 'name') ?? entry.text('facts', 'user') ?? entry.text('facts', 'actor'),
    claimed: entry.text('actor', 'claimed'),
    auth: entry.text('actor', 'auth'),
    credential: entry.text('actor', 'credential'),
    address: entry.text('src', 'ip') ?? entry.text('facts', 'source'),
    port: entry.number('src', 'port'),
    method,
    path: entry.text('target', 'path') ?? entry.text('upstream', 'path'),
    agent: entry.text('corr', 'agent'),
    api: entry.text('op', 'api'),
    tenant: entry.text('op', 'tenant') ?? entry.text('upstream', 'tenant'),
    system: entry.text('op', 'system') ?? entry.text('upstream', 'system'),
    resourceType,
    resource: entry.text('op', 'id') ?? createdOf(entry, kind),
    request: entry.text('req'),
    callerRequest: entry.text('corr', 'callerId'),
    traceparent: entry.text('corr', 'traceparent'),
    upstreamHost: entry.text('upstream', 'host'),
    status: entry.number('outcome', 'http') ?? entry.number('upstream', 'status'),
    result: entry.text('outcome', 'result'),
    error: entry.text('outcome', 'error') ?? entry.text('outcome', 'code') ?? entry.text('facts', 'reason'),
    decision: entry.text('decision'),
    cache: entry.text('cache', 'result'),
    ms: entry.number('ms') ?? entry.number('upstream', 'ms'),
    bytesIn: entry.number('body', 'bytes'),
    bytesOut: entry.number('bytesOut') ?? entry.number('upstream', 'bytes'),
  };
}

/** A bulk request has created several, and none of them is what it was about. */
function createdOf(entry: Entry, kind: string | undefined): string | undefined {
  const [created] = kind === 'create' ? entry.list('created') : [];
  return typeof created === 'string' ? created : undefined;
}

/** One sentence part for a list of events. */
export function titleOf({ event }: Entry, { operation }: RecordFacts): string {
  return operation === event ? event : `${event} ${operation}`;
}

const bad =
  /suspected|failed|failure|witness_lost|rejected|invalid|refused|throttled|denied|malformed|ambiguous|timeout|dropped|spray|degraded/;

/** Records of the gateway about itself have no outcome: their name says it. */
function endingOf(entry: Entry): Ending {
  const result = entry.text('outcome', 'result');
  if (result === 'success') return 'success';
  if (result === 'unknown' || entry.event === 'request.outcome_unknown' || entry.event === 'upstream.intent')
    return 'unknown';
  if (result !== undefined) return 'failure';
  if (isLoss(entry)) return 'failure';
  return bad.test(entry.event) ? 'failure' : 'success';
}

/** A verification that found that something was changed or is missing. */
function isLoss(entry: Entry): boolean {
  const verdict = entry.text('facts', 'verdict');
  return entry.event === 'console.verified' && (verdict === 'tampered' || verdict === 'truncated');
}

/** From 1, nothing special, to 4, look at it now. */
export type Weight = 1 | 2 | 3 | 4;

const weights: Readonly<Record<string, Weight>> = {
  'authn.spray_suspected': 4,
  'authn.success_after_failures': 4,
  'audit.damage_accepted': 4,
  'guard.exceeded': 4,
  'guard.released': 3,
  'guard.degraded': 3,
  'audit.failed': 4,
  'audit.witness_refused': 4,
  'audit.witness_lost': 3,
  'audit.read': 3,
  'clock.stepped': 3,
  'request.rejected_many': 3,
  'request.lost_update_suspected': 3,
  'cache.integrity_failure': 4,
  'request.outcome_unknown': 3,
  'audit.repaired': 3,
  'audit.delivery_failing': 3,
  'audit.delivery_lagging': 3,
  'audit.delivery_failed': 3,
  'authn.throttled': 3,
  'authz.denied': 3,
  'console.local_log_on': 3,
  'console.denied': 3,
  'console.acted': 2,
  'console.log_on_refused': 2,
  'mtls.rejected': 3,
  'proto.ambiguous': 3,
  'cert.reload_failed': 3,
  'upstream.tls_failure': 3,
  'config.refused': 3,
  'secret.changed': 3,
  'config.changed': 2,
  'cert.expiring': 2,
  'secret.expiring': 2,
  'authn.failure': 2,
  'token.rejected': 2,
};

export function weightOf(entry: Entry, { ending }: RecordFacts): Weight {
  const { event } = entry;
  if (isLoss(entry)) return 4;
  return weights[event] ?? (ending === 'failure' ? 2 : 1);
}
