/** A trail in a directory of its own, and the literals that calls to it are made of. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { listSegments } from '../../src/audit/recover.ts';
import { fileOf } from '../../src/audit/segment.ts';
import { createTrail, type Trail, type TrailOptions, type UpstreamFacts } from '../../src/audit/trail.ts';
import type { Call } from '../../src/scim/call.ts';
import type { Operation } from '../../src/scim/operation.ts';
import { noQuery } from '../../src/scim/target.ts';

export const instance = 'gw-1';

export class OpenedTrail implements AsyncDisposable {
  readonly directory: string;
  readonly #options: TrailOptions;
  trail: Trail;

  constructor(trail: Trail, options: TrailOptions) {
    this.trail = trail;
    this.directory = options.directory;
    this.#options = options;
  }

  async restart(): Promise<void> {
    await this.trail[Symbol.asyncDispose]();
    this.trail = await createTrail(this.#options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.trail[Symbol.asyncDispose]();
    await rm(this.directory, { recursive: true, force: true });
  }
}

export async function openTrail(changes: Partial<TrailOptions> = {}): Promise<OpenedTrail> {
  const directory = changes.directory ?? (await temporaryDirectory());
  const key = Buffer.alloc(32, 7);
  const options = { directory, instance, version: '1.2.3', configHash: 'c0ffee', key, ...changes };
  return new OpenedTrail(await createTrail(options), options);
}

export function temporaryDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'gatehouse-audit-'));
}

export type AuditRecord = Readonly<Record<string, unknown>> & {
  readonly seq: number;
  readonly event: string;
};

export async function readRecords(directory: string): Promise<AuditRecord[]> {
  const lines = await readLines(directory);
  return lines.map((line): AuditRecord => JSON.parse(line));
}

export async function readLines(directory: string): Promise<string[]> {
  const paths = await segmentPaths(directory);
  const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8')));
  return texts.flatMap((text) => text.split('\n').slice(0, -1));
}

export async function segmentPaths(directory: string): Promise<string[]> {
  const below = join(directory, instance);
  return (await listSegments(below)).map((name) => join(below, fileOf(name)));
}

export function aCall(changes: Partial<Call>): Call {
  return {
    id: 'r-0',
    receivedAt: Date.now(),
    method: 'GET',
    target: '/ipsproxy/service/api/v1/scim/S1/Users',
    headers: {},
    source: { ip: '192.0.2.1', port: 4711 },
    readBody: () => Promise.resolve(Buffer.alloc(0)),
    left: new AbortController().signal,
    ...changes,
  };
}

export function anOperation(changes: Partial<Operation>): Operation {
  return {
    api: 'proxy',
    kind: 'get',
    effect: 'read',
    tenant: 'acme',
    system: 'S1',
    resourceType: 'Users',
    query: noQuery,
    path: '/Users',
    touches: [],
    priority: 2,
    parts: [],
    ...changes,
  };
}

export const upstreamCall: UpstreamFacts = {
  purpose: 'call',
  tenant: 'acme',
  system: 'S1',
  host: 'acme.example',
  method: 'GET',
  path: '/Users',
};
