/** Turns of one group: in one process, between processes, and behind one that has died. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { openRedis } from '../../src/gateway/redis.ts';
import { RedisCircuit } from '../../src/redis-circuit.ts';
import { ScimError } from '../../src/scim/error.ts';
import { GroupTurns, type TurnPatience } from '../../src/writes/group-turns.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis } from '../support/redis.ts';

const patient = (ms = 60_000): TurnPatience => ({
  until: performance.now() + ms,
  signal: new AbortController().signal,
});
const isBusy = (error: unknown): boolean => error instanceof ScimError && error.kind === 'busy';
const key = 'gu1:{system}:turn:group';

async function openTurns(url: string) {
  const { redis, [Symbol.dispose]: disconnect } = openRedis(url);
  const circuit = new RedisCircuit({ redis, probeKey: 'gu1:probe', budgetMs: 5000 });
  await eventually(() => Promise.resolve(circuit.isOpen));
  const close = (): void => {
    circuit[Symbol.dispose]();
    disconnect();
  };
  return { turns: new GroupTurns(circuit), circuit, [Symbol.dispose]: close };
}

test('of one group one write is at work at a time, whichever replica it came to', async () => {
  await using redis = await startRedis();
  using one = await openTurns(redis.url);
  using other = await openTurns(redis.url);
  let atWork = 0;
  let most = 0;
  const work = async ({ turns }: typeof one): Promise<void> => {
    await using turn = await turns.take(key, patient());
    assert.ok(turn.isShared);
    atWork += 1;
    most = Math.max(most, atWork);
    await sleep(5);
    atWork -= 1;
  };
  await Promise.all(Array.from({ length: 20 }, (_, at) => work(at % 2 ? one : other)));
  assert.equal(most, 1);
});

test('who waits longer than it may is refused, and those behind it go on', async () => {
  const turns = new GroupTurns(undefined);
  const first = await turns.take(key, patient());
  await assert.rejects(turns.take(key, patient(20)), isBusy);
  const left = new AbortController();
  const leaving = turns.take(key, { until: performance.now() + 60_000, signal: left.signal });
  left.abort();
  await assert.rejects(leaving, isBusy);
  const third = turns.take(key, patient());
  await first[Symbol.asyncDispose]();
  await using turn = await third;
  assert.equal(turn.isShared, false);
});

test('a turn of another replica is waited for, and lapses when that one has died', async () => {
  await using redis = await startRedis();
  using one = await openTurns(redis.url);
  // Nobody renews it or gives it back.
  await one.circuit.ask((pipeline) => pipeline.set(key, 'a dead one', 'PX', 1500));
  await assert.rejects(one.turns.take(key, patient(100)), isBusy);
  await using turn = await one.turns.take(key, patient());
  assert.ok(turn.isShared);
});

test('without Redis a turn is kept to in the process alone', async () => {
  await using redis = await startRedis();
  using one = await openTurns(redis.url);
  await redis.kill();
  await using turn = await one.turns.take(key, patient());
  assert.equal(turn.isShared, false);
});
