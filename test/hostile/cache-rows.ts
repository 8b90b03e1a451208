/** Rows 100 to 104 and 118: what is remembered, for whom, and what becomes of it when Redis lies or is away. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';

import { Secret } from '../../src/gateway/secret.ts';
import { systemId } from '../support/gateway.ts';
import { request } from '../support/raw.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { besiege, type Siege } from '../support/siege.ts';
import { sendScim, type Answer } from '../support/upstream.ts';
import { credential, other, pace, proxyBase } from './plain-stage.ts';
import { served, type Case, type Stage } from './row.ts';
import type { Scene } from './scene.ts';

interface RedisSiege extends Siege {
  readonly redis: RedisServer;
}

async function besiegeRedis(settings: readonly string[] = []): Promise<RedisSiege> {
  const redis = await startRedis(settings);
  const permission = { permission: 'Access Proxy System API', access: ['read'] } as const;
  const siege = await besiege({
    tenant: { credential, pace },
    callers: { stranger: { permissions: [{ ...permission, access: ['read'], systems: [other] }] } },
    config: {
      cache: { store: 'redis', redis: { url: new Secret(redis.url) } },
      systems: {
        // A probe after a write would go up beside the calls that rows count.
        [systemId]: { tenant: 'acme', cache: { writeReplies: false } },
        [other]: { tenant: 'acme', cache: { scope: 'caller' } },
      },
    },
  });
  return {
    ...siege,
    redis,
    async [Symbol.asyncDispose]() {
      await siege[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
    },
  };
}

type Play = Case<RedisSiege>['play'];

async function readAs(scene: Scene<RedisSiege>, user: string, system = systemId): Promise<void> {
  const [, host = ''] = scene.head('GET', '');
  const line = `GET ${proxyBase}/${system}${scene.path} HTTP/1.1`;
  await scene.send(request([line, host, `Authorization: ${scene.siege.gateway.logOn(user)}`]));
}

/** Reads, waits until Redis has it, as it is filled beside the calls, and reads it from there; gives its entry. */
async function readTwice(scene: Scene<RedisSiege>, client: Redis): Promise<{ key: string; value: Buffer }> {
  const before = new Set(await client.keys('gh1:*'));
  await scene.call('GET', scene.path);
  const begunAt = performance.now();
  for (;;) {
    for (const key of (await client.keys('gh1:*')).filter((name) => !before.has(name))) {
      const value = await client.getBuffer(key);
      // Generations are short.
      if (value && value.length > 100) {
        await scene.call('GET', scene.path);
        return { key, value };
      }
    }
    if (performance.now() - begunAt > 5000) throw new Error('Redis is not used');
    await sleep(20);
  }
}

async function readUntilHit(scene: Scene<RedisSiege>): Promise<void> {
  const client = new Redis(scene.siege.redis.url);
  try {
    await readTwice(scene, client);
  } finally {
    client.disconnect();
  }
}

/** @param change gives what the entry's name holds from now on, by its own value and that of another entry */
const tampered =
  (change: (value: Buffer, foreign: Buffer) => Buffer): Play =>
  async (scene) => {
    const client = new Redis(scene.siege.redis.url);
    try {
      const others = await client.keys('gh1:*');
      const { key, value } = await readTwice(scene, client);
      const foreign = (others[0] && (await client.getBuffer(others[0]))) || Buffer.of(1, 2, 3);
      await client.set(key, change(value, foreign));
      await scene.call('GET', scene.path);
    } finally {
      client.disconnect();
    }
  };

const flipped =
  (at: (length: number) => number) =>
  (value: Buffer): Buffer => {
    const copy = Buffer.from(value);
    const place = at(value.length);
    copy[place] = (copy[place] ?? 0) ^ 1;
    return copy;
  };

const distrusted = (sent: string, change: (value: Buffer, foreign: Buffer) => Buffer): Case<RedisSiege> => ({
  sent,
  // Only the first bad value has a record at once; those that follow are gathered.
  open: () => besiegeRedis(),
  play: async (scene) => {
    await tampered(change)(scene);
    const told = await scene.siege.records();
    if (told.some(({ event }) => event === 'cache.integrity_failure')) scene.found.add('told');
  },
  expected: served('200, 200, 200', 'GET, GET', 'request.outcome, request.cache_hit'),
  besides: {
    'the tenant is asked anew': ({ answers }) => !/hit/.test(answers[2]?.headers['cache-status'] ?? ''),
    'the trail tells of it': ({ found }) => found.has('told'),
  },
});

/** Reads, writes, reads: nothing fails, nothing waits long, and the last read asks the tenant. */
const work: Play = async (scene) => {
  await scene.call('GET', scene.path);
  await scene.call('PUT', scene.path, { turn: 1 });
  await scene.call('GET', scene.path);
};
const withoutRedis = (
  sent: string,
  settings: readonly string[],
  strike?: (redis: RedisServer) => unknown,
): Case<RedisSiege> => ({
  sent,
  open: () => besiegeRedis(settings),
  play: async (scene) => {
    await strike?.(scene.siege.redis);
    await work(scene);
    // It was stopped, and a process that is stopped does not end in order.
    scene.siege.redis.thaw();
  },
  expected: served('200, 200, 200', 'GET, PUT, GET'),
  besides: { 'nobody waits for it': ({ ms }) => ms < 2000 },
});

const named =
  (displayName: string): Answer =>
  (_request, response) =>
    sendScim(response, 200, { schemas: [], displayName });

/** The old state is on its way while a write is answered. */
const overtaken: Play = async (scene) => {
  const { upstream } = scene.siege;
  const echo = upstream.answer;
  const asked = Promise.withResolvers<() => void>();
  upstream.answer = (_request, response) =>
    asked.resolve(() => sendScim(response, 200, { schemas: [], displayName: 'old' }));
  const slow = scene.call('GET', scene.path);
  const release = await asked.promise;
  upstream.answer = echo;
  await scene.call('PUT', scene.path, {});
  release();
  await slow;
  upstream.answer = named('new');
  await scene.call('GET', scene.path);
};

const doubtful: Play = async (scene) => {
  const { upstream } = scene.siege;
  await readUntilHit(scene);
  await scene.call('GET', `/Groups?filter=${scene.path}`);
  upstream.answer = (_request, _response, { socket }) => void socket.resetAndDestroy();
  await scene.call('PATCH', scene.path, { schemas: [], Operations: [] });
  upstream.answer = named('new');
  await scene.call('GET', scene.path);
  await scene.call('GET', `/Groups?filter=${scene.path}`);
};

async function textsBelow(directory: string): Promise<string> {
  const names = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = names.filter((each) => each.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return (await Promise.all(files.map((file) => readFile(file, 'latin1')))).join('');
}

/** Personal data and a secret go through, and are looked for where something is kept. */
const leaves: Play = async (scene) => {
  const canary = 'Canary-118';
  const { siege } = scene;
  await readUntilHit(scene);
  await scene.call('PUT', scene.path, { userName: `${canary}@example.com`, password: canary });
  await scene.call('GET', `/Users?filter=userName%20eq%20%22${canary}%22`);
  await siege.records();
  const client = new Redis(siege.redis.url);
  const names = await client.keys('*');
  client.disconnect();
  const secret = siege.gateway.logOn().slice('Basic '.length);
  const kept = (await textsBelow(siege.gateway.auditDirectory)) + names.join('\n');
  const sought = [canary, secret, Buffer.from(secret, 'base64').toString(), 'the-tenants'];
  if (!sought.some((text) => kept.includes(text))) scene.found.add('clean');
};

export const remembered: Stage<RedisSiege> = {
  title: 'with Redis',
  open: () => besiegeRedis(),
  rows: [
    {
      row: 100,
      situation: 'what one caller has read, asked for by another',
      differs:
        'the list keeps entries apart by caller; callers that may read the same share them, unless cache.scope is caller (decided)',
      cases: [
        {
          sent: 'by one that may read it',
          play: async (scene) => {
            await readUntilHit(scene);
            await readAs(scene, 'auditor');
          },
          expected: served('200, 200, 200', 'GET', 'request.outcome, request.cache_hit'),
        },
        {
          sent: 'by one that may not',
          play: async (scene) => {
            await readUntilHit(scene);
            await readAs(scene, 'stranger');
          },
          expected: served('200, 200, 403', 'GET', 'request.outcome, request.cache_hit, authz.denied'),
        },
        {
          sent: 'with cache.scope: caller',
          play: async (scene) => {
            await readAs(scene, 'auditor', other);
            await sleep(100);
            await readAs(scene, 'stranger', other);
          },
          expected: served('200, 200', 'GET, GET'),
        },
      ],
    },
    {
      row: 101,
      situation: 'a value in Redis that is not ours',
      cases: [
        distrusted(
          'a bit flipped at the start',
          flipped(() => 0),
        ),
        distrusted(
          'a bit flipped in the middle',
          flipped((length) => length >> 1),
        ),
        distrusted(
          'a bit flipped at the end',
          flipped((length) => length - 1),
        ),
        distrusted('copied from another name', (_value, foreign) => foreign),
        distrusted('cut', (value) => value.subarray(0, -1)),
      ],
    },
    {
      row: 102,
      situation: 'Redis that does not help',
      cases: [
        withoutRedis('frozen', [], (redis) => redis.freeze()),
        withoutRedis('killed', [], (redis) => redis.kill()),
        withoutRedis('READONLY', ['--replicaof', '127.0.0.1', '1']),
        withoutRedis('OOM', ['--maxmemory', '1', '--maxmemory-policy', 'noeviction']),
        withoutRedis('NOAUTH', ['--requirepass', 'unknown to the gateway']),
      ],
    },
    {
      row: 103,
      situation: 'a write during a read of the same user',
      cases: [
        {
          sent: 'the old state arrives last',
          play: overtaken,
          expected: served('200, 200, 200', 'GET, PUT, GET'),
          besides: {
            'the next read has the new state': ({ answers }) =>
              answers.at(-1)?.body.includes('"new"') === true,
          },
        },
      ],
    },
    {
      row: 104,
      situation: 'a write whose outcome is unknown',
      cases: [
        {
          sent: 'PATCH, then a read of the user and of a list',
          play: doubtful,
          expected: served(
            '200, 200, 200, 504, 200, 200',
            'GET, GET, PATCH, GET, GET',
            'request.outcome, request.cache_hit',
          ),
        },
      ],
    },
    {
      row: 118,
      situation: 'secrets and people in what is kept',
      differs: 'the list looks into images and bills of materials too; those are read in test/deploy',
      cases: [
        {
          sent: 'a password and a name, through write and filter',
          play: leaves,
          expected: served('200, 200, 200, 200', 'GET, PUT, GET', 'request.outcome, request.cache_hit'),
          besides: { 'trail, keys and names know none': ({ found }) => found.has('clean') },
        },
      ],
    },
  ],
};
