/** What the listener agrees to before there is a call, and whom it does not wait for. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';

import { Secret } from '../../src/gateway/secret.ts';
import { createCertificate, type CertificateAndKey } from '../support/certificate.ts';
import type { TrailRecord } from '../support/gateway.ts';
import { RawConnection, request } from '../support/raw.ts';
import { assertRefusal, assertServing, besiege, type Siege } from '../support/siege.ts';
import { sendScim, type UpstreamOptions } from '../support/upstream.ts';

type Listen = NonNullable<NonNullable<Parameters<typeof besiege>[0]>['config']>['listen'];

/** A besieged gateway whose listener shows the certificate. */
async function besiegeTls(shown: CertificateAndKey, listen: Listen = {}, limits = {}) {
  await using starting = new AsyncDisposableStack();
  const directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-listener-'));
  starting.defer(() => directory.remove());
  const file = join(directory.path, 'tls.crt');
  await writeFile(file, shown.certificate);
  const tls = { certificate: { file }, key: new Secret(shown.key) };
  const siege = starting.use(await besiege({ config: { listen: { port: 0, tls, ...listen }, limits } }));
  const running = starting.move();
  return { siege, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

const portOf = ({ gateway }: Siege): number => Number(new URL(gateway.url).port);

async function shakeHands(siege: Siege, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ port: portOf(siege), host: '127.0.0.1', rejectUnauthorized: false, ...options });
  await once(socket, 'secureConnect');
  return socket;
}

/** How many of the event the trail has, once the gateway has stopped. */
function countOf(records: readonly TrailRecord[], event: string): number {
  return records
    .filter((record) => record.event === event)
    .reduce((sum, { facts }) => sum + (facts?.count ?? 0), 0);
}

const legacy = 'DEFAULT@SECLEVEL=0';
const shown = { ECDSA: createCertificate(), RSA: createCertificate('localhost', { keyType: 'rsa' }) };
for (const [kind, certificate] of Object.entries(shown))
  describe(`a listener with a certificate of type ${kind}`, () => {
    let tls: Awaited<ReturnType<typeof besiegeTls>>;
    before(async () => {
      tls = await besiegeTls(certificate);
    });
    after(() => tls[Symbol.asyncDispose]());

    for (const suite of ['AES256-GCM-SHA384', 'AES128-GCM-SHA256'])
      test(`speaks the suite of TLS 1.2 with ${suite} that Java 8 has`, async () => {
        const ciphers = `ECDHE-${kind}-${suite}`;
        const options: ConnectionOptions = { maxVersion: 'TLSv1.2', ciphers, ecdhCurve: 'prime256v1' };
        using socket = disposable(await shakeHands(tls.siege, options));
        assert.equal(socket.it.getCipher().name, ciphers);
      });

    test('prefers TLS 1.3 and HTTP/1.1', async () => {
      const ALPNProtocols = ['h2', 'http/1.1'];
      using socket = disposable(await shakeHands(tls.siege, { ALPNProtocols }));
      assert.equal(socket.it.getProtocol(), 'TLSv1.3');
      assert.equal(socket.it.alpnProtocol, 'http/1.1');
    });

    const refused: Readonly<Record<string, ConnectionOptions>> = {
      'TLS 1.0': { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: legacy },
      'TLS 1.1': { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: legacy },
      'CBC with SHA-1': { ciphers: `ECDHE-${kind}-AES128-SHA` },
      'CBC with SHA-256': { ciphers: `ECDHE-${kind}-AES128-SHA256` },
      'no forward secrecy': { ciphers: 'AES128-GCM-SHA256:AES256-GCM-SHA384' },
      'no encryption': { ciphers: 'NULL-SHA256:eNULL@SECLEVEL=0' },
      'finite-field Diffie-Hellman': { ciphers: 'DHE-RSA-AES256-GCM-SHA384' },
      'an unusual curve': { ecdhCurve: 'secp521r1' },
      'signatures with SHA-1': { sigalgs: `${kind}+SHA1`, ciphers: legacy },
      'signatures with SHA-224': { sigalgs: `${kind}+SHA224`, ciphers: legacy },
      'HTTP/2 alone': { ALPNProtocols: ['h2'] },
    };
    for (const [what, options] of Object.entries(refused))
      test(`refuses ${what}`, async () => {
        const version = options.maxVersion || options.ALPNProtocols ? {} : { maxVersion: 'TLSv1.2' as const };
        await assert.rejects(shakeHands(tls.siege, { ...version, ...options }), { code: /^ERR_SSL_/ });
      });

    test('does not negotiate a second time', async () => {
      const socket = await shakeHands(tls.siege, { maxVersion: 'TLSv1.2' });
      const { promise: agreed, resolve } = Promise.withResolvers<string>();
      const refused = once(socket, 'error').then(([error]) => String(error));
      socket.renegotiate({}, () => resolve('agreed'));
      assert.match(await Promise.race([agreed, refused]), /no renegotiation/);
      socket.destroy();
    });

    // Row 66.
    for (const servername of ['unknown.example', 'LOCALHOST', 'a'.repeat(255)])
      test(`shows its certificate to whoever asks for ${servername.slice(0, 20)}`, async () => {
        using socket = disposable(await shakeHands(tls.siege, { servername }));
        assert.equal(socket.it.getPeerX509Certificate()?.toString().trim(), certificate.certificate.trim());
      });

    test('still serves after all that', async () => {
      const agent = new https.Agent({ ca: certificate.certificate, keepAlive: true });
      const { status } = await get(tls.siege, agent);
      assert.equal(status, 200);
      agent.destroy();
    });
  });

function disposable(it: TLSSocket) {
  return { it, [Symbol.dispose]: () => void it.destroy() };
}

async function get({ gateway }: Siege, agent: https.Agent) {
  const asked = https.get(`${gateway.base}/Users/1`, { agent, headers: { authorization: gateway.logOn() } });
  const [answer] = await once(asked, 'response');
  answer.resume();
  await once(answer, 'end');
  return { status: answer.statusCode, connection: answer.headers.connection };
}

test('a handshake that is not finished is cut, and counted once', async () => {
  await using tls = await besiegeTls(shown.ECDSA, {}, { headersTime: '300ms' });
  const silent = connectPlain(portOf(tls.siege), '127.0.0.1').resume();
  silent.on('error', () => {}); // cut off or closed: both end it
  await once(silent, 'close');
  const records = await tls.siege.end();
  assert.equal(countOf(records, 'tls.handshake_failed'), 1);
  assert.equal(countOf(records, 'proto.malformed'), 0);
  const failed = records.find(({ event }) => event === 'tls.handshake_failed');
  assert.equal(failed?.facts?.network, '127.0.0.0/24');
});

test('a head that does not arrive in time is answered with 408', async () => {
  await using siege = await besiege({ config: { limits: { headersTime: '300ms' } } });
  using connection = await RawConnection.open(siege.gateway.authority);
  connection.send('GET / HTTP/1.1\r\nHost: a\r\n');
  assertRefusal(await connection.answer(), 408);
  await connection.closed();
  assert.equal(countOf(await siege.end(), 'proto.timeout'), 1);
});

test('a connection that lies idle between calls is cut', async () => {
  await using siege = await besiege({ config: { limits: { idleTime: '1s' } } });
  using connection = await RawConnection.open(siege.gateway.authority);
  connection.send(request(siege.head('GET', '/Users/1')));
  assert.equal((await connection.answer()).status, 200);
  await connection.closed();
});

const large = { Resources: [], padding: 'x'.repeat(8 * 1024 * 1024) };
/** More than the sockets' buffers take. */
const tenantSide: UpstreamOptions = { answer: (_, response) => sendScim(response, 200, large) };

test('a caller that waits for the tenant is not idle, also when it has sent ahead', async () => {
  const tenantSide: UpstreamOptions = {
    answer: (_, response) => void sleep(1500).then(() => sendScim(response, 200, {})),
  };
  await using siege = await besiege({ tenantSide, config: { limits: { idleTime: '1s' } } });
  using connection = await RawConnection.open(siege.gateway.authority);
  connection.send(request(siege.head('GET', '/Users/1')) + request(siege.head('GET', '/Users/2')));
  for (const _ of [1, 2]) assert.equal((await connection.answer()).status, 200);
});

test('a caller that takes nothing of its answer is cut off', async () => {
  await using siege = await besiege({ tenantSide, config: { limits: { idleTime: '1s' } } });
  const { hostname, port } = new URL(siege.gateway.url);
  const socket = connectPlain(Number(port), hostname);
  socket.write(request(siege.head('GET', '/Users')));
  await once(socket, 'readable');
  const cut = once(socket, 'close');
  await sleep(3500);
  socket.on('error', () => {}); // a reset ends it as well
  let taken = 0;
  socket.on('data', (chunk: Buffer) => (taken += chunk.length));
  await cut;
  assert.ok(taken > 0 && taken < large.padding.length, `${taken} bytes were taken`);
});

test('one source cannot take all connections, and its place is free again when it closes one', async () => {
  await using siege = await besiege({ config: { listen: { port: 0, maxConnectionsPerSource: 2 } } });
  const call = request(siege.head('GET', '/Users/1'));
  const open = async (): Promise<RawConnection> => {
    const connection = await RawConnection.open(siege.gateway.authority);
    connection.send(call);
    assert.equal((await connection.answer()).status, 200);
    return connection;
  };
  const first = await open();
  using second = await open();
  using third = await RawConnection.open(siege.gateway.authority);
  await third.closed();
  first[Symbol.dispose]();
  await sleep(100);
  await assertServing(siege);
  assert.ok(second.isOpen);
  assert.equal(countOf(await siege.end(), 'proto.dropped'), 1);
});

for (const [scope, limits] of Object.entries({
  'of its source': { maxConnectionsPerSource: 3 },
  altogether: { maxConnections: 3 },
}))
  test(`where there are as many connections as may be ${scope}, the one that is silent for longest gives way`, async () => {
    await using siege = await besiege({ config: { listen: { port: 0, ...limits } } });
    const { authority } = siege.gateway;
    const call = request(siege.head('GET', '/Users/1'));
    using known = await RawConnection.open(authority);
    known.send(call);
    assert.equal((await known.answer()).status, 200);
    using longest = await RawConnection.open(authority);
    using refused = await RawConnection.open(authority);
    refused.send(request(['GET / HTTP/1.1', `Host: ${authority}`]));
    assertRefusal(await refused.answer(), 401);
    using newcomer = await RawConnection.open(authority);
    newcomer.send(call);
    assert.equal((await newcomer.answer()).status, 200);
    await longest.closed();
    using another = await RawConnection.open(authority);
    another.send(call);
    assert.equal((await another.answer()).status, 200);
    await refused.closed();
    assert.ok(known.isOpen && newcomer.isOpen);
    assert.equal(countOf(await siege.end(), 'proto.dropped'), 2);
  });

test('who has a call at work gives way to nobody', async () => {
  const arrived = Promise.withResolvers<() => void>();
  const tenantSide: UpstreamOptions = {
    answer: (_request, response) => arrived.resolve(() => sendScim(response, 200, { schemas: [] })),
  };
  await using siege = await besiege({ tenantSide, config: { listen: { port: 0, maxConnections: 1 } } });
  using working = await RawConnection.open(siege.gateway.authority);
  working.send(request(siege.head('GET', '/Users/1')));
  const release = await arrived.promise;
  using other = await RawConnection.open(siege.gateway.authority);
  await other.closed();
  release();
  assert.equal((await working.answer()).status, 200);
});

test('a connection beyond those of its source is closed before TLS begins', async () => {
  await using tls = await besiegeTls(shown.ECDSA, { maxConnectionsPerSource: 1 });
  using held = disposable(await shakeHands(tls.siege, {}));
  held.it.write(request(tls.siege.head('GET', '/Users/1')));
  await once(held.it, 'data');
  await assert.rejects(shakeHands(tls.siege, {}), { code: 'ECONNRESET' });
  assert.ok(!held.it.destroyed);
  const records = await tls.siege.end();
  assert.equal(countOf(records, 'proto.dropped'), 1);
  assert.equal(countOf(records, 'tls.handshake_failed'), 0);
});

test('the thousandth answer on a connection asks its caller to connect anew', async () => {
  await using siege = await besiege();
  using connection = await RawConnection.open(siege.gateway.authority);
  const call = request(['GET /elsewhere HTTP/1.1', `Host: ${siege.gateway.authority}`]);
  for (let sent = 1; sent < 1000; sent += 1) {
    connection.send(call);
    assert.equal((await connection.answer()).headers['connection'], 'keep-alive');
  }
  connection.send(call);
  assert.equal((await connection.answer()).headers['connection'], 'close');
  await connection.closed();
});
