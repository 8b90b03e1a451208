/**
 * Understands a clean target: method + path + query → Operation, or a ScimError. Every path that goes up is written from its
 * parts, never copied from what came in.
 */
import { findEndpoint, type Endpoint } from './endpoint.ts';
import { ScimError } from './error.ts';
import { encodeSegment, type Query, type Target } from './target.ts';

export type Api = 'proxy' | 'real-time' | 'admin';
export type Effect = 'read' | 'write';
export type OperationKind =
  | 'probe' // the bare base path of an `ips` system, as connection tests ask it
  | 'list'
  | 'get'
  | 'search'
  | 'discover' // ServiceProviderConfig, Schemas, ResourceTypes
  | 'create'
  | 'replace'
  | 'patch'
  | 'delete'
  | 'bulk'
  | 'notify' // a real-time provisioning event
  | 'start-job'
  | 'job-log';

/** What the line must know of a configured system to understand calls to it. */
export interface SystemFacts {
  readonly id: string;
  readonly tenant: string;
  readonly kind: 'ips' | 'scim';
  /** Path names of the resource types, such as `Users`. */
  readonly resourceTypes: readonly string[];
}

/** What a write makes stale: one resource, the lists and searches of a type, or everything of a type. */
export interface Touch {
  readonly scope: 'one' | 'lists' | 'all';
  readonly resourceType: string;
  readonly id?: string;
}

/** Who goes up first when turns are scarce; a lower number is served earlier. */
export const priorities = { delete: 0, write: 1, read: 2, list: 3 } as const;
export type Priority = (typeof priorities)[keyof typeof priorities];

export interface Operation {
  readonly api: Api;
  readonly kind: OperationKind;
  readonly effect: Effect;
  readonly tenant: string;
  /** The configured system; for the real-time and job interfaces the source system; empty for a job's log. */
  readonly system: string;
  /** `Users`, `Groups`, …; `*` when the operation spans all types of the system. */
  readonly resourceType: string;
  readonly id?: string;
  readonly query: Query;
  /** Path below the system's base (proxy interface) or below the tenant's URL (the others), encoded anew. */
  readonly path: string;
  readonly touches: readonly Touch[];
  readonly priority: Priority;
  /** The parts of a bulk request, each an operation of its own. */
  readonly parts: readonly Operation[];
}

/**
 * @param systems finds a configured system by the id that the caller uses
 * @param callersTenant whose real-time and admin interfaces the caller means; those paths name no tenant
 */
export function understand(
  method: string,
  target: Target,
  systems: (id: string) => SystemFacts | undefined,
  callersTenant: string,
): Operation {
  const endpoint = findEndpoint(target, systems, callersTenant);
  const kind = Object.hasOwn(endpoint.methods, method) ? endpoint.methods[method] : undefined;
  if (!kind) {
    const allow = Object.keys(endpoint.methods).join(', ');
    throw new ScimError('method-not-allowed', 'This path does not support the method.', {
      headers: { allow },
    });
  }
  if (endpoint.touched?.kind !== 'scim') checkPaging(target.query);
  return createOperation(kind, endpoint, target.query);
}

const reads: ReadonlySet<OperationKind> = new Set(['probe', 'list', 'get', 'search', 'discover', 'job-log']);

function createOperation(kind: OperationKind, endpoint: Endpoint, query: Query): Operation {
  const { api, tenant, system, resourceType, id, path, touched } = endpoint;
  const effect = reads.has(kind) ? 'read' : 'write';
  return {
    api,
    kind,
    effect,
    tenant,
    system,
    resourceType,
    ...(id !== undefined && { id }),
    query,
    path: path.map((segment) => `/${encodeSegment(segment)}`).join('') || '/',
    touches: effect === 'write' && touched ? touchesOf(touched, resourceType, id, kind) : [],
    priority: priorityOf(kind),
    parts: [],
  };
}

/**
 * Users embed their groups and groups their members, so a write to one type reaches into the other. How far it reaches
 * at a service provider that we do not know (managers, owners, types of its own) nobody can say but it.
 */
export function touchesOf(
  system: SystemFacts,
  resourceType: string,
  id?: string,
  kind?: OperationKind,
): Touch[] {
  const other = { Users: 'Groups', Groups: 'Users' }[resourceType];
  if (!other || system.kind === 'scim')
    return system.resourceTypes.map((type) => ({ scope: 'all', resourceType: type }));
  return [
    ...(id === undefined ? [] : [{ scope: 'one', resourceType, id } as const]),
    { scope: 'lists', resourceType },
    { scope: 'all', resourceType: other },
    // A group can be a member of others.
    ...(kind === 'delete' && resourceType === 'Groups' ? [{ scope: 'all', resourceType } as const] : []),
  ];
}

function priorityOf(kind: OperationKind): Priority {
  if (kind === 'delete') return priorities.delete;
  if (kind === 'list' || kind === 'search' || kind === 'job-log') return priorities.list;
  return reads.has(kind) ? priorities.read : priorities.write;
}

function checkPaging(query: Query): void {
  for (const name of ['startIndex', 'count']) {
    const value = query.get(name);
    // RFC 7644 §3.4.2.4 gives zero and negative numbers a meaning, so the tenant may have them.
    if (value !== undefined && !/^-?\d{1,9}$/.test(value))
      throw new ScimError('invalid-value', `The query parameter ${name} must be an integer.`);
  }
}
