/** Rows 69 to 80: bodies that are too large, too slow, too deep or of two meanings. */
import { setTimeout as sleep } from 'node:timers/promises';

import { request } from '../support/raw.ts';
import { chunked, json, people, post, proxyBase, sends } from './plain-stage.ts';
import { closed, refused, served, type Case, type Row } from './row.ts';
import type { Scene } from './scene.ts';

const mebibyte = 1024 * 1024;

function body(content: string | Buffer, ...fields: readonly string[]): Case['play'] {
  const bytes = Buffer.from(content);
  return sends((scene) =>
    Buffer.concat([
      Buffer.from(request(scene.head('POST', '/Users', json, `Content-Length: ${bytes.length}`, ...fields))),
      bytes,
    ]),
  );
}

function chunkOf(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;
}

const unclean = (sent: string, content: string | Buffer): Case => ({
  sent,
  play: body(content),
  expected: refused('400 invalidSyntax'),
});

const otherMedia = (...fields: readonly string[]): Case => ({
  sent: fields.join(', ') || 'no Content-Type',
  play: sends((scene) => request(scene.head('POST', '/Users', 'Content-Length: 2', ...fields), '{}')),
  expected: refused('415'),
});

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

const bulk = (count: number): string => {
  const operation = { method: 'DELETE', path: '/Users/1' };
  return JSON.stringify({
    schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
    Operations: Array.from({ length: count }, () => operation),
  });
};

/** Begins an upload that says 20 bytes, sends half, and leaves in its own way. */
const abandon =
  (leave: (connection: Awaited<ReturnType<Scene['open']>>) => void): Case['play'] =>
  async (scene) => {
    using connection = await scene.open();
    connection.send(request(scene.head('POST', '/Users', json, 'Content-Length: 20'), '{"userName":'));
    await sleep(100);
    leave(connection);
    scene.answers.push('none');
    scene.connection = 'closed';
    await sleep(50);
  };

const numbers = '{"a":12345678901234567890,"b":1e400,"c":-0.10,"d":1E+2}';
const canary = 'Canary-78';
const change = JSON.stringify({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations: [{ op: 'replace', value: { password: canary } }],
});

export const bodyRows: readonly Row[] = [
  {
    row: 69,
    situation: 'a body of one byte more than it may have',
    cases: [
      {
        sent: '1 MiB + 1 announced',
        play: post([`Content-Length: ${mebibyte + 1}`], 'x'.repeat(mebibyte + 1)),
        expected: closed(refused('413')),
      },
      {
        sent: '1 MiB + 1 announced, nothing sent',
        play: post([`Content-Length: ${mebibyte + 1}`], ''),
        expected: closed(refused('413')),
      },
      {
        sent: '1 MiB + 1 in a chunk',
        play: post([chunked], chunkOf(`{"a":"${'x'.repeat(mebibyte - 7)}"}`)),
        expected: closed(refused('413')),
      },
      {
        sent: '1 MiB in a chunk',
        play: post([chunked], chunkOf(`{"a":"${'x'.repeat(mebibyte - 8)}"}`)),
        expected: served('201', 'POST'),
      },
      {
        sent: '5 GB announced',
        play: post([`Content-Length: ${5 * 1024 ** 3}`], '{}'),
        expected: closed(refused('413')),
      },
    ],
  },
  {
    row: 70,
    situation: 'depth',
    cases: [
      unclean('33 levels', `{"a":${nested(32)}}`),
      {
        ...unclean('a million brackets', '['.repeat(1_000_000)),
        besides: { 'it costs no time': ({ ms }) => ms < 1000 },
      },
      { sent: '32 levels', play: body(`{"a":${nested(31)}}`), expected: served('201', 'POST') },
    ],
  },
  {
    row: 71,
    situation: 'names that change an object’s prototype',
    cases: [
      unclean('__proto__', '{"__proto__":{"admin":true}}'),
      unclean('__proto__ with an escape', String.raw`{"\u005f_proto__":{"admin":true}}`),
      unclean('constructor.prototype', '{"a":{"constructor":{"prototype":{}}}}'),
    ],
  },
  {
    row: 72,
    situation: 'names that are given twice',
    cases: [
      unclean('active, active', '{"active":true,"active":false}'),
      unclean('active, Active', '{"active":true,"Active":false}'),
      unclean('active with an escape', String.raw`{"active":true,"\u0061ctive":false}`),
    ],
  },
  {
    row: 73,
    situation: 'numbers that JavaScript cannot hold',
    cases: [
      {
        sent: numbers,
        play: body(numbers),
        expected: served('201', 'POST'),
        besides: { 'the bytes go up': ({ received: [up] }) => up?.body === numbers },
      },
      unclean('NaN', '{"a":NaN}'),
      unclean('Infinity', '{"a":-Infinity}'),
      unclean('0x10', '{"a":0x10}'),
      unclean('01', '{"a":01}'),
    ],
  },
  {
    row: 74,
    situation: 'text that is not clean UTF-8',
    cases: [
      unclean('a byte order mark', '\ufeff{}'),
      unclean('UTF-16', Buffer.from('{}', 'utf16le')),
      unclean('a lone surrogate', String.raw`{"a":"\ud800"}`),
      unclean('bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])),
      unclean('an overlong slash', Buffer.from([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d])),
      unclean('a raw line break in a string', '{"a":"\n"}'),
      unclean('a comment', '{}// no'),
      unclean('two values', '{}{}'),
    ],
  },
  {
    row: 75,
    situation: 'another media type',
    cases: [
      otherMedia('Content-Type: text/xml'),
      otherMedia(),
      otherMedia('Content-Type: multipart/form-data; boundary=x'),
      otherMedia('Content-Type: application/scim+jsonx'),
      otherMedia('Content-Type: application/json; charset=utf-16'),
      otherMedia('Content-Type: application/x-www-form-urlencoded'),
    ],
  },
  {
    row: 76,
    situation: 'a compressed body',
    cases: ['gzip', 'br', 'identity, gzip', 'x'].map((coding) =>
      otherMedia(json, `Content-Encoding: ${coding}`),
    ),
  },
  {
    row: 77,
    situation: 'a bulk request of 10,001 operations',
    differs: 'the list allows 10,000; the gateway takes 1,000, because it unfolds and authorises each',
    cases: [10_001, 1001].map((count) => ({
      sent: `${count} operations`,
      play: sends((scene) => {
        const text = bulk(count);
        const [, ...fields] = scene.head('POST', '', json, `Content-Length: ${text.length}`);
        return request([`POST ${proxyBase}/${people}/Bulk HTTP/1.1`, ...fields], text);
      }),
      expected: closed(refused('413')),
    })),
  },
  {
    row: 78,
    situation: 'a password in a change without a path',
    cases: [
      {
        sent: 'PATCH {"value":{"password":…}}',
        play: sends((scene) =>
          request(scene.head('PATCH', '/Users/78', json, `Content-Length: ${change.length}`), change),
        ),
        expected: served('200', 'PATCH'),
        besides: {
          'the bytes go up': ({ received: [up] }) => up?.body === change,
          'the trail does not know it': ({ records }) => !JSON.stringify(records).includes(canary),
        },
      },
    ],
  },
  {
    row: 79,
    situation: 'a body that comes a byte at a time',
    differs: 'the list calls it proto.timeout; it is a readable request, so it has a record of its own',
    cases: [
      {
        sent: 'a byte every 100 ms, for longer than bodyTime',
        play: async (scene) => {
          using connection = await scene.open();
          connection.send(request(scene.head('POST', '/Users', json, 'Content-Length: 1000')));
          const drip = setInterval(() => connection.send(' '), 100);
          try {
            scene.answers.push(await connection.answer());
            scene.connection = 'closed';
            await connection.gone();
          } finally {
            clearInterval(drip);
          }
        },
        expected: closed(refused('408')),
        besides: { 'it took its time and little more': ({ ms }) => ms > 900 && ms < 4000 },
      },
    ],
  },
  {
    row: 80,
    situation: 'an upload whose caller leaves half way',
    cases: [
      {
        sent: 'a reset',
        play: abandon((connection) => connection.reset()),
        expected: closed(refused('none', 'request.aborted_by_client')),
      },
      {
        sent: 'a close',
        play: abandon((connection) => connection[Symbol.dispose]()),
        expected: closed(refused('none', 'request.aborted_by_client, proto.malformed')),
      },
    ],
  },
];
