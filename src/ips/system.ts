/**
 * One system of the tenant: properties, transformations and the backend behind it. A proxy system answers
 * callers; source and target systems take part in jobs.
 */
import type { Backend } from './backend.ts';
import { Directory } from './directory.ts';
import { EmbeddedBackend } from './embedded-backend.ts';
import { populate, type PopulationOptions } from './population.ts';
import { isObject, type ResourceType } from './resource.ts';
import { PassThrough, type Transformer } from './transformer.ts';

export interface EmbeddedBackendOptions {
  readonly kind: 'directory';
  /** SQLite file; in memory when absent. A file that has users already is not populated again. */
  readonly file?: string;
  readonly users?: number;
  readonly groups?: number;
  readonly seed?: number;
  /** Whether the backend tells how many entities it has. */
  readonly givesTotal?: boolean;
  readonly filters?: boolean;
  /** The address that errors quote. */
  readonly url?: string;
}

export interface SystemOptions {
  /** A dash-separated UUID at SAP. */
  readonly id: string;
  readonly name?: string;
  readonly description?: string;
  readonly role?: 'proxy' | 'source' | 'target';
  readonly enabled?: boolean;
  readonly properties?: Readonly<Record<string, string>>;
  readonly backend?: EmbeddedBackendOptions;
}

export interface System extends AsyncDisposable {
  readonly id: string;
  readonly name: string;
  readonly role: 'proxy' | 'source' | 'target';
  readonly enabled: boolean;
  readonly properties: Readonly<Record<string, string>>;
  readonly backend: Backend;
  /** The embedded directory behind the system, if it is one. */
  readonly directory: Directory | undefined;
  readonly transformer: Transformer;
}

const defaultPopulation: PopulationOptions = { users: 1000, groups: 50, seed: 1 };

export function openSystem(options: SystemOptions): System {
  const { id, name = id, role = 'proxy', enabled = true, properties = {} } = options;
  const backend = openDirectory(id, options.backend ?? { kind: 'directory' });
  return {
    id,
    name,
    role,
    enabled,
    properties,
    backend,
    directory: backend.directory,
    transformer: new PassThrough(backend.url),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  };
}

function openDirectory(id: string, options: EmbeddedBackendOptions): EmbeddedBackend {
  const { users, groups, seed } = { ...defaultPopulation, ...options };
  const {
    url = `https://backend.example.com/${id}/scim/v2`,
    file,
    givesTotal = true,
    filters = true,
  } = options;
  const directory = new Directory({ url, file });
  if (directory.count('Users') === 0) populate(directory, { users, groups, seed });
  return new EmbeddedBackend(directory, { url, givesTotal, filters });
}

/** The system's own filter, under whatever prefix its connector uses (facts: IPS 3.3). */
export function restrictionOf(system: System, type: ResourceType): string | undefined {
  const suffix = type === 'Users' ? '.user.filter' : '.group.filter';
  const name = Object.keys(system.properties).find((property) => property.endsWith(suffix));
  return name === undefined ? undefined : system.properties[name];
}

/** Whether a PATCH is answered with the resource; a property of the connector (facts: IPS 3.5). */
export function patchTellsResource(system: System): boolean {
  return Object.entries(system.properties).some(
    ([name, value]) => name.endsWith('.patch.response.with.resource') && value === 'true',
  );
}

export function totalsStrategy(system: System): 'Provided' | 'Calculated' {
  const value = system.properties['ips.proxy.scim.total.results.strategy'];
  return value === 'Provided' ? 'Provided' : 'Calculated';
}

export function idOf(resource: unknown): string {
  const id = isObject(resource) ? resource['id'] : undefined;
  return typeof id === 'string' || typeof id === 'number' ? String(id) : '';
}
