/**
 * One system of the tenant: properties, transformations and the backend behind it. A proxy system answers
 * callers; source and target systems take part in jobs.
 */
import { createAbapBackend } from './abap-population.ts';
import type { Backend } from './backend.ts';
import { Directory } from './directory.ts';
import { EmbeddedBackend } from './embedded-backend.ts';
import type { Faults } from './faults.ts';
import { NativeBackend, type NativeOptions } from './native-backend.ts';
import { populate, type PopulationOptions } from './population.ts';
import type { Resource, ResourceType } from './resource.ts';
import { RetryingBackend } from './retrying-backend.ts';
import { ScimBackend, type ScimBackendOptions } from './scim-backend.ts';
import { SystemTransformations } from './system-transformations.ts';
import { TokenPagesBackend, type TokenPagesOptions } from './token-pages-backend.ts';
import { PassThrough, type Transformer } from './transformer.ts';

/** What real connectors differ in. */
interface Traits {
  /** Whether the backend tells how many entities it has. */
  readonly givesTotal?: boolean;
  /** Whether it can search natively. */
  readonly filters?: boolean;
  /** The address that errors quote. */
  readonly url?: string;
}

export interface EmbeddedBackendOptions extends Traits {
  readonly kind: 'directory';
  /** SQLite file; in memory when absent. A file that has users already is not populated again. */
  readonly file?: string;
  readonly users?: number;
  readonly groups?: number;
  readonly seed?: number;
  /** Attributes that the backend gives a new resource itself, such as a `userUuid`. */
  readonly assigns?: readonly string[];
  /** Attributes that an update cannot take away. */
  readonly keeps?: readonly string[];
}

export interface AbapBackendOptions extends Traits {
  readonly kind: 'abap';
  readonly users?: number;
  readonly groups?: number;
  readonly seed?: number;
}

/** Documents in a backend's own names. */
export interface NativeBackendOptions extends Traits {
  readonly kind: 'native';
  readonly shapes: NativeOptions['shapes'];
  /** Those that are there from the start; none when absent. */
  readonly documents?: Partial<Record<ResourceType, readonly Resource[]>>;
  readonly update?: NativeOptions['update'];
}

export type BackendOptions =
  | EmbeddedBackendOptions
  | AbapBackendOptions
  | NativeBackendOptions
  | ScimBackendOptions
  | TokenPagesOptions;

export interface SystemOptions {
  /** A dash-separated UUID at SAP. */
  readonly id: string;
  readonly name?: string;
  readonly description?: string;
  readonly role?: 'proxy' | 'source' | 'target';
  readonly enabled?: boolean;
  /** Source systems that a target subscribes to; all when absent. */
  readonly sources?: readonly string[];
  /** SAP's name of the connector, such as `SAP_COMMERCE_CLOUD`. */
  readonly connectorType?: string;
  /** Standard properties; transformations may name them. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Credential properties, such as `Password`: for the connector alone, never shown nor exported. */
  readonly credentials?: Readonly<Record<string, string>>;
  readonly backend?: BackendOptions;
  /** As SAP writes them; without them everything passes as it is. */
  readonly readTransformation?: Readonly<Record<string, unknown>>;
  readonly writeTransformation?: Readonly<Record<string, unknown>>;
}

export interface System extends AsyncDisposable {
  readonly id: string;
  readonly name: string;
  readonly role: 'proxy' | 'source' | 'target';
  readonly enabled: boolean;
  readonly sources: readonly string[] | undefined;
  readonly connectorType: string | undefined;
  readonly properties: Readonly<Record<string, string>>;
  readonly backend: Backend;
  /** The embedded directory behind the system, if it is one. */
  readonly directory: Directory | undefined;
  readonly transformer: Transformer;
}

const defaultPopulation: PopulationOptions = { users: 1000, groups: 50, seed: 1 };

/** What a system borrows from its tenant. */
export interface TenantServices {
  readonly pause: (ms: number) => Promise<void>;
  readonly faults: Faults;
}

export function openSystem(options: SystemOptions, { pause, faults }: TenantServices): System {
  const { id, name = id, role = 'proxy', enabled = true, properties = {} } = options;
  const connection = { ...properties, ...options.credentials };
  const { backend, directory } = openBackend(options.backend ?? { kind: 'directory' }, id, connection);
  const takeFault = (type: ResourceType) => faults.takeOfBackend(id, type);
  return {
    id,
    name,
    role,
    enabled,
    sources: options.sources,
    connectorType: options.connectorType,
    properties,
    backend: new RetryingBackend(backend, { properties, pause, takeFault }),
    directory,
    transformer: new SystemTransformations({
      system: name,
      properties,
      read: options.readTransformation,
      write: options.writeTransformation,
      otherwise: new PassThrough(backend.url),
    }),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  };
}

interface OpenedBackend {
  readonly backend: Backend;
  readonly directory?: Directory;
}

function openBackend(
  options: BackendOptions,
  id: string,
  properties: Readonly<Record<string, string>>,
): OpenedBackend {
  if (options.kind === 'scim') return { backend: new ScimBackend(properties, options) };
  if (options.kind === 'token-pages') return { backend: new TokenPagesBackend(properties, options) };
  const { givesTotal = true, filters = true } = options;
  const url = options.url ?? properties['URL'] ?? `https://backend.example.com/${id}/scim/v2`;
  const traits = { url, givesTotal, filters };
  if (options.kind === 'native') {
    const {
      shapes,
      update = 'replace',
      documents: { Users: users = [], Groups: groups = [] } = {},
    } = options;
    return { backend: new NativeBackend({ ...traits, shapes, update, users, groups }) };
  }
  const population = { ...defaultPopulation, ...options };
  if (options.kind === 'abap') return { backend: createAbapBackend(population, traits) };
  const { file, assigns, keeps } = options;
  const directory = new Directory({ url, file });
  if (directory.count('Users') === 0) populate(directory, population);
  return { backend: new EmbeddedBackend(directory, { ...traits, assigns, keeps }), directory };
}

/** The system's own filter, under whatever prefix its connector uses (facts: IPS 3.3). */
export function restrictionOf(system: System, type: ResourceType): string | undefined {
  const suffix = type === 'Users' ? '.user.filter' : '.group.filter';
  const name = Object.keys(system.properties).find((property) => property.endsWith(suffix));
  return name === undefined ? undefined : system.properties[name];
}

/** Whether a job updates by PATCH; a property of the connector (facts: IPS 8.1). */
export function updatesByPatch(system: System): boolean {
  return Object.entries(system.properties).some(
    ([name, value]) => name.endsWith('.support.patch.operation') && value === 'true',
  );
}

/** Whether a PATCH is answered with the resource; a property of the connector (facts: IPS 3.5). */
export function patchTellsResource(system: System): boolean {
  return Object.entries(system.properties).some(
    ([name, value]) => name.endsWith('.patch.response.with.resource') && value === 'true',
  );
}

/** The only proxy system that knows the parameter `membersType` (facts: IPS 3.4). */
export function knowsMembersType({ connectorType }: System): boolean {
  return connectorType === 'SAP_ARIBA_APPLICATIONS';
}

export function totalsStrategy(system: System): 'Provided' | 'Calculated' {
  const value = system.properties['ips.proxy.scim.total.results.strategy'];
  return value === 'Provided' ? 'Provided' : 'Calculated';
}
