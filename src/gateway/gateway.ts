/**
 * The composition root: configuration → parts → a gateway that listens. Parts get values and opened things;
 * they are closed in the opposite order, the trail last, so that every outcome is still recorded.
 */
import { dirname, join } from 'node:path';

import { watchClock } from '../audit/clock.ts';
import { parseKey } from '../audit/note.ts';
import { readOrCreatePeriodKey } from '../audit/period-file.ts';
import { parseRevealKey, Sealer } from '../audit/seal.ts';
import { createTrail, type Trail } from '../audit/trail.ts';
import { openSecretBook } from '../auth/secret-book.ts';
import { startAdmin, type AdminOptions } from '../console/admin.ts';
import { startHealth } from '../console/health.ts';
import { Metrics } from '../console/metrics.ts';
import { Delivery } from '../delivery/delivery.ts';
import { describeError, log, setLogLevel } from '../log.ts';
import { CallerLimits } from '../pace/caller-limits.ts';
import { Pages } from '../pages/pages.ts';
import type { Edge } from './app.ts';
import { callerLimitsOf } from './callers.ts';
import { changesBetween, configHash, refuseFixed } from './config-changes.ts';
import { ConfigFaults } from './config-faults.ts';
import type { Config } from './config.ts';
import { destinationsOf } from './destinations.ts';
import { Doubts } from './doubts.ts';
import { endsIn, secretEnds, watchExpiry, type Expiring } from './expiry.ts';
import { showState } from './gauges.ts';
import { deriveKey, readOrCreateKey } from './key-file.ts';
import { createLine, realm, type Foundation } from './line.ts';
import { listenersOf, openListener, watchShown, type Listener } from './listener.ts';
import { networkOf, Noise } from './noise.ts';
import { Running } from './running.ts';
import type { ReportNoise } from './server.ts';
import { openCache } from './shared-cache.ts';
import { openPacers } from './shared-quota.ts';
import { openThrottle } from './shared-throttle.ts';
import { watchSpace } from './space.ts';
import { contextOptions } from './tls.ts';
import type { Upstream } from './upstream.ts';

export interface Gateway extends AsyncDisposable {
  /** Where callers reach it, as links in replies name it. */
  readonly url: string;
  readonly adminUrl: string;
  /** The port of each listener for callers, and of the one for health, by its place in the configuration. */
  readonly ports: ReadonlyMap<string, number>;
  /** Says in the trail that something happened that nobody expected; whoever calls it ends the process. */
  reportFault(fault: unknown): void;
  /** Reads the secrets and what the listener shows again; what comes of it is in the trail and the log. */
  reload(): Promise<void>;
  /**
   * Puts another configuration in force for calls that come from now on, once the trail says what changes; false when
   * it is at fault or needs a restart, and the last good one stays. The trail and the log say which.
   * @param actor who or what changed it, for the trail
   */
  reconfigure(load: () => Config, actor: Readonly<Record<string, unknown>>): Promise<boolean>;
}

export interface GatewayOptions {
  readonly version: string;
  /** Address and credential of each tenant; those of embedded ones are known once they run. */
  readonly upstreamsOf: (config: Config) => readonly Upstream[];
  /** Goes on behind a trail that was tampered with, which its verifier will always tell. */
  readonly acceptDamaged?: boolean;
}

export async function createGateway(config: Config, options: GatewayOptions): Promise<Gateway> {
  setLogLevel(config.log.level);
  await using starting = new AsyncDisposableStack();
  const key = await readOrCreateKey(config.audit.keyFile);
  const metrics = new Metrics(options.version);
  let delivery: Delivery | undefined;
  // It ends behind the trail, so that the trail's last lines go too.
  starting.defer(() => delivery?.[Symbol.asyncDispose]());
  const trail = starting.use(await openTrail(config, options, deriveKey(key, 'audit'), metrics));
  await trail.note('process.start', {
    node: process.version,
    version: options.version,
    configHash: configHash(config),
  });
  starting.defer(() => trail.remember('process.stop'));
  const note = (event: string, facts?: Record<string, unknown>): void => void trail.remember(event, facts);
  delivery = new Delivery({ ...config.audit, note }, destinationsOf(config));
  starting.use(watchClock((stepMs) => note('clock.stepped', { stepMs })));
  const noise = starting.use(new Noise((event, facts) => note(event, { ...facts })));
  const secrets = starting.use(
    await openSecretBook(config.secretsFile, {
      onReloaded: () => note('secret.reloaded'),
      onBroken: warn('the file of secrets is broken; the last good one stays in force'),
    }),
  );
  let isCacheUsed = true;
  const onCache = (isUsed: boolean): void => void (isCacheUsed = isUsed);
  const { cache, keepTo: keepCacheTo } = starting.use(
    openCache(config, deriveKey(key, 'cache'), note, onCache),
  );
  const pages = new Pages({ onDifference: (facts) => note('cache.probe_differs', { ...facts }) });
  const doubts = starting.use(new Doubts(cache));
  const { throttle } = starting.use(openThrottle(config, deriveKey(key, 'throttle'), note));
  const running = new Running();
  const { pacers } = starting.use(openPacers(config, note));
  const callerLimits = starting.use(new CallerLimits(callerLimitsOf(config)));

  let serving = false;
  const obstaclesNow = (): string[] => obstacles(trail, running, serving);
  // First up and last down of the listeners: whoever asks for health is answered while the others drain.
  const admin = starting.use(await openAdmin(config.admin, { obstacles: obstaclesNow, metrics }, note));
  const ports = new Map<string, number>();
  if (config.health) {
    const isReady = (): boolean => obstaclesNow().length === 0;
    const health = starting.use(await startHealth({ ...config.health, isReady }));
    ports.set('health', health.port);
  }
  const report: ReportNoise = (...seen) => noise.report(...seen);
  const listeners = new Map<string, Listener>();
  for (const [place, settings] of listenersOf(config)) {
    const parts = { place, limits: config.limits, realm, report, note };
    const listener = starting.use(await openListener(settings, parts));
    listeners.set(place, listener);
    ports.set(place, listener.port);
  }
  const foundation: Foundation = {
    trail,
    secrets,
    throttle,
    tokenKey: deriveKey(key, 'token'),
    cache,
    pages,
    doubts,
    pacers,
    callerLimits,
    ending: running.ending,
    ports,
  };
  let inForce = config;
  let line = createLine(config, options.upstreamsOf(config), foundation);
  starting.defer(() => line[Symbol.dispose]());
  const ends = (): Expiring[] => [...endsIn(inForce), ...secretEnds(secrets.ends())];
  const expiry = starting.use(watchExpiry(ends, note));
  starting.defer(() =>
    running.drain(
      [...listeners.values()].map(({ server }) => server),
      longestWriteMs(inForce) + 20_000,
    ),
  );
  const edge: Edge = {
    exchange: (call) => running.track(line.exchange(call)),
    isOurs: (authority) => line.isOurs(authority),
    get maxHeaders() {
      return line.limits.headers;
    },
    bodyTimeMs: config.limits.bodyTime,
    idleTimeMs: config.limits.idleTime,
    isDraining: () => running.draining,
  };
  for (const listener of listeners.values()) listener.serve(edge);
  const space = (): ReturnType<Trail['space']> => trail.space();
  starting.use(watchSpace(space, join(config.audit.directory, config.audit.instance), note));
  showState(metrics, {
    obstacles: obstaclesNow,
    space,
    running,
    pacers,
    isCacheUsed: () => isCacheUsed,
    listeners,
    ends,
    deliveries: () => delivery?.states() ?? new Map(),
  });
  serving = true;
  const parts = starting.move();
  const reload = async (): Promise<void> => {
    for (const each of [admin, ...listeners.values()]) each.reload();
    await secrets.reload();
    expiry.check();
  };
  const apply = async (next: Config, actor: object): Promise<void> => {
    const changes = changesBetween(inForce, next);
    if (changes.length === 0) return;
    refuseFixed(changes, 'the new configuration');
    const nextLine = createLine(next, options.upstreamsOf(next), foundation);
    // Said before it holds: what was allowed at any moment can be told from the trail alone.
    for (const change of changes)
      await trail.note('config.changed', { ...change, actor, configHash: configHash(next) });
    line[Symbol.dispose]();
    [line, inForce] = [nextLine, next];
    pacers.keepTo(next);
    keepCacheTo(next);
    callerLimits.adjust(callerLimitsOf(next));
    setLogLevel(next.log.level);
    expiry.check();
    if (changes.some(({ setting }) => setting.startsWith('audit.destinations.')))
      await delivery?.replace(destinationsOf(next));
    log.info('the configuration was read again', { changed: changes.map(({ setting }) => setting) });
  };
  const reconfigure: Gateway['reconfigure'] = async (load, actor) => {
    try {
      await apply(load(), actor);
      return true;
    } catch (cause) {
      const faults = cause instanceof ConfigFaults ? cause.faults : [];
      log.error('the new configuration is refused; the last good one stays', {
        faults,
        ...describeError(cause),
      });
      note('config.refused', { actor, settings: faults.map(({ path }) => path) });
      return false;
    }
  };
  return {
    url: line.url,
    adminUrl: admin.url,
    ports,
    reportFault: (fault) => note('process.fault', { ...describeError(fault) }),
    reload,
    reconfigure,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

function longestWriteMs({ systems }: Config): number {
  return Math.max(...Object.values(systems).map(({ deadlines }) => deadlines.write), 0);
}

async function openTrail(
  config: Config,
  { version, acceptDamaged = false }: GatewayOptions,
  key: Buffer,
  { observe: onRecord }: Metrics,
): Promise<Trail> {
  const { directory, instance, mode, ballast, keepDays, keyFile, periodKeyFile, revealKeys } = config.audit;
  const told = config.audit.witness;
  const periodKey = await readOrCreatePeriodKey(periodKeyFile ?? join(dirname(keyFile), 'periods.key'));
  const sealFor = revealKeys?.map(parseRevealKey).filter((each) => each !== undefined);
  const witnessKey = told && parseKey(told.publicKey);
  const witness = told && witnessKey && { url: told.url, key: witnessKey };
  const report = (event: string, facts: object): void => void log.warn(event, { ...facts });
  return createTrail({
    directory,
    instance,
    mode,
    key,
    periodKey,
    networkOf,
    version,
    configHash: configHash(config),
    acceptDamaged,
    report,
    onRecord,
    ...(witness && { witness }),
    ...(sealFor && { sealer: new Sealer(sealFor) }),
    limits: {
      ballastBytes: ballast,
      ...(keepDays !== undefined && { keepMs: keepDays * 86_400_000 }),
    },
  });
}

type Note = (event: string, facts?: Record<string, unknown>) => void;

/** What it shows follows its files, as at every listener. */
async function openAdmin(
  { host, port, tls }: Config['admin'],
  parts: Pick<AdminOptions, 'obstacles' | 'metrics'>,
  note: Note,
) {
  const admin = await startAdmin({ host, port, ...parts, ...(tls && { tls: contextOptions(tls) }) });
  const watch = tls && watchShown('admin', tls, (found) => admin.show(contextOptions(found)), note);
  return {
    url: admin.url,
    reload: () => watch?.reload(),
    async [Symbol.asyncDispose]() {
      watch?.[Symbol.dispose]();
      await admin[Symbol.asyncDispose]();
    },
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
