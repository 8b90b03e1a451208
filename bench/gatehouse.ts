/**
 * Gatehouse as it runs in service: a process per replica with its trail on disk, one replica with its memory, several with
 * one Redis. What differs from the delivered defaults stands in `configuration`; everything else is a default.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { stringify } from 'yaml';

import { generateSecret, hashSecret } from '../src/auth/secret.ts';
import type { ConfigDocument } from '../src/gateway/config-schema.ts';
import { clientId, proxyId, secret } from '../test/ips/started-tenant.ts';
import { startChild } from '../test/support/child.ts';
import { startRedis } from '../test/support/redis.ts';
import { type Entrance, systemPath } from './entrance.ts';

export interface GatehouseSettings {
  readonly upstream: string;
  readonly replicas: number;
  readonly freshMs: number;
  readonly factor: number;
  readonly assignment: 'PUT' | 'PATCH';
  /** What becomes of a PUT that would undo another's addition; the delivered default when absent. */
  readonly lostUpdates?: 'report' | 'refuse' | undefined;
  /** False where the tenant takes as many calls as come; by default the pace is the delivered one. */
  readonly isPaced?: boolean;
}

export interface Gatehouse extends Entrance, AsyncDisposable {
  readonly pids: readonly number[];
  /** Where its replicas share what they remember; undefined for one alone. */
  readonly redisUrl: string | undefined;
}

export async function startGatehouse(settings: GatehouseSettings): Promise<Gatehouse> {
  await using starting = new AsyncDisposableStack();
  const directory = starting.use(await mkdtempDisposable(join(tmpdir(), 'gatehouse-bench-')));
  const redis = settings.replicas > 1 ? starting.use(await startRedis()) : undefined;
  const own = generateSecret();
  const keep = (name: string, content: string | Buffer): Promise<void> =>
    writeFile(join(directory.path, name), content, { mode: 0o600 });
  await keep('audit.key', randomBytes(32));
  await keep('tenant-secret', secret);
  await keep('redis-url', redis?.url ?? '');
  await keep('secrets.yaml', stringify({ caller: [{ hash: await hashSecret(own) }] }));
  const children = [];
  for (let replica = 0; replica < settings.replicas; replica += 1) {
    const file = `gatehouse-${replica}.yaml`;
    await keep(file, stringify(configuration(settings, replica)));
    const child = await startChild(join(directory.path, file));
    starting.defer(async () => void (await child.end('SIGTERM')));
    children.push(child);
  }
  const parts = starting.move();
  return {
    bases: children.map(({ url }) => url + systemPath),
    authorization: `Basic ${Buffer.from(`caller:${own}`).toString('base64')}`,
    pids: children.map(({ process: { pid = 0 } }) => pid),
    redisUrl: redis?.url,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

function configuration(
  {
    upstream,
    replicas,
    freshMs,
    factor,
    assignment,
    lostUpdates = 'report',
    isPaced = true,
  }: GatehouseSettings,
  replica: number,
): ConfigDocument {
  const onItsClock = (seconds: number): string => `${Math.round((seconds * 1000) / factor)}ms`;
  const instance = `replica-${replica}`;
  return {
    listen: { port: 0 },
    admin: { port: 0 },
    // The ballast is for full disks, and costs every start half a second.
    audit: { directory: instance, instance, keyFile: 'audit.key', ballast: '0B' },
    secretsFile: 'secrets.yaml',
    replicas,
    patience: onItsClock(50),
    cache: {
      lifetime: `${Math.round(freshMs)}ms`,
      ...(replicas > 1
        ? { store: 'redis', redis: { url: { file: 'redis-url' } } }
        : { memory: { size: '1GiB' } }),
    },
    // As delivered; a burst of deactivations is told of and goes up.
    guard: {
      window: onItsClock(600),
      deactivations: { above: 'alert' },
      shrinking: { most: 20, share: 50, above: 'refuse' },
    },
    callers: {
      caller: {
        permissions: [{ permission: 'Access Proxy System API', systems: 'all', access: ['read', 'write'] }],
      },
    },
    tenants: {
      acme: {
        url: upstream,
        credential: { type: 'basic', user: clientId, secret: { file: 'tenant-secret' } },
        // 140 a minute and a burst of 10 are the defaults.
        pace: isPaced
          ? { minute: onItsClock(60) }
          : { perMinute: 90_000, burst: 10_000, tenantLimit: 100_000, minute: '1s' },
        deadlines: { read: onItsClock(30), write: onItsClock(190) },
      },
    },
    systems: { [proxyId]: { tenant: 'acme', assignment, lostUpdates } },
  };
}
