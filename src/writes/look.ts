/**
 * What to ask a tenant after a write of which nobody knows whether it was carried out, and what its answer proves
 * (docs/decisions/0018-repeats.md has the rule). Invariant: `found` is told on evidence alone, and `absent` is no failure,
 * because the tenant may still be at work (facts: IPS 5.3).
 */
import type { Reply } from '../scim/call.ts';
import { errorBody, kinds } from '../scim/error.ts';
import { digitsOf, readExactly, writeExactly } from '../scim/exact-json.ts';
import { priorities, understand, type Operation, type SystemFacts } from '../scim/operation.ts';
import { encodeSegment, noQuery, Query } from '../scim/target.ts';
import { agreementOf, attribute, isAttributes, type Attributes } from './agreement.ts';
import { claimsOf, showsPatch, type Claim } from './patch-claims.ts';

/** What a look came to: the write's true answer, or why there is none. */
export type Finding =
  | { readonly result: 'found' | 'foreign'; readonly reply: Reply }
  | { readonly result: 'absent' | 'undecided' };

/** Of a write that went up, as far as a look is judged by it. */
export interface Sent {
  /** When, in wall-clock milliseconds of ours. */
  readonly sentAt: number;
  /** Whether another write of the same has gone through us lately, which could be taken for this one. */
  readonly isContested: boolean;
}

interface Times extends Sent {
  /** When the answer to the look was there. */
  readonly lookedAt: number;
}

export interface Look {
  readonly operation: Operation;
  judge(reply: Reply, times: Times): Finding;
  /** Where `absent` is the proof: what must succeed besides, so that a system which is switched off deletes nobody. */
  readonly alive?: Operation;
}

const undecided: Finding = { result: 'undecided' };
const absent: Finding = { result: 'absent' };

/** Undefined where nothing that could be read would prove anything: bulk, `/Me`, what is sent without a name. */
export function lookAfter(
  operation: Operation,
  body: Buffer | undefined,
  system: SystemFacts,
): Look | undefined {
  const { kind, id, resourceType } = operation;
  if (operation.api !== 'proxy' || !system.resourceTypes.includes(resourceType)) return undefined;
  const sent = body && readExactly(body);
  if (kind === 'create') return lookForCreated(sent, resourceType, system);
  if (id === undefined) return undefined;
  const asked = reading(system, [resourceType, id], noQuery);
  // Nobody can read whether a password was changed.
  if (kind === 'replace' && attribute(sent, 'password') !== undefined) return undefined;
  if (kind === 'replace')
    return { operation: asked, judge: (reply, times) => judgeReplaced(sent, reply, times) };
  if (kind === 'patch') {
    const claims = claimsOf(sent);
    return claims && { operation: asked, judge: (reply) => judgePatched(claims, reply) };
  }
  if (kind !== 'delete') return undefined;
  const alive = reading(system, [resourceType], queryOf({ startIndex: '1', count: '1' }));
  return { operation: asked, judge: judgeDeleted, alive };
}

/** Under which name a create can be found again (RFC 7643 §4.1.1, §4.2, §3.1). */
export function keyOfCreated(
  sent: unknown,
  resourceType: string,
): { readonly name: string; readonly value: string } | undefined {
  const own = { Users: 'userName', Groups: 'displayName' }[resourceType];
  for (const name of [own, 'externalId']) {
    const value = name === undefined ? undefined : attribute(sent, name);
    if (name !== undefined && typeof value === 'string' && value !== '' && value.isWellFormed())
      return { name, value };
  }
  return undefined;
}

function lookForCreated(sent: unknown, resourceType: string, system: SystemFacts): Look | undefined {
  const key = keyOfCreated(sent, resourceType);
  if (!key) return undefined;
  const query = queryOf({ filter: `${key.name} eq ${JSON.stringify(key.value)}` });
  return {
    operation: reading(system, [resourceType], query),
    judge(reply, times) {
      const listed = reply.status === 200 ? attribute(readExactly(reply.body), 'resources') : undefined;
      // Nobody found may come without the list (RFC 7644 §3.4.2).
      if (!Array.isArray(listed)) return isEmptyList(reply) ? absent : undecided;
      // A service provider that overlooks the filter lists everybody.
      const named = listed.filter((each) => isNamed(each, key));
      if (named.length === 0) return listed.length === 0 ? absent : undecided;
      const [found] = named;
      return named.length > 1 ? undecided : judgeCreated(sent, found, reply, times);
    },
  };
}

function isEmptyList({ status, body }: Reply): boolean {
  return status === 200 && digitsOf(attribute(readExactly(body), 'totalResults')) === '0';
}

function isNamed(resource: unknown, { name, value }: { name: string; value: string }): boolean {
  const found = attribute(resource, name);
  return typeof found === 'string' && found.toLowerCase() === value.toLowerCase();
}

function judgeCreated(sent: unknown, found: unknown, reply: Reply, times: Times): Finding {
  const id = attribute(found, 'id');
  if (typeof id !== 'string' || !isAttributes(found)) return undecided;
  const age = ageOf(attribute(attribute(found, 'meta'), 'created'), reply, times);
  if (age === 'older') return { result: 'foreign', reply: conflict() };
  const { differs, lacks } = agreementOf(sent, found, { exact: false });
  if (differs) return undecided;
  // Without a date only the caller's own name for it (RFC 7643 §3.1) tells it from somebody else's, and all must be there.
  const isOurs =
    age === 'newer' || (age === 'unknown' && !lacks && attribute(sent, 'externalId') !== undefined);
  return isOurs ? { result: 'found', reply: replyOf(201, found, reply) } : undecided;
}

function judgeReplaced(sent: unknown, reply: Reply, times: Times): Finding {
  const found = reply.status === 200 ? readExactly(reply.body) : undefined;
  if (!isAttributes(found)) return undecided;
  const { differs, lacks, exceeds } = agreementOf(sent, found, { exact: true });
  const age = ageOf(attribute(attribute(found, 'meta'), 'lastModified'), reply, times);
  // A PUT clears what it does not name; what is there besides must have been made by it.
  if (differs || lacks || (exceeds && age !== 'newer')) return undecided;
  return { result: 'found', reply: { ...replyOf(200, found, reply), body: reply.body } };
}

function judgePatched(claims: readonly Claim[], reply: Reply): Finding {
  const found = reply.status === 200 ? readExactly(reply.body) : undefined;
  return isAttributes(found) && showsPatch(claims, found) ? { result: 'found', reply: nothing } : undecided;
}

function judgeDeleted({ status }: Reply): Finding {
  return status === 404 ? { result: 'found', reply: nothing } : undecided;
}

const nothing: Reply = { status: 204, headers: {}, body: Buffer.alloc(0) };

function conflict(): Reply {
  const { status, scimType } = kinds.conflict;
  const detail = 'A resource with this name exists, and it is older than this request.';
  return {
    status,
    headers: { 'content-type': 'application/scim+json' },
    body: errorBody(status, detail, scimType),
  };
}

/** What the tenant would have answered; `Location` and `ETag` as the resource names them. */
function replyOf(status: number, found: Attributes, { headers }: Reply): Reply {
  const meta = attribute(found, 'meta');
  const [location, version] = [attribute(meta, 'location'), attribute(meta, 'version')];
  const etag = headers['etag'] ?? (typeof version === 'string' ? version : undefined);
  return {
    status,
    headers: {
      'content-type': headers['content-type'],
      ...(status === 201 && typeof location === 'string' && { location }),
      ...(etag !== undefined && /^[\x21-\x7e]+$/.test(etag) && { etag }),
    },
    body: writeExactly(found),
  };
}

/** Dates in HTTP have whole seconds (RFC 9110 §5.6.7), and so may those of a backend. */
const graceMs = 2000;
/** A backend's clock is another one than its tenant's; what is older by so much is older by every clock. */
const certainMs = 60_000;

/**
 * Whether something happened before the write went up or after it, by the tenant's clock, which its `Date` tells.
 * `close` is what neither can be told of.
 */
function ageOf(
  date: unknown,
  { headers }: Reply,
  { sentAt, lookedAt, isContested }: Times,
): 'newer' | 'older' | 'close' | 'unknown' {
  const at = typeof date === 'string' ? Date.parse(date) : Number.NaN;
  const now = Date.parse(headers['date'] ?? '');
  if (Number.isNaN(at) || Number.isNaN(now)) return 'unknown';
  const sinceSent = at - (now - (lookedAt - sentAt));
  if (sinceSent >= (isContested ? graceMs : -graceMs)) return 'newer';
  return sinceSent < -certainMs ? 'older' : 'close';
}

function reading(system: SystemFacts, below: readonly string[], query: Query): Operation {
  const segments = ['ipsproxy', 'service', 'api', 'v1', 'scim', system.id, ...below];
  const operation = understand('GET', { segments, query }, () => system, system.tenant);
  // Somebody waits for what became of a write.
  return { ...operation, priority: priorities.write };
}

function queryOf(values: Readonly<Record<string, string>>): Query {
  return new Query(
    Object.entries(values).map(([name, value]) => ({
      name,
      value,
      encoded: `${name}=${encodeURIComponent(value)}`,
    })),
  );
}

/** Where a resource of a type is found, as the path of a write names it. */
export function pathOf(resourceType: string, id: string): string {
  return `/${encodeSegment(resourceType)}/${encodeSegment(id)}`;
}
