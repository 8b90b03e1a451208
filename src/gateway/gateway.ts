/**
 * The composition root: configuration → parts → a gateway that listens. Parts get values and opened things;
 * they are closed in the opposite order, the trail last, so that every outcome is still recorded.
 */
import { join } from 'node:path';

import { Alerts } from '../alerts/alerts.ts';
import type { Recorded } from '../alerts/table.ts';
import { watchClock } from '../audit/clock.ts';
import type { Trail } from '../audit/trail.ts';
import { openSecretBook, type SecretBook } from '../auth/secret-book.ts';
import type { Condition } from '../console/health.ts';
import { Metrics, type Observed } from '../console/metrics.ts';
import { Traffic } from '../console/traffic.ts';
import { Delivery } from '../delivery/delivery.ts';
import { LagWatch } from '../delivery/lag.ts';
import { describeError, log, setLogLevel } from '../log.ts';
import { CallerLimits } from '../pace/caller-limits.ts';
import { Pages } from '../pages/pages.ts';
import { alertsOf } from './alert-channels.ts';
import type { Edge } from './app.ts';
import { callerLimitsOf } from './callers.ts';
import { conditionOf } from './condition.ts';
import { configHash } from './config-changes.ts';
import type { Config } from './config.ts';
import { ShownState } from './console-state.ts';
import { openConsole } from './console.ts';
import { destinationsOf } from './destinations.ts';
import { Doubts } from './doubts.ts';
import { openEntrances } from './entrances.ts';
import { endsIn, secretEnds, watchExpiry, type Expiring } from './expiry.ts';
import { showState } from './gauges.ts';
import { InForce } from './in-force.ts';
import { deriveKey, readOrCreateKey } from './key-file.ts';
import { createLine, realm } from './line.ts';
import { Noise } from './noise.ts';
import { openOperatorDesk } from './operator-desk.ts';
import { openOwnTrail, quietForMs } from './own-trail.ts';
import { Running } from './running.ts';
import type { ReportNoise } from './server.ts';
import { openCache } from './shared-cache.ts';
import { openGuard } from './shared-guard.ts';
import { openHabits } from './shared-habits.ts';
import { openPacers } from './shared-quota.ts';
import { openRepeats } from './shared-repeats.ts';
import { openSnapshots } from './shared-snapshots.ts';
import { openThrottle } from './shared-throttle.ts';
import { openUpdates } from './shared-updates.ts';
import { Sharing } from './sharing.ts';
import { snapshotsOf, tellingSnapshots } from './snapshot-reads.ts';
import { watchSpace } from './space.ts';
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
  const { version, acceptDamaged = false, upstreamsOf } = options;
  await using starting = new AsyncDisposableStack();
  const key = await readOrCreateKey(config.audit.keyFile);
  const metrics = new Metrics(version);
  let delivery: Delivery | undefined;
  // It ends behind the trail, so that the trail's last lines go too.
  starting.defer(() => delivery?.[Symbol.asyncDispose]());
  const traffic = new Traffic();
  const { instance } = config.audit;
  const alerts = starting.use(new Alerts({ instance, onResult: metrics.countAlert }, alertsOf(config)));
  const onRecord = (event: string, record: Observed & Recorded): void => {
    metrics.observe(event, record);
    traffic.observe(event, record);
    alerts.observe(event, record);
  };
  const quietMs = await quietForMs(config);
  const trail = starting.use(
    await openOwnTrail(config, { key: deriveKey(key, 'audit'), version, acceptDamaged, onRecord }),
  );
  await trail.note('process.start', { node: process.version, version, configHash: configHash(config) });
  starting.defer(() => trail.remember('process.stop'));
  const note = (event: string, facts?: Record<string, unknown>): void => void trail.remember(event, facts);
  delivery = new Delivery({ ...config.audit, note }, destinationsOf(config));
  const deliveries = (): ReturnType<Delivery['states']> => delivery?.states() ?? new Map();
  starting.use(new LagWatch(deliveries, note));
  starting.use(watchClock((stepMs) => note('clock.stepped', { stepMs })));
  const noise = starting.use(new Noise((event, facts) => note(event, { ...facts })));
  const secrets = starting.use(await openSecrets(config, note));
  let isCacheUsed = true;
  const onCache = (isUsed: boolean): void => void (isCacheUsed = isUsed);
  const shared = starting.use(openCache(config, deriveKey(key, 'cache'), note, onCache));
  const sharing = starting.use(new Sharing(config, note));
  const openedSnapshots = openSnapshots(config, sharing, deriveKey(key, 'snapshots'), note);
  const snapshots = starting.use(openedSnapshots.snapshots);
  const cache = tellingSnapshots(shared.cache, snapshots);
  const pages = new Pages({ onDifference: (facts) => note('cache.probe_differs', { ...facts }) });
  const doubts = starting.use(new Doubts(cache));
  const throttle = openThrottle(sharing, deriveKey(key, 'throttle'), note);
  const openedUpdates = openUpdates(config, sharing, deriveKey(key, 'updates'));
  const { updates } = openedUpdates;
  const repeats = openRepeats(sharing, deriveKey(key, 'repeats'));
  const guarding = await openGuard(config, sharing, deriveKey(key, 'guard'), trail);
  const running = new Running();
  const pacers = starting.use(openPacers(config, sharing, quietMs));
  const callerLimits = starting.use(new CallerLimits(callerLimitsOf(config)));

  let isServing = false;
  const condition = (): Condition =>
    conditionOf({
      config,
      trail,
      running,
      pacers,
      isCacheUsed: () => isCacheUsed,
      deliveries: () => delivery?.states() ?? new Map(),
      hasStarted: () => isServing,
    });
  const obstacles = (): readonly string[] => condition().reasons;
  const report: ReportNoise = (...seen) => noise.report(...seen);
  const entrances = starting.use(await openEntrances(config, { condition, metrics, realm, report, note }));
  const { ports, servers } = entrances;
  const tokenKey = deriveKey(key, 'token');
  const { ending } = running;
  const lasting = {
    trail,
    secrets,
    throttle,
    tokenKey,
    cache,
    pages,
    snapshots,
    doubts,
    guarding,
    updates,
    repeats,
    pacers,
    callerLimits,
    habits: openHabits(sharing, deriveKey(key, 'profiles')),
    ending,
    ports,
  };
  const inForce: InForce = starting.use(
    new InForce(config, {
      trail,
      createLine: (next) => createLine(next, upstreamsOf(next), lasting),
      async adjust(next, changes) {
        pacers.keepTo(next);
        shared.keepTo(next);
        openedSnapshots.keepTo(next);
        openedUpdates.keepTo(next);
        keepSnapshots();
        callerLimits.adjust(callerLimitsOf(next));
        setLogLevel(next.log.level);
        expiry.check();
        if (changes.some(({ setting }) => setting.startsWith('alerts.'))) alerts.replace(alertsOf(next));
        if (changes.some(({ setting }) => setting.startsWith('audit.destinations.'))) {
          await delivery?.replace(destinationsOf(next));
          alerts.keepTo(new Set(Object.keys(next.audit.destinations)));
        }
      },
    }),
  );
  const keepSnapshots = (): void => {
    const { kept, others } = snapshotsOf(inForce.line.systems.values(), trail);
    snapshots.keepTo(kept, others);
  };
  keepSnapshots();
  const ends = (): Expiring[] => [...endsIn(inForce.config), ...secretEnds(secrets.ends())];
  const expiry = starting.use(watchExpiry(ends, note));
  starting.defer(() => running.drain([...servers.values()], longestWriteMs(inForce.config) + 20_000));
  const space = (): ReturnType<Trail['space']> => trail.space();
  starting.use(watchSpace(space, join(config.audit.directory, config.audit.instance), note));
  showState(metrics, {
    obstacles,
    space,
    running,
    pacers,
    isCacheUsed: () => isCacheUsed,
    holds: () => guarding.holds.all,
    servers,
    ends,
    snapshots,
    deliveries,
  });
  const state = new ShownState({
    version,
    config: () => inForce.config,
    traffic,
    obstacles,
    running,
    pacers,
    cache,
    snapshots,
    holds: guarding.holds,
    isCacheUsed: () => isCacheUsed,
    ends,
    deliveries,
    alerts,
  });
  const console = await openConsole({
    config: () => inForce.config,
    adminUrl: entrances.adminUrl,
    trail,
    throttle,
    key: deriveKey(key, 'console'),
    state,
  });
  if (console) {
    starting.use(console);
    entrances.serveConsole((...asked) => console.console.answer(...asked));
  }
  starting.use(await openOperatorDesk(config, state, (event, facts) => trail.note(event, facts)));
  entrances.serve(edgeOf(config, inForce, running));
  isServing = true;
  const parts = starting.move();
  return {
    url: inForce.line.url,
    adminUrl: entrances.adminUrl,
    ports,
    reportFault: (fault) => note('process.fault', { ...describeError(fault) }),
    async reload() {
      entrances.reload();
      await secrets.reload();
      await console?.reload();
      expiry.check();
    },
    reconfigure: (load, actor) => inForce.reconfigure(load, actor),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/** What the listeners need of the line in force. */
function edgeOf({ limits }: Config, inForce: InForce, running: Running): Edge {
  return {
    exchange: (call) => running.track(inForce.line.exchange(call)),
    isOurs: (authority) => inForce.line.isOurs(authority),
    get maxHeaders() {
      return inForce.line.limits.headers;
    },
    bodyTimeMs: limits.bodyTime,
    idleTimeMs: limits.idleTime,
    isDraining: () => running.draining,
  };
}

function openSecrets({ secretsFile }: Config, note: (event: string) => void): Promise<SecretBook> {
  return openSecretBook(secretsFile, {
    onReloaded: () => note('secret.reloaded'),
    onBroken: (cause) =>
      void log.warn('the file of secrets is broken; the last good one stays in force', describeError(cause)),
  });
}

function longestWriteMs({ systems }: Config): number {
  return Math.max(...Object.values(systems).map(({ deadlines }) => deadlines.write), 0);
}
