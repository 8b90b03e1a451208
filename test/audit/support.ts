/** A trail in a directory of its own, and the literals that calls to it are made of. */
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { z } from 'zod';

import { listSegments } from '../../src/audit/recover.ts';
import { fileOf } from '../../src/audit/segment-name.ts';
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
  const periodKey = { period: '2026q1', secret: key };
  const options = { directory, instance, version: '1.2.3', configHash: 'c0ffee', key, periodKey, ...changes };
  return new OpenedTrail(await createTrail(options), options);
}

/** For each number below `count`; some at a time, because they wait for the disk most of theirs. */
export async function each(count: number, work: (n: number) => Promise<unknown>): Promise<void> {
  const numbers = Array.from({ length: count }, (_, n) => n).values();
  const turn = async (): Promise<void> => {
    for (const n of numbers) await work(n);
  };
  await Promise.all(Array.from({ length: 6 }, turn));
}

const made: string[] = [];
process.once('exit', () => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

/** Goes when the tests of this process end. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-audit-'));
  made.push(directory);
  return directory;
}

export type AuditRecord = Readonly<Record<string, unknown>> & {
  readonly seq: number;
  readonly event: string;
};

/** The records that count: of a segment that was left unclosed only as much as its successor's header says. */
export async function readRecords(directory: string): Promise<AuditRecord[]> {
  const contents = await Promise.all((await segmentPaths(directory)).map((path) => readFile(path)));
  const segments = contents.map((bytes, at) => {
    const next = contents[at + 1];
    const previous = next && parseLines(next)[0]?.['previous'];
    const { bytes: counted = bytes.length } = z
      .object({ bytes: z.number() })
      .partial()
      .parse(previous ?? {});
    return parseLines(bytes.subarray(0, counted));
  });
  return segments.flat();
}

function parseLines(bytes: Buffer): AuditRecord[] {
  const lines = bytes.toString().split('\n').slice(0, -1);
  return lines.map((line): AuditRecord => JSON.parse(line));
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
    onKnown: () => {},
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
