/**
 * The ways that lead to the tenant, each with a tenant of its own and an address per replica. One that cannot be had on
 * this machine says what is missing; it never gives a figure.
 */
import { basic } from '../test/ips/started-tenant.ts';
import type { Called } from './caller.ts';
import { type Entrance, systemPath } from './entrance.ts';
import { startGatehouse } from './gatehouse.ts';
import { findNginx, startNginx } from './nginx.ts';
import { findProgram } from './program.ts';
import { BenchTenant } from './tenant.ts';

export const wayNames = ['direct', 'nginx', 'gatehouse-1', 'gatehouse-3'] as const;
export type WayName = (typeof wayNames)[number];

export interface Way extends Called, AsyncDisposable {
  readonly name: WayName;
  readonly tenant: BenchTenant;
}

export interface WaySettings {
  readonly users: number;
  readonly groups: number;
  /** One factor divides windows, delays, freshness, deadlines and pauses alike. */
  readonly factor: number;
  readonly freshMinutes: number;
  readonly assignment: 'PUT' | 'PATCH';
  readonly lostUpdates?: 'report' | 'refuse' | undefined;
  readonly nginx?: string | undefined;
}

/** @returns what this machine lacks for a way, or undefined */
export function missingFor(name: WayName, nginx?: string): string | undefined {
  if (name === 'nginx' && !findNginx(nginx)) return 'nginx is missing';
  if (name === 'gatehouse-3' && !findProgram('redis-server')) return 'redis-server is missing';
  return undefined;
}

export async function openWay(name: WayName, settings: WaySettings): Promise<Way> {
  await using starting = new AsyncDisposableStack();
  const tenant = starting.use(await BenchTenant.start({ ...settings, counted: true }));
  const { bases, authorization } = starting.use(await enter(name, tenant.url, settings));
  const parts = starting.move();
  return {
    name,
    tenant,
    factor: settings.factor,
    bases,
    authorization,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

async function enter(
  name: WayName,
  upstream: string,
  { factor, freshMinutes, assignment, lostUpdates, nginx }: WaySettings,
): Promise<Entrance & AsyncDisposable> {
  const freshMs = (freshMinutes * 60_000) / factor;
  if (name === 'direct') return { bases: [upstream + systemPath], authorization: basic, ...nothingToEnd };
  if (name === 'nginx') return startNginx({ upstream, freshMs, nginx });
  const replicas = name === 'gatehouse-1' ? 1 : 3;
  return startGatehouse({ upstream, replicas, freshMs, factor, assignment, lostUpdates });
}

const nothingToEnd = { [Symbol.asyncDispose]: async () => {} };
