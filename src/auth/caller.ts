/**
 * A caller: an authenticated technical user and what it may do, as plain values built from configuration.
 * What is not granted here is forbidden; there is no implied right, not even reading where writing is granted.
 */
import type { Effect } from '../scim/operation.ts';
import type { Networks } from './network.ts';

type Names = ReadonlySet<string> | '*';

/** One row of "Access Proxy System API"; rows add up, and each must match as a whole. */
export interface ProxyGrant {
  readonly systems: Names;
  readonly resourceTypes: Names;
  readonly effects: ReadonlySet<Effect>;
  /** Names of attributes in lower case that it does not extend to. */
  readonly deniedAttributes: ReadonlySet<string>;
}

export interface Caller {
  readonly name: string;
  /** The tenant whose real-time and admin interfaces it may use: those paths name no tenant. */
  readonly tenant: string;
  readonly proxy: readonly ProxyGrant[];
  readonly realTime?: { readonly sourceSystems: Names };
  readonly admin?: { readonly sourceSystems: Names };
  /** Where it may call from; absent means anywhere. */
  readonly sourceNetworks?: Networks;
}

/** A caller and how it proved to be it, for the audit record. */
export interface IdentifiedCaller extends Caller {
  readonly auth: 'basic' | 'token' | 'jwt' | 'certificate';
  /** Which of its secrets or certificates it has shown, or was given its token for. */
  readonly credential?: string;
}

export function mayWrite(caller: Caller, system: string, resourceType: string): boolean {
  return mayProxy(caller, system, resourceType, 'write');
}

/** `*` as the resource type asks for a grant over all types, not for a grant over some. */
export function mayProxy(caller: Caller, system: string, resourceType: string, effect: Effect): boolean {
  return grantsOf(caller, system, resourceType, effect).length > 0;
}

/** Grants add up, so an attribute is denied when no grant extends to it. */
export function deniedAttributes(
  caller: Caller,
  system: string,
  resourceType: string,
  effect: Effect,
): ReadonlySet<string> {
  const [first, ...more] = grantsOf(caller, system, resourceType, effect).map(
    (grant) => grant.deniedAttributes,
  );
  return more.reduce((common, denied) => common.intersection(denied), first ?? new Set<string>());
}

function grantsOf(caller: Caller, system: string, resourceType: string, effect: Effect): ProxyGrant[] {
  return caller.proxy.filter(
    (grant) =>
      covers(grant.systems, system) && covers(grant.resourceTypes, resourceType) && grant.effects.has(effect),
  );
}

export function covers(names: Names, name: string): boolean {
  return names === '*' || names.has(name);
}
