/** A gateway before an embedded tenant, with one technical user per profile: the same call with and without repair. */
import type { ConfigDocument } from '../../src/gateway/config-schema.ts';
import { Secret } from '../../src/gateway/secret.ts';
import type { TenantOptions } from '../../src/ips/tenant.ts';
import { clientId, proxyId, secret, startedTenant } from '../ips/started-tenant.ts';
import { startGateway, type TestGateway, type TestGatewayOptions } from '../support/gateway.ts';

export interface Callers extends AsyncDisposable {
  readonly gateway: TestGateway;
  readonly base: string;
  /** A call of the technical user that is called like its profile. */
  as(profile: string, path: string, init?: RequestInit): Promise<Response>;
  /** What the tenant says of one resource when it is asked by nobody of ours. */
  readonly ofTenant: Awaited<ReturnType<typeof startedTenant>>['call'];
}

const permissions = [
  { permission: 'Access Proxy System API', systems: 'all', access: ['read', 'write'] },
] as const;

const pace = { perMinute: 3000, burst: 500, tenantLimit: 100_000, concurrency: 8 };

export async function startCallers(
  profiles: readonly string[],
  tenantOptions: Partial<TenantOptions> = {},
  system: TestGatewayOptions['system'] = {},
): Promise<Callers> {
  await using starting = new AsyncDisposableStack();
  const started = starting.use(await startedTenant(tenantOptions));
  const callers = starting.use(await startReplica(started, profiles, system));
  const running = starting.move();
  return { ...callers, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** One of several gateways before the same tenant; what they share is in the configuration. */
export async function startReplica(
  started: Awaited<ReturnType<typeof startedTenant>>,
  profiles: readonly string[],
  system: TestGatewayOptions['system'] = {},
  config: TestGatewayOptions['config'] = {},
): Promise<Callers> {
  const callers: ConfigDocument['callers'] = Object.fromEntries(
    profiles.map((profile) => [
      profile,
      { profile, permissions: permissions.map((row) => ({ ...row, access: [...row.access] })) },
    ]),
  );
  const credential = { type: 'basic', user: clientId, secret: new Secret(secret) } as const;
  const gateway = await startGateway({
    upstream: started.tenant.url.origin,
    tenant: { pace, credential },
    system: { id: proxyId, cache: { enabled: false }, ...system },
    callers,
    config,
  });
  return {
    gateway,
    base: gateway.base,
    as: (profile, path, init = {}) =>
      fetch(`${gateway.base}${path}`, {
        ...init,
        headers: { authorization: gateway.logOn(profile), ...(init.headers as Record<string, string>) },
        redirect: 'manual',
      }),
    ofTenant: started.call,
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

/** The names in the records of a technical user's answered calls, one list for each. */
export async function repairsOf({ gateway }: Callers, caller: string): Promise<readonly unknown[]> {
  const records = await gateway.records();
  return records
    .filter(({ outcome, actor }) => outcome?.http !== undefined && nameOf(actor) === caller)
    .map(({ repairs }) => repairs ?? []);
}

function nameOf(actor: unknown): unknown {
  return typeof actor === 'object' && actor !== null && 'name' in actor ? actor.name : undefined;
}
