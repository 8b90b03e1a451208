/**
 * Brings the embedded tenants of a configuration to life and gives every tenant an address and a credential.
 * The gateway's technical user at an embedded tenant exists for as long as the process does.
 */
import { randomBytes, randomUUID } from 'node:crypto';

import type { Config, EmbeddedTenant, Tenant as TenantSettings } from '../gateway/config.ts';
import { Secret } from '../gateway/secret.ts';
import type { Upstream } from '../gateway/upstream.ts';
import { withDefaultTransformations } from '../ips/default-transformations.ts';
import { permissions } from '../ips/technical-users.ts';
import { loadTenantFile } from '../ips/tenant-file.ts';
import { startTenant, type Tenant } from '../ips/tenant.ts';

export interface Embedded extends AsyncDisposable {
  /** Every tenant of a configuration; the embedded ones are those that were started. */
  readonly upstreamsOf: (config: Config) => readonly Upstream[];
  /** The tenants that run inside this process, by their name in the configuration. */
  readonly tenants: ReadonlyMap<string, Tenant>;
}

export async function startEmbedded(config: Config): Promise<Embedded> {
  await using starting = new AsyncDisposableStack();
  const started = new Map<string, Pick<Upstream, 'url' | 'credential'>>();
  const tenants = new Map<string, Tenant>();
  for (const settings of Object.values(config.tenants)) {
    if (!settings.embedded) continue;
    const credential = {
      type: 'basic',
      user: randomUUID(),
      secret: new Secret(randomBytes(32).toString('base64url')),
    } as const;
    const tenant = starting.use(await start(settings, config, credential.user, credential.secret));
    tenants.set(settings.id, tenant);
    started.set(settings.id, { url: tenant.url.origin, credential });
  }
  const upstreamOf = (settings: TenantSettings): Upstream => {
    if (!settings.embedded) return settings;
    const own = started.get(settings.id);
    if (!own) throw new TypeError(`The tenant ${settings.id} was not started.`);
    return { ...settings, ...own };
  };
  const running = starting.move();
  return {
    upstreamsOf: (given) => Object.values(given.tenants).map(upstreamOf),
    tenants,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function start(
  { id, embedded, pace }: TenantSettings & { readonly embedded: EmbeddedTenant },
  { systems }: Config,
  clientId: string,
  secret: Secret,
): Promise<Tenant> {
  const { port, file, users, groups } = embedded;
  const own = { clientId, secrets: [secret.reveal()], permissions };
  if (file !== undefined) {
    const { options } = await loadTenantFile(file, process.env);
    return startTenant({ ...options, port, technicalUsers: [...options.technicalUsers, own] });
  }
  return startTenant({
    port,
    technicalUsers: [own],
    systems: Object.values(systems)
      .filter(({ tenant }) => tenant === id)
      .map(({ upstreamId, name }) =>
        withDefaultTransformations({ id: upstreamId, name, backend: { kind: 'directory', users, groups } }),
      ),
    // A rehearsal may run on a faster clock; the tenant's figures keep their proportion to it.
    limiter: { slowAt: 150, refuseAt: 200, minuteMs: pace.minute, delayMs: pace.minute / 60 },
  });
}
