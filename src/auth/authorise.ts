/**
 * May this caller do this? Answers with the permission that allows it, for the audit record, or refuses.
 * Default deny: every way to a permission is written here, and an operation that matches none is forbidden.
 */
import type { Source } from '../scim/call.ts';
import { ScimError } from '../scim/error.ts';
import type { Operation } from '../scim/operation.ts';
import { covers, mayProxy, type Caller } from './caller.ts';

/** The names that SAP gives them (facts: IPS, administrator of type System). */
const permissions = {
  proxy: 'Access Proxy System API',
  'real-time': 'Access Real-Time Provisioning API',
  admin: 'Access Identity Provisioning Tenant Admin API',
} as const;

export function authorise(caller: Caller, operation: Operation, source: Pick<Source, 'ip'>): string {
  checkSource(caller, source);
  if (!isGranted(caller, operation))
    throw new ScimError('forbidden', 'The technical user is not authorised for this operation.');
  const { api, kind, effect, resourceType } = operation;
  const what = api === 'proxy' ? `${effect} ${resourceType}` : kind;
  return `${permissions[api]}: ${what}`;
}

/** By the socket's own address, never by what a header says. */
export function checkSource({ sourceNetworks }: Caller, { ip }: Pick<Source, 'ip'>): void {
  if (sourceNetworks && !sourceNetworks.has(ip))
    throw new ScimError('foreign-network', 'The technical user may not call from this address.');
}

function isGranted(caller: Caller, operation: Operation): boolean {
  if (operation.api === 'proxy') return isProxyGranted(caller, operation);
  if (caller.tenant !== operation.tenant) return false;
  const permission = operation.api === 'admin' ? caller.admin : caller.realTime;
  if (!permission) return false;
  // The path of a job's log names a job and no system, so no list of source systems can restrict it.
  if (operation.kind === 'job-log') return true;
  return covers(permission.sourceSystems, operation.system);
}

function isProxyGranted(caller: Caller, operation: Operation): boolean {
  const { kind, effect, system, resourceType, parts } = operation;
  const onSystem = caller.proxy.filter((grant) => covers(grant.systems, system));
  if (kind === 'probe' || kind === 'discover') return onSystem.length > 0;
  if (kind !== 'bulk') return mayProxy(caller, system, resourceType, effect);
  // Before the body is read nobody knows the parts; whoever may write nothing is turned away without reading.
  if (!onSystem.some((grant) => grant.effects.has('write'))) return false;
  return parts.every((part) => part.api === 'proxy' && isProxyGranted(caller, part));
}
