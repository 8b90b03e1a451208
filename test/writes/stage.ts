/** A gateway, or several with one Redis, before a tenant that loses answers, and callers that hang up. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Secret } from '../../src/gateway/secret.ts';
import { eventually } from '../support/eventually.ts';
import {
  startGateway,
  type TestGateway,
  type TestGatewayOptions,
  type TrailRecord,
} from '../support/gateway.ts';
import { RawConnection } from '../support/raw.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { openSlowWay, type SlowWay } from '../support/slow-way.ts';
import { startRepeatingTenant, type RepeatingTenant } from './repeating-tenant.ts';

export const anna = {
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
  userName: 'anna',
  title: 'Dr.',
};

/** So that nothing waits for a turn, nor for other replicas to be known. */
const freely = { perMinute: 90_000, burst: 10_000, tenantLimit: 100_000, minute: '1s', concurrency: 64 };

type Options = Omit<TestGatewayOptions, 'upstream'>;

interface Parties {
  readonly tenant: RepeatingTenant;
  readonly gateway: TestGateway;
}

export interface Stage extends Parties, AsyncDisposable {}

export async function openStage(options: Options = {}): Promise<Stage> {
  await using starting = new AsyncDisposableStack();
  const tenant = starting.use(await startRepeatingTenant());
  const gateway = starting.use(await startGateway(optionsFor(tenant, options)));
  endFirst(starting, tenant);
  const parts = starting.move();
  return { tenant, gateway, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

export interface Replicas extends AsyncDisposable {
  readonly tenant: RepeatingTenant;
  readonly redis: RedisServer;
  readonly way: SlowWay;
  readonly one: TestGateway;
  readonly other: TestGateway;
  /** Of the installation, which all replicas share. */
  readonly keyFile: string;
}

interface ReplicasOptions extends Options {
  /** Whether the other one has its Redis at the end of the way. */
  readonly isByWay?: boolean;
}

export async function openReplicas({ isByWay = false, ...options }: ReplicasOptions = {}): Promise<Replicas> {
  await using starting = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-key-'));
  starting.defer(() => rm(directory, { recursive: true }));
  const keyFile = join(directory, 'audit.key');
  const tenant = starting.use(await startRepeatingTenant());
  const redis = starting.use(await startRedis());
  const way = starting.use(await openSlowWay(redis.port, 0));
  const open = async (port: number): Promise<TestGateway> => {
    const config = {
      replicas: 2,
      cache: { store: 'redis', redis: { url: new Secret(`redis://127.0.0.1:${port}`), budget: '1s' } },
      audit: { directory: 'audit', instance: 'test', keyFile, ballast: '0B' },
      ...options.config,
    } as const;
    return starting.use(await startGateway({ ...optionsFor(tenant, options), config }));
  };
  const [one, other] = [await open(redis.port), await open(isByWay ? way.port : redis.port)];
  endFirst(starting, tenant);
  const parts = starting.move();
  return { tenant, redis, way, one, other, keyFile, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

/** What a test that failed left without an answer would hold a gateway that ends until its deadline for writes. */
function endFirst(starting: AsyncDisposableStack, tenant: RepeatingTenant): void {
  starting.defer(() => tenant[Symbol.asyncDispose]());
}

function optionsFor(tenant: RepeatingTenant, options: Options): TestGatewayOptions {
  return {
    ...options,
    upstream: tenant.url,
    // Longer than any answer of these tests is held back, so that what nobody answers soon fails.
    tenant: { pace: freely, deadlines: { write: '40s' }, ...options.tenant },
    system: { repeats: { lookFor: '0ms' }, ...options.system },
  };
}

/** Sends a write on a connection of its own, which its caller can end. */
export async function begin(
  gateway: TestGateway,
  method: string,
  path: string,
  body: unknown,
  fields: readonly string[] = [],
): Promise<RawConnection> {
  const text = JSON.stringify(body);
  const connection = await RawConnection.open(gateway.authority);
  const head = [
    `${method} ${gateway.basePath}${path} HTTP/1.1`,
    `Host: ${gateway.authority}`,
    `Authorization: ${gateway.logOn()}`,
    'Content-Type: application/scim+json',
    `Content-Length: ${Buffer.byteLength(text)}`,
    ...fields,
  ];
  connection.send(`${head.join('\r\n')}\r\n\r\n${text}`);
  return connection;
}

/** A write whose caller hangs up while the tenant is at it; what is returned lets the tenant answer. */
export async function leave(
  { tenant, gateway }: Parties,
  method: string,
  path: string,
  body: unknown,
): Promise<() => void> {
  const late = Promise.withResolvers<void>();
  tenant.fateOf = () => late.promise;
  const call = await begin(gateway, method, path, body);
  await eventually(async () => tenant.executed.length === 1);
  call.reset();
  await sleep(50);
  return late.resolve;
}

/** A write whose caller hangs up, and whose answer comes when nobody takes it any more. */
export async function leaveUnheard(
  parties: Parties,
  method: string,
  path: string,
  body: unknown,
): Promise<void> {
  const answer = await leave(parties, method, path, body);
  answer();
  await eventually(async () => (await outcomesIn(parties.gateway)).length === 1);
}

/** The records of calls that were answered, or would have been. */
export async function outcomesIn(gateway: TestGateway): Promise<TrailRecord[]> {
  return (await gateway.records()).filter(({ event }) => event === 'request.outcome');
}

/** The id of the resource that an answer holds, or the type of the error. */
export async function told(answer: Response): Promise<{ readonly id?: string; readonly scimType?: string }> {
  return JSON.parse(await answer.text());
}
