/** What the gateway shows of its state at each scrape; each figure is read where it lives. */
import type { Server } from 'node:http';

import type { Metrics } from '../console/metrics.ts';
import type { DeliveryState } from '../delivery/shipper.ts';
import type { PacerState } from '../pace/turn.ts';
import type { KeeperState } from '../snapshot/keeper.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';
import type { Expiring } from './expiry.ts';
import type { Pacers } from './pacers.ts';
import type { Running } from './running.ts';

export interface Gauged {
  /** What keeps the gateway from taking calls. */
  readonly obstacles: () => readonly string[];
  /** What the trail's file system still takes. */
  readonly space: () => Promise<{ readonly freeBytes: number }>;
  readonly running: Running;
  readonly pacers: Pacers;
  readonly isCacheUsed: () => boolean;
  /** What the guard holds. */
  readonly holds: { readonly all: readonly { readonly kind: string }[] };
  /** Of the listeners for callers, by their places. */
  readonly servers: ReadonlyMap<string, Server>;
  readonly ends: () => readonly Expiring[];
  readonly snapshots: Snapshots;
  readonly deliveries: () => ReadonlyMap<string, DeliveryState>;
}

const holdKinds = ['delete', 'deactivation', 'shrinking', 'load'];

export function showState(metrics: Metrics, parts: Gauged): void {
  showOwn(metrics, parts);
  showTenants(metrics, parts.pacers);
  showDestinations(metrics, parts.deliveries);
  showCollections(metrics, parts.snapshots);
}

/** What is the gateway's own. */
function showOwn(metrics: Metrics, parts: Gauged): void {
  const { obstacles, space, running, isCacheUsed, holds, servers, ends } = parts;
  const one = (name: string, help: string, reading: () => number): void =>
    metrics.gauge(name, help, undefined, () => [['', reading()]]);
  one('ready', '1 when calls are taken, else 0.', () => Number(obstacles().length === 0));
  metrics.gauge('audit_free_bytes', 'What the file system of the trail still takes.', undefined, () =>
    space().then(
      ({ freeBytes }) => [['', freeBytes]],
      () => [], // a directory that is away has no figure, and the trail tells of it
    ),
  );
  one('calls_running', 'Calls at work.', () => running.count);
  one('cache_used', '1 when the cache is read and written, 0 while it cannot be reached.', () =>
    Number(isCacheUsed()),
  );
  metrics.gauge('guard_holds', 'What waits for a release by an operator.', 'kind', () =>
    holdKinds.map((kind) => [kind, holds.all.filter((hold) => hold.kind === kind).length] as const),
  );
  metrics.gauge('connections', 'Connections of callers, by listener.', 'listener', () =>
    Promise.all([...servers].map(async ([place, server]) => [place, await connectionsOf(server)] as const)),
  );
  metrics.gauge(
    'end_timestamp_seconds',
    'When a certificate, list or secret ends, by its place.',
    'what',
    () => earliest(ends()),
  );
}

function showTenants(metrics: Metrics, pacers: Pacers): void {
  const each = (name: string, help: string, pick: (state: PacerState) => number): void =>
    metrics.gauge(`quota_${name}`, help, 'tenant', () =>
      [...pacers.states()].map(([tenant, state]) => [tenant, pick(state)] as const),
    );
  each('queued', 'Calls that wait for their turn at a tenant.', ({ queued }) => queued);
  each('running', 'Calls at work at a tenant.', ({ running }) => running);
  each(
    'paused_seconds',
    'How long nobody goes to the tenant, because it said 429.',
    (state) => state.pausedForMs / 1000,
  );
  each(
    'longest_wait_seconds',
    'What a call of the lowest priority would wait now.',
    (state) => state.longestWaitMs / 1000,
  );
  each(
    'tempo',
    'Share of the configured pace that is kept to; less than 1 while the tenant bears less.',
    ({ tempo }) => tempo,
  );
  each('shared', '1 while replicas draw on one budget, 0 while this one keeps to its part.', ({ isShared }) =>
    Number(isShared),
  );
}

function showDestinations(metrics: Metrics, deliveries: Gauged['deliveries']): void {
  const each = (name: string, help: string, pick: (state: DeliveryState) => number): void =>
    metrics.gauge(`delivery_${name}`, help, 'destination', () =>
      [...deliveries()].map(([destination, state]) => [destination, pick(state)] as const),
    );
  each('working', '1 while the destination takes the trail, else 0.', ({ working }) => Number(working));
  each('lag_seconds', 'Age of the oldest record that was not sent yet.', (state) => state.lagSeconds);
  each('lag_records', 'Records that were not sent yet.', (state) => state.lagRecords);
  each('sent', 'Records and checkpoints sent since the start.', ({ sent }) => sent);
  each('dropped', 'Records since the start that the destination will never get.', (state) => state.dropped);
}

function showCollections(metrics: Metrics, snapshots: Snapshots): void {
  const each = (name: string, help: string, pick: (state: KeeperState) => number): void =>
    metrics.gauge(`snapshot_${name}`, help, 'collection', async () =>
      [...(await snapshots.states())].map(([collection, state]) => [collection, pick(state)] as const),
    );
  each('shown', '1 while lists are answered from the snapshot, else 0.', ({ isShown }) => Number(isShown));
  each(
    'age_seconds',
    'Since the reading of the snapshot in force began; NaN while there is none.',
    ({ ageMs }) => (ageMs ?? Number.NaN) / 1000,
  );
  each('resources', 'Resources in the snapshot in force.', ({ total }) => total);
  each('bytes', 'Size of the snapshot in force.', ({ bytes }) => bytes);
  each('alarm', '1 while the last reading of this replica came to no snapshot, else 0.', ({ isFaulty }) =>
    Number(isFaulty),
  );
}

function connectionsOf(server: Server): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  return promise;
}

function earliest(ends: readonly Expiring[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const { what, notAfter } of ends)
    found.set(what, Math.min(found.get(what) ?? Infinity, notAfter / 1000));
  return found;
}
