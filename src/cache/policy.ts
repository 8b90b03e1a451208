/** What may be remembered at all. Pure; in doubt the answer is no, because a miss only costs a call. */
import type { Headers, Reply } from '../scim/call.ts';
import { ScimError, type Kind } from '../scim/error.ts';
import { isScimMedia } from '../scim/message.ts';
import type { Operation, OperationKind } from '../scim/operation.ts';
import type { CacheRules } from './cache.ts';

const cacheableKinds: ReadonlySet<OperationKind> = new Set(['list', 'get', 'discover'] as const);

/** `/Me` means another resource for every caller (RFC 7644 §3.11), and the tenant knows only one: us. */
export function isCacheable({ api, kind, effect, resourceType }: Operation): boolean {
  return api === 'proxy' && effect === 'read' && cacheableKinds.has(kind) && resourceType !== 'Me';
}

export function mayStore(operation: Operation, { status, headers, body }: Reply): boolean {
  return (
    status === 200 &&
    isScimMedia(headers['content-type']) &&
    headers['set-cookie'] === undefined &&
    !listed(headers, 'vary').includes('*') &&
    !listed(headers, 'cache-control').some((directive) => /^(no-store|private)(=|$)/.test(directive)) &&
    !concernsPassword(operation, body)
  );
}

/** What somebody looked up may decide about a create, so it is never told for longer, nor past that. */
const lookUpMs = 60_000;

export interface Lifetimes {
  readonly freshMs: number;
  /** How long it may be told after that, where the rules allow. */
  readonly staleMs: number;
}

export function lifetimesOf(operation: Operation, reply: Reply, rules: CacheRules): Lifetimes {
  const { lifetimeMs, maxStaleMs, absenceMs, staleWhileRevalidate, staleOnError } = rules;
  if (isLookUp(operation))
    return { freshMs: Math.min(lifetimeMs, isAbsence(reply) ? absenceMs : lookUpMs), staleMs: 0 };
  return { freshMs: lifetimeMs, staleMs: staleWhileRevalidate || staleOnError ? maxStaleMs : 0 };
}

/** Any filter may ask whether somebody is there (facts: IPS 3.3). Backends exist that do not mind the case of names. */
function isLookUp({ kind, query }: Operation): boolean {
  return kind === 'list' && /(^|&)filter=/i.test(query.canonical);
}

/** A list without resources, or what is no list and may mean the same. */
function isAbsence({ body }: Reply): boolean {
  const content: unknown = JSON.parse(body.toString('utf8'));
  const found = Object.entries(Object(content)).find(([name]) => name.toLowerCase() === 'resources')?.[1];
  return !Array.isArray(found) || found.length === 0;
}

/** RFC 5861 §4 names 500, 502, 503 and 504. A tenant that refuses us, or a trail that cannot be written, is none. */
export function isTenantsFault(end: Reply | ScimError): boolean {
  if (end instanceof ScimError) return tenantsFaults.has(end.kind);
  return [500, 502, 503, 504].includes(end.status);
}

const tenantsFaults: ReadonlySet<Kind> = new Set([
  'upstream-unreachable',
  'upstream-broke',
  'upstream-timeout',
] as const);

/** Passwords are never returned by a good tenant (RFC 7643 §4.1.1); one that does must not spread them. */
function concernsPassword({ kind, query }: Operation, body: Buffer): boolean {
  if (kind === 'discover') return false;
  return /password/i.test(query.get('filter') ?? '') || body.includes('"password"');
}

function listed(headers: Headers, name: string): string[] {
  return (headers[name] ?? '').split(',').map((item) => item.trim().toLowerCase());
}
