import assert from 'node:assert/strict';
import { once } from 'node:events';
import http, { Agent, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { createForward, NoReply, type UpstreamCall } from '../../src/gateway/forward.ts';

const read: UpstreamCall = {
  method: 'GET',
  path: '/Users?count=1',
  headers: { accept: 'application/scim+json' },
  maxReplyBytes: 1000,
};
const soon = () => AbortSignal.timeout(150);
const later = () => AbortSignal.timeout(5000);

async function startUpstream(listener: RequestListener, tune: (server: Server) => void = () => {}) {
  const server = http.createServer(listener);
  tune(server);
  let connections = 0;
  server.on('connection', () => (connections += 1)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/base`);
  return {
    forward: createForward({ url, agent }),
    agent,
    get connections() {
      return connections;
    },
    async [Symbol.asyncDispose]() {
      agent.destroy();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

function echoRequest(...[request, response]: Parameters<RequestListener>): void {
  let body = '';
  request
    .on('data', (chunk) => (body += chunk))
    .on('end', () => response.end(JSON.stringify({ url: request.url, headers: request.headers, body })));
}

test('joins the path to the upstream and sends only the given headers', async () => {
  await using upstream = await startUpstream(echoRequest);
  const reply = await upstream.forward(read, later());
  const { url, headers } = JSON.parse(reply.body.toString());
  assert.deepEqual(
    [url, Object.keys(headers).toSorted()],
    ['/base/Users?count=1', ['accept', 'connection', 'host']],
  );
});

test('sends a body once, with its length, on a kept-alive connection', async () => {
  await using upstream = await startUpstream(echoRequest);
  const body = Buffer.from('{"a":12345678901234567890}');
  const headers = { 'content-length': String(body.length) };
  for (let i = 0; i < 5; i += 1) {
    const reply = await upstream.forward({ ...read, method: 'POST', headers, body }, later());
    const seen = JSON.parse(reply.body.toString());
    assert.deepEqual(
      [seen.headers['content-length'], seen.headers['transfer-encoding'], seen.body],
      [String(body.length), undefined, body.toString()],
    );
  }
  assert.equal(upstream.connections, 1);
});

const silentAfter =
  (bytes: string): RequestListener =>
  (_request, response) => {
    response.writeHead(200, { 'content-length': 9 });
    response.write(bytes);
  };

for (const [what, listener, expected] of [
  ['is silent', () => {}, { sent: true, silent: true, timedOut: true }],
  ['stalls within the body', silentAfter('x'), { sent: true, silent: false, timedOut: true }],
  [
    'trickles beyond the deadline',
    (_request, response) => {
      response.writeHead(200, { 'content-length': 900 });
      const drip = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(drip));
    },
    { sent: true, silent: false, timedOut: true },
  ],
  [
    'breaks off within the body',
    (_request, response) => {
      silentAfter('x')(_request, response);
      setTimeout(() => response.destroy(), 5);
    },
    { sent: true, silent: false, timedOut: false },
  ],
  [
    'resets before it answers',
    (request) => request.socket.resetAndDestroy(),
    { sent: true, silent: true, timedOut: false },
  ],
  ['sends too much', (_request, response) => response.end(Buffer.alloc(5000)), { sent: true, silent: false }],
  ['speaks no HTTP', (request) => request.socket.end('hello\r\n\r\n'), { sent: true, timedOut: false }],
  [
    'switches protocols',
    (request) =>
      request.socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
    { sent: true, silent: false, timedOut: false },
  ],
  [
    'frames its reply in two ways',
    (request) =>
      request.socket.end(
        'HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
      ),
    { sent: true, timedOut: false },
  ],
] as [string, RequestListener, Partial<NoReply>][])
  test(`throws when the tenant ${what}`, async () => {
    await using upstream = await startUpstream(listener);
    const deadline = expected.timedOut === true ? soon() : later();
    await assert.rejects(upstream.forward(read, deadline), { name: 'NoReply', ...expected });
    await sleep(20);
    assert.equal(Object.values(upstream.agent.sockets).flat().length, 0, 'no upstream socket is left behind');
  });

test('knows that a refused connection carried nothing', async () => {
  const forward = createForward({ url: new URL('http://127.0.0.1:1'), agent: new Agent() });
  await assert.rejects(forward(read, later()), { name: 'NoReply', sent: false, timedOut: false });
});

test('knows that a request which waited in vain for a free socket carried nothing', async () => {
  await using upstream = await startUpstream(
    (_request, response) => void setTimeout(() => response.end(), 400),
  );
  upstream.agent.maxSockets = 1;
  const long = upstream.forward(read, later());
  await assert.rejects(upstream.forward(read, soon()), { name: 'NoReply', sent: false, timedOut: true });
  assert.equal((await long).status, 200);
});

test('sends nothing once the deadline has passed', async () => {
  await using upstream = await startUpstream((_request, response) => void response.end());
  await assert.rejects(upstream.forward(read, AbortSignal.abort(new DOMException('', 'TimeoutError'))), {
    sent: false,
    timedOut: true,
  });
  assert.equal(upstream.connections, 0);
});

test('survives a Trailer field in the reply', async () => {
  await using upstream = await startUpstream((_request, response) => {
    response.writeHead(200, { trailer: 'x-sum' });
    response.addTrailers({ 'x-sum': '1' });
    response.end('{}');
  });
  assert.equal((await upstream.forward(read, later())).body.toString(), '{}');
});

test('skips informational replies', async () => {
  await using upstream = await startUpstream((_request, response) => {
    response.writeProcessing();
    response.writeEarlyHints({ link: '</x>; rel=preload' });
    response.end('{}');
  });
  assert.equal((await upstream.forward(read, later())).status, 200);
});

for (const status of [204, 304])
  test(`keeps the connection after ${status}`, async () => {
    await using upstream = await startUpstream((_request, response) => response.writeHead(status).end());
    for (let i = 0; i < 10; i += 1) assert.equal((await upstream.forward(read, later())).status, status);
    assert.equal(upstream.connections, 1);
  });

test('carries a DELETE without a body', async () => {
  await using upstream = await startUpstream(echoRequest);
  for (let i = 0; i < 10; i += 1)
    assert.equal((await upstream.forward({ ...read, method: 'DELETE' }, later())).status, 200);
  assert.equal(upstream.connections, 1);
});

test('carries many at once on few connections', async () => {
  await using upstream = await startUpstream(
    (_request, response) => void setTimeout(() => response.end('x'), 1),
  );
  const replies = await Promise.all(Array.from({ length: 500 }, () => upstream.forward(read, later())));
  assert.equal(replies.filter((reply) => reply.status === 200).length, 500);
  assert.ok(upstream.connections <= 4);
});
