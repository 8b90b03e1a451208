/** How narrow the rights of callers are, and how the gateway and its tenants know each other. */
import type { SecurityCheck } from '../console/api/security.ts';
import { isLoopback } from './config-values.ts';
import type { Caller, Config, Tenant } from './config.ts';
import { listenersOf } from './listener.ts';
import { check, type Found } from './security-check.ts';

export function callerChecks(config: Config): SecurityCheck[] {
  const { callers, firstStart, listen } = config;
  const isShown = firstStart.generateSecrets && !isLoopback(listen.host);
  // Whoever steals a secret still lacks a certificate where one is required.
  const isOpen = listenersOf(config).some(
    ([, { host, tls }]) => !isLoopback(host) && tls?.clients?.mode !== 'required',
  );
  return [
    ...Object.values(callers).flatMap((caller) => checksOfCaller(caller, isOpen)),
    check({
      area: 'callers',
      about: 'firstStart.generateSecrets',
      setting: 'firstStart.generateSecrets',
      found: isShown
        ? ['advice', 'firstStart.generateSecrets.shown']
        : ['good', 'firstStart.generateSecrets.hidden'],
    }),
  ];
}

function checksOfCaller({ name, sourceNetworks, permissions }: Caller, isOpen: boolean): SecurityCheck[] {
  const writesAll = permissions.some(
    (permission) =>
      'systems' in permission && permission.systems === 'all' && permission.access.includes('write'),
  );
  return [
    check({
      area: 'callers',
      about: 'caller.networks',
      id: `caller.networks.${name}`,
      setting: `callers.${name}.sourceNetworks`,
      found: sourceNetworks ? ['good', 'caller.networks.named'] : ['advice', 'caller.networks.any'],
      values: { caller: name, networks: sourceNetworks?.join(', ') ?? '' },
    }),
    check({
      area: 'callers',
      about: 'caller.scope',
      id: `caller.scope.${name}`,
      setting: `callers.${name}.permissions`,
      found: writesAll ? scopes[isOpen && !sourceNetworks ? 'open' : 'all'] : ['good', 'caller.scope.named'],
      values: { caller: name },
    }),
  ];
}

const scopes = {
  all: ['advice', 'caller.scope.all'],
  open: ['danger', 'caller.scope.open'],
} as const satisfies Record<string, Found>;

const credentials = {
  certificate: ['good', 'tenant.credential.certificate'],
  none: ['danger', 'tenant.credential.none'],
  secret: ['advice', 'tenant.credential.secret'],
} as const satisfies Record<string, Found>;

export function tenantChecks({ tenants }: Config): SecurityCheck[] {
  return Object.values(tenants).flatMap(checksOfTenant);
}

function checksOfTenant(tenant: Tenant): SecurityCheck[] {
  const of = (about: 'tenant.embedded' | 'tenant.pins' | 'tenant.credential', found: Found): SecurityCheck =>
    check({
      area: 'tenants',
      about,
      id: `${about}.${tenant.id}`,
      setting: `tenants.${tenant.id}.${about.slice('tenant.'.length)}`,
      found,
      values: { tenant: tenant.id },
    });
  if (tenant.embedded) return [of('tenant.embedded', ['advice', 'tenant.embedded.yes'])];
  const { type } = tenant.credential;
  return [
    of('tenant.pins', tenant.pins ? ['good', 'tenant.pins.given'] : ['advice', 'tenant.pins.none']),
    of('tenant.credential', credentials[type === 'certificate' || type === 'none' ? type : 'secret']),
  ];
}
