/** Proxies that end HTTP before the gateway: whose word is taken for where a call comes from, and what it decides. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { announce } from '../support/balancer.ts';
import { RawConnection, request, type RawAnswer } from '../support/raw.ts';
import { assertRefusal, besiege, recordOf, type Siege } from '../support/siege.ts';

const permissions = [
  { permission: 'Access Proxy System API' as const, systems: 'all' as const, access: ['read' as const] },
];
const callers = { local: { permissions, sourceNetworks: ['198.51.100.0/24'] } };

interface Sent {
  readonly from?: string;
  readonly user?: string;
  readonly ahead?: Buffer;
}

/** Sends a read with these header fields from an address of this machine. */
async function send(
  siege: Siege,
  fields: readonly string[],
  { from, user, ahead }: Sent = {},
): Promise<RawAnswer> {
  const localAddress = from ?? '127.0.0.1';
  using connection = await RawConnection.open(siege.gateway.authority, { localAddress });
  const head = siege.head('GET', '/Users/1').filter((line) => !user || !line.startsWith('Authorization'));
  const logOn = user ? [`Authorization: ${siege.gateway.logOn(user)}`] : [];
  connection.send(
    Buffer.concat([ahead ?? Buffer.alloc(0), Buffer.from(request([...head, ...logOn, ...fields]))]),
  );
  return await connection.answer();
}

async function sourceOf(siege: Siege, answer: RawAnswer) {
  return (await recordOf(siege, answer))['src'] as { ip: string; port: number; via?: readonly string[] };
}

describe('a listener with trusted hops', () => {
  let siege: Siege;
  before(async () => {
    siege = await besiege({
      callers,
      config: { listen: { port: 0, trustedHops: ['127.0.0.1', '10.1.0.0/16'] } },
    });
  });
  after(() => siege[Symbol.asyncDispose]());

  test('records the caller that the hop names, and the way', async () => {
    const answer = await send(siege, ['X-Forwarded-For: 203.0.113.5, 198.51.100.7, 10.1.2.3']);
    assert.equal(answer.status, 200);
    assert.deepEqual(await sourceOf(siege, answer), {
      ip: '198.51.100.7',
      port: 0,
      via: ['10.1.2.3', '127.0.0.1'],
    });
  });

  test('reads several fields in their order', async () => {
    const answer = await send(siege, ['X-Forwarded-For: 203.0.113.5', 'X-Forwarded-For: 198.51.100.7']);
    assert.equal((await sourceOf(siege, answer)).ip, '198.51.100.7');
  });

  test('takes the hop itself when it names nobody', async () => {
    for (const fields of [
      [],
      ['X-Forwarded-For:'],
      ['X-Forwarded-For: unknown'],
      ['Forwarded: for=198.51.100.7'],
      ['X-Real-IP: 198.51.100.7'],
    ]) {
      const source = await sourceOf(siege, await send(siege, fields));
      assert.equal(source.ip, '127.0.0.1');
      assert.equal(source.via, undefined);
    }
  });

  test('does not listen to anybody else', async () => {
    const answer = await send(siege, ['X-Forwarded-For: 198.51.100.7'], { from: '127.0.0.2' });
    assert.equal(answer.status, 200);
    const source = await sourceOf(siege, answer);
    assert.equal(source.ip, '127.0.0.2');
    assert.equal(source.via, undefined);
  });

  test('lets a caller in from its networks, whatever it claims itself', async () => {
    for (const [field, from, status] of [
      ['198.51.100.7', '127.0.0.1', 200],
      ['203.0.113.5', '127.0.0.1', 403],
      ['198.51.100.7, 203.0.113.5', '127.0.0.1', 403],
      ['198.51.100.7', '127.0.0.2', 403],
    ] as const) {
      const answer = await send(siege, [`X-Forwarded-For: ${field}`], { from, user: 'local' });
      if (status === 200) assert.equal(answer.status, 200);
      else assertRefusal(answer, status);
    }
  });

  test('never sends up what says where a call came from', async () => {
    await send(siege, [
      'X-Forwarded-For: 198.51.100.7',
      'Forwarded: for=198.51.100.7',
      'Cache-Control: no-cache',
    ]);
    const names = siege.upstream.received.flatMap(({ headers }) => Object.keys(headers));
    assert.ok(names.length > 0);
    assert.deepEqual(
      names.filter((name) => name.includes('forwarded')),
      [],
    );
  });

  test('slows down failed log-ons of the caller behind a hop, and of nobody else behind it', async () => {
    const fail = async (ip: string): Promise<number> => {
      const fields = [`X-Forwarded-For: ${ip}`, 'Authorization: Basic bm9ib2R5OndoYXRldmVy'];
      using connection = await RawConnection.open(siege.gateway.authority);
      const head = siege.head('GET', '/Users/1').filter((line) => !line.startsWith('Authorization'));
      connection.send(request([...head, ...fields]));
      return (await connection.answer()).status;
    };
    let status = 401;
    for (let tried = 0; status === 401 && tried < 60; tried += 1) status = await fail('198.51.100.50');
    assert.equal(status, 429);
    assert.equal(await fail('198.51.100.51'), 401);
  });
});

test('a refusal without a call is told of the network that the hop names', async () => {
  await using siege = await besiege({ config: { listen: { port: 0, trustedHops: ['127.0.0.1'] } } });
  using connection = await RawConnection.open(siege.gateway.authority);
  const { authority } = siege.gateway;
  connection.send(
    request([`CONNECT ${authority} HTTP/1.1`, `Host: ${authority}`, 'X-Forwarded-For: 198.51.100.7']),
  );
  assertRefusal(await connection.answer(), 405);
  const told = (await siege.end()).filter(({ facts }) => facts?.code === 'CONNECT');
  assert.deepEqual(
    told.map(({ facts }) => facts?.network),
    ['198.51.100.0/24'],
  );
});

test('a hop that a balancer announces is trusted like one that connects itself', async () => {
  const listen = { port: 0, proxyProtocol: { from: ['127.0.0.1'] }, trustedHops: ['10.1.0.0/16'] };
  await using siege = await besiege({ config: { listen } });
  for (const [ip, source] of [
    ['10.1.0.9', { ip: '198.51.100.7', port: 0, via: ['10.1.0.9', '127.0.0.1'] }],
    ['203.0.113.9', { ip: '203.0.113.9', port: 40_000, via: ['127.0.0.1'] }],
  ] as const) {
    const answer = await send(siege, ['X-Forwarded-For: 198.51.100.7'], { ahead: announce({ ip }) });
    assert.deepEqual(await sourceOf(siege, answer), source);
  }
});
