/** What remembering many users takes: the gateway's memory, or that of Redis, before and after a load of them all. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';

import { gather } from './caller.ts';
import { startGatehouse, type Gatehouse } from './gatehouse.ts';
import { loadAll } from './reads.ts';
import { BenchTenant } from './tenant.ts';

export interface Memory {
  readonly store: 'memory' | 'redis';
  readonly users: number;
  readonly mebibytes: number;
}

/** @param users are loaded at 25 a page, so that pages and single users are remembered */
export async function measureMemory(store: Memory['store'], users: number): Promise<Memory> {
  await using tenant = await BenchTenant.start({ users, groups: 0, factor: 1, counted: false });
  await using gatehouse = await startGatehouse({
    upstream: tenant.url,
    replicas: store === 'redis' ? 2 : 1,
    freshMs: 3_600_000,
    factor: 1,
    assignment: 'PUT',
    isPaced: false,
  });
  using crew = gather({ ...gatehouse, factor: 1 });
  // What every process takes with its first calls is not the users'.
  await crew.each(Array.from({ length: 500 }), (caller) => caller.get('/Users/nobody'));
  crew.tally.failed = 0;
  const before = await takenBy(gatehouse);
  await loadAll(crew);
  if (crew.tally.failed > 0) throw new Error(`${crew.tally.failed} pages could not be read`);
  return { store, users, mebibytes: ((await takenBy(gatehouse)) - before) / 2 ** 20 };
}

async function takenBy({ pids: [pid], redisUrl }: Gatehouse): Promise<number> {
  await sleep(3000); // garbage is collected meanwhile
  if (redisUrl === undefined) {
    const kib = /VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kib) * 1024;
  }
  const redis = new Redis(redisUrl);
  const used = /used_memory:(\d+)/.exec(await redis.info('memory'))?.[1];
  redis.disconnect();
  return Number(used);
}
