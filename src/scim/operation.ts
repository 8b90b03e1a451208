/**
 * Understands a clean target: method + path + query → Operation, or a ScimError.
 * The set of paths is closed. What is not named here does not exist for a caller, and every path that goes
 * up is written from these parts, never copied from what came in.
 */
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

const discovery = new Set(['ServiceProviderConfig', 'Schemas', 'ResourceTypes']);
const collectionMethods: Record<string, OperationKind> = { GET: 'list', POST: 'create' };
const resourceMethods: Record<string, OperationKind> = {
  GET: 'get',
  PUT: 'replace',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** Everything after the method that one endpoint needs to become an Operation. */
interface Endpoint {
  readonly methods: Readonly<Record<string, OperationKind>>;
  readonly api: Api;
  readonly tenant: string;
  readonly system: string;
  readonly resourceType: string;
  readonly id?: string;
  readonly path: readonly string[];
  readonly touched?: SystemFacts;
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

function findEndpoint(
  { segments }: Target,
  systems: (id: string) => SystemFacts | undefined,
  tenant: string,
): Endpoint {
  // The older form of both paths has no `service` (facts: IPS URL patterns of the Neo environment).
  const [root, ...rest] = segments.filter((segment, at) => !(at === 1 && segment === 'service'));
  const path = rest.join('/');
  if (root === 'ipsproxy' && path.startsWith('api/v1/scim/')) {
    const [id = '', ...below] = rest.slice(3);
    const system = systems(id);
    if (system) return proxyEndpoint(system, below);
  }
  if (root === 'ipsproxy' && path.startsWith('api/v1/systems/')) {
    const [system = '', entities, entity, ...more] = rest.slice(3);
    if (entities === 'entities' && (entity === 'user' || entity === 'group') && more.length <= 1) {
      const methods = { POST: 'notify', DELETE: 'notify' } as const;
      const below = ['ipsproxy', 'service', ...rest];
      return { methods, api: 'real-time', tenant, system, resourceType: entity, path: below };
    }
  }
  if (root === 'ips' && path.startsWith('publicapi/v1/')) {
    const [interfaceName, name = '', jobs, job = '', ...more] = rest.slice(2);
    const below = ['ips', 'service', ...rest];
    if (interfaceName === 'startJob' && jobs === 'jobs' && ['READ', 'RESYNC'].includes(job) && !more.length)
      return {
        methods: { POST: 'start-job' },
        api: 'admin',
        tenant,
        system: name,
        resourceType: job,
        path: below,
      };
    if (interfaceName === 'jobLogs' && name && jobs === undefined)
      return {
        methods: { GET: 'job-log' },
        api: 'admin',
        tenant,
        system: '',
        resourceType: 'jobLogs',
        path: below,
      };
  }
  throw new ScimError('not-found', 'There is no such system or endpoint.');
}

function proxyEndpoint(system: SystemFacts, below: readonly string[]): Endpoint {
  const [written, id, ...more] = below;
  const name = written === undefined || system.kind === 'ips' ? written : nameOf(written, system);
  const base = {
    api: 'proxy',
    tenant: system.tenant,
    system: system.id,
    path: below,
    touched: system,
  } as const;
  if (name === undefined)
    return { ...base, methods: { GET: system.kind === 'scim' ? 'search' : 'probe' }, resourceType: '*' };
  if (system.kind === 'scim') {
    const special = scimOnlyEndpoint(name, below.slice(1));
    if (special) return { ...base, ...special };
  }
  if (!system.resourceTypes.includes(name) || more.length > 0)
    throw new ScimError('not-found', 'There is no such system or endpoint.');
  if (id === undefined) return { ...base, methods: collectionMethods, resourceType: name };
  return { ...base, methods: resourceMethods, resourceType: name, id };
}

/**
 * The name by which we know what a caller calls `/users`. Service providers differ in whether they mind the case, so
 * the path goes up as it was written and theirs is the answer; permissions and the cache know one name.
 */
function nameOf(written: string, { resourceTypes }: SystemFacts): string {
  const names = [...resourceTypes, ...discovery, 'Bulk', 'Me'];
  const folded = written.toLowerCase();
  return (
    names.find((name) => name === written) ?? names.find((name) => name.toLowerCase() === folded) ?? written
  );
}

/** What RFC 7644 §3.2 offers beyond resources; an IPS proxy system does not have it (facts: absent from its endpoints). */
function scimOnlyEndpoint(
  name: string,
  [second, ...more]: readonly string[],
): Pick<Endpoint, 'methods' | 'resourceType'> | undefined {
  if (discovery.has(name) && more.length === 0) return { methods: { GET: 'discover' }, resourceType: name };
  if (name === 'Bulk' && second === undefined) return { methods: { POST: 'bulk' }, resourceType: '*' };
  if (name === '.search' && second === undefined) return { methods: { POST: 'search' }, resourceType: '*' };
  if (second === '.search' && more.length === 0) return { methods: { POST: 'search' }, resourceType: name };
  if (name === 'Me' && second === undefined)
    return { methods: { ...resourceMethods, POST: 'create' }, resourceType: name };
  return undefined;
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
    touches: effect === 'write' && touched ? touchesOf(touched, resourceType, id) : [],
    priority: priorityOf(kind),
    parts: [],
  };
}

/**
 * Users embed their groups and groups their members, so a write to one type reaches into the other. How far it reaches
 * at a service provider that we do not know (managers, owners, types of its own) nobody can say but it.
 */
export function touchesOf(system: SystemFacts, resourceType: string, id?: string): Touch[] {
  const other = { Users: 'Groups', Groups: 'Users' }[resourceType];
  if (!other || system.kind === 'scim')
    return system.resourceTypes.map((type) => ({ scope: 'all', resourceType: type }));
  return [
    ...(id === undefined ? [] : [{ scope: 'one', resourceType, id } as const]),
    { scope: 'lists', resourceType },
    { scope: 'all', resourceType: other },
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
