/** Load balancers that announce their callers: who is believed, what is refused, and whose connection it is then. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Secret } from '../../src/gateway/secret.ts';
import { announce, header, startBalancer } from '../support/balancer.ts';
import { createCertificate } from '../support/certificate.ts';
import type { TrailRecord } from '../support/gateway.ts';
import { RawConnection, request, type RawAnswer } from '../support/raw.ts';
import { assertRefusal, besiege, recordOf, type Siege } from '../support/siege.ts';

type Listen = NonNullable<NonNullable<Parameters<typeof besiege>[0]>['config']>['listen'];

const proxyProtocol = { from: ['127.0.0.1'] };
const besiegeBehind = (listen: Listen = {}, limits = {}): Promise<Siege> =>
  besiege({ config: { listen: { port: 0, proxyProtocol, ...listen }, limits } });

const call = (siege: Siege, id = '1'): string => request(siege.head('GET', `/Users/${id}`));

async function sourceOf(siege: Siege, answer: RawAnswer): Promise<unknown> {
  assert.equal(answer.status, 200, answer.body);
  return (await recordOf(siege, answer))['src'];
}

/** Event, code and network of what never became a call, once the gateway has stopped. */
async function noiseOf(siege: Siege): Promise<string[]> {
  const told = ({ event, facts }: TrailRecord): string => `${event} ${facts?.code} ${facts?.network}`;
  return (await siege.end()).filter(({ facts }) => facts?.network !== undefined).map(told);
}

describe('a listener with a load balancer before it', () => {
  let siege: Siege;
  before(async () => {
    siege = await besiegeBehind();
  });
  after(() => siege[Symbol.asyncDispose]());

  test('takes the announced address for where a call comes from, and the balancer for the way', async () => {
    using connection = await RawConnection.open(siege.gateway.authority);
    const announcement = announce({ ip: '198.51.100.7', port: 51_234 });
    connection.send(Buffer.concat([announcement, Buffer.from(call(siege))]));
    const source = await sourceOf(siege, await connection.answer());
    assert.deepEqual(source, { ip: '198.51.100.7', port: 51_234, via: ['127.0.0.1'] });
  });

  test('understands IPv6 in whatever spelling it comes', async () => {
    for (const [ip, plain] of [
      ['2001:db8:0:0:0:0:0:7', '2001:db8::7'],
      ['0:0:0:0:0:ffff:c633:6407', '198.51.100.7'],
    ] as const) {
      using connection = await RawConnection.open(siege.gateway.authority);
      connection.send(Buffer.concat([announce({ ip }), Buffer.from(call(siege))]));
      const source = await sourceOf(siege, await connection.answer());
      assert.deepEqual(source, { ip: plain, port: 40_000, via: ['127.0.0.1'] });
    }
  });

  test('understands an announcement that arrives byte by byte', async () => {
    using connection = await RawConnection.open(siege.gateway.authority);
    for (const byte of announce({ ip: '198.51.100.8' })) {
      connection.send(Buffer.from([byte]));
      await sleep(2);
    }
    connection.send(call(siege));
    const source = await sourceOf(siege, await connection.answer());
    assert.deepEqual(source, { ip: '198.51.100.8', port: 40_000, via: ['127.0.0.1'] });
  });

  test('keeps the address for every call of the connection, and what was sent ahead with it', async () => {
    using connection = await RawConnection.open(siege.gateway.authority);
    connection.send(
      Buffer.concat([announce({ ip: '198.51.100.9' }), Buffer.from(call(siege, '1') + call(siege, '2'))]),
    );
    const answers = [await connection.answer(), await connection.answer()];
    connection.send(call(siege, '3'));
    answers.push(await connection.answer());
    for (const [at, answer] of answers.entries()) {
      assert.equal(JSON.parse(answer.body).id, String(at + 1));
      assert.deepEqual(((await sourceOf(siege, answer)) as { ip: string }).ip, '198.51.100.9');
    }
  });

  test('passes over further values behind the addresses, as long as they are not too many', async () => {
    using connection = await RawConnection.open(siege.gateway.authority);
    const rest = Buffer.alloc(536 - 12, 0x04);
    connection.send(Buffer.concat([announce({ ip: '198.51.100.7', rest }), Buffer.from(call(siege))]));
    const source = await sourceOf(siege, await connection.answer());
    assert.deepEqual(source, { ip: '198.51.100.7', port: 40_000, via: ['127.0.0.1'] });
  });

  test('takes a large body that comes at once with the announcement', async () => {
    const body = JSON.stringify({ schemas: [], title: 'x'.repeat(3_000_000) });
    const lines = [
      ...siege.head('POST', '/Users'),
      'Content-Type: application/scim+json',
      `Content-Length: ${body.length}`,
    ];
    using connection = await RawConnection.open(siege.gateway.authority);
    connection.send(Buffer.concat([announce({ ip: '198.51.100.7' }), Buffer.from(request(lines, body))]));
    const { status, body: answer } = await connection.answer();
    assert.ok(status < 300, answer);
    assert.equal(siege.upstream.received.at(-1)?.body, body);
  });

  for (const [what, local] of [
    ['nothing behind it', header(0x20, 0x00, Buffer.alloc(0))],
    ['addresses', announce({ ip: '198.51.100.7', command: 0x20 })],
    ['a family that nobody knows', header(0x20, 0xff, Buffer.alloc(30))],
  ] as const)
    test(`takes the balancer itself for the caller when it says so with ${what}`, async () => {
      using connection = await RawConnection.open(siege.gateway.authority);
      connection.send(Buffer.concat([local, Buffer.from(call(siege))]));
      const source = (await sourceOf(siege, await connection.answer())) as { ip: string; via?: unknown };
      assert.equal(source.ip, '127.0.0.1');
      assert.equal(source.via, undefined);
    });

  test('answers a caller of HTTP/1.0, and one that wants to be the last', async () => {
    const lines = siege.head('GET', '/Users/1').map((line) => line.replace('HTTP/1.1', 'HTTP/1.0'));
    using old = await RawConnection.open(siege.gateway.authority);
    old.send(Buffer.concat([announce({ ip: '198.51.100.7' }), Buffer.from(request(lines))]));
    assert.equal((await old.answer()).headers['connection'], 'close');
    await old.closed();
    using closing = await RawConnection.open(siege.gateway.authority);
    const last = request([...siege.head('GET', '/Users/1'), 'Connection: close']);
    closing.send(Buffer.concat([announce({ ip: '198.51.100.7' }), Buffer.from(last)]));
    assert.equal((await closing.answer()).status, 200);
    await closing.closed();
  });

  test('serves everybody else without an announcement', async () => {
    using connection = await RawConnection.open(siege.gateway.authority, { localAddress: '127.0.0.2' });
    connection.send(call(siege));
    const source = (await sourceOf(siege, await connection.answer())) as { ip: string; via?: unknown };
    assert.equal(source.ip, '127.0.0.2');
    assert.equal(source.via, undefined);
  });

  test('takes the announcement of everybody else for broken HTTP', async () => {
    using connection = await RawConnection.open(siege.gateway.authority, { localAddress: '127.0.0.2' });
    connection.send(Buffer.concat([announce({ ip: '198.51.100.7' }), Buffer.from(call(siege))]));
    assertRefusal(await connection.answer(), 400);
    await connection.closed();
  });
});

const addresses = Buffer.alloc(12, 1);
const unsound: Readonly<Record<string, readonly [code: string, bytes: string | Buffer]>> = {
  'a call without one': ['missing', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  'version 1': ['missing', 'PROXY TCP4 198.51.100.7 192.0.2.1 40000 443\r\nGET / HTTP/1.1\r\n\r\n'],
  'TLS without one': ['missing', Buffer.from('160301020001fc0303'.padEnd(64, '0'), 'hex')],
  'version 3': ['malformed', header(0x31, 0x11, addresses)],
  'an unknown command': ['malformed', header(0x22, 0x11, addresses)],
  'no family': ['family', header(0x21, 0x00, addresses)],
  datagrams: ['family', header(0x21, 0x12, addresses)],
  'Unix sockets': ['family', header(0x21, 0x31, Buffer.alloc(216))],
  'an unknown family': ['family', header(0x21, 0x41, addresses)],
  'half of the addresses': ['malformed', header(0x21, 0x11, addresses.subarray(1))],
  'addresses of IPv4 for those of IPv6': ['malformed', header(0x21, 0x21, addresses)],
  'more than 536 bytes': ['too-long', header(0x21, 0x11, Buffer.alloc(537, 1))],
};
for (const [what, [code, bytes]] of Object.entries(unsound))
  test(`a balancer that announces with ${what} is cut off without a word`, async () => {
    await using siege = await besiegeBehind();
    using connection = await RawConnection.open(siege.gateway.authority);
    connection.send(bytes);
    await connection.closed().catch(() => {}); // cut off or reset: both end it
    assert.equal(connection.unread, '');
    assert.deepEqual(await noiseOf(siege), [`proto.malformed proxy-header-${code} 127.0.0.0/24`]);
  });

test('an announcement that breaks off is told, a look whether somebody listens is not', async () => {
  await using siege = await besiegeBehind();
  const look = await RawConnection.open(siege.gateway.authority);
  look[Symbol.dispose]();
  for (const length of [5, 20]) {
    const broken = connect(Number(siege.gateway.authority.split(':')[1]), '127.0.0.1').resume();
    broken.end(announce({ ip: '198.51.100.7' }).subarray(0, length));
    await once(broken, 'close');
  }
  assert.deepEqual(await noiseOf(siege), ['proto.malformed proxy-header-incomplete 127.0.0.0/24']);
});

test('an announcement that does not come in five seconds ends the connection', async () => {
  await using siege = await besiegeBehind();
  const began = performance.now();
  using connection = await RawConnection.open(siege.gateway.authority);
  await connection.closed();
  assert.ok(performance.now() - began > 4000);
  assert.deepEqual(await noiseOf(siege), ['proto.malformed proxy-header-timeout 127.0.0.0/24']);
});

test('connections are counted for those who are announced, not for the balancer', async () => {
  await using siege = await besiegeBehind({ maxConnectionsPerSource: 1 });
  const { authority } = siege.gateway;
  const open = async (ip: string): Promise<RawConnection> => {
    const connection = await RawConnection.open(authority);
    connection.send(Buffer.concat([announce({ ip }), Buffer.from(call(siege))]));
    return connection;
  };
  using first = await open('198.51.100.1');
  assert.equal((await first.answer()).status, 200);
  using second = await open('198.51.100.2');
  assert.equal((await second.answer()).status, 200);
  using third = await open('198.51.100.1');
  await third.closed().catch(() => {}); // cut off or reset: both end it
  assert.deepEqual(await noiseOf(siege), ['proto.dropped too-many-connections 198.51.100.0/24']);
});

test('connections that are not announced yet are counted for the balancer', async () => {
  await using siege = await besiegeBehind({ maxConnectionsPerSource: 1 });
  const { authority } = siege.gateway;
  using silent = await RawConnection.open(authority);
  using waiting = await RawConnection.open(authority);
  await silent.closed();
  waiting.send(Buffer.concat([announce({ ip: '198.51.100.1' }), Buffer.from(call(siege))]));
  assert.equal((await waiting.answer()).status, 200);
  using next = await RawConnection.open(authority);
  next.send(Buffer.concat([announce({ ip: '198.51.100.2' }), Buffer.from(call(siege))]));
  assert.equal((await next.answer()).status, 200);
  assert.deepEqual(await noiseOf(siege), ['proto.dropped silent-when-others-came 127.0.0.0/24']);
});

test('a caller whose network is not its own is refused by the address that was announced', async () => {
  const permissions = [
    { permission: 'Access Proxy System API' as const, systems: 'all' as const, access: ['read' as const] },
  ];
  const callers = { local: { permissions, sourceNetworks: ['198.51.100.0/24'] } };
  await using siege = await besiege({ callers, config: { listen: { port: 0, proxyProtocol } } });
  const head = siege
    .head('GET', '/Users/1')
    .map((line) => line.replace(/^Authorization: .*/, `Authorization: ${siege.gateway.logOn('local')}`));
  for (const [ip, status] of [
    ['198.51.100.1', 200],
    ['203.0.113.1', 403],
  ] as const) {
    using connection = await RawConnection.open(siege.gateway.authority);
    connection.send(Buffer.concat([announce({ ip }), Buffer.from(request(head))]));
    assert.equal((await connection.answer()).status, status);
  }
});

test('broken HTTP is told of the network that was announced', async () => {
  await using siege = await besiegeBehind();
  using connection = await RawConnection.open(siege.gateway.authority);
  connection.send(Buffer.concat([announce({ ip: '198.51.100.7' }), Buffer.from('GET / HTTP/9.9\r\n\r\n')]));
  assertRefusal(await connection.answer(), 400);
  assert.deepEqual(await noiseOf(siege), ['proto.malformed HPE_INVALID_VERSION 198.51.100.0/24']);
});

describe('a load balancer before TLS', () => {
  const shown = createCertificate();
  const besiegeTls = async (settings = {}) => {
    await using starting = new AsyncDisposableStack();
    const directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-proxy-'));
    starting.defer(() => directory.remove());
    const file = join(directory.path, 'tls.crt');
    await writeFile(file, shown.certificate);
    const tls = { certificate: { file }, key: new Secret(shown.key), ...settings };
    const siege = starting.use(await besiegeBehind({ tls }, { headersTime: '1s' }));
    const balancer = starting.use(await startBalancer(siege.gateway.authority, '198.51.100.7'));
    const running = starting.move();
    return { siege, file, balancer, [Symbol.asyncDispose]: () => running.disposeAsync() };
  };

  test('announces the caller of every call over TLS', async () => {
    await using tls = await besiegeTls();
    using connection = await RawConnection.openTls(tls.balancer.authority, { ca: shown.certificate });
    for (const id of ['1', '2']) {
      connection.send(call(tls.siege, id));
      const source = await sourceOf(tls.siege, await connection.answer());
      assert.deepEqual(source, { ip: '198.51.100.7', port: 40_000, via: ['127.0.0.1'] });
    }
  });

  test('announces whose handshake failed', async () => {
    await using tls = await besiegeTls();
    const plain = await RawConnection.open(tls.balancer.authority);
    plain.send('GET / HTTP/1.1\r\n\r\n');
    await plain.closed().catch(() => {}); // cut off or reset: both end it
    assert.deepEqual(await noiseOf(tls.siege), ['tls.handshake_failed ERR_SSL_HTTP_REQUEST 198.51.100.0/24']);
  });

  test('announces who came without a certificate', async () => {
    const ca = createCertificate('callers');
    await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-proxy-ca-'));
    const file = join(directory.path, 'ca.crt');
    await writeFile(file, ca.certificate);
    for (const [mode, code] of [
      ['required', 'NO_CERTIFICATE'],
      ['explained', 'NO_CERTIFICATE'],
    ] as const) {
      await using tls = await besiegeTls({ clients: { ca: { file }, mode } });
      // Of TLS 1.3 a caller hears only after its handshake that the other side is not content.
      const connection = await RawConnection.openTls(tls.balancer.authority, { ca: shown.certificate });
      connection.send(call(tls.siege));
      if (mode === 'explained') assertRefusal(await connection.answer(), 401);
      else await connection.closed().catch(() => {}); // cut off or reset: both end it
      connection[Symbol.dispose]();
      assert.deepEqual(await noiseOf(tls.siege), [`mtls.rejected ${code} 198.51.100.0/24`]);
    }
  });
});

test('the gateway serves on after all kinds of announcements at once', async () => {
  await using siege = await besiegeBehind();
  const connections = await Promise.all(
    Object.values(unsound).map(async ([, bytes]) => {
      const connection = await RawConnection.open(siege.gateway.authority);
      connection.send(bytes);
      return connection;
    }),
  );
  for (const connection of connections) connection.reset();
  using connection = await RawConnection.open(siege.gateway.authority);
  connection.send(Buffer.concat([announce({ ip: '198.51.100.7' }), Buffer.from(call(siege))]));
  assert.equal((await connection.answer()).status, 200);
});
