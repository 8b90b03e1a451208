/** Rows 1 to 23: requests that say where they end in a doubtful way, and what is no request at all. */
import { request } from '../support/raw.ts';
import { chunked, get, hidden, json, oneOwnCredential, post, sends, target, base } from './plain-stage.ts';
import { closed, malformed, refused, served, type Case, type Row, type Seen } from './row.ts';
import type { Scene } from './scene.ts';

const last = `0\r\n\r\n${hidden}`;
const embedded = `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`;
const ambiguous = malformed('400', 'proto.ambiguous');

const allows = {
  'Allow lists the verbs': ({ answers }: Seen) =>
    answers.at(-1)?.headers['allow'] === 'GET, POST, PUT, PATCH, DELETE',
};

function verb(name: string, ...more: readonly string[]): Case {
  return {
    sent: [name, ...more].join(' '),
    play: target(more[0] ?? `${base}/Users`, name),
    expected: refused('405'),
    besides: allows,
  };
}

const withoutHost =
  (version: string) =>
  (scene: Scene): string =>
    request(scene.head('GET', scene.path).toSpliced(1, 1)).replace('HTTP/1.1', version);

const host = (value: string): Case['play'] =>
  sends((scene) => request(scene.head('GET', scene.path).with(1, `Host: ${value}`)));

const many = (count: number): string[] => Array.from({ length: count }, (_, at) => `X${at}: 1`);

/** @param first is refused, so that what was sent behind it may have been meant as its part */
function pipelined(first: (scene: Scene) => string): Case['play'] {
  return sends((scene) => first(scene) + request(scene.head('DELETE', '/Users/2')));
}

const noTransfer = {
  'the body goes up with a length': ({ received: [up] }: Seen) =>
    up?.body === '{}' && up.headers['content-length'] === '2' && !('transfer-encoding' in up.headers),
};

export const framingRows: readonly Row[] = [
  {
    row: 1,
    situation: 'a length beside chunks',
    cases: [
      {
        sent: 'Content-Length + Transfer-Encoding',
        play: post(['Content-Length: 5', chunked], last),
        expected: ambiguous,
      },
      {
        sent: 'Transfer-Encoding + Content-Length',
        play: post([chunked, 'Content-Length: 5'], last),
        expected: malformed(),
      },
    ],
  },
  {
    row: 2,
    situation: 'a transfer coding that is not chunks alone, once',
    differs:
      'the list calls it proto.malformed; where a body ends in two ways the trail says proto.ambiguous',
    cases: [
      {
        sent: 'Transfer-Encoding: xchunked',
        play: post(['Transfer-Encoding: xchunked'], last),
        expected: closed(refused('400', 'request.aborted_by_client, proto.ambiguous')),
      },
      { sent: 'chunked, identity', play: post([`${chunked}, identity`], last), expected: ambiguous },
      { sent: 'chunked twice in one field', play: post([`${chunked}, chunked`], last), expected: ambiguous },
      { sent: 'chunked in two fields', play: post([chunked, chunked], last), expected: ambiguous },
    ],
  },
  {
    row: 3,
    situation: 'Content-Length twice',
    cases: [
      {
        sent: 'two lengths',
        play: post(['Content-Length: 2', 'Content-Length: 40'], `{}${hidden}`),
        expected: ambiguous,
      },
      {
        sent: 'the same length twice',
        play: post(['Content-Length: 2', 'Content-Length: 2'], `{}${hidden}`),
        expected: ambiguous,
      },
    ],
  },
  {
    row: 4,
    situation: 'a length that is no plain number',
    cases: ['+2', '0x2', '-1', '2,2', '2 2', '', '99999999999999999999'].map((length) => ({
      sent: `Content-Length: ${length}`,
      play: post([`Content-Length: ${length}`]),
      expected: malformed(),
    })),
  },
  {
    row: 5,
    situation: 'lines that end or begin where they should not',
    cases: [
      { sent: 'a space before the colon', play: post(['Content-Length : 2']), expected: malformed() },
      { sent: 'a folded field', play: get('X-A: a\r\n b'), expected: malformed() },
      { sent: 'a bare LF', play: get('X-A: a\nX-B: b'), expected: malformed() },
      { sent: 'a CR in a value', play: get('X-A: a\rb'), expected: malformed() },
    ],
  },
  {
    row: 6,
    situation: 'a DELETE with a body that holds a request',
    cases: [
      {
        sent: 'in a chunk',
        play: sends((scene) => request(scene.head('DELETE', '/Users/1', chunked), embedded)),
        expected: refused('400'),
      },
      {
        sent: 'with a length',
        play: sends((scene) =>
          request(scene.head('DELETE', '/Users/1', `Content-Length: ${hidden.length}`), hidden),
        ),
        expected: refused('400'),
      },
    ],
  },
  {
    row: 7,
    situation: 'a GET with a body',
    cases: [
      {
        sent: 'in a chunk',
        play: sends((scene) => request(scene.head('GET', scene.path, chunked), embedded)),
        expected: refused('400'),
      },
      {
        sent: 'with a length',
        play: sends((scene) => request(scene.head('GET', scene.path, 'Content-Length: 2'), '{}')),
        expected: refused('400'),
      },
    ],
  },
  {
    row: 8,
    situation: 'no Host',
    differs: 'the list calls it proto.malformed; it is a readable request, so it has a record of its own',
    cases: [
      {
        sent: 'HTTP/1.1 without Host',
        play: sends(withoutHost('HTTP/1.1')),
        expected: closed(refused('400')),
      },
    ],
  },
  {
    row: 9,
    situation: 'two Host fields',
    differs: 'the list calls it proto.ambiguous; it is a readable request, so it has a record of its own',
    cases: [
      {
        sent: 'the same host twice',
        play: sends((scene) =>
          request(scene.head('GET', scene.path, `Host: ${scene.siege.gateway.authority}`)),
        ),
        expected: closed(refused('400')),
      },
      { sent: 'another host besides', play: get('Host: tenant.example'), expected: closed(refused('400')) },
    ],
  },
  {
    row: 10,
    situation: 'a Host that is not ours',
    differs: 'the list calls it proto.malformed; it is a readable request, so it has a record of its own',
    cases: ['a@b:80/x', 'tenant.example', '', '127.0.0.1:1', '[::1', '127.0.0.1:80:80'].map((name) => ({
      sent: `Host: ${name}`,
      play: host(name),
      expected: closed(refused('421')),
    })),
  },
  {
    row: 11,
    situation: 'a target with a foreign authority',
    cases: [
      {
        sent: 'http://169.254.169.254/…',
        play: target(`http://169.254.169.254${base}/Users/1`),
        expected: refused('421'),
      },
      {
        sent: 'https://tenant.example/…',
        play: target(`https://tenant.example${base}/Users/1`),
        expected: refused('421'),
      },
      {
        sent: 'our authority as its user',
        play: sends((scene) =>
          request(
            scene
              .head('GET', '')
              .with(0, `GET http://${scene.siege.gateway.authority}@evil.example${base}/Users/1 HTTP/1.1`),
          ),
        ),
        expected: refused('421'),
      },
    ],
  },
  {
    row: 12,
    situation: 'a target with our own authority',
    cases: [
      {
        sent: 'http://<ours>/…',
        play: sends((scene) =>
          request(
            scene
              .head('GET', '')
              .with(0, `GET http://${scene.siege.gateway.authority}${base}/Users/1 HTTP/1.1`),
          ),
        ),
        expected: served(),
        besides: { 'the path alone goes up': ({ received }) => received[0]?.url === `${base}/Users/1` },
      },
    ],
  },
  {
    row: 13,
    situation: 'verbs that SCIM does not have',
    cases: [
      verb('OPTIONS', '*'),
      verb('OPTIONS'),
      verb('TRACE'),
      verb('QUERY'),
      verb('PROPFIND'),
      { ...verb('CONNECT', 'tenant.example:443'), expected: closed(refused('405')) },
      {
        sent: 'FROB, which the parser does not know',
        play: target(`${base}/Users`, 'FROB'),
        expected: malformed(),
      },
      { sent: 'get in lower case', play: target(`${base}/Users`, 'get'), expected: malformed() },
    ],
  },
  {
    row: 14,
    situation: 'other protocols on the plain port',
    cases: [
      {
        sent: 'PRI * HTTP/2.0',
        play: sends(() => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
        expected: malformed(),
      },
      {
        sent: 'a TLS hello',
        play: sends(() => Buffer.from('16030100a5010000a10303', 'hex')),
        expected: malformed(),
      },
    ],
  },
  {
    row: 15,
    situation: 'HTTP/1.0 without Host',
    differs: 'the list calls it proto.malformed; it is a readable request, so it has a record of its own',
    cases: [
      {
        sent: 'HTTP/1.0 without Host',
        play: sends(withoutHost('HTTP/1.0')),
        expected: closed(refused('400')),
      },
    ],
  },
  {
    row: 16,
    situation: 'another protocol on this connection',
    differs:
      'the list calls it proto.upgrade_refused; it is a readable request, so it has a record of its own',
    cases: [
      {
        sent: 'Upgrade: h2c',
        play: get('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQ'),
        expected: closed(refused('400')),
      },
      {
        sent: 'Upgrade: websocket',
        play: get('Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'),
        expected: closed(refused('400')),
      },
    ],
  },
  {
    row: 17,
    situation: 'Expect: 100-continue',
    cases: [
      {
        sent: 'a POST whose body waits for 100',
        play: async (scene) => {
          using connection = await scene.open();
          connection.send(
            request(scene.head('POST', '/Users', json, 'Content-Length: 2', 'Expect: 100-continue')),
          );
          scene.answers.push(await connection.answer());
          connection.send('{}');
          await scene.take(connection);
        },
        expected: served('100, 201', 'POST'),
        besides: oneOwnCredential,
      },
      {
        sent: 'a GET that expects it',
        play: get('Expect: 100-continue'),
        expected: closed(served()),
        besides: oneOwnCredential,
      },
    ],
  },
  {
    row: 18,
    situation: 'an Expect that nobody knows',
    cases: [{ sent: 'Expect: foo', play: get('Expect: foo'), expected: closed(refused('417')) }],
  },
  {
    row: 19,
    situation: 'Trailer without trailers',
    cases: [{ sent: 'Trailer: X', play: get('Trailer: X'), expected: served(), besides: oneOwnCredential }],
  },
  {
    row: 20,
    situation: 'chunk extensions and trailers',
    cases: [
      {
        sent: 'a=b behind sizes; Authorization behind the end',
        play: post(
          [chunked, 'Trailer: Authorization'],
          '1;a="b"\r\n{\r\n1;c\r\n}\r\n0\r\nAuthorization: Basic eDp5\r\nX-Evil: 1\r\n\r\n',
        ),
        expected: served('201', 'POST'),
        besides: { ...oneOwnCredential, ...noTransfer },
      },
    ],
  },
  {
    row: 21,
    situation: 'a request behind one that is refused',
    differs: 'the list wants a proto event; the second has a record of its own, as a call whose caller left',
    cases: [
      {
        sent: 'DELETE behind two Hosts',
        play: pipelined((scene) => request(scene.head('GET', scene.path, 'Host: x'))),
        expected: closed(refused('400', 'request.rejected, request.aborted_by_client')),
      },
      {
        sent: 'DELETE behind a 404',
        play: pipelined((scene) => request(scene.head('GET', '/Nothing'))),
        expected: closed(refused('404', 'request.rejected, request.aborted_by_client')),
      },
    ],
  },
  {
    row: 22,
    situation: 'too much head',
    differs:
      'the list calls it proto.malformed; too many fields are a readable request, so that one has a record',
    cases: [
      { sent: 'a field of 17 kB', play: get(`X-Long: ${'x'.repeat(17_000)}`), expected: malformed('431') },
      { sent: '1,200 fields', play: get(...many(1197)), expected: closed(refused('431')) },
      { sent: '65 fields', play: get(...many(63)), expected: closed(refused('431')) },
      { sent: '64 fields', play: get(...many(62)), expected: served() },
    ],
  },
  {
    row: 23,
    situation: 'a target that is too long',
    cases: [
      {
        sent: '4,097 characters',
        play: target(`${base}/Users/`.padEnd(4097, 'x')),
        expected: refused('414'),
      },
      { sent: '4,096 characters', play: target(`${base}/Users/`.padEnd(4096, 'x')), expected: served() },
    ],
  },
];
