/** Refusals of callers that nobody knows: each is in the trail, and none of them fills it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { verifyTrail } from '../../src/audit/verify.ts';
import { networkOf } from '../../src/gateway/noise.ts';
import { aCall, openTrail, readRecords, type OpenedTrail } from './support.ts';

async function refuse({ trail }: OpenedTrail, ip: string): Promise<boolean> {
  const entry = trail.open(aCall({ source: { ip, port: 1 } }));
  entry.add({ error: 'unauthenticated' });
  return entry.close({ status: 401 });
}

interface Gathered {
  readonly event: string;
  readonly code: string;
  readonly network: string;
  readonly count?: number;
}

async function gatheredIn(directory: string): Promise<Gathered[]> {
  const records = await readRecords(directory);
  const gathered = records.filter(({ event }) => event === 'request.rejected_many');
  return gathered.map(({ facts }) => facts as Gathered);
}

test('a few bad log-ons have a record each', async () => {
  await using opened = await openTrail({ networkOf });
  for (let n = 0; n < 20; n += 1) assert.equal(await refuse(opened, '192.0.2.7'), true);

  const events = (await readRecords(opened.directory)).map(({ event }) => event);
  assert.equal(events.filter((event) => event === 'authn.failure').length, 20);
  assert.deepEqual(await gatheredIn(opened.directory), []);
});

test('10,000 bad log-ons from one network take a few kilobytes, and the trail tells their number', async () => {
  await using opened = await openTrail({ networkOf });
  const { directory } = opened;
  for (let n = 0; n < 100; n += 1)
    await Promise.all(Array.from({ length: 100 }, (_, at) => refuse(opened, `192.0.2.${at}`)));
  await opened.restart();

  const records = await readRecords(directory);
  const singles = records.filter(({ event }) => event === 'authn.failure').length;
  const gathered = await gatheredIn(directory);
  assert.ok(singles < 200, `${singles} records of their own`);
  assert.equal(singles + gathered.reduce((sum, { count = 0 }) => sum + count, 0), 10_000);
  assert.deepEqual(
    new Set(gathered.map(({ event, code, network }) => [event, code, network].join())),
    new Set(['authn.failure,unauthenticated,192.0.2.0/24']),
  );
  assert.ok(JSON.stringify(records).length < 150_000);
  assert.equal((await verifyTrail(directory)).verdict, 'ok');
});

test('when refusals begin to be gathered, that is on disk before the first of their answers', async () => {
  await using opened = await openTrail({ networkOf });
  let n = 0;
  while ((await gatheredIn(opened.directory)).length === 0) {
    n += 1;
    assert.ok(n < 300);
    await refuse(opened, '192.0.2.7');
  }
  const [begun] = await gatheredIn(opened.directory);
  assert.deepEqual([begun?.network, begun?.count], ['192.0.2.0/24', undefined]);
});

test('one network in excess takes no record from another, and many networks share one bound', async () => {
  await using opened = await openTrail({ networkOf });
  for (let n = 0; n < 200; n += 1) await refuse(opened, '192.0.2.7');
  await refuse(opened, '198.51.100.1');
  assert.equal((await readRecords(opened.directory)).at(-1)?.event, 'authn.failure');
  const before = (await readRecords(opened.directory)).length;
  await Promise.all(
    Array.from({ length: 2000 }, (_, at) => refuse(opened, `2001:db8:${at.toString(16)}::1`)),
  );
  await opened.restart();
  assert.ok((await readRecords(opened.directory)).length - before < 900);
});

test('calls of a technical user have their own records, however many are refused', async () => {
  await using opened = await openTrail({ networkOf });
  const calls = Array.from({ length: 1000 }, () => {
    const entry = opened.trail.open(aCall({}));
    entry.add({ caller: 'idm', auth: 'basic', error: 'forbidden' });
    return entry.close({ status: 403 });
  });
  await Promise.all(calls);
  const events = (await readRecords(opened.directory)).map(({ event }) => event);
  assert.equal(events.filter((event) => event === 'authz.denied').length, 1000);
});
