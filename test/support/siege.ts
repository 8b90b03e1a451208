/**
 * A whole gateway before an echoing tenant, for tests that send what the gateway must refuse. Every refusal is
 * judged by one rule: it is a SCIM error, nothing of it reached the tenant, and the trail has a record of it.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  readRecords,
  startGateway,
  type TestGateway,
  type TestGatewayOptions,
  type TrailRecord,
} from './gateway.ts';
import type { RawAnswer } from './raw.ts';
import { startUpstream, type TestUpstream, type UpstreamOptions } from './upstream.ts';

export interface Siege extends AsyncDisposable {
  readonly gateway: TestGateway;
  readonly upstream: TestUpstream;
  /** Request line, Host and log-on of a request below the system's base. */
  readonly head: (method: string, path: string) => string[];
  records(): Promise<TrailRecord[]>;
  /** The trail after the gateway has stopped. */
  end(): Promise<TrailRecord[]>;
}

export type SiegeOptions = Omit<TestGatewayOptions, 'upstream'> & {
  readonly tenantSide?: UpstreamOptions;
  readonly keyFile?: string;
};

export async function besiege({
  tenantSide,
  config,
  keyFile = 'keys/audit.key',
  ...options
}: SiegeOptions = {}): Promise<Siege> {
  await using starting = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-trail-'));
  starting.defer(() => rm(directory, { recursive: true }));
  const upstream = starting.use(await startUpstream(tenantSide));
  const gateway = await startGateway({
    ...options,
    upstream: upstream.url,
    config: { ...config, audit: { directory, instance: 'test', keyFile } },
  });
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= Promise.resolve(gateway[Symbol.asyncDispose]()));
  starting.defer(stop);
  const running = starting.move();
  const records = (): Promise<TrailRecord[]> => readRecords(directory);
  return {
    gateway,
    upstream,
    head: (method, path) => [
      `${method} ${gateway.basePath}${path} HTTP/1.1`,
      `Host: ${gateway.authority}`,
      `Authorization: ${gateway.logOn()}`,
    ],
    records,
    async end() {
      await stop();
      return records();
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** RFC 7644 §3.12, and the fields that every answer of the gateway has. */
export function assertRefusal(
  answer: RawAnswer | undefined,
  status: number,
  scimType?: string,
): asserts answer is RawAnswer {
  assert.ok(answer, 'there is an answer');
  const { headers } = answer;
  assert.equal(answer.status, status, answer.body);
  assert.match(headers['content-type'] ?? '', /^application\/scim\+json/);
  assert.match(headers['x-request-id'] ?? '', /^[0-9a-f-]{36}$/);
  assert.equal(headers['cache-control'], 'no-store');
  const { detail, ...rest } = JSON.parse(answer.body);
  assert.deepEqual(rest, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
    status: String(status),
    ...(scimType !== undefined && { scimType }),
  });
  assert.ok(typeof detail === 'string' && detail.length > 0, 'the detail says something');
}

/** An answer of `fetch` as the assertions take it. */
export async function plainAnswer(response: Response): Promise<RawAnswer> {
  const { status, headers } = response;
  return { status, headers: Object.fromEntries(headers), body: await response.text() };
}

/** What the trail says beside the one record that every call has. */
const beside = /^upstream\.|^authn\.success$|^retry\.performed$/;

/** The record of the call that got the answer; there is exactly one. */
export async function recordOf(siege: Siege, answer: RawAnswer): Promise<TrailRecord> {
  const id = answer.headers['x-request-id'];
  const found = (await siege.records()).filter(({ req, event }) => req === id && !beside.test(event));
  assert.equal(found.length, 1, 'a call has one record');
  return found[0] as TrailRecord;
}

export async function assertServing({ gateway }: Siege): Promise<void> {
  const response = await gateway.call('GET', `/Users/alive-${crypto.randomUUID()}`);
  assert.equal(response.status, 200, await response.text());
}
