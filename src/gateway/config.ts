/**
 * Reads the configuration once, whole and strictly: file, then environment, then references, then checks across
 * keys. It gives a frozen `Config` or throws `ConfigFaults` with every fault; nothing else reads the environment.
 */
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';

import type { z } from 'zod';

import { connectorOf, type ConnectorName } from '../scim/connectors.ts';
import { checkAcross } from './config-checks.ts';
import { processFaults } from './config-dangers.ts';
import { ConfigFaults, faultsOf, type Fault } from './config-faults.ts';
import { readDocument } from './config-file.ts';
import { overlay } from './config-overlay.ts';
import type { References } from './config-references.ts';
import { createConfigSchema, type ConfigDocument, type ParsedConfig } from './config-schema.ts';
import { Secret } from './secret.ts';

type Entry<Map> = Map extends Record<string, infer Value> ? Value : never;
type ParsedTenant = Entry<ParsedConfig['tenants']>;
type ParsedSystem = Entry<ParsedConfig['systems']>;
type ParsedCaller = Entry<ParsedConfig['callers']>;

export type Credential = NonNullable<ParsedTenant['credential']>;
export type EmbeddedTenant = NonNullable<ParsedTenant['embedded']>;
export type Deadlines = ParsedTenant['deadlines'];
export type Limits = ParsedConfig['limits'];
export type Permission = ParsedCaller['permissions'][number];

/** Either a tenant elsewhere (`url`, `credential`) or one inside the process (`embedded`). */
export type Tenant = Omit<ParsedTenant, 'url' | 'credential' | 'embedded'> & { readonly id: string } & (
    | { readonly url: string; readonly credential: Credential; readonly embedded?: undefined }
    | { readonly url?: undefined; readonly credential?: undefined; readonly embedded: EmbeddedTenant }
  );

/** One proxy system with everything that its tenant and the general keys say about it. */
export interface System extends Pick<
  ParsedSystem,
  'tenant' | 'kind' | 'resourceTypes' | 'lostUpdates' | 'patchEntity' | 'repeats' | 'snapshot'
> {
  /** The id that callers use. */
  readonly id: string;
  /** The id at the tenant. */
  readonly upstreamId: string;
  /** Base address of a system of kind `scim`; undefined means the tenant's address. */
  readonly url: string | undefined;
  readonly name: string;
  readonly connector: ConnectorName | undefined;
  /** SCIM_ASSIGNMENT_METHOD: what the configuration says, or else what the connector's type asks for. */
  readonly assignment: 'PUT' | 'PATCH' | undefined;
  readonly cache: Omit<ParsedSystem['cache'], 'lifetime' | 'writeReplies'> & {
    readonly lifetime: number;
    readonly writeReplies: boolean;
  };
  readonly pages: { readonly blocks: 'off' | 'on' | 'auto'; readonly singleReads: boolean };
  readonly limits: Limits;
  readonly deadlines: Deadlines;
}

export interface Caller {
  readonly name: string;
  /** Whose real-time and admin interfaces the caller means; undefined for a caller of proxy systems alone. */
  readonly tenant: string | undefined;
  readonly permissions: readonly Permission[];
  /** Where it may call from; undefined means anywhere. */
  readonly sourceNetworks: readonly string[] | undefined;
  readonly certificates: NonNullable<ParsedCaller['certificates']>;
  readonly limits: ParsedCaller['limits'];
  /** What is repaired of its requests. */
  readonly profile: ParsedCaller['profile'];
}

/** Times in milliseconds, sizes in bytes, paths absolute, secrets as `Secret`. The maps have no prototype. */
export interface Config extends Omit<ParsedConfig, 'audit' | 'tenants' | 'systems' | 'callers'> {
  readonly audit: ParsedConfig['audit'] & { readonly instance: string };
  readonly tenants: Readonly<Record<string, Tenant>>;
  readonly systems: Readonly<Record<string, System>>;
  readonly callers: Readonly<Record<string, Caller>>;
}

/** The file that an operator means: the one named, the one of `GATEHOUSE_CONFIG`, or the one that is delivered. */
export function configFile(named: string | undefined, env: NodeJS.ProcessEnv = process.env): string {
  const delivered = resolve(import.meta.dirname, '../../config/gatehouse.yaml');
  return resolve(named ?? (env['GATEHOUSE_CONFIG'] || delivered));
}

/**
 * Reads a file with the environment laid over it.
 * @param onFile is told of every file that is read
 */
export function loadConfig(
  file: string,
  env: NodeJS.ProcessEnv = process.env,
  onFile: (path: string) => void = () => {},
): Config {
  onFile(resolve(file));
  const { document, faults } = overlay(readDocument(file), env);
  return build(document, { directory: dirname(resolve(file)), env, onFile }, file, [
    ...processFaults(env, process.execArgv),
    ...faults,
  ]);
}

/**
 * Builds a configuration from a document in memory; secrets may be given as `Secret`.
 * @param directory where relative paths of the document start
 */
export function parseConfig(
  document: ConfigDocument,
  directory: string,
  env: NodeJS.ProcessEnv = {},
): Config {
  return build(document, { directory, env }, 'the configuration', []);
}

function build(document: unknown, references: References, source: string, earlier: readonly Fault[]): Config {
  const parsed = createConfigSchema(references)
    // Also when single keys are at fault, because every fault is reported at once.
    .superRefine((config, ctx) => checkAcross(config, refuseIn(ctx)), { when: () => true })
    .safeParse(document, { reportInput: true });
  const faults = [...earlier, ...(parsed.error?.issues.flatMap(faultsOf) ?? [])];
  if (!parsed.data || faults.length > 0) throw new ConfigFaults(source, faults);
  return freeze(complete(parsed.data));
}

function refuseIn(ctx: z.core.$RefinementCtx<ParsedConfig>): Parameters<typeof checkAcross>[1] {
  return (path, message, remedy) =>
    ctx.addIssue({ code: 'custom', path: [...path], message, params: { remedy } });
}

/** Merges what one entry inherits from another, so that a part finds all its values in one place. */
function complete(parsed: ParsedConfig): Config {
  const tenantIds = Object.keys(parsed.tenants);
  return {
    ...parsed,
    audit: { ...parsed.audit, instance: parsed.audit.instance ?? hostname() },
    tenants: mapEntries(parsed.tenants, completeTenant),
    systems: mapEntries(parsed.systems, (id, system) => completeSystem(id, system, parsed)),
    callers: mapEntries(
      parsed.callers,
      (name, { tenant, permissions, sourceNetworks, certificates = [], limits, profile }) => ({
        name,
        tenant: tenant ?? (tenantIds.length === 1 ? tenantIds[0] : undefined),
        permissions,
        sourceNetworks,
        certificates,
        limits,
        profile,
      }),
    ),
  };
}

function completeTenant(id: string, tenant: ParsedTenant): Tenant {
  const { url, credential, embedded, ...rest } = tenant;
  if (embedded) return { ...rest, id, embedded };
  if (url !== undefined && credential) return { ...rest, id, url, credential };
  throw new TypeError('A tenant without address and credential passed the checks.');
}

function completeSystem(id: string, system: ParsedSystem, { tenants, cache, limits }: ParsedConfig): System {
  const deadlines = tenants[system.tenant]?.deadlines;
  if (!deadlines) throw new TypeError('A system without a tenant passed the checks.');
  return {
    ...system,
    id,
    upstreamId: system.id ?? id,
    url: system.url,
    name: system.name ?? id,
    connector: system.connector,
    assignment: system.assignment ?? (system.connector ? connectorOf(system.connector).assignment : 'PUT'),
    pages: pagesOf(system),
    cache: {
      ...system.cache,
      lifetime: system.cache.lifetime ?? cache.lifetime,
      writeReplies: system.cache.writeReplies ?? system.kind === 'ips',
    },
    limits: {
      ...limits,
      body: system.limits.body ?? limits.body,
      reply: system.limits.reply ?? limits.reply,
    },
    deadlines: {
      read: system.deadlines.read ?? deadlines.read,
      write: system.deadlines.write ?? deadlines.write,
    },
  };
}

/** A service provider that is no proxy system has no quota to spare, and its own ways that a page of ours has not. */
function pagesOf({ kind, pages }: ParsedSystem): System['pages'] {
  const isProxy = kind === 'ips';
  const { blocks, singleReads = isProxy } = pages;
  return { blocks: blocks === 'auto' && !isProxy ? 'off' : blocks, singleReads };
}

/** Without a prototype, so that a system called `constructor` is not found unless it is configured. */
function mapEntries<In, Out>(map: Readonly<Record<string, In>>, change: (key: string, value: In) => Out) {
  const changed: Record<string, Out> = Object.create(null);
  for (const [key, value] of Object.entries(map)) changed[key] = change(key, value);
  return changed;
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof Secret) return value;
  Object.values(value).forEach(freeze);
  return Object.freeze(value);
}
