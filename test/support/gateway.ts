/**
 * Starts a whole gateway for a test, in this process, against an upstream of the test's choice. Everything is
 * real: listeners on free ports, the trail on disk in a directory of its own, which is removed afterwards.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { stringify } from 'yaml';

import { generateSecret, hashSecret } from '../../src/auth/secret.ts';
import { startEmbedded } from '../../src/cli/embedded.ts';
import type { ConfigDocument } from '../../src/gateway/config-schema.ts';
import { parseConfig } from '../../src/gateway/config.ts';
import { createGateway } from '../../src/gateway/gateway.ts';

export const systemId = 'b1f0e7a2-0000-4000-8000-000000000001';
const proxyPath = `/ipsproxy/service/api/v1/scim/${systemId}`;

/** A record of the trail, as far as these tests look at it. */
export interface TrailRecord {
  readonly event: string;
  readonly req?: string;
  readonly outcome?: {
    readonly result: string;
    readonly http?: number;
    readonly error?: string;
    sent?: boolean;
  };
  readonly upstream?: { readonly attempt?: number; readonly status?: number };
  readonly facts?: { readonly code?: string; readonly count?: number; readonly network?: string };
  readonly [member: string]: unknown;
}

export interface TestGateway extends AsyncDisposable {
  readonly url: string;
  readonly adminUrl: string;
  /** Host and port of a listener, by its place in the configuration. */
  authorityOf(place: string): string;
  /** Host and port of the main listener. */
  readonly authority: string;
  /** Address of the system's base. */
  readonly base: string;
  /** Path of the system's base. */
  readonly basePath: string;
  readonly auditDirectory: string;
  /** The Authorization header of a technical user. */
  logOn(user?: string): string;
  /** `fetch` below the system's base with JSON and the log-on of `identity-manager`. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
  /** The records of the trail, oldest first. */
  records(): Promise<TrailRecord[]>;
}

const proxyPermission = { permission: 'Access Proxy System API', systems: 'all' } as const;
const secret = generateSecret();
/** argon2 takes its time, so all gateways of one test process share the secrets. */
const hashed = hashSecret(secret);

export interface TestGatewayOptions {
  /** Address of the tenant; without it an embedded one runs. */
  readonly upstream?: string;
  readonly tenant?: Partial<NonNullable<ConfigDocument['tenants']>[string]>;
  readonly system?: Partial<NonNullable<ConfigDocument['systems']>[string]>;
  readonly callers?: ConfigDocument['callers'];
  readonly config?: Partial<ConfigDocument>;
}

export async function startGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  await using starting = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-test-'));
  starting.defer(() => rm(directory, { recursive: true }));
  const config = parseConfig(document(options), directory);
  const book = Object.fromEntries(
    await Promise.all(Object.keys(config.callers).map(async (user) => [user, [{ hash: await hashed }]])),
  );
  await writeFile(config.secretsFile, stringify(book), { mode: 0o600 });
  const { upstreamsOf } = starting.use(await startEmbedded(config));
  const gateway = starting.use(await createGateway(config, { version: '0.0.0', upstreamsOf }));
  const running = starting.move();
  const { url, adminUrl } = gateway;
  const base = `${url}${proxyPath}`;
  const logOn = (user = 'identity-manager'): string =>
    `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`;
  return {
    url,
    adminUrl,
    authorityOf: (place) => `127.0.0.1:${gateway.ports.get(place)}`,
    authority: new URL(url).host,
    base,
    basePath: proxyPath,
    auditDirectory: config.audit.directory,
    logOn,
    call: (method, path, body, headers = {}) =>
      fetch(`${base}${path}`, {
        method,
        headers: {
          authorization: logOn(),
          ...(body !== undefined && { 'content-type': 'application/scim+json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        redirect: 'manual',
      }),
    records: () => readRecords(config.audit.directory),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function document({ upstream, tenant, system, callers, config }: TestGatewayOptions): ConfigDocument {
  return {
    listen: { port: 0 },
    admin: { port: 0 },
    log: { level: 'error' },
    audit: { directory: 'audit', instance: 'test', keyFile: 'keys/audit.key', ballast: '0B' },
    secretsFile: 'secrets.yaml',
    callers: {
      'identity-manager': {
        permissions: [
          { ...proxyPermission, access: ['read', 'write'] },
          { permission: 'Access Real-Time Provisioning API', sourceSystems: 'all' },
          { permission: 'Access Identity Provisioning Tenant Admin API', sourceSystems: 'all' },
        ],
      },
      auditor: { permissions: [{ ...proxyPermission, access: ['read'] }] },
      ...callers,
    },
    tenants: {
      acme: {
        ...(upstream === undefined
          ? { embedded: { port: 0, users: 60, groups: 5 } }
          : { url: upstream, credential: { type: 'none' } }),
        ...tenant,
      },
    },
    // A probe after a write would go up beside the calls that tests count.
    systems: {
      [systemId]: { tenant: 'acme', ...system, cache: { writeReplies: false, ...system?.cache } },
    },
    ...config,
  };
}

export async function readRecords(directory: string, name = 'test'): Promise<TrailRecord[]> {
  const instance = join(directory, name);
  const files = (await readdir(instance)).filter((file) => file.endsWith('.jsonl')).toSorted(bySequence);
  const texts = await Promise.all(files.map((name) => readFile(join(instance, name), 'utf8')));
  // What follows the last line break is being written.
  return texts.flatMap((text) =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line)),
  );
}

function bySequence(some: string, other: string): number {
  return firstSequence(some) - firstSequence(other);
}

const firstSequence = (name: string): number => Number(/-(\d+)\.jsonl$/.exec(name)?.[1]);
