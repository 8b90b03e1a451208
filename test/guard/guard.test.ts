/** The guard with its books: what is let pass, what is held, what a release covers; over restarts and over replicas. */
import assert from 'node:assert/strict';
import { mkdtempDisposable, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { openRedis } from '../../src/gateway/redis.ts';
import type { Ceiling } from '../../src/guard/ceiling.ts';
import { Guard, type Admission, type Counted } from '../../src/guard/guard.ts';
import { Holds } from '../../src/guard/holds.ts';
import { LocalBook } from '../../src/guard/local-book.ts';
import { RedisBook } from '../../src/guard/redis-book.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis } from '../support/redis.ts';

const windowMs = 600_000;
const refuse: Ceiling = { most: 10, share: 0, above: 'refuse' };

interface Told {
  readonly event: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

interface Replica {
  readonly holds: Holds;
  readonly told: Told[];
  /** Whether so many losses may go up. */
  readonly tries: (
    amount: number,
    loss?: Partial<Counted>,
    ceiling?: Ceiling,
  ) => Promise<Admission | undefined>;
  /** Releases the only hold. */
  readonly release: (count: number, lifetimeMs?: number) => Promise<boolean>;
}

function replicaOf(local: LocalBook, shared?: RedisBook): Replica {
  const told: Told[] = [];
  const tell = (event: string, facts: Readonly<Record<string, unknown>>): void =>
    void told.push({ event, facts });
  const record = (...said: Parameters<typeof tell>): Promise<void> => Promise.resolve(tell(...said));
  const holds = new Holds({ key: Buffer.alloc(32, 7), local, shared, record, tell });
  const guard = new Guard({ holds, local, shared, tell });
  return {
    holds,
    told,
    tries: (amount, loss = {}, ceiling = refuse) =>
      guard
        .admit(
          [
            {
              kind: 'delete',
              caller: 'idm',
              system: 'S1',
              resourceType: 'Users',
              amount,
              base: () => Promise.resolve(undefined),
              ...loss,
            },
          ],
          () => ceiling,
          windowMs,
        )
        .catch(orHeld),
    release: (count, lifetimeMs = 60_000) =>
      holds.release({
        hold: holds.all[0]?.id ?? '',
        count,
        lifetimeMs,
        reason: 'meant so',
        actor: { name: 'operator' },
      }),
  };
}

function orHeld(thrown: unknown): undefined {
  assert.equal((thrown as { kind?: string }).kind, 'held');
}

async function stage() {
  const directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-guard-'));
  const file = join(directory.path, 'state.json');
  let now = Date.parse('2027-01-09T12:00:00Z');
  return {
    file,
    forward: (ms: number): void => void (now += ms),
    open: async (shared?: RedisBook, at = file) => replicaOf(await LocalBook.open(at, () => now), shared),
    [Symbol.asyncDispose]: () => directory.remove(),
  };
}

test('so many as the ceiling allows pass, the next one is held, and a smaller one behind it too', async () => {
  await using set = await stage();
  const { tries, holds, told } = await set.open();
  assert.ok(await tries(9));
  assert.ok(await tries(1));
  assert.equal(await tries(1), undefined);
  assert.equal(await tries(1), undefined);
  assert.deepEqual(
    holds.all.map(({ kind, caller, system, amount, limit, refusals }) => ({
      kind,
      caller,
      system,
      amount,
      limit,
      refusals,
    })),
    [{ kind: 'delete', caller: 'idm', system: 'S1', amount: 11, limit: 10, refusals: 2 }],
  );
  assert.deepEqual(
    told.map(({ event }) => event),
    ['guard.exceeded'],
  );
});

test('another caller, system, type or kind has a count of its own', async () => {
  await using set = await stage();
  const { tries } = await set.open();
  assert.equal(await tries(11), undefined);
  for (const other of [
    { caller: 'other' },
    { system: 'S2' },
    { resourceType: 'Groups' },
    { kind: 'deactivation' },
  ] as const)
    assert.ok(await tries(10, other), JSON.stringify(other));
});

test('a hold stays when its window is over, and without a hold the count begins anew', async () => {
  await using set = await stage();
  const { tries } = await set.open();
  await tries(11);
  await tries(10, { caller: 'other' });
  set.forward(windowMs * 1.2);
  assert.equal(await tries(1), undefined);
  assert.ok(await tries(10, { caller: 'other' }));
});

test('a share of what there is allows more than the number', async () => {
  await using set = await stage();
  const { tries } = await set.open();
  const ceiling = { ...refuse, share: 5 };
  const base = (): Promise<number> => Promise.resolve(1000);
  assert.ok(await tries(50, { base }, ceiling));
  assert.equal(await tries(1, { base }, ceiling), undefined);
});

test('what the tenant has not carried out is not counted', async () => {
  await using set = await stage();
  const { tries } = await set.open();
  const admission = await tries(10);
  await admission?.settle(false);
  assert.ok(await tries(10));
});

test('where an alert is enough everything passes, and one window is told of once', async () => {
  await using set = await stage();
  const { tries, told, holds } = await set.open();
  const ceiling = { ...refuse, above: 'alert' } as const;
  for (let time = 0; time < 3; time += 1) assert.ok(await tries(11, {}, ceiling));
  assert.deepEqual(
    told.map(({ event, facts }) => [event, facts['action'], facts['hold']]),
    [['guard.exceeded', 'alert', undefined]],
  );
  assert.deepEqual(holds.all, []);
});

test('a release passes as many as it names, once, and of nobody else', async () => {
  await using set = await stage();
  const { tries, release, holds } = await set.open();
  await tries(11);
  await tries(11, { caller: 'other' });
  assert.equal(await release(5), true);
  assert.equal(await tries(6), undefined);
  assert.equal(await tries(1, { caller: 'other' }), undefined);
  await (await tries(3))?.settle(true);
  const last = await tries(2);
  assert.ok(last);
  assert.equal(await tries(1), undefined);
  await last.settle(true);
  assert.deepEqual(
    holds.all.map(({ caller }) => caller),
    ['other'],
  );
  // The window has no room: five were lost, and eleven would be more than ten.
  assert.equal(await tries(6), undefined);
});

test('a release that the tenant did not use is there again', async () => {
  await using set = await stage();
  const { tries, release } = await set.open();
  await tries(11);
  await release(5);
  await (await tries(5))?.settle(false);
  assert.ok(await tries(5));
});

test('a release ends with its time, and the hold stays', async () => {
  await using set = await stage();
  const { tries, release, holds } = await set.open();
  await tries(11);
  await release(5, 1000);
  const left = (): Promise<number> => holds.leftOf(holds.all[0]?.id ?? '');
  assert.equal(await left(), 5);
  set.forward(1001);
  assert.equal(await left(), 0);
  assert.equal(await tries(5), undefined);
  assert.equal(holds.all.length, 1);
});

test('a release of nothing ends the hold', async () => {
  await using set = await stage();
  const { tries, release, holds, told } = await set.open();
  await tries(11);
  assert.equal(await release(0), true);
  assert.deepEqual(holds.all, []);
  assert.ok(await tries(10));
  assert.deepEqual(
    told.map(({ event }) => event),
    ['guard.exceeded', 'guard.released', 'guard.closed'],
  );
});

test('a release that is not in the trail does not count', async () => {
  await using set = await stage();
  const local = await LocalBook.open(set.file);
  const failing = new Holds({
    key: Buffer.alloc(32, 7),
    local,
    record: () => Promise.reject(new Error('the disk is away')),
    tell: () => {},
  });
  const { tries } = replicaOf(local);
  await tries(11);
  const [hold] = failing.all;
  const asked = { hold: hold?.id ?? '', count: 5, lifetimeMs: 60_000, reason: 'meant so', actor: {} };
  await assert.rejects(failing.release(asked));
  assert.equal(await tries(5), undefined);
});

test('counts, holds and releases outlive the process', async () => {
  await using set = await stage();
  await (await set.open()).tries(10);
  const second = await set.open();
  assert.equal(await second.tries(1), undefined);
  await second.release(2);
  const third = await set.open();
  assert.equal(await third.tries(3), undefined);
  assert.ok(await third.tries(2));
});

test('a state that cannot be read counts as none, and counting goes on', async () => {
  await using set = await stage();
  await (await set.open()).tries(10);
  assert.match(await readFile(set.file, 'utf8'), /^\{/);
  const { tries } = replicaOf(await LocalBook.open(join(set.file, 'impossible')));
  assert.ok(await tries(10));
  assert.equal(await tries(1), undefined);
});

/** Replicas with one Redis; each has a state of its own. */
async function replicas(set: Awaited<ReturnType<typeof stage>>) {
  const redis = await startRedis();
  const connections = new DisposableStack();
  return {
    redis,
    open: async (name: string): Promise<Replica> => {
      const { redis: client } = connections.use(openRedis(redis.url));
      const book = connections.use(
        new RedisBook({ redis: client, key: Buffer.alloc(32, 7), budgetMs: 2000 }),
      );
      await eventually(async () => (await book.recall('any')) === null);
      return set.open(book, `${set.file}-${name}`);
    },
    async [Symbol.asyncDispose](): Promise<void> {
      connections.dispose();
      await redis[Symbol.asyncDispose]();
    },
  };
}

test('replicas that find too much in the same moment open one hold', async () => {
  await using set = await stage();
  await using shared = await replicas(set);
  const all = await Promise.all(['a', 'b', 'c', 'd'].map(shared.open));
  await Promise.all(all.map(({ tries }) => tries(11)));
  assert.equal(new Set(all.map(({ holds }) => holds.all[0]?.id)).size, 1);
});

test('a hold that Redis has lost holds again for all, and one that was released elsewhere is over', async () => {
  await using set = await stage();
  await using shared = await replicas(set);
  const a = await shared.open('a');
  await a.tries(11);
  await shared.redis.kill();
  await shared.redis.restart();
  // Its replica has lost what it knew itself, too.
  const again = await shared.open('b-new');
  await eventually(async () => {
    assert.equal(await a.tries(1), undefined);
    const passed = await again.tries(1);
    await passed?.settle(false);
    return passed === undefined;
  });
  await again.release(0);
  assert.ok(await a.tries(1));
  assert.deepEqual(a.holds.all, []);
});

test('replicas count together, hold together, and a release on one passes once on all', async () => {
  await using set = await stage();
  await using shared = await replicas(set);
  const { redis, open } = shared;
  const [a, b, c] = [await open('a'), await open('b'), await open('c')];
  assert.ok(await a.tries(4));
  assert.ok(await b.tries(4));
  assert.equal(await c.tries(4), undefined);
  // The state of one is gone, as after the loss of its disk.
  const again = await open('a-new');
  assert.equal(await again.tries(1), undefined);
  const ids = new Set([c, again].map(({ holds }) => holds.all[0]?.id));
  assert.equal(ids.size, 1);
  await c.release(3);
  const [id = ''] = ids;
  assert.deepEqual([await c.holds.leftOf(id), await again.holds.leftOf(id)], [3, 3]);
  const passed = await Promise.all([a.tries(2), b.tries(2), again.tries(2)]);
  assert.equal(passed.filter(Boolean).length, 1);
  const rest = await b.tries(1);
  await rest?.settle(true);
  assert.ok(rest);
  assert.equal(await a.tries(1), undefined);
  // Redis begins anew without anything: each replica has what it counted itself.
  await redis.kill();
  assert.equal(await c.tries(1), undefined);
});

test('another caller’s hold, moved in Redis to where the caller’s own would stand, holds nobody', async () => {
  await using set = await stage();
  await using shared = await replicas(set);
  const { tries, holds } = await shared.open('a');
  const matter = { kind: 'delete', system: 'S1', resourceType: 'Users' } as const;
  assert.equal(await tries(11, { caller: 'other' }), undefined);
  using connection = openRedis(shared.redis.url);
  await eventually(async () => connection.redis.status === 'ready');
  const [from, to] = ['other', 'idm'].map(
    (caller) => `gw1:{guard}:hold:${holds.nameOf({ ...matter, caller })}`,
  );
  assert.equal(await connection.redis.copy(from ?? '', to ?? ''), 1);
  assert.ok(await tries(1));
  assert.equal(await tries(1, { caller: 'other' }), undefined);
  assert.equal(holds.all.length, 1);
});
