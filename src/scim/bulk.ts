/**
 * Unfolds a bulk request (RFC 7644 §3.7) into the operations it consists of, so that each can be authorised,
 * audited and forgotten by the cache. Invariant: what is read here is what every SCIM reader would read; a part
 * that could be understood in two ways refuses the whole, because the original bytes go up.
 */
import { ScimError, type Kind } from './error.ts';
import { understand, type Operation, type OperationKind, type SystemFacts, type Touch } from './operation.ts';
import { noQuery } from './target.ts';

const defaultMaxOperations = 1000;
const methods = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);
const kinds: ReadonlySet<OperationKind> = new Set(['create', 'replace', 'patch', 'delete']);

/** @param body the JSON text; checkJson has accepted it */
export function unfoldBulk(
  operation: Operation,
  body: Buffer,
  system: SystemFacts,
  maxOperations = defaultMaxOperations,
): Operation {
  const items = member(parse(body), 'operations');
  if (!Array.isArray(items))
    throw new ScimError('invalid-syntax', 'A bulk request needs a list of Operations.');
  if (items.length > maxOperations)
    throw new ScimError('too-large', `A bulk request may have at most ${maxOperations} operations.`);
  const parts = items.map((item: unknown, at) => understandPart(item, at + 1, system));
  return { ...operation, parts, touches: unionOf(parts.map((part) => part.touches)) };
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new ScimError('invalid-syntax', 'The body is not valid JSON.'); // no cause: it would quote the body
  }
}

/** Attribute names have no case (RFC 7643 §2.1): a reader that overlooked `operations` would authorise nothing. */
function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const found = Object.entries(value).filter(([key]) => key.toLowerCase() === name);
  if (found.length > 1)
    throw new ScimError('invalid-syntax', 'A bulk request has a member name twice in one object.');
  return found[0]?.[1];
}

function understandPart(item: unknown, position: number, system: SystemFacts): Operation {
  const refuse = (kind: Kind, fault: string): ScimError =>
    new ScimError(kind, `Operation ${position} of the bulk request ${fault}.`);
  const method = member(item, 'method');
  const path = member(item, 'path');
  if (typeof method !== 'string' || !methods.has(method))
    throw refuse('invalid-value', 'needs one of the methods POST, PUT, PATCH, DELETE');
  const segments = typeof path === 'string' ? splitPath(path) : undefined;
  const part = segments && tryUnderstand(method, segments, system);
  if (!part || !kinds.has(part.kind)) throw refuse('invalid-path', 'names no resource for its method');
  return part;
}

/** The decoded segments of `/Users` or `/Users/<id>`; undefined for all that could lead anywhere else. */
function splitPath(path: string): string[] | undefined {
  // Only what RFC 3986 §3.3 allows in a segment, without `;`, because servers give it meanings.
  if (!/^(?:\/(?:[\w.~!$&'()*+,=:@-]|%[0-9A-Fa-f]{2})+)+$/.test(path)) return undefined;
  try {
    const segments = path.slice(1).split('/').map(decodeURIComponent);
    // A second decoding further up must find nothing either.
    return segments.some((text) => text === '.' || text === '..' || /[/\\;?#%\p{Cc}]/u.test(text))
      ? undefined
      : segments;
  } catch {
    return undefined; // percent-encoded bytes that are not UTF-8
  }
}

function tryUnderstand(method: string, below: readonly string[], system: SystemFacts): Operation | undefined {
  const segments = ['ipsproxy', 'service', 'api', 'v1', 'scim', system.id, ...below];
  try {
    return understand(method, { segments, query: noQuery }, () => system, system.tenant);
  } catch (error) {
    // 404 and 405 speak of the path that was called, which is /Bulk; a part's fault is a fault of the body.
    if (error instanceof ScimError) return undefined;
    throw error;
  }
}

function unionOf(lists: readonly (readonly Touch[])[]): Touch[] {
  const touches = lists.flat();
  return [
    ...new Map(
      touches.map((touch) => [JSON.stringify([touch.scope, touch.resourceType, touch.id]), touch]),
    ).values(),
  ];
}
