/** Requests that say where they end in a doubtful way, or that are not HTTP: nothing of them may reach the tenant. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { RawConnection, request, sendRaw } from '../support/raw.ts';
import { assertRefusal, assertServing, besiege, recordOf, type Siege } from '../support/siege.ts';
import { sendScim } from '../support/upstream.ts';

const json = 'Content-Type: application/scim+json';
const chunked = 'Transfer-Encoding: chunked';
const hidden = 'GET /hidden HTTP/1.1\r\nHost: gateway\r\n\r\n';

type Bytes = (siege: Siege) => string;
type Row = readonly [what: string, bytes: Bytes];

const post =
  (fields: readonly string[], body = '{}'): Bytes =>
  (siege) =>
    request([...siege.head('POST', '/Users'), json, ...fields], body);
const get =
  (...fields: readonly string[]): Bytes =>
  (siege) =>
    request([...siege.head('GET', '/Users/1'), ...fields]);

// Rows 1-5 and 14: the parser refuses them, so there is no call, only a count in the trail.
const ambiguous: readonly Row[] = [
  ['a length beside chunks', post(['Content-Length: 5', chunked], `0\r\n\r\n${hidden}`)],
  ['an unknown transfer coding', post(['Transfer-Encoding: xchunked'], `0\r\n\r\n${hidden}`)],
  ['a coding behind chunks', post(['Transfer-Encoding: chunked, identity'], `0\r\n\r\n${hidden}`)],
  ['chunks in two fields', post([chunked, chunked], `0\r\n\r\n${hidden}`)],
  ['chunks twice in one field', post(['Transfer-Encoding: chunked, chunked'], `0\r\n\r\n${hidden}`)],
  ['two lengths', post(['Content-Length: 2', 'Content-Length: 41'], `{}${hidden}`)],
  ['the same length twice', post(['Content-Length: 2', 'Content-Length: 2'], `{}${hidden}`)],
];
const malformed: readonly Row[] = [
  ...['+2', '0x2', '-1', '2,2', '2 2', ''].map((length): Row => [
    `the length "${length}"`,
    post([`Content-Length: ${length}`]),
  ]),
  ['a space behind a field name', post(['Content-Length : 2'])],
  ['a folded field', get('X-A: a\r\n b')],
  ['a bare line feed', get('X-A: a\nX-B: b')],
  ['a bare carriage return', get('X-A: a\rb')],
  ['a NUL in a field', get('X-A: a\0b')],
  ['a chunk without a size', post([chunked], `zz\r\n{}\r\n0\r\n\r\n${hidden}`)],
  ['a chunk that is longer than it says', post([chunked], `2\r\n{} \r\n0\r\n\r\n${hidden}`)],
  ['a target in raw UTF-8', (siege) => request(siege.head('GET', '/Users/Müller'))],
  ['a query in raw UTF-8', (siege) => request(siege.head('GET', '/Users?filter=ü'))],
  ['an unknown verb', (siege) => request(siege.head('FROB', '/Users'))],
  ['the preface of HTTP/2', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['a TLS handshake', () => '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03'],
];

for (const [event, rows] of [
  ['proto.ambiguous', ambiguous],
  ['proto.malformed', malformed],
] as const)
  test(`requests whose framing is refused as ${event}`, async (t) => {
    await using siege = await besiege();
    for (const [what, bytes] of rows)
      await t.test(`${what} is refused and the connection closed`, async () => {
        const answers = await sendRaw(siege.gateway.authority, bytes(siege));
        assert.equal(answers.length, 1, 'what came behind it is not answered');
        assertRefusal(answers[0], 400);
      });
    assert.deepEqual(siege.upstream.received, []);
    await assertServing(siege);
    await t.test('the trail counts each of them', async () => {
      const counts = (await siege.end()).filter((record) => record.event === event);
      assert.equal(
        counts.reduce((sum, { facts }) => sum + (facts?.count ?? 0), 0),
        rows.length,
      );
      assert.ok(counts.every(({ facts }) => facts?.network === '127.0.0.0/24'));
    });
  });

// Rows 8-11, 15, 16, 18: well-formed, but the edge refuses before anybody reads the call.
const refusals: readonly (readonly [what: string, status: number, bytes: Bytes])[] = [
  ['names no host', 400, ({ head }) => request(head('GET', '/Users/1').toSpliced(1, 1))],
  [
    'names no host in HTTP/1.0',
    400,
    ({ head }) => request(asHttp10(head('GET', '/Users/1')).toSpliced(1, 1)),
  ],
  [
    'names the same host twice',
    400,
    ({ gateway, ...siege }) => get(`Host: ${gateway.authority}`)({ gateway, ...siege }),
  ],
  ['names a host with a user', 421, ({ head }) => request(head('GET', '/Users/1').with(1, 'Host: a@b:80/x'))],
  [
    'names a foreign host',
    421,
    ({ head }) => request(head('GET', '/Users/1').with(1, 'Host: tenant.example')),
  ],
  [
    'would become HTTP/2',
    400,
    get('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQ'),
  ],
  [
    'would become a WebSocket',
    400,
    get('Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'),
  ],
  ['expects something unknown', 417, get('Expect: foo')],
  ['has 65 header fields', 431, get(...Array.from({ length: 63 }, (_, at) => `X-${at}: 1`))],
  ['has 1,200 header fields', 431, get(...Array.from({ length: 1198 }, (_, at) => `X${at}: 1`))],
];

function asHttp10([first = '', ...fields]: readonly string[]): string[] {
  return [first.replace('HTTP/1.1', 'HTTP/1.0'), ...fields];
}

test('requests that are refused before they are read', async (t) => {
  await using siege = await besiege();
  for (const [what, status, bytes] of refusals)
    await t.test(`a request that ${what} gets ${status}, a record, and its connection closed`, async () => {
      const [answer, ...more] = await sendRaw(siege.gateway.authority, bytes(siege));
      assert.deepEqual(more, []);
      assertRefusal(answer, status);
      assert.equal((await recordOf(siege, answer)).event, 'request.rejected');
    });
  assert.deepEqual(siege.upstream.received, []);
  await assertServing(siege);
});

test('a header of 17 kB is refused, counted, and its connection closed', async () => {
  await using siege = await besiege();
  const [answer] = await sendRaw(siege.gateway.authority, get(`X-Long: ${'x'.repeat(17_000)}`)(siege));
  assertRefusal(answer, 431);
  await assertServing(siege);
  const counts = (await siege.end()).filter(({ event }) => event === 'proto.malformed');
  assert.deepEqual(
    counts.map(({ facts }) => facts?.code),
    ['HPE_HEADER_OVERFLOW'],
  );
});

// Row 13. HEAD has no body to look at, and CONNECT ends in a socket of its own.
test('verbs that SCIM does not have', async (t) => {
  await using siege = await besiege();
  const allowed = 'GET, POST, PUT, PATCH, DELETE';
  for (const verb of ['OPTIONS', 'TRACE', 'QUERY', 'PROPFIND'])
    await t.test(`${verb} is refused with the verbs that are allowed`, async () => {
      using connection = await RawConnection.open(siege.gateway.authority);
      connection.send(request(siege.head(verb, '/Users')));
      const answer = await connection.answer();
      assertRefusal(answer, 405);
      assert.equal(answer.headers['allow'], allowed);
      assert.equal((await recordOf(siege, answer)).event, 'request.rejected');
    });
  await t.test('HEAD is refused like them, without a body', async () => {
    const answer = await siege.gateway.call('HEAD', '/Users');
    assert.deepEqual([answer.status, answer.headers.get('allow'), await answer.text()], [405, allowed, '']);
  });
  await t.test('OPTIONS of the whole server is refused', async () => {
    using connection = await RawConnection.open(siege.gateway.authority);
    connection.send(request(siege.head('OPTIONS', '/').with(0, 'OPTIONS * HTTP/1.1')));
    assertRefusal(await connection.answer(), 405);
  });
  await t.test('CONNECT is refused, counted, and its connection closed', async () => {
    const head = siege.head('CONNECT', '').with(0, 'CONNECT tenant.example:443 HTTP/1.1');
    const [answer, ...more] = await sendRaw(siege.gateway.authority, request(head, hidden));
    assertRefusal(answer, 405);
    assert.deepEqual([more, answer?.headers['allow']], [[], allowed]);
    assert.deepEqual(siege.upstream.received, []);
    const noise = (await siege.end()).filter(({ facts }) => facts?.code === 'CONNECT');
    assert.deepEqual(
      noise.map(({ event, facts }) => [event, facts?.count]),
      [['request.rejected', 1]],
    );
  });
});

// Rows 6 and 7; the first was the smuggling of CVE-2026-29057.
for (const [verb, field, body] of [
  ['DELETE', chunked, `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`],
  ['DELETE', 'Content-Length: 40', hidden],
  ['GET', chunked, '2\r\n{}\r\n0\r\n\r\n'],
  ['GET', 'Content-Length: 2', '{}'],
] as const)
  test(`a ${verb} with a body (${field}) is refused and nothing goes up`, async () => {
    await using siege = await besiege();
    using connection = await RawConnection.open(siege.gateway.authority);
    connection.send(request([...siege.head(verb, '/Users/1'), field], body));
    const answer = await connection.answer();
    assertRefusal(answer, 400);
    assert.equal((await recordOf(siege, answer)).event, 'request.rejected');
    assert.deepEqual(siege.upstream.received, []);
    await assertServing(siege);
  });

// Rows 11 and 12.
test('an absolute target is served when it names the gateway, whatever its authority looks like', async () => {
  await using siege = await besiege();
  const { authority, basePath } = siege.gateway;
  using connection = await RawConnection.open(authority);
  connection.send(
    request(
      siege.head('GET', '').with(0, `GET http://${authority.toUpperCase()}${basePath}/Users/1 HTTP/1.1`),
    ),
  );
  assert.equal((await connection.answer()).status, 200);
  assert.deepEqual(
    siege.upstream.received.map(({ url }) => url),
    [`${basePath}/Users/1`],
  );
});

test('an absolute target of another authority is refused as misdirected', async () => {
  await using siege = await besiege();
  using connection = await RawConnection.open(siege.gateway.authority);
  const target = `http://169.254.169.254${siege.gateway.basePath}/Users/1`;
  connection.send(request(siege.head('GET', '').with(0, `GET ${target} HTTP/1.1`)));
  const answer = await connection.answer();
  assertRefusal(answer, 421);
  assert.equal((await recordOf(siege, answer)).event, 'request.rejected');
  assert.deepEqual(siege.upstream.received, []);
});

// Rows 19 and 20.
test('a Trailer field is dropped, although the proxy library would end the process', async () => {
  await using siege = await besiege();
  using connection = await RawConnection.open(siege.gateway.authority);
  connection.send(get('Trailer: X-Sum')(siege));
  assert.equal((await connection.answer()).status, 200);
  assert.equal(siege.upstream.received[0]?.headers.trailer, undefined);
  await assertServing(siege);
});

test('chunk extensions and trailer fields are dropped, and the body goes up with a length', async () => {
  await using siege = await besiege();
  using connection = await RawConnection.open(siege.gateway.authority);
  const body = '1;a="b"\r\n{\r\n1;c\r\n}\r\n0\r\nAuthorization: Basic eDp5\r\nX-Evil: 1\r\n\r\n';
  connection.send(post([chunked, 'Trailer: Authorization'], body)(siege));
  assert.equal((await connection.answer()).status, 201);
  const [received] = siege.upstream.received;
  assert.deepEqual(
    [received?.body, received?.headers['content-length'], received?.headers['transfer-encoding']],
    ['{}', '2', undefined],
  );
  assert.ok(!received?.rawHeaders.some((text) => /evil|^authorization|trailer/i.test(text)));
});

// Row 21, and RFC 9112 §9.3.2.
for (const [what, first] of [
  ['an ambiguous request', (siege) => get(`Host: ${siege.gateway.authority}`)(siege)],
  ['a request for nothing', ({ head }) => request(head('GET', '/Nothing'))],
  [
    'a request that must not be made',
    ({ head, gateway }) =>
      request(head('DELETE', '/Users/1').with(2, `Authorization: ${gateway.logOn('auditor')}`)),
  ],
] as readonly Row[])
  test(`a request that was sent behind ${what} is not carried out`, async () => {
    await using siege = await besiege();
    const bytes = first(siege) + request(siege.head('DELETE', '/Users/2'));
    const answers = await sendRaw(siege.gateway.authority, bytes);
    assert.equal(answers.length, 1);
    assert.deepEqual(siege.upstream.received, []);
    await assertServing(siege);
    const aborted = (await siege.end()).filter(({ event }) => event === 'request.aborted_by_client');
    assert.equal(aborted.length, 1, 'the trail tells of the one that was not served');
  });

test('requests that were sent ahead are carried out one after the other', async () => {
  const order: string[] = [];
  await using siege = await besiege();
  siege.upstream.answer = ({ method }, response) => {
    order.push(`${method} begins`);
    setTimeout(() => {
      order.push(`${method} ends`);
      if (method === 'DELETE') response.writeHead(204).end();
      else sendScim(response, 200, { schemas: [] });
    }, 50);
  };
  using connection = await RawConnection.open(siege.gateway.authority);
  connection.send(request(siege.head('DELETE', '/Users/1')) + request(siege.head('GET', '/Users/1')));
  const answers = [await connection.answer(), await connection.answer()];
  assert.deepEqual(
    answers.map(({ status }) => status),
    [204, 200],
  );
  assert.deepEqual(order, ['DELETE begins', 'DELETE ends', 'GET begins', 'GET ends']);
});

test('garbage behind a write does not take the place of its answer', async () => {
  await using siege = await besiege();
  siege.upstream.answer = (_request, response) => void setTimeout(() => response.writeHead(204).end(), 100);
  const bytes = `${request(siege.head('DELETE', '/Users/1'))}garbage\r\n\r\n`;
  const answers = await sendRaw(siege.gateway.authority, bytes);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [204, 400],
  );
});

test('whoever sends too far ahead is cut off', async () => {
  await using siege = await besiege();
  const answers = await sendRaw(siege.gateway.authority, get()(siege).repeat(200));
  assert.ok(answers.length < 20, `${answers.length} were answered`);
  assertRefusal(answers.at(-1), 400);
  await assertServing(siege);
  const counts = (await siege.end()).filter(({ facts }) => facts?.code === 'TOO_FAR_AHEAD');
  assert.equal(counts.length, 1);
});

test('a connection that was refused is closed although its caller never closes it', async () => {
  await using siege = await besiege();
  using connection = await RawConnection.open(siege.gateway.authority, { allowHalfOpen: true });
  connection.send('garbage\r\n\r\n');
  assertRefusal(await connection.answer(), 400);
  await connection.gone();
});
