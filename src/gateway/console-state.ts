/** What the console shows of the gateway and does with it; each figure is read where it lives. */
import { sayTried, type Alerts, type Tried } from '../alerts/alerts.ts';
import type { Cache } from '../cache/cache.ts';
import type { Overview, Paused, Shortage, TenantGauge } from '../console/api/overview.ts';
import type { ConsoleState } from '../console/state.ts';
import type { Traffic } from '../console/traffic.ts';
import type { DeliveryState } from '../delivery/shipper.ts';
import type { Holds, Release } from '../guard/holds.ts';
import { partOf } from '../pace/part.ts';
import type { Pages } from '../pages/pages.ts';
import { priorities, type Operation } from '../scim/operation.ts';
import { noQuery } from '../scim/target.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';
import type { Config, System } from './config.ts';
import { callerStateOf, gaugeOf, holdOf, snapshotsOf, soonest, systemStateOf } from './console-figures.ts';
import type { Expiring } from './expiry.ts';
import { decidingFiles, openPlaces } from './open-places.ts';
import type { Pacers } from './pacers.ts';
import type { Running } from './running.ts';
import { checksOf } from './security-checks.ts';

export interface Shown {
  readonly version: string;
  readonly config: () => Config;
  /** Those that were read for it. */
  readonly files: () => Iterable<string>;
  readonly traffic: Traffic;
  readonly obstacles: () => readonly string[];
  readonly shortages: () => readonly Shortage[];
  readonly running: Running;
  readonly pacers: Pacers;
  readonly cache: Pick<Cache, 'forget'>;
  readonly snapshots: Snapshots;
  readonly pages: Pick<Pages, 'agreedAt'>;
  readonly holds: Pick<Holds, 'all' | 'leftOf' | 'release'>;
  readonly isCacheUsed: () => boolean;
  readonly ends: () => readonly Expiring[];
  readonly deliveries: () => ReadonlyMap<string, DeliveryState>;
  readonly alerts: Pick<Alerts, 'try' | 'states'>;
}

const minuteMs = 60_000;
const discovery = ['ServiceProviderConfig', 'Schemas', 'ResourceTypes'];

export class ShownState implements ConsoleState {
  readonly #shown: Shown;
  readonly #paused = new Map<string, Paused>();
  readonly #forgotten = new Map<string, string>();

  constructor(shown: Shown) {
    this.#shown = shown;
  }

  get version(): string {
    return this.#shown.version;
  }

  get instance(): string {
    return this.#shown.config().audit.instance;
  }

  async overview(): Promise<Omit<Overview, 'audit'>> {
    const { traffic, obstacles, shortages, running, ends, deliveries, isCacheUsed } = this.#shown;
    const { hits, reads, ...recent } = traffic.recent();
    const stops = obstacles();
    return {
      at: new Date().toISOString(),
      instance: this.instance,
      version: this.version,
      startedAt: new Date(traffic.since).toISOString(),
      ready: stops.length === 0,
      obstacles: stops,
      shortages: shortages(),
      traffic: traffic.steps(),
      ...recent,
      cache: { used: isCacheUsed(), ...(reads > 0 && { hitShare: hits / reads }), hits, reads },
      tenants: this.#gauges(),
      expiring: soonest(ends()),
      destinations: [...deliveries()].map(([name, state]) => ({ name, ...state })),
      running: running.count,
    };
  }

  async parties(): ReturnType<ConsoleState['parties']> {
    const { config, traffic, snapshots, pages, holds } = this.#shown;
    const { systems, callers } = config();
    const kept = await snapshots.states();
    return {
      since: new Date(traffic.since).toISOString(),
      systems: Object.values(systems).map((system) =>
        systemStateOf(system, traffic, {
          snapshots: snapshotsOf(system, kept),
          forgottenAt: this.#forgotten.get(system.id),
          hasAgreed: pages.agreedAt(system.id),
        }),
      ),
      tenants: this.#gauges(),
      callers: Object.values(callers).map((caller) => callerStateOf(caller, traffic)),
      holds: await Promise.all(holds.all.map(async (hold) => holdOf(hold, await holds.leftOf(hold.id)))),
      channels: this.#shown.alerts.states,
    };
  }

  async security(): ReturnType<ConsoleState['security']> {
    const config = this.#shown.config();
    const open = openPlaces(decidingFiles(config, this.#shown.files()));
    return { checks: checksOf(config, this.#shown.ends(), open) };
  }

  knows(kind: 'system' | 'tenant' | 'hold' | 'channel', id: string): boolean {
    const { config } = this.#shown;
    if (kind === 'hold') return this.held(id) !== undefined;
    if (kind === 'channel') return Object.hasOwn(config().alerts.channels, id);
    return Object.hasOwn(kind === 'system' ? config().systems : config().tenants, id);
  }

  names(kind: 'systems' | 'tenants' | 'channels'): readonly string[] {
    const { systems, tenants, alerts } = this.#shown.config();
    return Object.keys({ systems, tenants, channels: alerts.channels }[kind]);
  }

  held(id: string): number | undefined {
    return this.#shown.holds.all.find((hold) => hold.id === id)?.amount;
  }

  async forget(id: string): Promise<string | undefined> {
    const system = this.#shown.config().systems[id];
    if (!system) return undefined;
    await this.#shown.cache.forget(everythingOf(system));
    this.#forgotten.set(id, new Date().toISOString());
    return `Nothing that was remembered of ${id} is told any more.`;
  }

  async pause(
    tenant: string,
    { minutes, by, reason }: { readonly minutes: number; readonly by: string; readonly reason: string },
  ): Promise<string | undefined> {
    if (!this.#shown.pacers.hold(tenant, minutes * minuteMs)) return undefined;
    const since = Date.now();
    const until = new Date(since + minutes * minuteMs).toISOString();
    this.#paused.set(tenant, { since: new Date(since).toISOString(), until, by, reason });
    return `This replica sends nothing to ${tenant} until ${until}.`;
  }

  async resume(tenant: string): Promise<string | undefined> {
    if (!this.#shown.pacers.hold(tenant, 0)) return undefined;
    this.#paused.delete(tenant);
    return `Calls go to ${tenant} again.`;
  }

  async release(
    id: string,
    { count, minutes, user, reason }: Parameters<ConsoleState['release']>[1],
  ): Promise<string | undefined> {
    const actor = { user, occasion: 'console' };
    const release = { hold: id, count, lifetimeMs: minutes * minuteMs, reason, actor };
    const isOpen = await this.#shown.holds.release(release);
    return isOpen ? `${count} may pass within ${minutes} minutes.` : undefined;
  }

  async releaseSome(release: Release): Promise<string | undefined> {
    return (await this.#shown.holds.release(release)) ? `${release.hold} released` : undefined;
  }

  async releaseSnapshot(system: string, resourceType: string): Promise<string | undefined> {
    const isReleased = await this.#shown.snapshots.release(system, resourceType);
    return isReleased ? `The next snapshot of ${resourceType} of ${system} may be of any size.` : undefined;
  }

  tryAlerts(channel: string | undefined): Promise<readonly Tried[]> {
    return this.#shown.alerts.try(channel);
  }

  async tryChannel(channel: string): ReturnType<ConsoleState['tryChannel']> {
    const tried = await this.tryAlerts(channel);
    return tried.length === 0
      ? undefined
      : { taken: tried.every(({ taken }) => taken), says: sayTried(tried) };
  }

  #gauges(): TenantGauge[] {
    const { config, pacers } = this.#shown;
    const states = new Map(pacers.states());
    const { tenants, replicas, cache } = config();
    return Object.values(tenants).map((tenant) =>
      gaugeOf(tenant, {
        replicas,
        part: partOf(tenant.pace, replicas, cache.store === 'redis'),
        state: states.get(tenant.id),
        paused: this.#paused.get(tenant.id),
        upLastMinute: this.#shown.traffic.upInLastMinute(tenant.id),
      }),
    );
  }
}

/** A write that could have changed everything. */
function everythingOf({ id, tenant, resourceTypes }: System): Operation {
  return {
    api: 'proxy',
    kind: 'bulk',
    effect: 'write',
    tenant,
    system: id,
    resourceType: '*',
    query: noQuery,
    path: '/',
    touches: [...resourceTypes, ...discovery, '*'].map((resourceType) => ({ scope: 'all', resourceType })),
    priority: priorities.list,
    parts: [],
  };
}
