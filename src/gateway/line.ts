/**
 * What a reload of the configuration builds anew: the line with all that the configuration says of callers, tenants,
 * systems and limits. A call keeps the line that it began with; what lives longer than a line is handed in.
 */
import type { Trail } from '../audit/trail.ts';
import { createBearerLogOn } from '../auth/bearer.ts';
import { createCertificateLogOn } from '../auth/certificate.ts';
import { createIdentify } from '../auth/identify.ts';
import { createForeignVerifier } from '../auth/issuer.ts';
import { createLogOn } from '../auth/log-on.ts';
import type { SecretBook } from '../auth/secret-book.ts';
import type { Throttle } from '../auth/throttle.ts';
import { createTokenEndpoint } from '../auth/token-endpoint.ts';
import { Tokens } from '../auth/token.ts';
import type { Cache } from '../cache/cache.ts';
import type { CallerLimits } from '../pace/caller-limits.ts';
import type { Pages } from '../pages/pages.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';
import type { Repeats } from '../writes/repeats.ts';
import type { GroupUpdates } from '../writes/updates.ts';
import { authorities } from './authorities.ts';
import { callersOf, certificatesOf, issuersOf } from './callers.ts';
import type { Config, Limits } from './config.ts';
import type { Doubts } from './doubts.ts';
import { createExchange, type Exchange } from './exchange.ts';
import type { Guarding } from './guarded.ts';
import { listenersOf } from './listener.ts';
import type { Pacers } from './pacers.ts';
import type { System } from './place.ts';
import { quirksOf, type CallerHabits } from './profiles.ts';
import { systemsOf, tenantsOf } from './systems.ts';
import { createTenantAccess, type TenantAccess, type Upstream } from './upstream.ts';

/** What callers log on to, as challenges name it. */
export const realm = 'Gatehouse';

/** What lives as long as the process. */
export interface Foundation {
  readonly trail: Trail;
  readonly secrets: SecretBook;
  readonly throttle: Throttle;
  readonly tokenKey: Buffer;
  readonly cache: Cache;
  readonly pages: Pages;
  readonly snapshots: Snapshots;
  readonly doubts: Doubts;
  readonly guarding: Guarding;
  readonly updates: GroupUpdates;
  readonly repeats: Repeats;
  readonly pacers: Pacers;
  readonly callerLimits: CallerLimits;
  readonly habits: CallerHabits;
  /** Aborts what still runs when the grace of a shutdown is over. */
  readonly ending: AbortSignal;
  /** The port that each listener for callers has got, by its place in the configuration. */
  readonly ports: ReadonlyMap<string, number>;
}

/** Disposed, it takes no new call; those that it has run to their ends. */
export interface Line extends Disposable {
  /** Where callers reach it, as links in replies name it. */
  readonly url: string;
  readonly exchange: Exchange;
  readonly systems: ReadonlyMap<string, System>;
  readonly isOurs: (authority: string) => boolean;
  readonly limits: Limits;
}

/** @param upstreams address and credential of each tenant of the configuration */
export function createLine(config: Config, upstreams: readonly Upstream[], foundation: Foundation): Line {
  const { listen, publicUrl, replicas, limits, patience, oauth } = config;
  const { secrets, throttle, tokenKey, pacers, ports } = foundation;
  const url = publicUrl ?? `${listen.tls ? 'https' : 'http'}://${listen.host}:${ports.get('listen')}`;
  const ours = authorities(
    url,
    listenersOf(config).map(([place, each]) => ({ ...each, port: ports.get(place) ?? each.port })),
  );
  const isOurs = (authority: string): boolean => ours.has(authority.toLowerCase());
  const accesses = new Map<string, TenantAccess>();
  for (const upstream of upstreams)
    accesses.set(
      upstream.id,
      createTenantAccess(upstream, { ...foundation, pacer: pacers.of(upstream, replicas) }),
    );
  const callers = callersOf(config);
  const logOn = createLogOn({ callers, secrets, throttle });
  const tokens = new Tokens({ key: tokenKey, lifetimeMs: oauth.tokenLifetime });
  const verifyForeign = createForeignVerifier(issuersOf(config));
  const certificateLogOn = createCertificateLogOn(callers, certificatesOf(config));
  const bearerLogOn = createBearerLogOn({ callers, secrets, certificateLogOn, tokens, verifyForeign });
  const systems = systemsOf(config, url, upstreams, accesses);
  const exchange = createExchange({
    ...foundation,
    identify: createIdentify({ logOn, bearerLogOn, certificateLogOn, realm }),
    tokenEndpoint: createTokenEndpoint({ logOn, certificateLogOn, tokens, realm }),
    systems,
    tenants: tenantsOf(config, upstreams, accesses),
    isOurs,
    guardSettings: config.guard,
    quirks: quirksOf(config),
    maxTargetLength: limits.target,
    patienceMs: patience,
  });
  return {
    url,
    exchange,
    systems,
    isOurs,
    limits,
    [Symbol.dispose]: () => accesses.forEach((access) => access[Symbol.dispose]()),
  };
}
