/**
 * Reads that are answered from memory, with authentication and a record of each: Gatehouse with its durable trail beside
 * nginx with basic authentication, cache and access log, in pairs that follow each other. What counts is their ratio.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import { gather } from './caller.ts';
import type { Entrance } from './entrance.ts';
import { startGatehouse } from './gatehouse.ts';
import { startNginx } from './nginx.ts';
import { median } from './pairs.ts';
import type { Reading, Readings } from './reader.ts';
import { readEach } from './reads.ts';
import { BenchTenant } from './tenant.ts';
import { missingFor } from './way.ts';

export interface CachedSizes {
  readonly pairs: number;
  /** Of each measurement. */
  readonly seconds: number;
}

export interface CachedReads {
  /** As many as are answered to `connections` callers. */
  readonly perSecond: number;
  /** Milliseconds at `fixedRate`. */
  readonly p50: number;
  readonly p99: number;
}

export interface Comparison {
  readonly gatehouse: CachedReads;
  /** Absent where nginx is. */
  readonly nginx?: CachedReads;
  /** Gatehouse's reads a second to nginx's, pair by pair. */
  readonly ratios: readonly number[];
}

export const connections = 32;
export const fixedRate = 400;
const users = 1000;
const freshMs = 3_600_000;

export async function compareCachedReads(
  { pairs, seconds }: CachedSizes,
  program: string | undefined,
  tell: (pair: number) => void,
): Promise<Comparison> {
  await using starting = new AsyncDisposableStack();
  const tenant = starting.use(await BenchTenant.start({ users, groups: 0, factor: 1, counted: false }));
  const ids = await tenant.ask('users');
  const remember = async <T extends Entrance>(entrance: T): Promise<T> => {
    using crew = gather({ ...entrance, factor: 1 });
    await readEach(crew, ids);
    if (crew.tally.failed > 0) throw new Error(`${crew.tally.failed} users could not be read`);
    return entrance;
  };
  const common = { upstream: tenant.url, freshMs };
  const gatehouse = await remember(
    starting.use(
      await startGatehouse({ ...common, replicas: 1, factor: 1, assignment: 'PUT', isPaced: false }),
    ),
  );
  const nginx =
    missingFor('nginx', program) === undefined
      ? await remember(starting.use(await startNginx({ ...common, nginx: program })))
      : undefined;
  const found = { gatehouse: [] as CachedReads[], nginx: [] as CachedReads[] };
  for (let pair = 0; pair <= pairs; pair += 1) {
    tell(pair);
    const ofNginx = nginx && (await measure(nginx, ids, seconds));
    const ofGatehouse = await measure(gatehouse, ids, seconds);
    if (pair === 0) continue; // what is slow only at the first time belongs to neither
    found.gatehouse.push(ofGatehouse);
    if (ofNginx) found.nginx.push(ofNginx);
  }
  return {
    gatehouse: middleOf(found.gatehouse),
    ...(nginx && { nginx: middleOf(found.nginx) }),
    ratios: found.nginx.map(({ perSecond }, at) => (found.gatehouse[at]?.perSecond ?? 0) / perSecond),
  };
}

async function measure(
  { bases: [base = ''], authorization }: Entrance,
  ids: readonly string[],
  seconds: number,
): Promise<CachedReads> {
  const reading = { base, authorization, ids, connections, seconds };
  const { perSecond } = await run(reading);
  const { p50, p99 } = await run({ ...reading, perSecond: fixedRate });
  return { perSecond, p50, p99 };
}

async function run(reading: Reading): Promise<Readings> {
  const reader = new Worker(new URL('reader.ts', import.meta.url), { workerData: reading });
  const [figures]: Readings[] = await once(reader, 'message');
  if (!figures) throw new Error('the reader told nothing');
  await reader.terminate();
  return figures;
}

function middleOf(all: readonly CachedReads[]): CachedReads {
  const of = (pick: (one: CachedReads) => number): number => median(all.map(pick));
  return { perSecond: of((one) => one.perSecond), p50: of((one) => one.p50), p99: of((one) => one.p99) };
}
