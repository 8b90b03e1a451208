/** Rows 47 and 81 to 99: what a tenant can do wrong, and what the caller is told: the truth, in SCIM, in time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

import { systemId } from '../support/gateway.ts';
import { besiege, type Siege } from '../support/siege.ts';
import { sendScim, type Answer } from '../support/upstream.ts';
import { credential, pace } from './plain-stage.ts';
import { refused, served, type Case, type Row, type Seen, type Stage } from './row.ts';
import type { Scene } from './scene.ts';

const deadlines = { read: '1500ms', write: '2s' };

/** @param patience how long a call waits for its turn, which rows on 429 use up */
const besiegeFaulty = (patience = '50s'): Promise<Siege> =>
  besiege({
    tenant: { credential, pace, deadlines },
    system: { repeats: { lookFor: '0ms' } },
    config: { patience, limits: { reply: '64KiB' } },
  });

/** Answers with bytes, and leaves the connection as it is or closes it. */
const bytes =
  (text: string, { close = true } = {}): Answer =>
  (_request, _response, { socket }) =>
    void (close ? socket.end(text, 'latin1') : socket.write(text, 'latin1'));
const scim =
  (status: number, headers: object, body: string | Buffer): Answer =>
  (_request, response) =>
    void response.writeHead(status, { 'content-type': 'application/scim+json', ...headers }).end(body);
const reset: Answer = (_request, _response, { socket }) => socket.resetAndDestroy();
const silent: Answer = () => {};
const trickle: Answer = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/scim+json' });
  const drip = setInterval(() => response.write(' '), 30);
  response.once('close', () => clearInterval(drip));
};

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

const ask =
  (method: Method, answer: Answer): Case['play'] =>
  async (scene) => {
    scene.siege.upstream.answer = answer;
    // Of one body for all the second would be a repeat of the first.
    const body = method === 'POST' ? { nickName: scene.path } : {};
    await scene.call(
      method,
      method === 'POST' ? '/Users' : scene.path,
      method.startsWith('P') ? body : undefined,
    );
  };

/** The answer to a create is lost; whoever looks finds what was created. */
const createUnseen: Case['play'] = async (scene) => {
  scene.siege.upstream.answer = ({ method }, response, { socket }) => {
    if (method === 'POST') return void socket.resetAndDestroy();
    const meta = { created: new Date().toISOString(), location: '/Users/made' };
    const made = { id: 'made', userName: scene.path, meta };
    sendScim(response, 200, { schemas: [], totalResults: 1, Resources: [made] });
  };
  await scene.call('POST', '/Users', { userName: scene.path });
};

const failed = (answers: string, tenant: string): Case['expected'] => ({ ...served(answers, tenant) });

const outcomeUnknown = {
  'the caller is told that nobody knows': ({ answers: [answer] }: Seen) =>
    /outcome is unknown/.test(answer?.body ?? ''),
  'the trail says unknown': ({ records }: Seen) =>
    records.some(({ outcome }) => outcome?.result === 'unknown'),
};

const withoutLocation = {
  'no Location passes': ({ answers: [answer] }: Seen) => answer?.headers['location'] === undefined,
};

/** A read of it fails, and of a write nobody knows what became. */
const broken = (what: string, answer: Answer): Case[] => [
  {
    sent: `GET: ${what}`,
    play: ask('GET', answer),
    expected: failed('502', 'GET'),
    besides: withoutLocation,
  },
  {
    sent: `POST: ${what}`,
    play: ask('POST', answer),
    expected: failed('504', 'POST'),
    besides: { ...outcomeUnknown, ...withoutLocation },
  },
];

/** The case, and a read of the same after it from a tenant that is well again. */
function thenRead(play: Case['play'], pauseMs = 0): Case['play'] {
  return async (scene) => {
    await play(scene);
    await sleep(pauseMs);
    scene.siege.upstream.answer = scim(200, {}, '{"own":1}');
    await scene.call('GET', scene.path.replace('Users', 'Groups'));
  };
}

const ownAnswer = {
  'the next has its own answer': ({ answers }: Seen) => answers.at(-1)?.body === '{"own":1}',
};

const within = (atLeast: number, atMost: number) => ({
  'it is given up at its deadline': ({ ms }: Seen) => ms > atLeast && ms < atMost,
});

const resource = (name: string): string =>
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${name.length + 2}\r\n\r\n{${name}}`;

const list = (size: number): string => JSON.stringify({ schemas: [], Resources: ['x'.repeat(size)] });
const scimError = (status: number, detail: string): string =>
  JSON.stringify({
    schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
    status: String(status),
    detail,
  });

const hops: Answer = ({ headers }, response) =>
  sendScim(
    response,
    201,
    { schemas: [] },
    {
      connection: 'X-Hop',
      'x-hop': '1',
      'set-cookie': ['a=1', 'b=2'],
      server: 'SAP',
      'x-powered-by': 'SAP',
      'www-authenticate': 'Basic realm="tenant"',
      location: `http://${headers.host}/ipsproxy/service/api/v1/scim/${systemId}/Users/7`,
    },
  );
const passing = new Set([
  'cache-control',
  'connection',
  'content-length',
  'content-type',
  'date',
  'keep-alive',
  'location',
  'x-content-type-options',
  'x-request-id',
]);

const located =
  (location: string): Answer =>
  (_request, response) =>
    sendScim(response, 201, { schemas: [] }, { location });

const canary = 'Canary-96';
const upset: Answer = ({ body }, response) =>
  void response.writeHead(500, { 'content-type': 'text/plain' }).end(`could not write ${body}`);

const faulty: readonly Row[] = [
  {
    row: 47,
    situation: 'a reply that is compressed',
    cases: [
      ...broken(
        'gzip of a million spaces',
        (_request, response) =>
          void response
            .writeHead(200, { 'content-type': 'application/scim+json', 'content-encoding': 'gzip' })
            .end(gzipSync(' '.repeat(1_000_000))),
      ),
      {
        sent: 'Accept-Encoding: gzip, br',
        play: async (scene) =>
          void (await scene.call('GET', scene.path, undefined, 'Accept-Encoding: gzip, br')),
        expected: served(),
        besides: {
          'the tenant is asked for identity': ({ received: [up] }) =>
            up?.headers['accept-encoding'] === 'identity',
        },
      },
    ],
  },
  {
    row: 81,
    situation: 'a reset before a byte of the answer to a read',
    cases: [
      {
        sent: 'always',
        play: ask('GET', reset),
        expected: served('502', 'GET, GET', 'retry.performed, request.outcome'),
      },
      {
        sent: 'once',
        play: async (scene) => {
          scene.siege.upstream.answer = (_request, _response, { socket }) => {
            scene.siege.upstream.answer = scim(200, {}, '{}');
            socket.resetAndDestroy();
          };
          await scene.call('GET', scene.path);
        },
        expected: served('200', 'GET, GET', 'retry.performed, request.outcome'),
      },
    ],
  },
  {
    row: 82,
    situation: 'a reset after a write was sent',
    cases: [
      ...(
        [
          ['POST', 'POST', 'request.outcome'],
          ['PUT', 'PUT, GET, GET', 'retry.performed, request.outcome'],
          ['PATCH', 'PATCH', 'request.outcome'],
          ['DELETE', 'DELETE, GET, GET', 'retry.performed, request.outcome'],
        ] as const
      ).map(([method, tenant, trail]) => ({
        sent: `${method}, and looks are reset too`,
        play: ask(method, reset),
        expected: served('504', tenant, trail),
        besides: outcomeUnknown,
      })),
      {
        sent: 'POST, and a look finds it',
        play: createUnseen,
        expected: served('201', 'POST, GET'),
        besides: {
          'it is the one that was created': ({ answers: [answer] }) =>
            answer?.headers['location']?.endsWith('/Users/made') === true,
          'the trail says how it is known': ({ records: [record] }) => record?.['reconciled'] === 'found',
        },
      },
    ],
  },
  {
    row: 83,
    situation: 'silence',
    cases: [
      {
        sent: 'a read of 1.5 s',
        play: ask('GET', silent),
        expected: failed('504', 'GET'),
        besides: within(1400, 7000),
      },
      {
        sent: 'a write of 2 s',
        play: ask('PUT', silent),
        expected: failed('504', 'PUT, GET'),
        besides: { ...outcomeUnknown, ...within(1900, 9000) },
      },
    ],
  },
  {
    row: 84,
    situation: 'a body that trickles',
    differs:
      'the list closes the caller’s connection; nothing was passed on yet, so the caller gets an error instead',
    cases: [
      {
        sent: 'a read of 1.5 s',
        play: ask('GET', trickle),
        expected: failed('504', 'GET'),
        besides: within(1400, 7000),
      },
      {
        sent: 'a write of 2 s',
        play: ask('PUT', trickle),
        expected: failed('504', 'PUT, GET'),
        besides: { ...outcomeUnknown, ...within(1900, 9000) },
      },
    ],
  },
  {
    row: 85,
    situation: 'a body that is cut short',
    cases: broken(
      '6 bytes of 100',
      bytes('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a":1'),
    ),
  },
  {
    row: 86,
    situation: 'what is no HTTP',
    cases: [
      [
        'an invalid chunk',
        bytes('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n'),
      ],
      [
        'length and chunks',
        bytes(
          'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
        ),
      ],
      ['another protocol', bytes('SSH-2.0-OpenSSH_9.9\r\n')],
      [
        'a field of 20 kB',
        bytes(`HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(20_000)}\r\nContent-Length: 2\r\n\r\n{}`),
      ],
      [
        'control characters in a field',
        bytes('HTTP/1.1 200 OK\r\nX-A: a\u0001b\r\nContent-Length: 2\r\n\r\n{}'),
      ],
      [
        'status 042',
        bytes('HTTP/1.1 042 X\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'),
      ],
      [
        'status 999',
        bytes('HTTP/1.1 999 X\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'),
      ],
      ['204 with a body', bytes('HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n{}')],
    ].flatMap(([what, answer]) => broken(what as string, answer as Answer)),
  },
  {
    row: 87,
    situation: '101 Switching Protocols',
    cases: broken(
      '101',
      bytes('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', {
        close: false,
      }),
    ).map((each) => ({
      ...each,
      besides: { ...each.besides, 'within a second': ({ ms }) => ms < 1000 },
    })),
  },
  {
    row: 88,
    situation: 'informational answers',
    cases: [
      {
        sent: '100, 103, 200',
        play: ask('GET', (_request, response) => {
          response.writeContinue();
          response.writeEarlyHints({ link: '</x>; rel=preload' });
          sendScim(response, 200, { schemas: [] });
        }),
        expected: served(),
      },
    ],
  },
  {
    row: 89,
    situation: 'a redirect',
    cases: [
      ...broken('302 to 169.254.169.254', scim(302, { location: 'http://169.254.169.254/' }, '')),
      {
        sent: 'GET: 307',
        play: ask('GET', scim(307, { location: 'http://169.254.169.254/' }, '')),
        expected: failed('502', 'GET'),
        besides: withoutLocation,
      },
      {
        sent: 'POST: 308, which was not carried out',
        play: ask('POST', scim(308, { location: 'http://169.254.169.254/' }, '')),
        expected: failed('502', 'POST'),
        besides: withoutLocation,
      },
    ],
  },
  {
    row: 90,
    situation: 'Trailer in a reply',
    cases: [
      {
        sent: 'Trailer: X-Sum',
        play: ask('GET', (_request, response) => {
          response.writeHead(200, { 'content-type': 'application/scim+json', trailer: 'X-Sum' });
          response.addTrailers({ 'X-Sum': '1' });
          response.end('{"schemas":[]}');
        }),
        expected: served(),
        besides: { 'it is dropped': ({ answers: [answer] }) => answer?.headers['trailer'] === undefined },
      },
    ],
  },
  {
    row: 91,
    situation: 'fields that are not the caller’s business',
    cases: [
      {
        sent: 'Connection: X-Hop, Set-Cookie, Server, …',
        play: ask('POST', hops),
        expected: served('201', 'POST'),
        besides: {
          'they are dropped': ({ answers: [answer] }) =>
            Object.keys(answer?.headers ?? {}).every((name) => passing.has(name)),
        },
      },
    ],
  },
  {
    row: 92,
    situation: 'a success that is none',
    cases: [
      ...broken('a log-on page', scim(200, { 'content-type': 'text/html' }, '<form>')),
      ...broken('an array', scim(200, {}, '[]')),
      ...broken('half a JSON', scim(200, {}, '{"a":')),
      ...broken('70 kB where 64 may be', scim(200, {}, list(70_000))),
      {
        sent: 'GET: nothing',
        play: thenRead(ask('GET', scim(200, {}, ''))),
        expected: { ...served('502, 200', 'GET, GET') },
        besides: ownAnswer,
      },
    ],
  },
  {
    row: 93,
    situation: 'a Location',
    cases: [
      {
        sent: 'of the tenant’s own',
        play: ask('POST', hops),
        expected: served('201', 'POST'),
        besides: {
          'it names the gateway': ({ answers: [answer] }) =>
            /^http:\/\/127\.0\.0\.1:\d+\/ipsproxy\/.*\/Users\/7$/.test(answer?.headers['location'] ?? ''),
        },
      },
      {
        sent: 'of an internal host',
        play: ask('POST', located('https://internal.hana.example/odata/7')),
        expected: served('201', 'POST'),
        besides: withoutLocation,
      },
    ],
  },
  {
    row: 94,
    situation: 'a tenant that refuses the gateway’s own credential',
    cases: [
      ['401', scim(401, { 'www-authenticate': 'Basic' }, '')],
      ['401 as a SCIM error', scim(401, {}, scimError(401, 'no'))],
      ['403 and a page', scim(403, { 'content-type': 'text/html' }, '<h1>Forbidden</h1>')],
    ].map(([what, answer]): Case => ({
      sent: what as string,
      play: ask('GET', answer as Answer),
      expected: failed('502', 'GET'),
      besides: {
        'no challenge passes': ({ answers: [told] }) => told?.headers['www-authenticate'] === undefined,
        'the trail says who was refused': ({ records: [record] }) =>
          record?.outcome?.error === 'upstream-refused-us',
      },
    })),
  },
  {
    row: 96,
    situation: 'an error that quotes what was sent',
    cases: [
      {
        sent: '500 with the password in its text',
        play: async (scene) => {
          scene.siege.upstream.answer = upset;
          await scene.call('POST', '/Users', { password: canary });
        },
        expected: failed('504', 'POST'),
        besides: {
          'the caller is not told': ({ answers: [answer] }) => answer?.body.includes(canary) === false,
          'the trail does not know it': ({ records }) => !JSON.stringify(records).includes(canary),
        },
      },
    ],
  },
  {
    row: 98,
    situation: 'bytes behind a complete answer',
    cases: [
      {
        sent: 'a second answer at once',
        play: thenRead(ask('GET', bytes(resource('"a":1') + resource('"poison":1'), { close: false })), 100),
        expected: served('200, 200', 'GET, GET'),
        besides: ownAnswer,
      },
    ],
  },
  {
    row: 99,
    situation: 'an answer that nobody asked for',
    cases: [
      {
        sent: 'on the idle connection',
        play: thenRead(
          ask('GET', (_request, _response, { socket }) => {
            socket.write(resource('"a":1'));
            setTimeout(() => socket.write(resource('"poison":1')), 30);
          }),
          100,
        ),
        expected: served('200, 200', 'GET, GET'),
        besides: ownAnswer,
      },
    ],
  },
];

const retryAfter = (least: number, most: number) => ({
  'Retry-After is sane': ({ answers: [answer] }: Seen) => {
    const said = Number(answer?.headers['retry-after']);
    return said >= least && said <= most;
  },
});

const busy = (sent: string, value: string | undefined): Case => ({
  sent,
  open: () => besiegeFaulty('1s'),
  play: async (scene: Scene) => {
    scene.siege.upstream.answer = scim(
      429,
      value === undefined ? {} : { 'retry-after': value },
      scimError(429, 'too many'),
    );
    await scene.call('GET', scene.path);
    scene.siege.upstream.answer = scim(200, {}, '{}');
    await scene.call('GET', '/Users/other');
  },
  expected: { ...refused('429, 429', 'request.outcome, request.rejected'), tenant: 'GET' },
  besides: retryAfter(1, 120),
});

export const faultyTenant: Stage = {
  title: 'before a tenant that misbehaves',
  open: () => besiegeFaulty(),
  rows: faulty,
};

export const busyTenant: Stage = {
  title: 'before a tenant that is busy',
  open: () => besiegeFaulty(),
  rows: [
    {
      row: 95,
      situation: '429 with a Retry-After',
      cases: [
        busy('60', '60'),
        busy('an HTTP date', new Date(Date.now() + 60_000).toUTCString()),
        busy('10^9', '1000000000'),
        busy('10^30', `1${'0'.repeat(30)}`),
      ],
    },
  ],
};
