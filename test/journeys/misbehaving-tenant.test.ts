/** What a tenant can do wrong, and what the caller is told: the truth, in SCIM, in time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { startGateway } from '../support/gateway.ts';
import { RawConnection, request } from '../support/raw.ts';
import { assertRefusal, assertServing, besiege, plainAnswer, type Siege } from '../support/siege.ts';
import { sendScim, type Answer } from '../support/upstream.ts';

const deadlines = { read: '400ms', write: '600ms' };
const settings = {
  tenant: { deadlines },
  system: { repeats: { lookFor: '0ms' } },
  config: { limits: { reply: '64KiB' } },
} as const;

/** Answers with bytes, and leaves the connection as it is or closes it. */
const bytes =
  (text: string, { close = true } = {}): Answer =>
  (_request, _response, { socket }) =>
    void (close ? socket.end(text) : socket.write(text));
const reset: Answer = (_request, _response, { socket }) => socket.resetAndDestroy();
const silent: Answer = () => {};
const trickle: Answer = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/scim+json' });
  const drip = setInterval(() => response.write(' '), 30);
  response.once('close', () => clearInterval(drip));
};
const scim = (status: number, headers: object, body: string): Answer => {
  return (_request, response) =>
    void response.writeHead(status, { 'content-type': 'application/scim+json', ...headers }).end(body);
};
const list = (size: number): string => JSON.stringify({ schemas: [], Resources: ['x'.repeat(size)] });

// Rows 82, 85-87, 89, 92: what is no SCIM answer at all. Of such a write nobody knows.
const broken: readonly (readonly [what: string, answer: Answer])[] = [
  [
    'cuts its body short',
    bytes('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a":1'),
  ],
  ['breaks a chunk', bytes('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n')],
  [
    'frames its body in two ways',
    bytes('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'),
  ],
  ['speaks no HTTP', bytes('SSH-2.0-OpenSSH_9.9\r\n')],
  [
    'sends a header of 20 kB',
    bytes(`HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(20_000)}\r\nContent-Length: 2\r\n\r\n{}`),
  ],
  [
    'sends control characters in a header',
    bytes('HTTP/1.1 200 OK\r\nX-A: a\u0001b\r\nContent-Length: 2\r\n\r\n{}'),
  ],
  [
    'switches protocols',
    bytes('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', { close: false }),
  ],
  ['redirects elsewhere', scim(302, { location: 'http://169.254.169.254/latest' }, '')],
  [
    'sends no status code',
    bytes('HTTP/1.1 042 X\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'),
  ],
  [
    'sends a status code beyond the last',
    bytes('HTTP/1.1 999 X\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'),
  ],
  ['shows a log-on page', scim(200, { 'content-type': 'text/html' }, '<form>')],
  ['sends an array', scim(200, {}, '[]')],
  ['sends no JSON', scim(200, {}, '{"a":')],
  ['sends too much', scim(200, {}, list(70_000))],
  ['compresses', scim(200, { 'content-encoding': 'gzip' }, '{}')],
  ['sends a body with 204', bytes('HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n{}')],
];

test('a tenant whose answer is none', async (t) => {
  for (const [what, answer] of broken)
    await t.test(
      `${what}: a read fails, the outcome of a write is unknown, and both went up once`,
      async () => {
        await using siege = await besiege({ ...settings, tenantSide: { answer } });
        const startedAt = performance.now();
        assertRefusal(await plainAnswer(await siege.gateway.call('GET', '/Users/1')), 502);
        const write = await plainAnswer(await siege.gateway.call('POST', '/Users', {}));
        assertRefusal(write, 504);
        assert.match(write.body, /outcome is unknown/);
        assert.equal(write.headers['location'], undefined);
        assert.ok(performance.now() - startedAt < 2000);
        assert.deepEqual(
          siege.upstream.received.map(({ method }) => method),
          ['GET', 'POST'],
        );
        siege.upstream.answer = scim(200, {}, '{"schemas":[]}');
        assert.equal((await siege.gateway.call('GET', '/Users/1')).status, 200, 'nothing was remembered');
        assert.deepEqual(await endings(siege), [
          'failure upstream-broke',
          'unknown outcome-unknown',
          'success',
        ]);
      },
    );
});

/** How each request ended, by its records. */
async function endings(siege: Siege): Promise<string[]> {
  const ended = (await siege.end()).filter(({ outcome }) => outcome?.http !== undefined);
  return ended.map(({ outcome }) => [outcome?.result, outcome?.error].filter(Boolean).join(' '));
}

test('a redirect that keeps the method says that a write was not carried out', async () => {
  const answer = scim(308, { location: 'http://169.254.169.254/latest' }, '');
  await using siege = await besiege({ tenantSide: { answer } });
  const write = await plainAnswer(await siege.gateway.call('POST', '/Users', {}));
  assertRefusal(write, 502);
  assert.equal(write.headers['location'], undefined);
});

for (const [what, answer] of [
  ['nothing more', scim(503, {}, '')],
  ['a load balancer’s JSON', scim(504, { 'content-type': 'application/json' }, '{"message":"timed out"}')],
  ['a page', scim(502, { 'content-type': 'text/html' }, '<h1>Bad Gateway</h1>')],
] as const)
  test(`a failure with ${what} leaves the outcome of a write unknown`, async () => {
    await using siege = await besiege({ tenantSide: { answer } });
    const write = await plainAnswer(await siege.gateway.call('POST', '/Users', {}));
    assertRefusal(write, 504);
    assert.match(write.body, /outcome is unknown/);
  });

test("a failure in the service provider's own words is told as it is", async () => {
  const error = { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: '500', detail: 'x' };
  await using siege = await besiege({ tenantSide: { answer: scim(500, {}, JSON.stringify(error)) } });
  const answer = await siege.gateway.call('POST', '/Users', {});
  assert.deepEqual([answer.status, await answer.json()], [500, error]);
});

// Rows 83 and 84.
for (const [what, answer] of [
  ['is silent', silent],
  ['trickles', trickle],
] as const)
  test(`a tenant that ${what} is given up at the deadline of the read and of the write`, async () => {
    await using siege = await besiege({ ...settings, tenantSide: { answer } });
    for (const [method, deadlineMs, said] of [
      ['GET', 400, /did not answer in time/],
      ['PUT', 600, /outcome is unknown/],
    ] as const) {
      const startedAt = performance.now();
      const refused = await plainAnswer(
        await siege.gateway.call(method, '/Users/1', method === 'PUT' ? {} : undefined),
      );
      const ms = performance.now() - startedAt;
      assertRefusal(refused, 504);
      assert.match(refused.body, said);
      assert.ok(ms > deadlineMs - 50 && ms < deadlineMs + 1400, `${method} took ${ms} ms`);
    }
    assert.deepEqual(
      siege.upstream.received.map(({ method }) => method),
      ['GET', 'PUT', 'GET'],
      'the write went up once, and was looked for once',
    );
    assert.deepEqual(await endings(siege), ['failure upstream-timeout', 'unknown outcome-unknown']);
  });

// Row 81.
test('a read whose connection is reset before a byte is asked once more, then fails', async () => {
  await using siege = await besiege({ ...settings, tenantSide: { answer: reset } });
  assertRefusal(await plainAnswer(await siege.gateway.call('GET', '/Users/1')), 502);
  assert.equal(siege.upstream.received.length, 2);
  const intents = (await siege.end()).filter(({ event }) => event === 'upstream.intent');
  assert.deepEqual(
    intents.map(({ upstream }) => upstream?.attempt),
    [1, 2],
  );
});

test('a read whose connection is reset once is answered by the second attempt', async () => {
  await using siege = await besiege({ ...settings, tenantSide: { answer: reset } });
  siege.upstream.answer = (_request, _response, { socket }) => {
    siege.upstream.answer = scim(200, {}, '{"schemas":[]}');
    socket.resetAndDestroy();
  };
  assert.equal((await siege.gateway.call('GET', '/Users/1')).status, 200);
});

// Row 82.
for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
  test(`a ${method} whose connection is reset is not repeated, and its outcome is unknown`, async () => {
    await using siege = await besiege({ ...settings, tenantSide: { answer: reset } });
    const path = method === 'POST' ? '/Users' : '/Users/1';
    const answer = await siege.gateway.call(method, path, method === 'DELETE' ? undefined : {});
    assertRefusal(await plainAnswer(answer), 504);
    assert.equal(siege.upstream.received.filter((each) => each.method === method).length, 1);
    assert.deepEqual(await endings(siege), ['unknown outcome-unknown']);
  });

test('a write to a tenant that is not there has certainly not been carried out', async () => {
  await using gateway = await startGateway({ upstream: 'http://127.0.0.1:1' });
  const answer = await plainAnswer(await gateway.call('POST', '/Users', {}));
  assertRefusal(answer, 502);
  assert.match(answer.body, /was not sent/);
  const records = await gateway.records();
  const outcome = records.find(({ event }) => event === 'upstream.outcome')?.outcome;
  assert.deepEqual([outcome?.result, outcome?.sent], ['failure', false]);
});

// Rows 88 and 90.
test('informational answers are swallowed', async () => {
  await using siege = await besiege();
  siege.upstream.answer = (_request, response) => {
    response.writeContinue();
    response.writeEarlyHints({ link: '</x>; rel=preload' });
    sendScim(response, 200, { schemas: [] });
  };
  using connection = await RawConnection.open(siege.gateway.authority);
  connection.send(request(siege.head('GET', '/Users/1')));
  assert.equal((await connection.answer()).status, 200);
});

test('a Trailer field of the tenant is dropped, although the proxy library would end the process', async () => {
  await using siege = await besiege();
  siege.upstream.answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/scim+json', trailer: 'X-Sum' });
    response.addTrailers({ 'X-Sum': '1' });
    response.end('{"schemas":[]}');
  };
  const answer = await siege.gateway.call('GET', '/Users/1');
  assert.deepEqual([answer.status, answer.headers.get('trailer')], [200, null]);
  await assertServing(siege);
});

// Rows 98 and 99: a reply that nobody asked for must not become the next one's answer.
const resource = (name: string): string =>
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${name.length + 2}\r\n\r\n{${name}}`;
for (const [what, answer] of [
  ['behind the answer', bytes(resource('"a":1') + resource('"poison":1'), { close: false })],
  [
    'on an idle connection',
    (_request, _response, { socket }) => {
      socket.write(resource('"a":1'));
      setTimeout(() => socket.write(resource('"poison":1')), 30);
    },
  ],
] as const satisfies readonly (readonly [string, Answer])[])
  test(`a second answer that comes ${what} is given to nobody`, async () => {
    await using siege = await besiege();
    siege.upstream.answer = answer;
    assert.equal((await siege.gateway.call('GET', '/Users/1')).status, 200);
    await sleep(100);
    siege.upstream.answer = scim(200, {}, '{"own":1}');
    assert.deepEqual(await (await siege.gateway.call('GET', '/Users/2')).json(), { own: 1 });
  });

// Row 92.
test('an empty answer to a read is no answer', async () => {
  await using siege = await besiege({ tenantSide: { answer: scim(200, {}, '') } });
  assertRefusal(await plainAnswer(await siege.gateway.call('GET', '/Users/1')), 502);
});

// Row 94.
const challenge = { 'www-authenticate': 'Basic realm="tenant"' };
for (const [what, answer] of [
  ['401', scim(401, challenge, '')],
  [
    '401 with a SCIM error',
    scim(401, challenge, '{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"]}'),
  ],
  ['403 and a page', scim(403, { 'content-type': 'text/html' }, '<h1>Forbidden</h1>')],
] as const)
  test(`a tenant that answers ${what} refuses the gateway, not the caller`, async () => {
    await using siege = await besiege({ tenantSide: { answer } });
    const refused = await plainAnswer(await siege.gateway.call('GET', '/Users/1'));
    assertRefusal(refused, 502);
    assert.equal(refused.headers['www-authenticate'], undefined);
    assert.deepEqual(await endings(siege), ['failure upstream-refused-us']);
  });

test("a backend's own 403 passes as it is", async () => {
  const body = JSON.stringify({
    schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
    status: '403',
    detail: 'no',
  });
  await using siege = await besiege({ tenantSide: { answer: scim(403, {}, body) } });
  const answer = await siege.gateway.call('GET', '/Users/1');
  assert.deepEqual([answer.status, await answer.text()], [403, body]);
});

// Facts 4.4: the write belongs to the truth, not to the caller's connection.
test('a write whose caller hangs up runs on, and the trail has its outcome', async () => {
  const arrived = Promise.withResolvers<() => void>();
  await using siege = await besiege();
  siege.upstream.answer = (_request, response) =>
    arrived.resolve(() => sendScim(response, 201, { schemas: [], id: '7' }));
  using connection = await RawConnection.open(siege.gateway.authority);
  const fields = ['Content-Type: application/scim+json', 'Content-Length: 2'];
  connection.send(request([...siege.head('POST', '/Users'), ...fields], '{}'));
  const finish = await arrived.promise;
  connection.reset();
  await sleep(50);
  finish();
  const records = await siege.end();
  const outcome = records.find(({ event }) => event === 'upstream.outcome');
  assert.deepEqual([outcome?.outcome?.result, outcome?.upstream?.status], ['success', 201]);
});

test('a write that waits for its turn when its caller hangs up is not sent', async () => {
  const pace = { perMinute: 60, burst: 0 };
  await using siege = await besiege({ tenant: { pace } });
  await siege.gateway.call('POST', '/Users', {});
  using connection = await RawConnection.open(siege.gateway.authority);
  connection.send(request(siege.head('DELETE', '/Users/1')));
  await sleep(100);
  connection.reset();
  await sleep(1200);
  assert.deepEqual(
    siege.upstream.received.map(({ method }) => method),
    ['POST'],
  );
  const aborted = (await siege.end()).filter(({ event }) => event === 'request.aborted_by_client');
  assert.equal(aborted.length, 1);
});

// Rows 103 and 104.
test('a read that began before a write is not remembered beyond it', async () => {
  const began = Promise.withResolvers<() => void>();
  await using siege = await besiege();
  const { answer: echo } = siege.upstream;
  siege.upstream.answer = (_request, response) =>
    began.resolve(() => sendScim(response, 200, { schemas: [], displayName: 'old' }));
  const slow = siege.gateway.call('GET', '/Users/1');
  const finish = await began.promise;
  siege.upstream.answer = echo;
  assert.equal((await siege.gateway.call('PUT', '/Users/1', {})).status, 200);
  finish();
  await (await slow).text();
  const next = await siege.gateway.call('GET', '/Users/1');
  assert.doesNotMatch(await next.text(), /old/);
});

test('a write whose outcome is unknown makes the next reads ask the tenant', async () => {
  await using siege = await besiege(settings);
  const { answer: echo } = siege.upstream;
  for (const path of ['/Users/1', '/Users']) await siege.gateway.call('GET', path);
  siege.upstream.answer = reset;
  await siege.gateway.call('PATCH', '/Users/1', { schemas: [], Operations: [] });
  siege.upstream.answer = echo;
  for (const path of ['/Users/1', '/Users']) await siege.gateway.call('GET', path);
  assert.deepEqual(
    siege.upstream.received.map(({ method }) => method),
    ['GET', 'GET', 'PATCH', 'GET', 'GET'],
  );
});
