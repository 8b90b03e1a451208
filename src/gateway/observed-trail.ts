/**
 * The trail with all that follows its records: figures, alerts, and its delivery to others. They end in the opposite order,
 * the delivery behind the trail, so that the trail's last lines go too.
 */
import { Alerts } from '../alerts/alerts.ts';
import type { Recorded } from '../alerts/table.ts';
import { watchClock } from '../audit/clock.ts';
import type { Trail } from '../audit/trail.ts';
import { Metrics, type Observed } from '../console/metrics.ts';
import { Traffic } from '../console/traffic.ts';
import { Delivery } from '../delivery/delivery.ts';
import { LagWatch } from '../delivery/lag.ts';
import { alertsOf } from './alert-channels.ts';
import { configHash, type Change } from './config-changes.ts';
import type { Config } from './config.ts';
import { destinationsOf } from './destinations.ts';
import { openOwnTrail, quietForMs, type Note, type OwnTrailOptions } from './own-trail.ts';

export interface ObservedTrail extends AsyncDisposable {
  readonly trail: Trail;
  readonly note: Note;
  readonly metrics: Metrics;
  readonly traffic: Traffic;
  readonly alerts: Alerts;
  readonly deliveries: () => ReturnType<Delivery['states']>;
  /** For how long nothing had been recorded when it was opened. */
  readonly quietMs: number;
  /** Keeps to what the configuration says from now on. */
  keepTo(config: Config, changes: readonly Change[]): Promise<void>;
}

type Options = Pick<OwnTrailOptions, 'key' | 'version' | 'acceptDamaged'>;

export async function openObservedTrail(config: Config, options: Options): Promise<ObservedTrail> {
  await using opening = new AsyncDisposableStack();
  const { version } = options;
  const metrics = new Metrics(version);
  const traffic = new Traffic();
  let delivery: Delivery | undefined;
  opening.defer(() => delivery?.[Symbol.asyncDispose]());
  const { instance } = config.audit;
  const alerts = opening.use(new Alerts({ instance, onResult: metrics.countAlert }, alertsOf(config)));
  const onRecord = (event: string, record: Observed & Recorded): void => {
    metrics.observe(event, record);
    traffic.observe(event, record);
    alerts.observe(event, record);
  };
  const quietMs = await quietForMs(config);
  const trail = opening.use(await openOwnTrail(config, { ...options, onRecord }));
  await trail.note('process.start', { node: process.version, version, configHash: configHash(config) });
  opening.defer(() => trail.remember('process.stop'));
  const note: Note = (event, facts) => void trail.remember(event, facts);
  delivery = new Delivery({ ...config.audit, note }, destinationsOf(config));
  const deliveries = (): ReturnType<Delivery['states']> => delivery.states();
  opening.use(new LagWatch(deliveries, note));
  opening.use(watchClock((stepMs) => note('clock.stepped', { stepMs })));
  const opened = opening.move();
  return {
    trail,
    note,
    metrics,
    traffic,
    alerts,
    deliveries,
    quietMs,
    async keepTo(next, changes) {
      const isChanged = (part: string): boolean => changes.some(({ setting }) => setting.startsWith(part));
      if (isChanged('alerts.')) alerts.replace(alertsOf(next));
      if (!isChanged('audit.destinations.')) return;
      await delivery.replace(destinationsOf(next));
      alerts.keepTo(new Set(Object.keys(next.audit.destinations)));
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
