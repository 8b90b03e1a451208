/** What reaches a destination, whatever happens to it, to the process and to the files meanwhile. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { genesis } from '../../src/audit/chain.ts';
import { encodeLine } from '../../src/audit/line.ts';
import { footerEvent, headerEvent } from '../../src/audit/segment-shape.ts';
import { verifyTrail } from '../../src/audit/verify.ts';
import { NotTaken, Refused } from '../../src/delivery/destination.ts';
import { chainA, writeTrail } from '../audit/written-trail.ts';
import { eventually } from '../support/eventually.ts';
import { checkpointOf, GrowingTrail, instance, Memory, ship } from './support.ts';

const numbers = (memory: Memory): number[] => memory.records.map(({ entry }) => entry.seq);
const upTo = (last: number): number[] => Array.from({ length: last }, (_, n) => n + 1);

test('a destination gets every line of the trail as it was written, over rotations and restarts of the trail', async () => {
  await using trail = await GrowingTrail.begin({ segmentBytes: 4000 });
  const memory = new Memory();
  await using _ = ship(trail, memory);
  for (let round = 0; round < 3; round += 1) {
    for (let piece = 0; piece < 8; piece += 1) await trail.grow(10);
    await trail.reopen();
  }
  await trail.close();
  const lines = await trail.lines();
  assert.ok((await trail.segments()).length > 5);
  await eventually(async () => memory.bodies.length >= lines.length);
  assert.deepEqual(memory.bodies, lines);
});

test('a line goes out only when a checkpoint covers it', async () => {
  await using trail = await GrowingTrail.begin({ checkpointMs: 3_600_000, heartbeatMs: 3_600_000 });
  const memory = new Memory();
  await trail.grow(10);
  await using running = ship(trail, memory);
  await running.shipper.finish(2000);
  // The one of the opening covers the header.
  assert.deepEqual(numbers(memory), [1]);
  await trail.close();
  const again = new Memory();
  await ship(trail, again)[Symbol.asyncDispose]();
  assert.deepEqual([...memory.bodies, ...again.bodies], await trail.lines());
});

test('lines that were taken back are not delivered, but those that got their numbers are', async () => {
  const root = await mkdtemp(join(tmpdir(), 'gatehouse-delivery-'));
  const ts = '2026-11-21T08:00:00.000Z';
  const refused = encodeLine(3, genesis, { ts, mono: 1, event: 'was.refused', body: '{}' }).toString();
  const first = { records: [{ ts, event: 'was.confirmed' }], refused };
  const paths = await writeTrail(root, instance, chainA, [first, { records: [], reason: 'stopped' }]);
  await writeFile(join(root, instance, 'checkpoint'), checkpointOf(chainA, 4));
  const memory = new Memory();
  await ship({ directory: join(root, instance) }, memory)[Symbol.asyncDispose]();
  const events = memory.records.map(({ entry }) => entry.event);
  assert.deepEqual(events, [headerEvent, 'was.confirmed', headerEvent, footerEvent]);
  assert.ok((await readFile(paths[0] ?? '', 'utf8')).includes('was.refused'));
  await rm(root, { recursive: true });
});

test('checkpoints are delivered behind the lines that they cover, as the notes that they are', async () => {
  await using trail = await GrowingTrail.begin();
  await trail.grow(5);
  await trail.close();
  const memory = new Memory();
  await ship(trail, memory)[Symbol.asyncDispose]();
  const last = memory.taken.at(-1);
  assert.ok(last?.isCheckpoint);
  assert.equal(last.entry.seq, memory.records.at(-1)?.entry.seq);
  const note = await readFile(join(trail.directory, 'checkpoint'), 'utf8');
  assert.equal(last.entry.text('facts', 'note'), note);
  assert.notEqual(last.entry.id, memory.records.at(-1)?.entry.id);
});

test('a delivered checkpoint shows the verifier that an end was cut off', async () => {
  await using trail = await GrowingTrail.begin({ segmentBytes: 2000 });
  for (let piece = 0; piece < 3; piece += 1) await trail.grow(10);
  await trail.close();
  const memory = new Memory();
  await ship(trail, memory)[Symbol.asyncDispose]();
  const checkpoints = [memory.checkpoints.at(-1)?.entry.text('facts', 'note') ?? ''];
  assert.equal((await verifyTrail(trail.root, { checkpoints })).verdict, 'ok');
  await rm((await trail.segments()).at(-1) ?? '');
  assert.equal((await verifyTrail(trail.root, { checkpoints })).verdict, 'truncated');
});

test('a process that begins anew goes on behind what was taken', async () => {
  await using trail = await GrowingTrail.begin();
  const first = new Memory();
  await trail.grow(20);
  await eventually(async () => {
    await ship(trail, first)[Symbol.asyncDispose]();
    return first.records.length >= 21;
  });
  await trail.grow(20);
  await trail.close();
  const second = new Memory();
  await ship(trail, second)[Symbol.asyncDispose]();
  assert.deepEqual([...first.bodies, ...second.bodies], await trail.lines());
});

test('nothing is lost and order is kept while a destination fails again and again', async () => {
  await using trail = await GrowingTrail.begin({ segmentBytes: 8000 });
  const memory = new Memory();
  memory.refuse = () => {
    if (memory.tries % 2 === 1) throw new NotTaken('http 503');
  };
  await using running = ship(trail, memory);
  for (let round = 0; round < 4; round += 1) await trail.grow(30);
  await trail.close();
  const lines = await trail.lines();
  await eventually(async () => memory.bodies.length >= lines.length, 30_000);
  assert.deepEqual(memory.bodies, lines);
  assert.equal(running.shipper.state.dropped, 0);
});

test('the trail is told once that a destination fails and once that it works again', async () => {
  await using trail = await GrowingTrail.begin();
  const memory = new Memory();
  let isAway = true;
  memory.refuse = () => {
    if (isAway) throw new NotTaken('ECONNREFUSED');
  };
  await using running = ship(trail, memory);
  await eventually(async () => memory.tries >= 3);
  assert.equal(running.shipper.state.working, false);
  assert.ok(running.shipper.state.lagRecords > 0);
  assert.ok(running.shipper.state.lagSeconds > 0);
  isAway = false;
  await eventually(async () => memory.taken.length > 0, 20_000);
  await eventually(async () => running.noted.length === 2);
  const told = running.noted.map(({ event, facts }) => [event, facts['destination'], facts['reason']]);
  assert.deepEqual(told, [
    ['audit.delivery_failing', 'siem', 'ECONNREFUSED'],
    ['audit.delivery_recovered', 'siem', undefined],
  ]);
  assert.equal(running.shipper.state.working, true);
});

test('a failure that does not last is not told', async () => {
  await using trail = await GrowingTrail.begin();
  const memory = new Memory();
  memory.refuse = () => {
    if (memory.tries === 1) throw new NotTaken('ECONNRESET');
  };
  await using running = ship(trail, memory, { patienceMs: 60_000 });
  await eventually(async () => memory.taken.length > 0);
  assert.deepEqual(running.noted, []);
});

test('a record that a destination refuses is left out when it takes the next one, and the trail says which', async () => {
  await using trail = await GrowingTrail.begin();
  const memory = new Memory();
  memory.refuse = (messages) => {
    if (messages.some(({ entry }) => entry.seq === 4)) throw new Refused('http 413');
  };
  await trail.grow(9);
  await trail.close();
  await using running = ship(trail, memory);
  await running.shipper.finish(5000);
  const lines = await trail.lines();
  assert.deepEqual(
    numbers(memory),
    upTo(lines.length).filter((seq) => seq !== 4),
  );
  const facts = { destination: 'siem', why: 'refused', first: 4, last: 4, reason: 'http 413' };
  assert.deepEqual(running.noted, [{ event: 'audit.delivery_failed', facts }]);
  assert.equal(running.shipper.state.dropped, 1);
});

test('a destination that refuses everything loses nothing: it is tried again until it takes records', async () => {
  await using trail = await GrowingTrail.begin();
  const memory = new Memory();
  let refuses = true;
  memory.refuse = () => {
    if (refuses) throw new Refused('http 400');
  };
  await trail.grow(30);
  await trail.close();
  await using running = ship(trail, memory);
  await eventually(async () => running.noted.length > 0);
  refuses = false;
  const lines = await trail.lines();
  await eventually(async () => memory.bodies.length >= lines.length, 20_000);
  assert.deepEqual(memory.bodies, lines);
  assert.equal(running.shipper.state.dropped, 0);
});

test('a destination gets the events that it asked for and no others', async () => {
  await using trail = await GrowingTrail.begin();
  const memory = new Memory();
  await trail.grow(3, 'authn.failure');
  await trail.grow(3, 'request.outcome');
  await trail.grow(3, 'authz.denied');
  await trail.close();
  await ship(trail, memory, { events: ['authn.*', 'authz.denied'] })[Symbol.asyncDispose]();
  const events = new Set(memory.taken.map(({ entry }) => entry.event));
  assert.deepEqual(events, new Set(['authn.failure', 'authz.denied']));
  assert.equal(memory.taken.length, 6);
});

test('what was removed before it could be delivered is counted and told', async () => {
  await using trail = await GrowingTrail.begin({ segmentBytes: 3000 });
  const memory = new Memory();
  await trail.grow(1);
  await eventually(async () => {
    await ship(trail, memory)[Symbol.asyncDispose]();
    return memory.records.length > 0;
  });
  const before = memory.records.length;
  for (let round = 0; round < 6; round += 1) await trail.grow(10);
  await trail.close();
  const [, second = ''] = await trail.segments();
  const gone = (await readFile(second, 'utf8')).split('\n').length - 1;
  await rm(second);
  await using running = ship(trail, memory);
  await running.shipper.finish(5000);
  assert.equal(running.shipper.state.dropped, gone);
  assert.equal(running.noted[0]?.event, 'audit.delivery_failed');
  assert.equal(running.noted[0]?.facts['why'], 'gone');
  assert.deepEqual(memory.bodies.slice(before), (await trail.lines()).slice(before));
});

test('a place that cannot be read stops the delivery instead of being guessed', async () => {
  await using trail = await GrowingTrail.begin();
  await trail.grow(5);
  await trail.close();
  await writeFile(join(trail.directory, 'delivery-siem.json'), '{"seq":');
  const memory = new Memory();
  await using running = ship(trail, memory);
  await running.shipper.finish(2000);
  assert.deepEqual(memory.taken, []);
  assert.equal(running.shipper.state.working, false);
});
