/**
 * What the line tells the trail, and what of it becomes a record's members. Raw values come in, redacted ones go out:
 * a member that is not written here does not exist in the trail (docs/audit-format.md names each).
 */
import type { Call } from '../scim/call.ts';
import { kinds, type Kind, type Why } from '../scim/error.ts';
import type { Operation } from '../scim/operation.ts';
import type { Content } from './content.ts';
import type { Members } from './queue.ts';
import { capName, shapeOfTarget, type Redactor } from './redact.ts';

export type Result = 'success' | 'failure' | 'denied' | 'unknown' | 'aborted';

/** What the line learns of a call, bit by bit; what is added later replaces what was there. */
export interface RequestFacts {
  /** The technical user, once identified. */
  readonly caller?: string | undefined;
  readonly auth?: string | undefined;
  /** Which of its secrets; the name tells nothing of it. */
  readonly credential?: string | undefined;
  /** The call asks for a token and is no operation. */
  readonly asksToken?: boolean | undefined;
  /** Who somebody claimed to be that was not believed; only its pseudonym is recorded. */
  readonly claimed?: string | undefined;
  readonly operation?: Operation | undefined;
  /** The permission that allowed the operation. */
  readonly decision?: string | undefined;
  readonly cache?: 'hit' | 'snapshot' | 'miss' | 'collapsed' | 'stale' | 'bypass' | 'off' | undefined;
  readonly ageMs?: number | undefined;
  /** Recorded as its length, a keyed hash and what it changes. */
  readonly body?: Uint8Array | undefined;
  /** The body that came, where another one was made of it. */
  readonly received?: Uint8Array | undefined;
  /** What was put right of the request, by the names of docs/profiles.md. */
  readonly repairs?: readonly string[] | undefined;
  readonly error?: Kind | undefined;
  /** Which of the causes of the error it was. */
  readonly why?: Why | undefined;
  /** How a repeated write came to its answer; `local`: only repeats at this replica were known. */
  readonly repeat?: 'joined' | 'replayed' | 'reconciled' | 'local' | undefined;
  /** Ids of what the write has created; only their pseudonyms are recorded. */
  readonly created?: readonly string[] | undefined;
  /** What looking for a write came to of which nobody knew. */
  readonly reconciled?: 'found' | 'foreign' | 'absent' | 'undecided' | undefined;
}

export interface RequestOutcome {
  /** The HTTP status that the caller gets. */
  readonly status: number;
  /** Follows from the status and the error where it is not said. */
  readonly result?: Result | undefined;
  readonly error?: Kind | undefined;
  readonly bytes?: number | undefined;
  /** False when the caller had hung up before its answer. */
  readonly delivered?: false | undefined;
}

export interface UpstreamFacts {
  readonly purpose: string;
  readonly tenant: string;
  readonly system?: string | undefined;
  readonly host: string;
  readonly method: string;
  /** Only its shape is recorded. */
  readonly path: string;
  readonly attempt?: number | undefined;
  /** Why it is not the first attempt. */
  readonly after?: 'busy' | 'silence' | 'token' | undefined;
  /** How long the call waited for its turn. */
  readonly waitedMs?: number | undefined;
  /** The id of our span, where the caller's trace goes on. */
  readonly span?: string | undefined;
}

export interface UpstreamOutcome {
  readonly result: Result;
  /** Whether a byte of the call may have reached the tenant. */
  readonly sent: boolean;
  readonly status?: number | undefined;
  readonly error?: Kind | undefined;
  readonly msTotal?: number | undefined;
  readonly bytes?: number | undefined;
  /** The tenant's own correlation id. */
  readonly requestId?: string | undefined;
  /** The tenant's side said something that no sound service says; `code` or `error` tell what. */
  readonly invalid?: boolean | undefined;
  /** Why there was no reply: the system's code, such as ECONNREFUSED or CERT_HAS_EXPIRED. */
  readonly code?: string | undefined;
}

export type OpenedCall = Pick<Call, 'id' | 'method' | 'target' | 'source' | 'receivedAt' | 'headers'>;

/** Who called from where and for what: the part that an intent and a request record share. */
export function callMembers(
  call: OpenedCall,
  facts: RequestFacts,
  content: Content,
  redactor: Redactor,
): Members {
  const { caller, auth, credential, claimed, operation, received } = facts;
  return {
    req: capName(call.id),
    actor:
      caller === undefined ? unknownActor(claimed, redactor) : { name: capName(caller), auth, credential },
    src: call.source,
    op: operation && operationMembers(operation, content.changes, redactor),
    created: facts.created?.map((id) => redactor.pseudonym('id', id)),
    target: { method: capName(call.method), ...shapeOfTarget(call.target) },
    body: content.body,
    received: received && redactor.body(received),
    repairs: facts.repairs,
    corr: correlation(call.headers),
  };
}

function unknownActor(claimed: string | undefined, redactor: Redactor): Members | undefined {
  return claimed === undefined ? undefined : { claimed: redactor.pseudonym('name', claimed) };
}

function operationMembers(operation: Operation, changes: Content['changes'], redactor: Redactor): Members {
  const { api, kind, effect, tenant, system, resourceType, id, query, parts } = operation;
  const filter = query.get('filter');
  return {
    api,
    kind,
    effect,
    tenant,
    system: capName(system),
    resourceType: capName(resourceType),
    id: id === undefined ? undefined : redactor.pseudonym('id', id),
    filter: filter === undefined ? undefined : redactor.filter(filter),
    startIndex: query.get('startIndex'),
    count: query.get('count'),
    change: parts.length === 0 ? changes[0] : undefined,
    parts: parts.length === 0 ? undefined : parts.map((part, at) => partMembers(part, changes[at], redactor)),
  };
}

function partMembers(
  { kind, resourceType, id }: Operation,
  change: Members | undefined,
  redactor: Redactor,
): Members {
  return {
    kind,
    resourceType: capName(resourceType),
    id: id === undefined ? undefined : redactor.pseudonym('id', id),
    change,
  };
}

function correlation(headers: OpenedCall['headers']): Members | undefined {
  const callerId = headers['x-request-id'];
  const correlationId = headers['x-correlation-id'] ?? headers['x-correlationid'];
  const traceparent = headers['traceparent'];
  const agent = headers['user-agent'];
  if ((callerId ?? correlationId ?? traceparent ?? agent) === undefined) return undefined;
  return {
    callerId: callerId && capName(callerId),
    correlationId: correlationId && capName(correlationId),
    traceparent: traceparent && capName(traceparent),
    agent: agent && capName(agent),
  };
}

export function upstreamMembers({ path, waitedMs, attempt = 1, ...facts }: UpstreamFacts): Members {
  return { ...facts, ...shapeOfTarget(path), attempt, waitedMs: round(waitedMs) };
}

export function upstreamOutcomeMembers(outcome: UpstreamOutcome): Members {
  const { result, sent, error, status, msTotal, bytes, requestId, code } = outcome;
  return {
    upstream: { status, ms: round(msTotal), bytes, requestId: requestId && capName(requestId) },
    outcome: { result, sent, error, code: code && capName(code) },
  };
}

/** The name of a request record says what became of the call; what has no row is request.outcome. */
const eventOfError: { readonly [kind in Kind]?: string } = {
  unauthenticated: 'authn.failure',
  throttled: 'authn.throttled',
  'invalid-token': 'token.rejected',
  forbidden: 'authz.denied',
  'foreign-network': 'authz.denied',
  'forbidden-attribute': 'authz.denied',
  sensitive: 'authz.denied',
  'caller-left': 'request.aborted_by_client',
  'http-version': 'request.rejected',
};

export interface Ending {
  readonly event: string;
  readonly members: Members;
}

/** @param wentUp whether an upstream call was made for it */
export function requestEnding(
  facts: RequestFacts,
  outcome: RequestOutcome,
  ms: number,
  wentUp: boolean,
): Ending {
  const error = outcome.error ?? facts.error;
  const { status, bytes, delivered } = outcome;
  const members = {
    // The error is the reason; a permission that was found before was not enough.
    decision: error && eventOfError[error] === 'authz.denied' ? 'none' : facts.decision,
    cache: facts.cache && { result: facts.cache, ageMs: round(facts.ageMs) },
    outcome: {
      result: outcome.result ?? resultOf(status, error),
      http: status,
      error,
      why: error && facts.why,
      delivered,
    },
    repeat: facts.repeat,
    reconciled: facts.reconciled,
    bytesOut: bytes,
    ms: round(ms),
  };
  return { event: eventOf(facts, error, wentUp), members };
}

function eventOf({ cache, asksToken }: RequestFacts, error: Kind | undefined, wentUp: boolean): string {
  if (asksToken && !error) return 'token.issued';
  if (asksToken && error && refusesToken(error)) return 'token.rejected';
  if (error && eventOfError[error]) return eventOfError[error];
  if (error && !wentUp && kinds[error].status < 500) return 'request.rejected';
  return !error && (cache === 'hit' || (cache === 'snapshot' && !wentUp))
    ? 'request.cache_hit'
    : 'request.outcome';
}

function refusesToken(error: Kind): boolean {
  return kinds[error].status < 500 && error !== 'throttled' && error !== 'caller-left';
}

function resultOf(status: number, error: Kind | undefined): Result {
  if (error === 'outcome-unknown') return 'unknown';
  if (error === 'caller-left') return 'aborted';
  if (error && kinds[error].status < 500) return 'denied';
  return status < 400 ? 'success' : 'failure';
}

function round(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 10) / 10;
}
