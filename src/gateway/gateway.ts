/**
 * The composition root: configuration → parts → a gateway that listens. Parts get values and opened things;
 * they are closed in the opposite order, the trail last, so that every outcome is still recorded.
 */
import type { Server } from 'node:http';

import { createTrail, type Trail } from '../audit/trail.ts';
import { createBearerLogOn } from '../auth/bearer.ts';
import { createCertificateLogOn } from '../auth/certificate.ts';
import { createIdentify } from '../auth/identify.ts';
import { createForeignVerifier } from '../auth/issuer.ts';
import { createLogOn } from '../auth/log-on.ts';
import { openSecretBook } from '../auth/secret-book.ts';
import { Throttle } from '../auth/throttle.ts';
import { createTokenEndpoint } from '../auth/token-endpoint.ts';
import { Tokens } from '../auth/token.ts';
import { createCache, type Cache } from '../cache/cache.ts';
import { createMemoryStore } from '../cache/memory-store.ts';
import { createRedisStore } from '../cache/redis-store.ts';
import { startAdmin } from '../console/admin.ts';
import { describeError, log, setLogLevel } from '../log.ts';
import { createApp } from './app.ts';
import { authorities } from './authorities.ts';
import { callersOf, certificatesOf, issuersOf } from './callers.ts';
import type { Config } from './config.ts';
import { Doubts } from './doubts.ts';
import { createExchange } from './exchange.ts';
import { deriveKey, readOrCreateKey } from './key-file.ts';
import { Noise } from './noise.ts';
import { Running } from './running.ts';
import { attach, listen, show, type ReportNoise } from './server.ts';
import { systemsOf, tenantsOf } from './systems.ts';
import { Clients } from './tls-clients.ts';
import { watchTls, type TlsReload } from './tls-reload.ts';
import type { TlsMaterial } from './tls.ts';
import { createTenantAccess, type TenantAccess, type Upstream } from './upstream.ts';

/** What callers log on to, as challenges name it. */
const realm = 'Gatehouse';

export interface Gateway extends AsyncDisposable {
  /** Where callers reach it, as links in replies name it. */
  readonly url: string;
  readonly adminUrl: string;
  /** Reads the secrets and what the listener shows again; what comes of it is in the trail and the log. */
  reload(): Promise<void>;
}

export interface GatewayOptions {
  readonly version: string;
  readonly configHash: string;
  /** Address and credential of each tenant; those of embedded ones are known once they run. */
  readonly upstreams: readonly Upstream[];
}

export async function createGateway(config: Config, options: GatewayOptions): Promise<Gateway> {
  setLogLevel(config.log.level);
  await using starting = new AsyncDisposableStack();
  const key = await readOrCreateKey(config.audit.keyFile);
  const trail = starting.use(await openTrail(config, options, deriveKey(key, 'audit')));
  await trail.note('process.start', { node: process.version });
  starting.defer(() => trail.note('process.stop').catch(warn('the stop could not be recorded')));
  const note = (event: string, facts?: Record<string, unknown>): void =>
    void trail.note(event, facts).catch(warn(`${event} could not be recorded`));
  const noise = starting.use(new Noise((event, facts) => note(event, { ...facts })));
  const secrets = starting.use(
    await openSecretBook(config.secretsFile, {
      onReloaded: () => note('secret.reloaded'),
      onBroken: warn('the file of secrets is broken; the last good one stays in force'),
    }),
  );
  const callers = callersOf(config);
  const logOn = createLogOn({ callers, secrets, throttle: new Throttle({ report: note }) });
  const tokens = new Tokens({ key: deriveKey(key, 'token'), lifetimeMs: config.oauth.tokenLifetime });
  const verifyForeign = createForeignVerifier(issuersOf(config));
  const bearerLogOn = createBearerLogOn({ callers, secrets, tokens, verifyForeign });
  const cache = starting.use(openCache(config, deriveKey(key, 'cache'), note));
  const doubts = starting.use(new Doubts(cache));
  const running = new Running();
  const accesses = new Map<string, TenantAccess>();
  for (const upstream of options.upstreams)
    accesses.set(
      upstream.id,
      starting.use(createTenantAccess(upstream, config.replicas, trail, running.ending)),
    );

  let serving = false;
  // First up and last down of the listeners: whoever asks for health is answered while the others drain.
  const admin = starting.use(
    await startAdmin({ ...config.admin, obstacles: () => obstacles(trail, running, serving) }),
  );
  const { server, port } = await listen(listenerOptions(config), (...seen) => noise.report(...seen));
  const clients = openClients(config, server, (...seen) => noise.report(...seen));
  const exchangeTls = (found: TlsMaterial): void => {
    show(server, found);
    if (found.clients) clients?.trust(found.clients);
  };
  const tls = openTlsReload(config, exchangeTls, note);
  if (tls) starting.use(tls);
  const longestWriteMs = Math.max(
    ...Object.values(config.systems).map(({ deadlines }) => deadlines.write),
    0,
  );
  starting.defer(() => running.drain(server, longestWriteMs + 20_000));
  const url = config.publicUrl ?? `${config.listen.tls ? 'https' : 'http'}://${config.listen.host}:${port}`;
  const ours = authorities(url, config.listen, port);
  const isOurs = (authority: string): boolean => ours.has(authority.toLowerCase());
  const exchange = createExchange({
    trail,
    cache,
    doubts,
    identify: createIdentify({
      logOn,
      bearerLogOn,
      certificateLogOn: createCertificateLogOn(callers, certificatesOf(config)),
      realm,
    }),
    tokenEndpoint: createTokenEndpoint({ logOn, tokens, realm }),
    systems: systemsOf(config, url, options.upstreams, accesses),
    tenants: tenantsOf(config, options.upstreams, accesses),
    isOurs,
    maxTargetLength: config.limits.target,
    patienceMs: config.patience,
  });
  const app = createApp({
    exchange: (call) => running.track(exchange(call)),
    isOurs,
    maxHeaders: config.limits.headers,
    bodyTimeMs: config.limits.bodyTime,
    idleTimeMs: config.limits.idleTime,
    isDraining: () => running.draining,
    certificateOf: (socket) => clients?.check(socket),
  });
  attach(server, app);
  serving = true;
  const parts = starting.move();
  const reload = async (): Promise<void> => {
    tls?.reload();
    await secrets.reload();
  };
  return { url, adminUrl: admin.url, reload, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

async function openTrail(
  { audit }: Config,
  { version, configHash }: GatewayOptions,
  key: Buffer,
): Promise<Trail> {
  const { directory, instance } = audit;
  const report = (event: string, facts: object): void => void log.warn(event, { ...facts });
  return createTrail({ directory, instance, key, version, configHash, report });
}

type Note = (event: string, facts?: Record<string, unknown>) => void;

function openCache({ cache }: Config, key: Buffer, note: Note): Cache {
  const onUnreadable = (): void => note('cache.integrity_failure');
  if (cache.store === 'memory' || !cache.redis)
    return createCache({ store: createMemoryStore({ maxBytes: cache.memory.size }), key, onUnreadable });
  const { url, tls, budget } = cache.redis;
  const store = createRedisStore({
    url: url.reveal(),
    ...(tls && { tls: { ca: tls.ca.text } }),
    budgetMs: budget,
    onState: ({ state, reason }) => {
      log.warn('the cache changed its state', { state, reason });
      note(state === 'on' ? 'cache.recovered' : 'cache.degraded', { state, reason });
    },
  });
  return createCache({ store, key, onUnreadable });
}

function openClients({ listen }: Config, server: Server, report: ReportNoise): Clients | undefined {
  const clients = listen.tls?.clients && new Clients(listen.tls.clients, { report, realm });
  clients?.watch(server);
  return clients;
}

function openTlsReload(
  { listen: { tls } }: Config,
  show: (tls: TlsMaterial) => void,
  note: Note,
): TlsReload | undefined {
  return (
    tls &&
    watchTls(tls, {
      show,
      onReloaded: (facts) => {
        log.info('the certificate of the listener was read again', facts);
        note('cert.reloaded', facts);
      },
      onUnfit: (reason) => {
        log.error('the new certificate of the listener is not fit; the last good one stays', { reason });
        note('cert.reload_failed', { reason });
      },
    })
  );
}

function listenerOptions({ listen, limits }: Config) {
  const { host, port, tls, maxConnections, maxConnectionsPerSource } = listen;
  return {
    host,
    port,
    maxConnections,
    maxConnectionsPerSource,
    headersTimeMs: limits.headersTime,
    bodyTimeMs: limits.bodyTime,
    idleTimeMs: limits.idleTime,
    ...(tls && { tls }),
  };
}

function obstacles(trail: Trail, running: Running, serving: boolean): string[] {
  return [
    ...(serving ? [] : ['the gateway is starting']),
    ...(running.draining ? ['the gateway is shutting down'] : []),
    ...(trail.ready ? [] : ['the audit trail cannot be written']),
  ];
}

const warn =
  (message: string) =>
  (error: unknown): void =>
    void log.warn(message, describeError(error));
