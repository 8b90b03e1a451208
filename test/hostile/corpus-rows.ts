/** What suites for request smuggling, HTTP/1.1 conformance and slow attacks send, as cases of the same kind. */
import { request } from '../support/raw.ts';
import { base, chunked, get, hidden, json, post, sends, target } from './plain-stage.ts';
import { closed, malformed, refused, served, type Case, type Outcome, type Row } from './row.ts';
import type { Scene } from './scene.ts';

type Expected = Omit<Outcome, 'besides'>;

const printable = (text: string): string => JSON.stringify(text).slice(1, -1).slice(0, 46);
const ambiguous = malformed('400', 'proto.ambiguous');
const created = served('201', 'POST');
/** The head was read before its framing was seen to be broken, so that there is a call whose caller left. */
const lateMalformed = closed(refused('400', 'request.aborted_by_client, proto.malformed'));

/** A POST whose chunks end at once and hide a request; the length would take both for the body. */
const clTe = (field: string, expected: Expected): Case => ({
  sent: printable(field),
  play: post([`Content-Length: ${`0\r\n\r\n${hidden}`.length}`, field], `0\r\n\r\n${hidden}`),
  expected,
});

const chunks = (sent: string, text: string, expected: Expected): Case => ({
  sent,
  play: post([chunked], text),
  expected,
});

const line = (sent: string, first: string, expected: Expected): Case => ({
  sent,
  play: sends((scene) => request(scene.head('GET', '').with(0, first))),
  expected,
});

const field = (sent: string, text: string, expected: Expected = malformed()): Case => ({
  sent,
  play: get(text),
  expected,
});

/** Sends the pieces one after the other with a pause, for as long as there is no answer. */
function slowly(pieces: (scene: Scene) => Iterable<string>, pauseMs: number): Case['play'] {
  return async (scene) => {
    using connection = await scene.open();
    const rest = pieces(scene)[Symbol.iterator]();
    const send = (): void => {
      const { value, done } = rest.next();
      if (!done) connection.send(value);
    };
    send();
    const drip = setInterval(send, pauseMs);
    try {
      scene.answers.push(await connection.answer());
      scene.connection = 'closed';
      clearInterval(drip);
      await connection.gone();
    } finally {
      clearInterval(drip);
    }
  };
}

const inTime = { 'it is cut soon behind its time': ({ ms }: { ms: number }) => ms > 900 && ms < 5000 };
const uploadHead = (scene: Scene, framing: string): string =>
  request(scene.head('POST', '/Users', json, framing));

export const corpusRows: readonly Row[] = [
  {
    row: 'CL.TE',
    situation: 'a length beside a disguised coding',
    cases: [
      clTe('Transfer-Encoding: chunked', ambiguous),
      clTe('Transfer-Encoding:chunked', ambiguous),
      clTe('Transfer-Encoding:  chunked', ambiguous),
      clTe('Transfer-Encoding:\tchunked', ambiguous),
      clTe('Transfer-Encoding: chunked\t', ambiguous),
      clTe('transfer-encoding: CHUNKED', ambiguous),
      clTe('Transfer-Encoding: xchunked', ambiguous),
      clTe('Transfer-Encoding: "chunked"', ambiguous),
      clTe('Transfer-Encoding: chunked;q=1', ambiguous),
      clTe('Transfer-Encoding: identity', ambiguous),
      clTe('Transfer-Encoding: identity, chunked', ambiguous),
      clTe('Transfer-Encoding: gzip, chunked', ambiguous),
      clTe('Transfer-Encoding:', ambiguous),
      clTe('Transfer-Encoding: \u000bchunked', ambiguous),
      clTe('Transfer-Encoding : chunked', malformed()),
      clTe('Transfer-Encoding\t: chunked', malformed()),
      clTe('Transfer-Encoding\u0000: chunked', malformed()),
      clTe(' Transfer-Encoding: chunked', malformed()),
      clTe('X: y\nTransfer-Encoding: chunked', malformed()),
      clTe('X: y\rTransfer-Encoding: chunked', malformed()),
      clTe('Transfer-Encoding:\r\n chunked', ambiguous),
      clTe('Transfer-Encoding\r\n: chunked', malformed()),
      clTe('Transfer_Encoding: chunked', refused('400 invalidSyntax')),
      clTe('Transfer-Encoding-X: chunked', refused('400 invalidSyntax')),
    ],
  },
  {
    row: 'TE.TE',
    situation: 'two codings of which one is disguised',
    cases: [
      {
        sent: 'chunked + x',
        play: post([chunked, 'Transfer-Encoding: x'], `0\r\n\r\n${hidden}`),
        expected: ambiguous,
      },
      {
        sent: 'x + chunked',
        play: post(['Transfer-Encoding: x', chunked], `0\r\n\r\n${hidden}`),
        expected: closed(refused('400', 'request.rejected, request.aborted_by_client')),
      },
      {
        sent: 'chunked + empty',
        play: post([chunked, 'Transfer-Encoding:'], `0\r\n\r\n${hidden}`),
        expected: ambiguous,
      },
      {
        sent: 'HTTP/1.0 with chunks',
        play: sends((scene) =>
          request(scene.head('POST', '/Users', json, chunked), '2\r\n{}\r\n0\r\n\r\n').replace(
            'HTTP/1.1',
            'HTTP/1.0',
          ),
        ),
        expected: closed(created),
      },
    ],
  },
  {
    row: 'chunks',
    situation: 'chunks that two readers could count differently',
    cases: [
      chunks('the size 02', '02\r\n{}\r\n0\r\n\r\n', created),
      chunks('the size 0x2', '0x2\r\n{}\r\n0\r\n\r\n', lateMalformed),
      chunks('the size +2', '+2\r\n{}\r\n0\r\n\r\n', lateMalformed),
      chunks('the size -2', '-2\r\n{}\r\n0\r\n\r\n', lateMalformed),
      chunks('the size 2 and a space', '2 \r\n{}\r\n0\r\n\r\n', lateMalformed),
      chunks('a space and the size 2', ' 2\r\n{}\r\n0\r\n\r\n', lateMalformed),
      chunks('no size', '\r\n{}\r\n0\r\n\r\n', lateMalformed),
      chunks('a size beyond 64 bits', 'fffffffffffffffff\r\n{}\r\n0\r\n\r\n', lateMalformed),
      chunks('a size that wraps to 2', '10000000000000002\r\n{}\r\n0\r\n\r\n', lateMalformed),
      chunks('LF for CRLF', '2\n{}\n0\n\n', lateMalformed),
      chunks('LF behind a size', '2\n{}\r\n0\r\n\r\n', lateMalformed),
      chunks('LF behind an extension', '2;x\n{}\r\n0\r\n\r\n', lateMalformed),
      chunks('CR in an extension', '2;x\r{}\r\n0\r\n\r\n', lateMalformed),
      chunks('NUL in an extension', '2;\u0000\r\n{}\r\n0\r\n\r\n', lateMalformed),
      chunks('nothing behind the data', '2\r\n{}0\r\n\r\n', lateMalformed),
      chunks('more data than said', `2\r\n{}${hidden}\r\n0\r\n\r\n`, lateMalformed),
      chunks('an extension of 17 kB', `2;${'x'.repeat(17_000)}\r\n{}\r\n0\r\n\r\n`, lateMalformed),
      chunks(
        'a thousand extensions',
        `${'2;a=b;c="d"\r\n{}'.slice(0, 13)}${';x'.repeat(1000)}\r\n{}\r\n0\r\n\r\n`,
        lateMalformed,
      ),
      chunks(
        'a trailer of 17 kB',
        `2\r\n{}\r\n0\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`,
        closed(refused('431', 'request.aborted_by_client, proto.malformed')),
      ),
      chunks(
        'trailers that frame',
        '2\r\n{}\r\n0\r\nContent-Length: 40\r\nTransfer-Encoding: x\r\nHost: evil.example\r\n\r\n',
        lateMalformed,
      ),
      chunks('a trailer with a bare LF', '2\r\n{}\r\n0\r\nX: a\nY: b\r\n\r\n', lateMalformed),
    ],
  },
  {
    row: 'lines',
    situation: 'request lines that are none, or of another version',
    cases: [
      line('HTTP/0.9', `GET ${base}/Users/l0`, closed(refused('400'))),
      line('HTTP/1.2', `GET ${base}/Users/l1 HTTP/1.2`, malformed()),
      line('HTTP/2.0', `GET ${base}/Users/l2 HTTP/2.0`, closed(refused('505'))),
      line('HTTP/1.10', `GET ${base}/Users/l3 HTTP/1.10`, malformed()),
      line('http/1.1', `GET ${base}/Users/l4 http/1.1`, malformed()),
      line('a tab before the version', `GET ${base}/Users/l5\tHTTP/1.1`, malformed()),
      line('a tab before the target', `GET\t${base}/Users/l6 HTTP/1.1`, malformed()),
      line('a space before the method', ` GET ${base}/Users/l7 HTTP/1.1`, malformed()),
      line('NUL in the method', `G\u0000T ${base}/Users HTTP/1.1`, malformed()),
      line('NUL in the target', `GET ${base}/\u0000 HTTP/1.1`, malformed()),
      line('a method of 1,000 letters', `${'A'.repeat(1000)} ${base}/Users HTTP/1.1`, malformed()),
      line('a target of 20 kB', `GET ${base}/${'x'.repeat(20_000)} HTTP/1.1`, malformed('431')),
      line('LF alone behind it', `GET ${base}/Users/l8 HTTP/1.1\nX: y`, malformed()),
      line('CR alone behind it', `GET ${base}/Users/l9 HTTP/1.1\rX: y`, malformed()),
      {
        sent: 'an empty line before it',
        play: sends((scene) => `\r\n${request(scene.head('GET', scene.path))}`),
        expected: served(),
      },
      {
        sent: 'LF for CRLF throughout',
        play: sends((scene) => request(scene.head('GET', scene.path)).replaceAll('\r\n', '\n')),
        expected: malformed(),
      },
      {
        sent: 'CR for CRLF throughout',
        play: sends((scene) => request(scene.head('GET', scene.path)).replaceAll('\r\n', '\r')),
        expected: malformed(),
      },
    ],
  },
  {
    row: 'forms',
    situation: 'forms of the target that are for others',
    cases: [
      { sent: 'GET *', play: target('*'), expected: refused('400 invalidSyntax') },
      // Express finds no path in these, and would answer them in its own way, past line and trail.
      ...['foo://bar', 'http://a:b/x', 'x://?a', 'http://[/x', 'http://'].map((text) => ({
        sent: `GET ${text}`,
        play: target(text),
        expected: refused(/^http:\/\/./.test(text) ? '421' : '400 invalidSyntax'),
      })),
      { sent: 'GET gateway:443', play: target('gateway:443'), expected: malformed() },
      { sent: 'GET without a slash', play: target('ipsproxy'), expected: malformed() },
      {
        sent: 'CONNECT with our path',
        play: target(`${base}/Users`, 'CONNECT'),
        expected: closed(refused('405')),
      },
      { sent: 'DELETE *', play: target('*', 'DELETE'), expected: refused('400 invalidSyntax') },
      {
        sent: 'ftp://<ours>/…',
        play: sends((scene) =>
          request(
            scene.head('GET', '').with(0, `GET ftp://${scene.siege.gateway.authority}${base}/Users HTTP/1.1`),
          ),
        ),
        expected: refused('400 invalidSyntax'),
      },
      {
        sent: 'http://<ours>',
        play: sends((scene) =>
          request(scene.head('GET', '').with(0, `GET http://${scene.siege.gateway.authority} HTTP/1.1`)),
        ),
        expected: refused('400 invalidSyntax'),
      },
      {
        sent: 'http://<ours>?x',
        play: sends((scene) =>
          request(scene.head('GET', '').with(0, `GET http://${scene.siege.gateway.authority}?x HTTP/1.1`)),
        ),
        expected: refused('400 invalidSyntax'),
      },
      {
        sent: 'http://<ours>\\@evil',
        play: sends((scene) =>
          request(
            scene
              .head('GET', '')
              .with(0, `GET http://${scene.siege.gateway.authority}\\@evil${base}/Users HTTP/1.1`),
          ),
        ),
        expected: malformed(),
      },
    ],
  },
  {
    row: 'fields',
    situation: 'fields that are none',
    cases: [
      field('no name', ': a'),
      field('no colon', 'X'),
      field('a space in the name', 'X Y: a'),
      field('a tab before the colon', 'X\t: a'),
      field('NUL in the name', 'X\u0000Y: a'),
      field('NUL in the value', 'X: a\u0000b'),
      field('a control character in the value', 'X: a\u0001b'),
      field('DEL in the value', 'X: a\u007fb'),
      field('8 bits in the name', 'X\u00fc: a'),
      field('8 bits in the value', 'X: \u00fc', served()),
      field('a tab in the value', 'X: a\tb', served()),
      field('brackets in the name', 'X(Y): a'),
      field('folded with a tab', 'X: a\r\n\tb'),
      field('folded at the start', ' X: a'),
      field('a name of 17 kB', `${'X'.repeat(17_000)}: a`, malformed('431')),
      field('2,000 fields', Array.from({ length: 2000 }, () => 'X:').join('\r\n'), closed(refused('431'))),
      field('Content-Length without a body', 'Content-Length: 0', served()),
    ],
  },
  {
    row: 'slow',
    situation: 'callers that take their time',
    cases: [
      {
        sent: 'a head, a byte every 100 ms',
        play: slowly((scene) => request(scene.head('GET', scene.path)), 100),
        expected: closed(refused('408', 'proto.timeout')),
        besides: inTime,
      },
      {
        sent: 'a field every 300 ms without end',
        play: slowly(function* fields(scene) {
          yield request(scene.head('GET', scene.path)).slice(0, -2);
          for (;;) yield 'X: a\r\n';
        }, 300),
        expected: closed(refused('408', 'proto.timeout')),
        besides: inTime,
      },
      {
        sent: 'half a head, then silence',
        play: slowly(() => ['GET /'], 5000),
        expected: closed(refused('408', 'proto.timeout')),
        besides: inTime,
      },
      {
        sent: 'a head, then no body',
        play: slowly((scene) => [uploadHead(scene, 'Content-Length: 10')], 5000),
        expected: closed(refused('408')),
        besides: inTime,
      },
      {
        sent: 'a chunk of one byte every 100 ms',
        play: slowly(function* bytes(scene) {
          yield uploadHead(scene, chunked);
          for (;;) yield '1\r\n \r\n';
        }, 100),
        expected: closed(refused('408', 'request.rejected, proto.malformed')),
        besides: inTime,
      },
      {
        sent: 'a chunk extension without end',
        play: slowly(function* bytes(scene) {
          yield `${uploadHead(scene, chunked)}2;`;
          for (;;) yield 'x'.repeat(100);
        }, 100),
        expected: closed(refused('408')),
        besides: inTime,
      },
    ],
  },
];
