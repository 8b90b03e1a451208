/**
 * Delivery to a real rsyslogd over mutual TLS. The outage in the middle lasts OUTAGE_MS: seconds by default, a minute in
 * `npm run outage`.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { hashLine, genesis, MerkleTree } from '../../src/audit/chain.ts';
import { parseCheckpoint } from '../../src/audit/note.ts';
import { SyslogDestination } from '../../src/delivery/syslog.ts';
import { eventually } from '../support/eventually.ts';
import {
  startSyslogServer,
  withoutDuplicates,
  type Delivered,
  type SyslogServer,
} from '../support/syslog-server.ts';
import { GrowingTrail, ship } from './support.ts';

const outageMs = Number(process.env['OUTAGE_MS'] ?? 3000);
const resendMs = 1000;

function destinationAt({ port, pems }: Pick<SyslogServer, 'port' | 'pems'>): SyslogDestination {
  const said = { facility: 'audit', hostname: 'dmz-1', structuredDataId: 'gatehouse@32473' } as const;
  return new SyslogDestination({ ...said, host: 'localhost', port, tls: pems });
}

async function arrived(server: SyslogServer, trail: GrowingTrail, patienceMs = 60_000): Promise<Delivered[]> {
  const expected = await trail.lines();
  await eventually(
    async () => withoutDuplicates(await server.received()).length >= expected.length,
    patienceMs,
  );
  return server.received();
}

for (const signal of ['SIGTERM', 'SIGKILL'] as const)
  test(`everything reaches rsyslogd over an outage of ${outageMs} ms that began with ${signal}, complete and in order`, async (t) => {
    await using server = await startSyslogServer();
    await using trail = await GrowingTrail.begin({ segmentBytes: 200_000 });
    await using running = ship(trail, destinationAt(server), { resendMs, timeoutMs: 2000 });
    const ending = new AbortController();
    const growing = (async () => {
      for (; !ending.signal.aborted; await sleep(20)) await trail.grow(10);
    })();
    await sleep(2500);
    await server.stop(signal);
    await sleep(outageMs);
    await server.restart();
    await sleep(2500);
    ending.abort();
    await growing;
    await trail.close();
    const received = await arrived(server, trail);
    const once = withoutDuplicates(received);
    assert.deepEqual(
      once.map(({ body }) => body),
      await trail.lines(),
    );
    assert.equal(running.shipper.state.dropped, 0);
    const records = received.filter(({ seq }) => seq !== undefined).length;
    t.diagnostic(`${once.length} records, ${records - once.length} of them twice`);
  });

test('what a frozen receiver had not read is sent again when it is killed, however long ago it was sent', async () => {
  await using server = await startSyslogServer();
  await using trail = await GrowingTrail.begin();
  await using _ = ship(trail, destinationAt(server), { resendMs, timeoutMs: 1500 });
  await eventually(async () => (await server.received()).length > 0);
  server.freeze();
  for (let round = 0; round < 40; round += 1) {
    await trail.grow(10);
    await sleep(100);
  }
  // The kernel has taken it all by now, and more than the span has passed.
  await server.stop('SIGKILL');
  await server.restart();
  await trail.close();
  const once = withoutDuplicates(await arrived(server, trail));
  assert.deepEqual(
    once.map(({ body }) => body),
    await trail.lines(),
  );
});

test('the checkpoints that rsyslogd got prove how far the trail that it got must reach', async () => {
  await using server = await startSyslogServer();
  await using trail = await GrowingTrail.begin();
  await using _ = ship(trail, destinationAt(server), { resendMs });
  await trail.grow(25);
  await trail.close();
  const lines = await trail.lines();
  await eventually(async () => (await server.received()).some(({ size }) => size === lines.length));
  const received = await server.received();
  const last = received.findLast(({ size }) => size !== undefined);
  assert.equal(last?.event, 'audit.checkpoint');
  const checkpoint = parseCheckpoint(JSON.parse(last?.body ?? '').facts.note);
  const tree = new MerkleTree();
  let head = genesis;
  for (const { body } of withoutDuplicates(received)) {
    const hashes = hashLine(head, Buffer.from(body));
    tree.add(hashes.leaf);
    ({ head } = hashes);
  }
  assert.equal(tree.size, checkpoint?.size);
  assert.equal(tree.root(), checkpoint?.root);
});

test('weight becomes severity, and the event is the message id', async () => {
  await using server = await startSyslogServer();
  await using trail = await GrowingTrail.begin();
  await using _ = ship(trail, destinationAt(server), { resendMs });
  for (const event of ['request.outcome', 'authn.failure', 'authz.denied', 'audit.failed'])
    await trail.grow(1, event);
  await trail.close();
  const received = await arrived(server, trail);
  const priorities = Object.fromEntries(received.map(({ event, priority }) => [event, Number(priority) % 8]));
  assert.equal(Math.floor(Number(received[0]?.priority) / 8), 13);
  assert.partialDeepStrictEqual(priorities, {
    'request.outcome': 6,
    'authn.failure': 5,
    'authz.denied': 4,
    'audit.failed': 1,
  });
});

test('a receiver that another authority vouches for gets nothing', async () => {
  await using server = await startSyslogServer();
  await using other = await startSyslogServer();
  await using trail = await GrowingTrail.begin();
  const wrong = { port: server.port, pems: { ...server.pems, ca: other.pems.ca } };
  await using running = ship(trail, destinationAt(wrong), { resendMs, timeoutMs: 2000 });
  await eventually(async () => running.noted.length > 0);
  assert.equal(running.noted[0]?.event, 'audit.delivery_failing');
  assert.deepEqual(await server.received(), []);
});

test('a receiver that takes connections and never reads is told as failing and keeps its place', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => void sockets.push(socket.pause())).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const address = silent.address();
  assert.ok(typeof address === 'object' && address);
  await using server = await startSyslogServer();
  await using trail = await GrowingTrail.begin();
  await using running = ship(trail, destinationAt({ port: address.port, pems: server.pems }), {
    resendMs,
    timeoutMs: 500,
  });
  await eventually(async () => running.noted.length > 0);
  assert.deepEqual(running.noted[0]?.facts['reason'], 'deadline');
  assert.ok(running.shipper.state.lagRecords > 0);
  sockets.forEach((socket) => socket.destroy());
  silent.close();
});
