/**
 * Which endpoint a path names. The set of paths is closed: what is not named here does not exist for a caller.
 */
import { ScimError } from './error.ts';
import type { Api, OperationKind, SystemFacts } from './operation.ts';
import { encodeSegment, type Target } from './target.ts';

const discovery = new Set(['ServiceProviderConfig', 'Schemas', 'ResourceTypes']);
const collectionMethods: Record<string, OperationKind> = { GET: 'list', POST: 'create' };
const resourceMethods: Record<string, OperationKind> = {
  GET: 'get',
  PUT: 'replace',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** Everything after the method that one endpoint needs to become an Operation. */
export interface Endpoint {
  readonly methods: Readonly<Record<string, OperationKind>>;
  readonly api: Api;
  readonly tenant: string;
  readonly system: string;
  readonly resourceType: string;
  readonly id?: string;
  readonly path: readonly string[];
  readonly touched?: SystemFacts;
}

/** Where a proxy system is, at a tenant and here (facts: IPS 1.1). */
export function proxyPath(id: string): string {
  return `/ipsproxy/service/api/v1/scim/${encodeSegment(id)}`;
}

type FindSystem = (id: string) => SystemFacts | undefined;

export function findEndpoint({ segments }: Target, systems: FindSystem, tenant: string): Endpoint {
  // The older form of both paths has no `service` (facts: IPS URL patterns of the Neo environment).
  const [root, ...rest] = segments.filter((segment, at) => !(at === 1 && segment === 'service'));
  let found: Endpoint | undefined;
  if (root === 'ipsproxy') found = inSystem(rest, systems) ?? inRealTime(rest, tenant);
  if (root === 'ips') found = inAdmin(rest, tenant);
  if (!found) throw new ScimError('not-found', 'There is no such system or endpoint.');
  return found;
}

function inSystem(rest: readonly string[], systems: FindSystem): Endpoint | undefined {
  if (!rest.join('/').startsWith('api/v1/scim/')) return undefined;
  const [id = '', ...below] = rest.slice(3);
  const system = systems(id);
  return system && proxyEndpoint(system, below);
}

function inRealTime(rest: readonly string[], tenant: string): Endpoint | undefined {
  if (!rest.join('/').startsWith('api/v1/systems/')) return undefined;
  const [system = '', entities, entity, ...more] = rest.slice(3);
  if (entities !== 'entities' || (entity !== 'user' && entity !== 'group') || more.length > 1)
    return undefined;
  const methods = { POST: 'notify', DELETE: 'notify' } as const;
  const path = ['ipsproxy', 'service', ...rest];
  return { methods, api: 'real-time', tenant, system, resourceType: entity, path };
}

function inAdmin(rest: readonly string[], tenant: string): Endpoint | undefined {
  if (!rest.join('/').startsWith('publicapi/v1/')) return undefined;
  const [interfaceName, name = '', jobs, job = '', ...more] = rest.slice(2);
  const base = { api: 'admin', tenant, path: ['ips', 'service', ...rest] } as const;
  if (interfaceName === 'startJob' && jobs === 'jobs' && ['READ', 'RESYNC'].includes(job) && !more.length)
    return { ...base, methods: { POST: 'start-job' }, system: name, resourceType: job };
  if (interfaceName === 'jobLogs' && name && jobs === undefined)
    return { ...base, methods: { GET: 'job-log' }, system: '', resourceType: 'jobLogs' };
  return undefined;
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
