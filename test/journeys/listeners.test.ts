/** Several listeners before one line: each with an address, a certificate and a trust of its own, and one for health. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';

import type { ConfigDocument } from '../../src/gateway/config-schema.ts';
import { announce } from '../support/balancer.ts';
import { createCertificate, type CertificateAndKey } from '../support/certificate.ts';
import { RawConnection, request } from '../support/raw.ts';
import { assertRefusal, besiege, recordOf, type Siege } from '../support/siege.ts';

const pairs = {
  main: createCertificate(),
  partners: createCertificate(),
  admin: createCertificate(),
  next: createCertificate(),
};
const callersAuthority = createCertificate('callers');

async function writePair(
  directory: string,
  name: string,
  { certificate, key }: CertificateAndKey,
): Promise<void> {
  await writeFile(join(directory, `${name}.crt`), certificate);
  await writeFile(join(directory, `${name}.key`), key, { mode: 0o600 });
}

const pairIn = (directory: string, name: string) => ({
  certificate: { file: join(directory, `${name}.crt`) },
  key: { file: join(directory, `${name}.key`) },
});

/** A besieged gateway with a main listener, one for partners, and an administrative one, all over TLS. */
async function besiegeTls(changes: (directory: string) => Partial<ConfigDocument> = () => ({})) {
  await using starting = new AsyncDisposableStack();
  const directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-listeners-'));
  starting.defer(() => directory.remove());
  for (const name of ['main', 'partners', 'admin'] as const)
    await writePair(directory.path, name, pairs[name]);
  await writeFile(join(directory.path, 'ca.crt'), callersAuthority.certificate);
  const siege = starting.use(
    await besiege({
      config: {
        listen: { port: 0, tls: pairIn(directory.path, 'main') },
        listeners: { partners: { port: 0, tls: pairIn(directory.path, 'partners') } },
        admin: { port: 0, tls: pairIn(directory.path, 'admin') },
        ...changes(directory.path),
      },
    }),
  );
  const running = starting.move();
  return { siege, directory: directory.path, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** The certificate that whoever connects is shown. */
async function shownAt(authority: string): Promise<string | undefined> {
  const socket = connect({
    port: Number(authority.split(':')[1]),
    host: '127.0.0.1',
    rejectUnauthorized: false,
  });
  await once(socket, 'secureConnect');
  const shown = socket.getPeerX509Certificate()?.toString().trim();
  socket.destroy();
  return shown;
}

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + 8000;
  while (!(await holds())) {
    assert.ok(performance.now() < until, 'it did not come about in time');
    await sleep(50);
  }
}

const authoritiesOf = ({ gateway }: Siege) => ({
  main: gateway.authority,
  partners: gateway.authorityOf('listeners.partners'),
  admin: new URL(gateway.adminUrl).host,
});

test('each listener shows a certificate of its own, and follows its own files alone', async () => {
  await using tls = await besiegeTls();
  const authorities = authoritiesOf(tls.siege);
  for (const name of ['main', 'partners', 'admin'] as const)
    assert.equal(await shownAt(authorities[name]), pairs[name].certificate.trim(), name);
  const expected = { main: pairs.main, partners: pairs.partners, admin: pairs.admin };
  for (const name of ['partners', 'admin', 'main'] as const) {
    await writePair(tls.directory, name, pairs.next);
    expected[name] = pairs.next;
    await eventually(async () => (await shownAt(authorities[name])) === pairs.next.certificate.trim());
    for (const other of ['main', 'partners', 'admin'] as const)
      assert.equal(await shownAt(authorities[other]), expected[other].certificate.trim(), other);
  }
  const told = (await tls.siege.end()).filter(({ event }) => event === 'cert.reloaded');
  const places = new Set(told.map(({ facts }) => (facts as { listener?: string }).listener));
  assert.deepEqual(places, new Set(['listeners.partners', 'admin', 'listen']));
});

test('the administrative listener with a certificate speaks TLS alone', async () => {
  await using tls = await besiegeTls();
  const { admin } = authoritiesOf(tls.siege);
  assert.match(tls.siege.gateway.adminUrl, /^https:/);
  using connection = await RawConnection.openTls(admin, { ca: pairs.admin.certificate });
  connection.send(request(['GET /health/ready HTTP/1.1', `Host: ${admin}`, 'Connection: close']));
  await connection.closed();
  assert.match(connection.unread, /^HTTP\/1\.1 200 OK\r\n/);
  using plain = await RawConnection.open(admin);
  plain.send(request(['GET /health/ready HTTP/1.1', `Host: ${admin}`]));
  await plain.closed().catch(() => {}); // cut off or reset: both end it
  assert.doesNotMatch(plain.unread, /200/);
});

test('one listener wants a certificate of its callers while another does not', async () => {
  await using tls = await besiegeTls((directory) => ({
    listeners: {
      partners: {
        port: 0,
        tls: {
          ...pairIn(directory, 'partners'),
          clients: { ca: { file: join(directory, 'ca.crt') }, mode: 'explained' },
        },
      },
    },
  }));
  const { siege } = tls;
  const { main, partners } = authoritiesOf(siege);
  const own = createCertificate('sap-idm', { issuer: callersAuthority, purpose: 'clientAuth' });
  const ask = async (authority: string, ca: string, options = {}): Promise<number> => {
    using connection = await RawConnection.openTls(authority, { ca, ...options });
    connection.send(request(siege.head('GET', '/Users/1')));
    return (await connection.answer()).status;
  };
  assert.equal(await ask(main, pairs.main.certificate), 200);
  assert.equal(await ask(partners, pairs.partners.certificate), 401);
  assert.equal(await ask(partners, pairs.partners.certificate, { cert: own.certificate, key: own.key }), 200);
});

test('all listeners serve one line: what is written through one is fresh through the other', async () => {
  await using siege = await besiege({ config: { listen: { port: 0 }, listeners: { lan: { port: 0 } } } });
  const { gateway, upstream } = siege;
  const through = async (authority: string, lines: readonly string[], body = ''): Promise<string> => {
    using connection = await RawConnection.open(authority);
    connection.send(
      request(
        [
          ...lines,
          ...(body ? ['Content-Type: application/scim+json', `Content-Length: ${body.length}`] : []),
        ],
        body,
      ),
    );
    const { status, headers, body: got } = await connection.answer();
    assert.equal(status, 200, got);
    return headers['cache-status'] ?? '';
  };
  const [main, lan] = [gateway.authority, gateway.authorityOf('listeners.lan')];
  const read = siege.head('GET', '/Users/1');
  await through(main, read);
  assert.match(await through(lan, read), /hit/);
  await through(lan, siege.head('PUT', '/Users/1'), '{"id":"1","schemas":[]}');
  assert.doesNotMatch(await through(main, read), /hit/);
  assert.equal(upstream.received.length, 3);
});

test('links name the public address whichever listener is asked, and each is asked by its own names', async () => {
  const config: Partial<ConfigDocument> = {
    publicUrl: 'https://gatehouse.example.com',
    listen: { port: 0 },
    listeners: { lan: { port: 0, hosts: ['inside.example.com'] } },
  };
  await using siege = await besiege({ config });
  const lan = siege.gateway.authorityOf('listeners.lan');
  for (const [host, status] of [
    [lan, 200],
    ['inside.example.com', 200],
    [`inside.example.com:${lan.split(':')[1]}`, 200],
    ['gatehouse.example.com', 200],
    ['elsewhere.example.com', 421],
  ] as const) {
    using connection = await RawConnection.open(lan);
    const lines = siege.head('GET', '/Users/1').map((line) => line.replace(/^Host: .*/, `Host: ${host}`));
    connection.send(request(lines));
    const answer = await connection.answer();
    assert.equal(answer.status, status, host);
    if (status === 200)
      assert.match(JSON.parse(answer.body).meta.location, /^https:\/\/gatehouse\.example\.com\//);
  }
});

test('each listener believes its own load balancers and hops alone', async () => {
  const config: Partial<ConfigDocument> = {
    listen: { port: 0 },
    listeners: {
      balanced: { port: 0, proxyProtocol: { from: ['127.0.0.1'] } },
      behind: { port: 0, trustedHops: ['127.0.0.1'] },
    },
  };
  await using siege = await besiege({ config });
  const { gateway } = siege;
  const call = Buffer.from(request([...siege.head('GET', '/Users/1'), 'X-Forwarded-For: 203.0.113.9']));
  const sourceAt = async (authority: string, ahead: Buffer = Buffer.alloc(0)): Promise<string> => {
    using connection = await RawConnection.open(authority);
    connection.send(Buffer.concat([ahead, call]));
    const answer = await connection.answer();
    return ((await recordOf(siege, answer))['src'] as { ip: string }).ip;
  };
  assert.equal(await sourceAt(gateway.authority), '127.0.0.1');
  assert.equal(await sourceAt(gateway.authorityOf('listeners.behind')), '203.0.113.9');
  const announcement = announce({ ip: '198.51.100.7' });
  assert.equal(await sourceAt(gateway.authorityOf('listeners.balanced'), announcement), '198.51.100.7');
  using connection = await RawConnection.open(gateway.authority);
  connection.send(Buffer.concat([announcement, call]));
  assertRefusal(await connection.answer(), 400);
});

test('a listener whose port is taken ends those that are open already', async () => {
  await using occupant = await besiege();
  const port = Number(occupant.gateway.authority.split(':')[1]);
  const servers = (): number =>
    process.getActiveResourcesInfo().filter((resource) => resource === 'TCPServerWrap').length;
  const before = servers();
  await assert.rejects(besiege({ config: { listen: { port: 0 }, listeners: { lan: { port } } } }), {
    code: 'EADDRINUSE',
  });
  assert.equal(servers(), before);
});

test('a shutdown lets the calls of every listener finish and takes no new connection on any', async () => {
  const { promise: asked, resolve: isAsked } = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  await using siege = await besiege({
    config: { listen: { port: 0 }, listeners: { lan: { port: 0 } } },
    tenantSide: {
      answer: (_request, response) => {
        isAsked();
        void answer.promise.then(() =>
          response.writeHead(200, { 'content-type': 'application/scim+json' }).end('{"id":"1","schemas":[]}'),
        );
      },
    },
  });
  const lan = siege.gateway.authorityOf('listeners.lan');
  using connection = await RawConnection.open(lan);
  connection.send(request(siege.head('GET', '/Users/1')));
  await asked;
  const ended = siege.end();
  await sleep(100);
  for (const authority of [siege.gateway.authority, lan])
    await assert.rejects(RawConnection.open(authority), { code: 'ECONNREFUSED' });
  answer.resolve();
  assert.equal((await connection.answer()).status, 200);
  await ended;
});

/** What comes back from the listener for health, until it closes. */
async function askHealth(siege: Siege, bytes: string): Promise<string> {
  using connection = await RawConnection.open(siege.gateway.authorityOf('health'));
  connection.send(bytes);
  await connection.closed();
  return connection.unread;
}

const withHealth = { config: { listen: { port: 0 }, health: { port: 0 } } };

test('the listener for health answers with a bare status', async () => {
  await using siege = await besiege(withHealth);
  for (const path of ['startup', 'live', 'ready'])
    for (const lines of [
      [`GET /health/${path} HTTP/1.1`, 'Host: 10.0.0.1:9091'],
      [`GET /health/${path} HTTP/1.0`],
    ]) {
      const text = await askHealth(siege, request(lines));
      assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
      assert.match(text, /\r\ncontent-length: 0\r\n/);
      assert.ok(text.endsWith('\r\n\r\n'), 'there is no body');
    }
});

test('the listener for health knows nothing else', async () => {
  await using siege = await besiege(withHealth);
  for (const question of [
    'GET /',
    'GET /health',
    'GET /health/ready?x',
    'GET /health/ready/',
    'POST /health/ready',
    'HEAD /health/live',
    `GET ${siege.gateway.basePath}/Users`,
    'OPTIONS *',
  ])
    assert.match(
      await askHealth(siege, request([`${question} HTTP/1.1`, 'Host: a'])),
      /^HTTP\/1\.1 404 /,
      question,
    );
  const large = request(['GET /health/live HTTP/1.1', `X-Large: ${'x'.repeat(3000)}`]);
  assert.match(await askHealth(siege, large), /^HTTP\/1\.1 431 /);
  assert.equal(await askHealth(siege, request(['CONNECT a:1 HTTP/1.1', 'Host: a'])), '');
});

test('a slow request for health is cut off within seconds', async () => {
  await using siege = await besiege(withHealth);
  assert.match(await askHealth(siege, 'GET /health/live HTTP/1.1\r\nHost: a\r\n'), /^HTTP\/1\.1 408 /);
});

test('health is not ready while the gateway drains, and says no reason', async () => {
  const { promise: asked, resolve: isAsked } = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  await using siege = await besiege({
    ...withHealth,
    tenantSide: {
      answer: (_request, response) => {
        isAsked();
        void answer.promise.then(() => response.writeHead(204).end());
      },
    },
  });
  const call = siege.gateway.call('GET', '/Users/1');
  await asked;
  const ended = siege.end();
  await sleep(50);
  const text = await askHealth(siege, request(['GET /health/ready HTTP/1.1', 'Host: a']));
  assert.match(text, /^HTTP\/1\.1 503 /);
  assert.match(text, /\r\ncontent-length: 0\r\n/);
  assert.match(await askHealth(siege, request(['GET /health/live HTTP/1.1', 'Host: a'])), /^HTTP\/1\.1 200 /);
  answer.resolve();
  await call;
  await ended;
});

test('connections to health are few, and callers do not feel them', async () => {
  await using siege = await besiege(withHealth);
  const port = Number(siege.gateway.authorityOf('health').split(':')[1]);
  const held = Array.from({ length: 260 }, () => connectPlain(port, '127.0.0.1').resume());
  for (const socket of held) socket.on('error', () => {}); // cut off or closed: both end it
  const countEnded = (): number => held.filter((socket) => socket.closed).length;
  await eventually(() => Promise.resolve(countEnded() >= 60));
  assert.equal(countEnded(), 60, 'the others end by their time, seconds later');
  assert.equal((await siege.gateway.call('GET', '/Users/1')).status, 200);
  for (const socket of held) socket.destroy();
});
