/** A real Redis Cluster of three primaries, the first of them with a replica that takes over when it is killed. */
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';

import { startRedis, type RedisServer } from './redis.ts';

export interface RunningCluster extends AsyncDisposable {
  readonly primaries: readonly [RedisServer, RedisServer, RedisServer];
  readonly replica: RedisServer;
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  /** The replica takes over while the first primary lives on as its replica; nothing is lost, and no connection. */
  readonly failOver: () => Promise<void>;
  /** Which of the primaries had this key at the beginning. */
  readonly ownerOf: (key: string) => Promise<number>;
}

const slots = 16_384;
const share = Math.ceil(slots / 3);

/** @param user a line of `ACL SETUSER` for the account in all nodes */
export async function startCluster(user: string): Promise<RunningCluster> {
  await using starting = new AsyncDisposableStack();
  const directory = starting.use(await mkdtempDisposable(join(tmpdir(), 'gatehouse-cluster-'))).path;
  const startNode = async (name: string): Promise<RedisServer> =>
    starting.use(
      await startRedis(
        [
          '--cluster-enabled yes --cluster-node-timeout 1000 --cluster-require-full-coverage no',
          `--cluster-replica-validity-factor 0 --dir ${directory} --cluster-config-file ${name}.conf`,
          `--user ${user}`,
        ].flatMap((line) => line.split(' ')),
      ),
    );
  const primaries = [await startNode('a'), await startNode('b'), await startNode('c')] as const;
  const replica = await startNode('d');
  const [first] = primaries;
  for (const [at, { url }] of primaries.entries()) {
    const range = [at * share, Math.min((at + 1) * share, slots) - 1].map(String);
    await ask(url, 'CLUSTER', 'ADDSLOTSRANGE', ...range);
  }
  for (const { port } of [...primaries.slice(1), replica])
    await ask(first.url, 'CLUSTER', 'MEET', '127.0.0.1', String(port));
  const id = String(await ask(first.url, 'CLUSTER', 'MYID'));
  const isWhole = async ({ url }: RedisServer): Promise<boolean> => {
    const info = String(await ask(url, 'CLUSTER', 'INFO'));
    return /cluster_state:ok/.test(info) && /cluster_known_nodes:4/.test(info) && /cluster_size:3/.test(info);
  };
  await until(async () => (await Promise.all([...primaries, replica].map(isWhole))).every(Boolean));
  await ask(replica.url, 'CLUSTER', 'REPLICATE', id);
  await until(async () =>
    /master_link_status:up/.test(String(await ask(replica.url, 'INFO', 'replication'))),
  );
  const parts = starting.move();
  return {
    primaries,
    replica,
    addresses: primaries.map(({ port }) => ({ host: '127.0.0.1', port })),
    failOver: async () => {
      await ask(replica.url, 'CLUSTER', 'FAILOVER');
      await until(async () => /role:master/.test(String(await ask(replica.url, 'INFO', 'replication'))));
    },
    ownerOf: async (key) => Math.floor(Number(await ask(first.url, 'CLUSTER', 'KEYSLOT', key)) / share),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

async function ask(url: string, name: string, ...parameters: string[]): Promise<unknown> {
  const redis = new Redis(url);
  try {
    return await redis.call(name, ...parameters);
  } finally {
    redis.disconnect();
  }
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 20_000;
  while (!(await isSo())) {
    if (Date.now() > giveUpAt) throw new Error('the Cluster was not whole within 20 s');
    await sleep(50);
  }
}
