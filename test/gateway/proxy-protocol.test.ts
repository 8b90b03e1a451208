/** Announcements of every kind against what reads them: nothing behind one is taken, and nothing but a fault is thrown. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, isIP, type AddressInfo, type Socket } from 'node:net';
import { after, before, test } from 'node:test';

import fc from 'fast-check';

import { ProxyFault, readAnnouncement } from '../../src/gateway/proxy-protocol.ts';
import type { Source } from '../../src/scim/call.ts';
import { announce } from '../support/balancer.ts';

const server = createServer({ allowHalfOpen: true });
before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
after(() => server.close());

/** What is read of these packets by somebody who then ends the connection, and the bytes that are left for others. */
async function read(packets: readonly Buffer[]): Promise<{ source: Source; left: Buffer } | ProxyFault> {
  const accepted = once(server, 'connection');
  const far = connect((server.address() as AddressInfo).port, '127.0.0.1').setNoDelay();
  const [near] = (await accepted) as [Socket];
  try {
    const reading = readAnnouncement(near, 5000);
    for (const packet of packets) {
      far.write(packet);
      await new Promise(setImmediate);
    }
    far.end();
    const source = await reading;
    const left: Buffer[] = [];
    for await (const chunk of near) left.push(chunk as Buffer);
    return { source, left: Buffer.concat(left) };
  } catch (error) {
    if (error instanceof ProxyFault) return error;
    throw error;
  } finally {
    far.destroy();
    near.destroy();
  }
}

const bytes = fc.uint8Array({ maxLength: 64 }).map((array) => Buffer.from(array));

test('what is behind an announcement stays, wherever the network cuts', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.ipV4(),
      fc.nat(65_535),
      bytes,
      bytes,
      fc.array(fc.nat(120)),
      async (ip, port, rest, tail, cuts) => {
        const whole = Buffer.concat([announce({ ip, port, rest }), tail]);
        const places = [
          0,
          ...cuts.filter((cut) => cut < whole.length).toSorted((one, other) => one - other),
          whole.length,
        ];
        const packets = places.slice(1).map((end, at) => whole.subarray(places[at], end));
        const found = await read(packets);
        assert.ok(!(found instanceof ProxyFault));
        assert.deepEqual(found.source, { ip, port, via: ['127.0.0.1'] });
        assert.deepEqual(found.left, tail);
      },
    ),
    { numRuns: 150 },
  );
});

test('whatever is announced, an address is read or a fault is told', async () => {
  const sound = announce({ ip: '198.51.100.7', rest: Buffer.alloc(40) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255))),
      bytes,
      async (changes, tail) => {
        const changed = Buffer.from(sound);
        for (const [at, value] of changes) changed[at] = value;
        const found = await read([Buffer.concat([changed, tail])]);
        if (found instanceof ProxyFault) assert.match(found.code, /^proxy-header-/);
        else assert.ok(isIP(found.source.ip));
      },
    ),
    { numRuns: 300 },
  );
});
