/**
 * Records as events of OCSF 1.8.0, the last released version. Every call is API Activity; a write of users or groups is
 * Account Change or Group Management besides, so one record may become two events.
 */
import type { Entry } from './entry.ts';
import type { ExportOptions } from './formats.ts';
import { factsOf, titleOf, weightOf, type RecordFacts, type Verb } from './record-facts.ts';

interface Class {
  readonly uid: number;
  readonly name: string;
  readonly category: readonly [number, string];
}

const iam = [3, 'Identity & Access Management'] as const;
const application = [6, 'Application Activity'] as const;
const classes = {
  base: { uid: 0, name: 'Base Event', category: [0, 'Uncategorized'] },
  accountChange: { uid: 3001, name: 'Account Change', category: iam },
  authentication: { uid: 3002, name: 'Authentication', category: iam },
  groupManagement: { uid: 3006, name: 'Group Management', category: iam },
  lifecycle: { uid: 6002, name: 'Application Lifecycle', category: application },
  api: { uid: 6003, name: 'API Activity', category: application },
} as const satisfies Record<string, Class>;

interface Mapped {
  readonly class: Class;
  readonly activity: readonly [number, string];
  readonly own: object;
}

export function toOcsf(entry: Entry, options: ExportOptions): object[] {
  const facts = factsOf(entry);
  return mappedFrom(entry, facts, options).map((mapped) => ({
    ...common(entry, facts, mapped, options),
    ...mapped.own,
  }));
}

function mappedFrom(entry: Entry, facts: RecordFacts, options: ExportOptions): Mapped[] {
  switch (facts.area) {
    case 'call':
    case 'upstream':
      return [...identityChange(entry, facts), apiActivity(entry, facts)];
    case 'log-on':
      return [authentication(facts)];
    case 'lifecycle':
    case 'configuration':
      return [lifecycle(entry, options)];
    default:
      return [{ class: classes.base, activity: [99, entry.event], own: {} }];
  }
}

const apiActivities: Readonly<Record<Verb, readonly [number, string]>> = {
  create: [1, 'Create'],
  read: [2, 'Read'],
  update: [3, 'Update'],
  delete: [4, 'Delete'],
  other: [99, 'Other'],
};

function apiActivity(entry: Entry, facts: RecordFacts): Mapped {
  const { operation, request, error, status, system, tenant, upstreamHost, resource, resourceType } = facts;
  return {
    class: classes.api,
    activity: apiActivities[facts.verb],
    own: {
      actor: actorOf(facts),
      api: {
        operation,
        ...(request !== undefined && { request: { uid: request } }),
        ...((status !== undefined || error !== undefined) && { response: { code: status, error } }),
        service: { name: facts.api ?? 'gatehouse' },
      },
      src_endpoint: sourceOf(entry, facts),
      dst_endpoint: anyOf({ hostname: upstreamHost, svc_name: system, uid: tenant }),
      ...(resourceType !== undefined && { resources: [{ type: resourceType, uid: resource }] }),
      ...http(facts),
    },
  };
}

/** Only what the caller was told counts as a change; the upstream records of the same call would count it twice. */
function identityChange(entry: Entry, facts: RecordFacts): Mapped[] {
  const { resourceType, resource, verb } = facts;
  if (facts.area !== 'call' || entry.text('op', 'effect') !== 'write') return [];
  const own = { actor: actorOf(facts), src_endpoint: sourceOf(entry, facts), ...http(facts) };
  if (resourceType === 'Users') {
    const activity = accountActivity(entry, verb);
    // In 1.8.0 Account Change has no update: an ordinary change is API Activity alone.
    return activity
      ? [{ class: classes.accountChange, activity, own: { ...own, user: identityOf(resource) } }]
      : [];
  }
  if (resourceType !== 'Groups') return [];
  const activity = groupActivity(entry, verb);
  return [{ class: classes.groupManagement, activity, own: { ...own, group: identityOf(resource) } }];
}

function accountActivity(entry: Entry, verb: Verb): readonly [number, string] | undefined {
  if (verb === 'create') return [1, 'Create'];
  if (verb === 'delete') return [6, 'Delete'];
  const { active, password } = entry.object('op', 'change') ?? {};
  if (active === true) return [2, 'Enable'];
  if (active === false) return [5, 'Disable'];
  return password === true ? [3, 'Password Change'] : undefined;
}

function groupActivity(entry: Entry, verb: Verb): readonly [number, string] {
  if (verb === 'create') return [6, 'Create'];
  if (verb === 'delete') return [5, 'Delete'];
  const { added, removed, set } = entry.object('op', 'change') ?? {};
  if (added !== undefined && removed === undefined && set === undefined) return [3, 'Add User'];
  if (removed !== undefined && added === undefined && set === undefined) return [4, 'Remove User'];
  // 1.8.0 has no number for other changes, and none for several at once.
  return [99, verb === 'update' ? 'Update' : 'Other'];
}

/** A creation's record has no id: the tenant gives it. */
function identityOf(resource: string | undefined): object {
  return resource === undefined ? { name: 'unknown' } : { uid: resource };
}

const protocols: Readonly<Record<string, readonly [number, string]>> = {
  token: [6, 'OAUTH 2.0'],
  jwt: [6, 'OAUTH 2.0'],
  basic: [99, 'Basic'],
  certificate: [99, 'TLS client certificate'],
};

function authentication(facts: RecordFacts): Mapped {
  const { caller, claimed, credential, auth, address, port } = facts;
  const protocol = protocols[auth ?? ''];
  const user = {
    name: caller ?? (claimed === undefined ? 'unknown' : undefined),
    uid: claimed,
    credential_uid: credential,
  };
  return {
    class: classes.authentication,
    activity: [1, 'Logon'],
    own: {
      user,
      service: { name: 'gatehouse' },
      ...(protocol && { auth_protocol_id: protocol[0], auth_protocol: protocol[1] }),
      is_remote: true,
      src_endpoint: anyOf({ ip: address, port }),
      ...http(facts),
    },
  };
}

function lifecycle({ event }: Entry, { host, version }: ExportOptions): Mapped {
  const activity = { 'process.start': [3, 'Start'], 'process.stop': [4, 'Stop'] } as const;
  return {
    class: classes.lifecycle,
    activity: activity[event as keyof typeof activity] ?? [99, event],
    own: { app: product(version), ...(host !== undefined && { device: { hostname: host, type_id: 1 } }) },
  };
}

function actorOf({ caller, claimed, credential, agent }: RecordFacts): object {
  if (caller === 'gateway') return { app_name: 'gatehouse' };
  if (caller === undefined && claimed === undefined) return { app_name: agent ?? 'unknown' };
  return { user: { name: caller, uid: claimed, credential_uid: credential }, app_name: agent };
}

/** For what the gateway did by itself, the gateway. */
function sourceOf({ instance }: Entry, { address, port }: RecordFacts): object {
  return address === undefined ? { name: instance } : { ip: address, port };
}

function http({ method, path, request, agent, status, bytesIn, bytesOut, ms }: RecordFacts): object {
  if (method === undefined) return {};
  const request_ = { uid: request, http_method: method, url: path === undefined ? undefined : { path } };
  return {
    http_request: { ...request_, user_agent: agent, body_length: bytesIn },
    ...(status !== undefined && {
      http_response: {
        code: status,
        length: bytesOut,
        latency: ms === undefined ? undefined : Math.round(ms),
      },
    }),
  };
}

const severities = { 1: 'Informational', 2: 'Low', 3: 'Medium', 4: 'High' } as const;
const statuses = { success: [1, 'Success'], failure: [2, 'Failure'], unknown: [0, 'Unknown'] } as const;

function common(
  entry: Entry,
  facts: RecordFacts,
  mapped: Mapped,
  { original, version }: ExportOptions,
): object {
  const { uid, name, category } = mapped.class;
  const [activity_id, activity_name] = mapped.activity;
  const severity_id = weightOf(entry, facts);
  const [status_id, status] = statuses[facts.ending];
  return {
    activity_id,
    activity_name,
    category_uid: category[0],
    category_name: category[1],
    class_uid: uid,
    class_name: name,
    type_uid: uid * 100 + activity_id,
    type_name: `${name}: ${activity_name}`,
    time: Date.parse(entry.ts),
    timezone_offset: 0,
    severity_id,
    severity: severities[severity_id],
    status_id,
    status,
    status_code: facts.status === undefined ? undefined : String(facts.status),
    status_detail: facts.error,
    duration: facts.ms === undefined ? undefined : Math.round(facts.ms),
    message: titleOf(entry, facts),
    metadata: {
      version: '1.8.0',
      product: product(version),
      uid: `${entry.id}:${uid}`,
      sequence: entry.seq,
      event_code: entry.event,
      correlation_uid: facts.request,
      log_name: 'gatehouse audit trail',
      log_provider: entry.instance,
      original_time: entry.ts,
      tenant_uid: facts.tenant,
    },
    unmapped: { chain: entry.segment.chain, prev: entry.text('prev'), ...unmapped(entry, facts) },
    ...(original && { raw_data: entry.line.toString() }),
  };
}

function unmapped(
  entry: Entry,
  { system, decision, cache, callerRequest, traceparent }: RecordFacts,
): object {
  const facts = entry.object('facts');
  const intent = entry.number('intent');
  const change = entry.object('op', 'change');
  return { system, decision, cache, caller_request: callerRequest, traceparent, intent, change, facts };
}

function product(version: string | undefined): object {
  return { name: 'Gatehouse', vendor_name: 'Gatehouse', version };
}

/** Undefined when none of the members is there: an endpoint without any is not allowed. */
function anyOf(members: Readonly<Record<string, unknown>>): object | undefined {
  return Object.values(members).some((value) => value !== undefined) ? members : undefined;
}
