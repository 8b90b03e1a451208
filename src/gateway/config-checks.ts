/**
 * Checks that need more than one key: entries that name each other, and settings that are dangerous together.
 * They run even when single keys are at fault, so that every fault is reported at once; hence a value here may
 * be absent or of another type than its key wants, and such a value is left to the schema.
 */
import { isEnoughFor } from '../pace/part.ts';
import { connectorNames, connectorOf } from '../scim/connectors.ts';
import { checkCache } from './config-cache.ts';
import { checkConsole } from './config-console.ts';
import {
  draftListeners,
  entriesOf,
  listOf,
  type Draft,
  type DraftConfig,
  type Refuse,
} from './config-draft.ts';
import { checkGuard } from './config-guard.ts';
import { checkListeners } from './config-listener-checks.ts';
import type { ParsedConfig } from './config-schema.ts';
import { checkSnapshot } from './config-snapshot.ts';
import { isLoopback } from './config-values.ts';

type Entry<Key extends 'tenants' | 'systems' | 'callers'> = Draft<ParsedConfig[Key][string]>;
type ProxyPermission = Extract<
  ParsedConfig['callers'][string]['permissions'][number],
  { readonly systems: unknown }
>;

export function checkAcross(config: DraftConfig, refuse: Refuse): void {
  checkListeners(config, refuse);
  checkConsole(config, refuse);
  checkCache(config?.cache, refuse);
  checkGuard(config, refuse);
  for (const [id, tenant] of entriesOf(config?.tenants)) checkTenant(id, tenant, config?.replicas, refuse);
  for (const [id, system] of entriesOf(config?.systems)) checkSystem(id, system, config, refuse);
  for (const [name, caller] of entriesOf(config?.callers)) checkCaller(name, caller, config, refuse);
  checkTwins(config, refuse);
  checkIssuers(config, refuse);
  checkCertificates(config, refuse);
}

function checkTenant(id: string, tenant: Entry<'tenants'>, replicas: unknown, refuse: Refuse): void {
  const at = (...keys: string[]) => ['tenants', id, ...keys];
  const { url, credential, embedded } = tenant ?? {};
  if (embedded && (url || credential))
    refuse(at('embedded'), 'cannot stand beside url or credential', 'remove embedded, or url and credential');
  if (!embedded && !url)
    refuse(at('url'), 'is missing', 'write the tenant’s https:// address, or embedded: {}');
  if (!embedded && !credential)
    refuse(at('credential'), 'is missing', 'write the gateway’s technical user at the tenant');
  if (credential?.type === 'certificate' && !tenant?.clientCertificate)
    refuse(
      at('clientCertificate'),
      'is missing although the credential is a certificate',
      'write certificate and key',
    );
  if (tenant?.pins && typeof url === 'string' && url.startsWith('http:'))
    refuse(at('pins'), 'cannot be verified without TLS', 'write https:// in url, or remove pins');
  checkPace(tenant, replicas, at, refuse);
}

function checkPace(
  tenant: Entry<'tenants'>,
  replicas: unknown,
  at: (...keys: string[]) => string[],
  refuse: Refuse,
): void {
  const { perMinute, burst, tenantLimit, minute } = tenant?.pace ?? {};
  if (isNumber(perMinute) && isNumber(burst) && isNumber(tenantLimit) && perMinute + burst > tenantLimit)
    refuse(
      at('pace'),
      `perMinute + burst is ${perMinute + burst}, more than the ${tenantLimit} that the tenant grants`,
      'lower them, or state a higher tenantLimit that SAP has granted',
    );
  if (
    isNumber(perMinute) &&
    isNumber(burst) &&
    isNumber(replicas) &&
    !isEnoughFor({ perMinute, burst }, replicas)
  )
    refuse(
      at('pace'),
      `is too little for ${replicas} replicas, which may each send a call at the same time`,
      'raise perMinute or burst, or lower replicas',
    );
  const host = typeof tenant?.url === 'string' ? URL.parse(tenant.url)?.hostname : undefined;
  if (isNumber(minute) && minute < 60_000 && host !== undefined && !isLoopback(host))
    refuse(at('pace', 'minute'), 'is shorter than a minute for a tenant elsewhere', 'remove it');
}

function checkConnector(system: Entry<'systems'>, at: (key: string) => string[], refuse: Refuse): void {
  const connector = connectorNames.find((name) => name === system?.connector);
  if (!connector) return;
  if (system?.kind === 'scim')
    refuse(at('connector'), 'is for systems of kind ips only', 'remove it, or write kind: ips');
  if (system?.assignment === 'PATCH' && connectorOf(connector).assignment !== 'PATCH' && !system.patchEntity)
    refuse(
      at('assignment'),
      `is PATCH, which systems of the type ${connector} do not understand`,
      'write PUT, or patchEntity: true where its write transformation has such mappings',
    );
}

function checkSystem(id: string, system: Entry<'systems'>, config: DraftConfig, refuse: Refuse): void {
  const at = (key: string) => ['systems', id, key];
  const tenants = keysOf(config?.tenants);
  if (typeof system?.tenant === 'string' && !tenants.includes(system.tenant))
    refuse(at('tenant'), `there is no tenant ${system.tenant}`, `name one of: ${listing(tenants)}`);
  if (system?.url && system.kind === 'ips')
    refuse(
      at('url'),
      'is for systems of kind scim only',
      'write kind: scim, or remove url and use the tenant’s',
    );
  checkConnector(system, at, refuse);
  checkSnapshot(system, config, (problem, remedy) => refuse(at('snapshot'), problem, remedy));
}

/** Two ids for one system would leave one of them with remembered replies that a write by the other made stale. */
function checkTwins(config: DraftConfig, refuse: Refuse): void {
  const seen = new Map<string, string>();
  for (const [id, system] of entriesOf(config?.systems)) {
    const { tenant, kind, url, id: upstreamId = id } = system ?? {};
    const place = JSON.stringify(kind === 'scim' ? [tenant, kind, url] : [tenant, kind, upstreamId]);
    const twin = seen.get(place);
    if (twin !== undefined)
      refuse(['systems', id], `leads to the same system as ${twin}`, 'remove one of them, or correct its id');
    seen.set(place, id);
  }
}

function checkIssuers(config: DraftConfig, refuse: Refuse): void {
  const callers = keysOf(config?.callers);
  const seen = new Map<unknown, string>();
  for (const [id, settings] of entriesOf(config?.oauth?.issuers)) {
    const twin = seen.get(settings?.issuer);
    if (twin !== undefined)
      refuse(['oauth', 'issuers', id, 'issuer'], `is the one of ${twin}`, 'remove one of them');
    seen.set(settings?.issuer, id);
    if (settings?.certificateBound === 'required' && !asksForCertificates(config))
      refuse(
        ['oauth', 'issuers', id, 'certificateBound'],
        'nobody can show a certificate to this listener',
        'write listen.tls.clients, or optional',
      );
    for (const [value, name] of entriesOf(settings?.callers))
      if (typeof name === 'string' && !callers.includes(name))
        refuse(
          ['oauth', 'issuers', id, 'callers', value],
          `there is no caller ${name}`,
          `name one of: ${listing(callers)}`,
        );
  }
}

function checkCertificates(config: DraftConfig, refuse: Refuse): void {
  const proxies = draftListeners(config).flatMap(([, listener]) =>
    listOf(listener?.tls?.clients?.forwarders),
  );
  const seen = new Map(proxies.map((match) => [JSON.stringify(match), 'a proxy']));
  for (const [name, caller] of entriesOf(config?.callers)) {
    const certificates = listOf(caller?.certificates);
    if (certificates.length > 0 && !asksForCertificates(config))
      refuse(
        ['callers', name, 'certificates'],
        'nobody can show one to a listener',
        'write listen.tls.clients, or remove them',
      );
    for (const [index, match] of certificates.entries()) {
      const twin = seen.get(JSON.stringify(match));
      if (twin !== undefined)
        refuse(
          ['callers', name, 'certificates', index],
          `stands for ${twin} already`,
          'a certificate stands for one caller',
        );
      seen.set(JSON.stringify(match), name);
    }
  }
}

function checkCaller(name: string, caller: Entry<'callers'>, config: DraftConfig, refuse: Refuse): void {
  const at = (...keys: (string | number)[]) => ['callers', name, ...keys];
  const tenants = keysOf(config?.tenants);
  const permissions = listOf(caller?.permissions);
  if (typeof caller?.tenant === 'string' && !tenants.includes(caller.tenant))
    refuse(at('tenant'), `there is no tenant ${caller.tenant}`, `name one of: ${listing(tenants)}`);
  const needsTenant = permissions.some((permission) => permission && 'sourceSystems' in permission);
  if (needsTenant && caller?.tenant === undefined && tenants.length > 1)
    refuse(
      at('tenant'),
      'is missing: the paths of the real-time and admin interfaces name no tenant',
      `name one of: ${listing(tenants)}`,
    );
  for (const [index, permission] of permissions.entries())
    if (permission && 'systems' in permission)
      checkProxyPermission(permission, (...keys) => at('permissions', index, ...keys), config, refuse);
}

function checkProxyPermission(
  permission: NonNullable<Draft<ProxyPermission>>,
  at: (...keys: (string | number)[]) => (string | number)[],
  config: DraftConfig,
  refuse: Refuse,
): void {
  const systems = keysOf(config?.systems);
  for (const [index, id] of listOf(permission.systems).entries())
    if (typeof id === 'string' && !systems.includes(id))
      refuse(at('systems', index), `there is no system ${id}`, `name one of: ${listing(systems)}`);
  const types = entriesOf(config?.systems).flatMap(([, system]) => listOf(system?.resourceTypes));
  for (const [index, type] of listOf(permission.resourceTypes).entries())
    if (typeof type === 'string' && !types.includes(type))
      refuse(
        at('resourceTypes', index),
        `no system has the resource type ${type}`,
        `name one of: ${listing(types)}`,
      );
}

function asksForCertificates(config: DraftConfig): boolean {
  return draftListeners(config).some(([, listener]) => listener?.tls?.clients);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

function keysOf(map: Readonly<Record<string, unknown>> | undefined): string[] {
  return entriesOf(map).map(([key]) => key);
}

function listing(names: readonly unknown[]): string {
  return [...new Set(names)].join(', ') || '(there is none yet)';
}
