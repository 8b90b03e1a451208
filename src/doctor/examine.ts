/**
 * Walks the whole way from this host to every tenant, system and helper of a configuration, and reports leg by leg. What
 * stands behind a broken leg is not tried, and said so.
 */
import type { Trail } from '../audit/trail.ts';
import type { Config } from '../gateway/config.ts';
import { describeWarning, endsIn, secretEnds, warningsOf, type Expiring } from '../gateway/expiry.ts';
import { createTenantAccess, type TenantAccess, type Upstream } from '../gateway/upstream.ts';
import { createPacer } from '../pace/pacer.ts';
import { proxyPath } from '../scim/endpoint.ts';
import { walkAnswer, walkRead, walkToken, type Asked } from './calls.ts';
import { walkDisk, type DiskOptions } from './disk.ts';
import type { Report } from './finding.ts';
import { walkGateway } from './gateway.ts';
import { walkOutlets } from './outlets.ts';
import { walkRedis } from './redis.ts';
import { walkWay, wayTo } from './way.ts';

export interface Examination extends DiskOptions {
  /** Whether one call of each system's quota may be spent. */
  readonly reads: boolean;
  /** When the technical users' secrets end. */
  readonly secretsEnd: Parameters<typeof secretEnds>[0];
}

export async function examine(report: Report, config: Config, given: Examination): Promise<void> {
  const { reads, secretsEnd, ...options } = given;
  await using trail = await walkDisk(report, config, options);
  await walkGateway(report, config.admin);
  await walkRedis(report, config);
  for (const [name, tenant] of Object.entries(config.tenants)) {
    if (tenant.embedded)
      report({
        leg: 'name',
        of: `tenant ${name}`,
        outcome: 'skipped',
        found: 'is embedded: it runs in the gateway',
      });
    else await examineTenant(report, config, tenant, trail, reads);
  }
  await walkOutlets(report, config);
  tellEnds(report, [...endsIn(config), ...secretEnds(secretsEnd)]);
}

async function examineTenant(
  report: Report,
  config: Config,
  tenant: Upstream,
  trail: Trail | undefined,
  reads: boolean,
): Promise<void> {
  const { id } = tenant;
  const skip = (leg: string, of: string, found: string): void =>
    report({ leg, of, outcome: 'skipped', found });
  const systems = Object.values(config.systems).filter((system) => system.tenant === id);
  const way = wayTo(tenant);
  if (!(await walkWay(report, way))) return skip('answer', `tenant ${id}`, 'the way to it is broken');
  if (!trail) return skip('answer', `tenant ${id}`, 'no call goes out that cannot be recorded');
  using access = openAccess(tenant, trail);
  const { deadlines } = config.tenants[id] ?? {};
  const settings = {
    deadlines: deadlines ?? { read: 20_000, write: 20_000 },
    maxReplyBytes: config.limits.reply,
  };
  const { place } = way;
  const askedAt = (url: string): Asked => ({
    trail,
    access,
    place,
    route: access.routeTo(url, 'ips', settings),
  });
  if (!(await walkAnswer(report, askedAt(tenant.url)))) return;
  const holds = tenant.credential.type !== 'oauth' || (await walkToken(report, askedAt(tenant.url)));
  let refused = false;
  for (const { id: system, kind, upstreamId, url } of systems) {
    const of = `system ${system}`;
    if (!holds) skip('read', of, 'there is no token');
    else if (!reads) skip('read', of, 'costs a call of the quota: ask for it with --read');
    else if (refused) skip('read', of, 'the tenant refused the credential, which is tried once');
    else {
      const path = kind === 'ips' ? `${proxyPath(upstreamId)}/Users?count=1` : '/Users?count=1';
      refused = await walkRead(report, askedAt(url ?? tenant.url), system, path);
    }
  }
}

/** Each leg is walked once, so nothing waits for a turn. */
function openAccess(tenant: Upstream, trail: Trail): TenantAccess {
  const pacer = createPacer({ perMinute: 60, burst: 60, concurrency: 1, maxQueue: 1, minuteMs: 60_000 });
  return createTenantAccess(tenant, { pacer, trail, ending: new AbortController().signal });
}

function tellEnds(report: Report, ends: readonly Expiring[]): void {
  const warnings = warningsOf(ends, Date.now());
  for (const warning of warnings)
    report({
      leg: 'expiry',
      of: warning.what,
      outcome: warning.daysLeft < 0 ? 'failed' : 'warning',
      found: describeWarning(warning),
      remedy: 'Renew it; what is read from a file is taken over within a second.',
    });
  if (warnings.length === 0)
    report({ leg: 'expiry', of: 'configuration', outcome: 'ok', found: 'nothing ends within 30 days' });
}
