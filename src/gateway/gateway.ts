/**
 * The composition root: configuration → parts → a gateway that listens. Parts get values and opened things;
 * they are closed in the opposite order, the trail last, so that every outcome is still recorded.
 */
import { join } from 'node:path';

import type { Trail } from '../audit/trail.ts';
import type { Condition } from '../console/health.ts';
import { describeError, setLogLevel } from '../log.ts';
import type { Edge } from './app.ts';
import { conditionOf, shortagesOf } from './condition.ts';
import type { Config } from './config.ts';
import { ShownState } from './console-state.ts';
import { openConsole } from './console.ts';
import { openEntrances } from './entrances.ts';
import { endsIn, secretEnds, watchExpiry, type Expiring } from './expiry.ts';
import { openFoundation } from './foundation.ts';
import { showState } from './gauges.ts';
import { InForce } from './in-force.ts';
import { deriveKey, readOrCreateKey } from './key-file.ts';
import { createLine, realm } from './line.ts';
import { Noise } from './noise.ts';
import { openObservedTrail } from './observed-trail.ts';
import { openOperatorDesk } from './operator-desk.ts';
import { RedisCertificate } from './redis-certificate.ts';
import { Running } from './running.ts';
import type { ReportNoise } from './server.ts';
import { snapshotsOf } from './snapshot-reads.ts';
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
  /** Those that were read for the configuration in force, where it is made of files. */
  readonly files?: () => Iterable<string>;
}

export async function createGateway(config: Config, options: GatewayOptions): Promise<Gateway> {
  setLogLevel(config.log.level);
  const { version, acceptDamaged = false, upstreamsOf, files = () => [] } = options;
  await using starting = new AsyncDisposableStack();
  const key = await readOrCreateKey(config.audit.keyFile);
  const ownKey = deriveKey(key, 'audit');
  const observed = starting.use(await openObservedTrail(config, { key: ownKey, version, acceptDamaged }));
  const { trail, note, metrics, traffic, alerts, deliveries } = observed;
  const noise = starting.use(new Noise((event, facts) => note(event, { ...facts })));
  const opened = starting.use(await openFoundation(config, { ...observed, key }));
  const { foundation, isCacheUsed } = opened;
  const { secrets, throttle, cache, pages, snapshots, pacers } = foundation;
  const { holds } = foundation.guarding;
  const running = new Running();

  let isServing = false;
  const hasStarted = (): boolean => isServing;
  const judged = { config, trail, running, pacers, isCacheUsed, deliveries, hasStarted };
  const condition = (): Condition => conditionOf(judged);
  const report: ReportNoise = (...seen) => noise.report(...seen);
  const entrances = starting.use(await openEntrances(config, { condition, metrics, realm, report, note }));
  const { adminUrl, ports, servers } = entrances;
  const lasting = { ...foundation, ending: running.ending, ports };
  const inForce: InForce = starting.use(
    new InForce(config, {
      trail,
      createLine: (next) => createLine(next, upstreamsOf(next), lasting),
      async adjust(next, changes) {
        opened.keepTo(next);
        keepSnapshots();
        setLogLevel(next.log.level);
        expiry.check();
        await observed.keepTo(next, changes);
      },
    }),
  );
  const keepSnapshots = (): void => {
    const { kept, others } = snapshotsOf(inForce.line.systems.values(), trail);
    snapshots.keepTo(kept, others);
  };
  keepSnapshots();
  const ofRedis = starting.use(new RedisCertificate(config.cache, () => expiry.check()));
  const ends = (): Expiring[] => [
    ...endsIn(inForce.config),
    ...ofRedis.ends(),
    ...secretEnds(secrets.ends()),
  ];
  const expiry = starting.use(watchExpiry(ends, note));
  starting.defer(() => running.drain([...servers.values()], longestWriteMs(inForce.config) + 20_000));
  const space = (): ReturnType<Trail['space']> => trail.space();
  starting.use(watchSpace(space, join(config.audit.directory, config.audit.instance), note));
  const obstacles = (): readonly string[] => condition().reasons;
  const shown = { obstacles, running, pacers, isCacheUsed, holds, ends, snapshots, deliveries };
  showState(metrics, { ...shown, space, servers });
  const inForceNow = (): Config => inForce.config;
  const state = new ShownState({
    ...shown,
    shortages: () => shortagesOf(judged),
    version,
    pages,
    config: inForceNow,
    files,
    traffic,
    cache,
    alerts,
  });
  const consoleKey = deriveKey(key, 'console');
  const console = await openConsole({
    config: inForceNow,
    adminUrl,
    trail,
    throttle,
    key: consoleKey,
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
    adminUrl,
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

function longestWriteMs({ systems }: Config): number {
  return Math.max(...Object.values(systems).map(({ deadlines }) => deadlines.write), 0);
}
