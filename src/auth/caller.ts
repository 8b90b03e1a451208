/**
 * A caller: an authenticated technical user and what it may do, as plain values built from configuration.
 * What is not granted here is forbidden; there is no implied right, not even reading where writing is granted.
 */
import type { Effect } from '../scim/operation.ts';

type Names = ReadonlySet<string> | '*';

/** One row of "Access Proxy System API"; rows add up, and each must match as a whole. */
export interface ProxyGrant {
  readonly systems: Names;
  readonly resourceTypes: Names;
  readonly effects: ReadonlySet<Effect>;
}

export interface Caller {
  readonly name: string;
  /** The tenant whose real-time and admin interfaces it may use: those paths name no tenant. */
  readonly tenant: string;
  readonly proxy: readonly ProxyGrant[];
  readonly realTime?: { readonly sourceSystems: Names };
  readonly admin?: { readonly sourceSystems: Names };
}

/** A caller and how it proved to be it, for the audit record. */
export interface IdentifiedCaller extends Caller {
  readonly auth: 'basic' | 'token' | 'jwt';
  /** Which of its secrets it has shown, or was given its token for. */
  readonly credential?: string;
}

export function mayWrite(caller: Caller, system: string, resourceType: string): boolean {
  return mayProxy(caller, system, resourceType, 'write');
}

/** `*` as the resource type asks for a grant over all types, not for a grant over some. */
export function mayProxy(caller: Caller, system: string, resourceType: string, effect: Effect): boolean {
  return caller.proxy.some(
    (grant) =>
      covers(grant.systems, system) && covers(grant.resourceTypes, resourceType) && grant.effects.has(effect),
  );
}

export function covers(names: Names, name: string): boolean {
  return names === '*' || names.has(name);
}
