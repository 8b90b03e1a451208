/** Where loads stand: replicas that share a Redis know it as one gateway does, and believe nothing that none of them wrote. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import * as fc from 'fast-check';
import type { Redis } from 'ioredis';

import { openRedis } from '../../src/gateway/redis.ts';
import { OwnLoads } from '../../src/pages/loads.ts';
import { atFirst, type Position } from '../../src/pages/position.ts';
import { RedisLoads } from '../../src/pages/redis-loads.ts';
import { RecordSeal } from '../../src/writes/record-seal.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis } from '../support/redis.ts';
import { visit } from './visitor.ts';

const server = await startRedis();
after(() => server[Symbol.asyncDispose]());

/** A replica's loads on a connection of their own. */
async function openLoads(byte = 5, now?: () => number) {
  using opening = new DisposableStack();
  const { redis } = opening.use(openRedis(server.url));
  const key = Buffer.alloc(32, byte);
  const seal = new RecordSeal(key);
  // A busy machine must not look like a Redis that is away.
  const loads = opening.use(new RedisLoads({ redis, key, seal, budgetMs: 10_000, ...(now && { now }) }));
  await eventually(async () => loads.mayBegin(1), 30_000);
  const opened = opening.move();
  return { loads, redis, [Symbol.dispose]: () => opened.dispose() };
}

/** The value of the one event there. */
async function only(client: Redis, key: string): Promise<string> {
  const [[, [, value]] = ['', ['', '']], ...others] = await client.xrange(key, '-', '+');
  assert.deepEqual(others, []);
  return value ?? assert.fail();
}

const insideOf = (tag: string, from = 1): Position => ({
  ...atFirst,
  from,
  tag,
  blockEnd: 101,
  given: new Set([tag]),
  givenEnd: 101,
});

test('replicas know of every place what one gateway would know', async () => {
  using one = await openLoads();
  using other = await openLoads();
  const replicas = [one.loads, other.loads];
  const step = fc.record({
    replica: fc.nat({ max: 1 }),
    index: fc.constantFrom(26, 51),
    tag: fc.constantFrom(undefined, 'a', 'b'),
    from: fc.constantFrom(1, 26),
    does: fc.constantFrom('come', 'ask'),
  });
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 50, size: 'max' }), async (steps) => {
      const load = `load ${(runs += 1)}`;
      const own = new OwnLoads();
      for (const { replica, index, tag, from, does } of steps) {
        const shared = replicas[replica] ?? assert.fail();
        if (does === 'come') {
          const position = tag === undefined ? { ...atFirst, from } : insideOf(tag, from);
          await own.expect(load, index, position);
          assert.equal(await shared.expect(load, index, position), true);
          continue;
        }
        const [mine, theirs] = [await own.at(load, index), await shared.at(load, index)];
        assert.deepEqual(theirs && { ...theirs, isHere: true }, mine);
      }
    }),
    { numRuns: 60 },
  );
});

test('what no replica has written of a place, or of another place, or too long ago, says nothing', async () => {
  let now = Date.now();
  using one = await openLoads(5, () => now);
  const { loads } = one;
  using visitor = await visit(server.url);
  const { client, places } = visitor;
  await client.flushall();
  await loads.expect('load', 51, insideOf('a'));
  const [other = ''] = await places();
  const sealed = await only(client, other);
  await loads.expect('load', 26, insideOf('b'));
  const key = (await places()).find((each) => each !== other) ?? assert.fail();
  const own = await only(client, key);
  const put = async (kind: string, value: string): Promise<void> => {
    await client.del(key);
    await client.xadd(key, '*', kind, value);
  };
  await put('came', sealed);
  assert.equal(await loads.at('load', 26), undefined, 'of another place');
  await put('came', Buffer.alloc(200, 1).toString('base64'));
  assert.equal(await loads.at('load', 26), undefined, 'of nobody');
  await put('came', '');
  assert.equal(await loads.at('load', 26), undefined);
  await put('said', sealed);
  assert.equal(await loads.at('load', 26), undefined);
  await client.set(key, 'x');
  assert.equal(await loads.at('load', 26), undefined);
  await eventually(async () => loads.mayBegin(1), 30_000);
  await put('came', own);
  assert.equal((await loads.at('load', 26))?.tag, 'b', 'as it was');
  await put('came', own);
  await client.xadd(key, '*', 'came', sealed);
  assert.equal(await loads.at('load', 26), undefined, 'of another place, behind it');
  now += 600_001;
  await put('came', own);
  assert.equal(await loads.at('load', 26), undefined, 'put back');
});

for (const [where, open] of [
  ['of one gateway', async () => ({ loads: new OwnLoads(), [Symbol.dispose]: () => undefined })],
  ['over replicas', openLoads],
] as const)
  test(`two loads ${where} that come to one place after different blocks are given the rest of neither`, async () => {
    using opened = await open();
    const { loads } = opened;
    await loads.expect('pair', 26, insideOf('a'));
    await loads.expect('pair', 26, insideOf('b'));
    for (const which of ['one', 'other', 'repeated']) {
      const position = await loads.at('pair', 26);
      assert.deepEqual([position?.tag, position?.given.size], [undefined, 0], which);
    }
    await loads.expect('pair', 26, insideOf('c'));
    assert.equal((await loads.at('pair', 26))?.tag, 'c', 'who comes after both have gone');
  });

test('a load that came or left while its replica was without Redis is known to the others after that', async () => {
  using one = await openLoads();
  using other = await openLoads();
  other.redis.disconnect();
  await eventually(async () => !other.loads.mayBegin(1), 30_000);
  await one.loads.expect('cut off', 26, insideOf('a'));
  assert.equal(await other.loads.expect('cut off', 26, insideOf('b')), false, 'is not told now');
  assert.equal(await other.loads.expect('cut off', 26, { ...atFirst, from: 1 }), false);
  await one.loads.expect('cut off', 51, insideOf('a'));
  assert.equal(await other.loads.at('cut off', 51), undefined);
  await other.redis.connect();
  await eventually(async () => other.loads.mayBegin(1), 30_000);
  const position = await one.loads.at('cut off', 26);
  assert.deepEqual([position?.tag, position?.given.size], [undefined, 0]);
  await one.loads.expect('cut off', 51, insideOf('c'));
  assert.equal((await one.loads.at('cut off', 51))?.tag, 'c', 'and none stands there any more');
});

test('where so much has happened that some of it is forgotten, nobody’s page leaves anything out', async () => {
  using one = await openLoads();
  for (let time = 0; time < 70; time += 1) await one.loads.expect('crowd', 26, insideOf('a'));
  const position = await one.loads.at('crowd', 26);
  assert.deepEqual([position?.tag, position?.given.size], [undefined, 0]);
  for (let time = 0; time < 200; time += 1) {
    await one.loads.expect('row', 26, insideOf(`${time}`));
    assert.equal((await one.loads.at('row', 26))?.tag, `${time}`, 'one load after the other is no crowd');
  }
});

test('replicas with another key know nothing of each other', async () => {
  using one = await openLoads(5);
  using stranger = await openLoads(6);
  await one.loads.expect('load', 76, insideOf('a'));
  assert.equal(await stranger.loads.at('load', 76), undefined);
  assert.equal((await one.loads.at('load', 76))?.tag, 'a');
});

test('the place of a page ends with the next one, or two minutes after it was asked for', async () => {
  using one = await openLoads();
  const { loads } = one;
  using visitor = await visit(server.url);
  const { client, places } = visitor;
  await client.flushall();
  await loads.expect('reader', 101, insideOf('a'));
  const [key = ''] = await places();
  assert.ok((await client.pttl(key)) > 120_000);
  await loads.at('reader', 101);
  const left = await client.pttl(key);
  assert.ok(left > 0 && left <= 120_000);
  assert.equal((await loads.at('reader', 101))?.tag, 'a', 'a page is repeated');
  await loads.expect('reader', 126, insideOf('a', 101));
  assert.equal((await loads.at('reader', 126))?.tag, 'a');
  await eventually(async () => (await loads.at('reader', 101)) === undefined, 30_000);
  for (const each of await places()) assert.ok((await client.pttl(each)) > 0);
});
