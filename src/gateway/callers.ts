/** The technical users of the configuration as the callers that the line knows, and whose word is taken for them. */
import { fold } from '../auth/attributes.ts';
import type { Caller, ProxyGrant } from '../auth/caller.ts';
import type { CertificateMatch } from '../auth/certificate.ts';
import type { IssuerSettings } from '../auth/issuer.ts';
import { createNetworks } from '../auth/network.ts';
import type { CallerLimit } from '../pace/caller-limits.ts';
import type { Effect } from '../scim/operation.ts';
import type { Caller as CallerSettings, Config, Permission } from './config.ts';

export function callersOf({ callers }: Pick<Config, 'callers'>): ReadonlyMap<string, Caller> {
  return new Map(Object.entries(callers).map(([name, settings]) => [name, callerOf(settings)]));
}

export function callerLimitsOf({ callers, replicas }: Pick<Config, 'callers' | 'replicas'>) {
  const entries = Object.entries(callers).map(([name, { limits }]) => [name, limits] as const);
  return { limits: new Map<string, CallerLimit>(entries), replicas };
}

export function certificatesOf({
  callers,
}: Pick<Config, 'callers'>): (readonly [CertificateMatch, string])[] {
  return Object.values(callers).flatMap(({ name, certificates }) =>
    certificates.map((match) => [match, name] as const),
  );
}

export function issuersOf({ oauth }: Pick<Config, 'oauth'>): IssuerSettings[] {
  return Object.values(oauth.issuers).map((settings) => ({
    ...settings,
    callers: new Map(Object.entries(settings.callers)),
  }));
}

function callerOf({ name, tenant = '', permissions, sourceNetworks }: CallerSettings): Caller {
  const realTime = sourceSystems(permissions, 'Access Real-Time Provisioning API');
  const admin = sourceSystems(permissions, 'Access Identity Provisioning Tenant Admin API');
  const proxy = permissions.flatMap((row) =>
    row.permission === 'Access Proxy System API' ? [grantOf(row)] : [],
  );
  return {
    name,
    tenant,
    proxy,
    ...(realTime && { realTime }),
    ...(admin && { admin }),
    ...(sourceNetworks && { sourceNetworks: createNetworks(sourceNetworks) }),
  };
}

type ProxyPermission = Extract<Permission, { permission: 'Access Proxy System API' }>;
type SourcePermission = Exclude<Permission, ProxyPermission>;

function grantOf({ systems, resourceTypes, access, deniedAttributes }: ProxyPermission): ProxyGrant {
  return {
    systems: names(systems),
    resourceTypes: names(resourceTypes),
    effects: new Set<Effect>(access),
    deniedAttributes: new Set(deniedAttributes.map(fold)),
  };
}

/** Rows of the same permission add up. */
function sourceSystems(permissions: readonly Permission[], permission: SourcePermission['permission']) {
  const rows = permissions.filter((row): row is SourcePermission => row.permission === permission);
  if (rows.length === 0) return undefined;
  const all = rows.flatMap((row) => row.sourceSystems);
  return { sourceSystems: names(rows.some((row) => row.sourceSystems === 'all') ? 'all' : all) };
}

function names(list: 'all' | readonly string[]): ReadonlySet<string> | '*' {
  return list === 'all' ? '*' : new Set(list);
}
