/** The systems and tenants of the configuration with their ways up, as the line needs them. */
import type { CacheRules } from '../cache/cache.ts';
import { proxyPath } from '../scim/endpoint.ts';
import type { Config, Limits, System as SystemSettings } from './config.ts';
import type { System, TenantInterfaces } from './place.ts';
import type { TenantAccess, Upstream } from './upstream.ts';

export function systemsOf(
  { systems, replicas }: Config,
  publicUrl: string,
  upstreams: readonly Upstream[],
  accesses: ReadonlyMap<string, TenantAccess>,
): ReadonlyMap<string, System> {
  const build = (settings: SystemSettings): System => {
    const { id, tenant, kind, resourceTypes, cache, pages, limits, deadlines, upstreamId } = settings;
    const { connector, patchEntity, lostUpdates, repeats } = settings;
    const upstream = find(upstreams, tenant);
    const base = kind === 'ips' ? upstream.url + proxyPath(upstreamId) : (settings.url ?? upstream.url);
    return {
      id,
      tenant,
      kind,
      resourceTypes,
      route: accessTo(accesses, tenant).routeTo(base, kind, { deadlines, maxReplyBytes: limits.reply }),
      limits: bodyLimits(limits),
      cache: {
        perCaller: cache.scope === 'caller',
        writeReplies: cache.writeReplies,
        rules: rulesOf(cache, replicas),
      },
      pages,
      snapshot: snapshotOf(settings.snapshot, upstream),
      lostUpdates,
      patch: { connector, patchEntity },
      repeats: { enabled: repeats.enabled, windowMs: repeats.window, lookForMs: repeats.lookFor },
      location: { base: new URL(base), systemId: upstreamId, resourceTypes },
      publicUrl: new URL(publicUrl + proxyPath(id)),
    };
  };
  return new Map(Object.entries(systems).map(([id, settings]) => [id, build(settings)]));
}

export function tenantsOf(
  { tenants, limits }: Config,
  upstreams: readonly Upstream[],
  accesses: ReadonlyMap<string, TenantAccess>,
): ReadonlyMap<string, TenantInterfaces> {
  const build = (id: string, { deadlines }: Config['tenants'][string]): TenantInterfaces => ({
    route: accessTo(accesses, id).routeTo(find(upstreams, id).url, 'opaque', {
      deadlines,
      maxReplyBytes: limits.reply,
    }),
    limits: bodyLimits(limits),
  });
  return new Map(Object.entries(tenants).map(([id, tenant]) => [id, build(id, tenant)]));
}

function rulesOf(cache: SystemSettings['cache'], replicas: number): CacheRules {
  const { staleWhileRevalidate, staleOnError } = cache;
  return {
    lifetimeMs: cache.enabled ? cache.lifetime : 0,
    maxStaleMs: cache.maxStale,
    staleWhileRevalidate,
    staleOnError,
    absenceMs: cache.absenceLifetime,
    refreshesPerMinute: cache.refreshesPerMinute / replicas,
  };
}

/** A build takes half of the pace at most, also when nobody else goes up. */
function snapshotOf(settings: SystemSettings['snapshot'], { pace }: Upstream): System['snapshot'] {
  const { enabled, full, changes, maxAge, size, defaultCount } = settings;
  const restMs = (2 * pace.minute) / pace.perMinute;
  const times = { fullMs: full, changesMs: changes, maxAgeMs: maxAge };
  return { enabled, ...times, maxBytes: size, defaultCount, restMs };
}

function bodyLimits({ body, tokens, depth }: Limits) {
  return { maxBytes: body, maxTokens: tokens, maxDepth: depth };
}

function find(upstreams: readonly Upstream[], id: string): Upstream {
  const upstream = upstreams.find((each) => each.id === id);
  if (!upstream) throw new TypeError(`The tenant ${id} has no address.`);
  return upstream;
}

function accessTo(accesses: ReadonlyMap<string, TenantAccess>, id: string): TenantAccess {
  const access = accesses.get(id);
  if (!access) throw new TypeError(`There is no way to the tenant ${id}.`);
  return access;
}
