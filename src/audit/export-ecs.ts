/** Records as documents of the Elastic Common Schema; what it has no field for is below `gatehouse`. */
import type { Entry } from './entry.ts';
import type { ExportOptions } from './formats.ts';
import { factsOf, titleOf, weightOf, type Area, type RecordFacts, type Verb } from './record-facts.ts';

const ecsVersion = '9.0.0';

const categories: Readonly<Record<Area, readonly string[]>> = {
  call: ['api'],
  upstream: ['api'],
  'log-on': ['authentication'],
  lifecycle: ['process'],
  configuration: ['configuration'],
  protocol: ['network'],
  trail: ['host'],
  other: ['host'],
};

const typeOf: Readonly<Record<Verb, string>> = {
  create: 'creation',
  read: 'access',
  update: 'change',
  delete: 'deletion',
  other: 'info',
};

export function toEcs(entry: Entry, { original, host, version }: ExportOptions): object {
  const facts = factsOf(entry);
  const { caller, claimed, address, port, request, resource, resourceType, ms } = facts;
  return {
    '@timestamp': entry.ts,
    ecs: { version: ecsVersion },
    message: titleOf(entry, facts),
    event: {
      kind: weightOf(entry, facts) === 4 ? 'alert' : 'event',
      ...classify(entry, facts),
      action: entry.event,
      outcome: facts.ending,
      id: entry.id,
      sequence: entry.seq,
      module: 'gatehouse',
      dataset: 'gatehouse.audit',
      provider: 'gatehouse',
      severity: weightOf(entry, facts),
      reason: facts.error,
      duration: ms === undefined ? undefined : Math.round(ms * 1e6),
      original: original ? entry.line.toString() : undefined,
    },
    user: some({
      name: caller,
      id: claimed,
      target: resourceType === 'Users' ? some({ id: resource }) : undefined,
    }),
    group: resourceType === 'Groups' ? some({ id: resource }) : undefined,
    source: some({ ip: address, address, port }),
    destination: some({ domain: facts.upstreamHost }),
    http: http(facts),
    url: some({ path: facts.path }),
    user_agent: some({ original: facts.agent }),
    trace: some({ id: traceOf(facts.traceparent) }),
    observer: {
      name: entry.instance,
      vendor: 'Gatehouse',
      product: 'Gatehouse',
      type: 'proxy',
      version,
      hostname: host,
    },
    related: some({ ip: address && [address], user: list(caller, claimed) }),
    gatehouse: own(entry, facts, request),
  };
}

/** A write of users or groups has two types, as ECS asks for: what was done, and to which kind of thing. */
function classify(
  entry: Entry,
  { area, verb, resourceType, ending }: RecordFacts,
): { category: string[]; type: string[] } {
  const category = [...categories[area]];
  const type: string[] = [];
  if (area === 'call' || area === 'upstream') {
    type.push(typeOf[verb], ...(entry.text('outcome', 'result') === 'denied' ? ['denied'] : []));
    const kind = { Users: 'user', Groups: 'group' }[resourceType ?? ''];
    if (area === 'call' && kind && entry.text('op', 'effect') === 'write') {
      category.push('iam');
      type.push(kind);
    }
  } else if (area === 'log-on') type.push('start');
  else if (area === 'lifecycle') type.push(entry.event === 'process.stop' ? 'end' : 'start');
  else if (area === 'configuration') type.push('change');
  else type.push(area === 'protocol' && ending === 'failure' ? 'denied' : 'info');
  return { category, type };
}

function http({ method, request, bytesIn, status, bytesOut }: RecordFacts): object | undefined {
  return some({
    request: some({ method, id: request, body: some({ bytes: bytesIn }) }),
    response: some({ status_code: status, body: some({ bytes: bytesOut }) }),
  });
}

function own(entry: Entry, facts: RecordFacts, request: string | undefined): object {
  return {
    chain: entry.segment.chain,
    prev: entry.text('prev'),
    request,
    intent: entry.number('intent'),
    api: facts.api,
    operation: facts.operation,
    tenant: facts.tenant,
    system: facts.system,
    resource_type: facts.resourceType,
    auth: facts.auth,
    credential: facts.credential,
    decision: facts.decision,
    cache: facts.cache,
    result: facts.result,
    caller_request: facts.callerRequest,
    change: entry.object('op', 'change'),
    facts: entry.object('facts'),
  };
}

/** The trace id of a W3C traceparent: its second field. */
function traceOf(traceparent: string | undefined): string | undefined {
  return /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(traceparent ?? '')?.[1];
}

function list(...values: readonly (string | undefined)[]): string[] | undefined {
  const given = values.filter((value) => value !== undefined);
  return given.length > 0 ? given : undefined;
}

/** Undefined where nothing is in it, so that no empty object is left. */
function some<T extends object>(members: T): T | undefined {
  return Object.values(members).some((value) => value !== undefined) ? members : undefined;
}
