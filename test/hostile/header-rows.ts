/** Rows 40 to 46 and 67: fields that claim, smuggle or pollute, and a caller that may not do what it asks. */
import { request } from '../support/raw.ts';
import { get, oneOwnCredential, sends } from './plain-stage.ts';
import { refused, served, type Case, type Row, type Seen } from './row.ts';

const src = ({ records }: Seen): { ip?: string } => records[0]?.['src'] ?? {};
const corr = ({ records }: Seen): { callerId?: string } => records[0]?.['corr'] ?? {};
/** Every case has an address of its own; a claimed one would be another. */
const fromSocket = {
  'the trail has the socket’s address': (seen: Seen) => /^127\.\d+\.\d+\.1$/.test(src(seen).ip ?? ''),
};

function dropped(fields: readonly string[], more: Case['besides'] = {}): Case {
  return {
    sent: fields.join(' + ').slice(0, 60),
    play: get(...fields),
    expected: served(),
    besides: { ...oneOwnCredential, ...more },
  };
}

const ownId = {
  'the tenant gets the id that the answer has': ({ answers, received }: Seen) =>
    received[0]?.headers['x-request-id'] === answers[0]?.headers['x-request-id'],
};

export const headerRows: readonly Row[] = [
  {
    row: 40,
    situation: 'claims of another origin',
    cases: [
      dropped(
        ['X-Forwarded-For: 10.0.0.1', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: evil.example'],
        fromSocket,
      ),
      dropped(['Forwarded: for=10.0.0.1;host=evil.example'], fromSocket),
      dropped(['X-Real-IP: 10.0.0.1', 'Client-IP: 10.0.0.1', 'True-Client-IP: 10.0.0.1'], fromSocket),
      dropped(['X-Forwarded-Client-Cert: Hash=00;Subject="CN=identity-manager"'], fromSocket),
      dropped(['X-Original-URL: /evil', 'X-Rewrite-URL: /evil', 'X-Forwarded-Uri: /evil']),
    ],
  },
  {
    row: 41,
    situation: 'underscores for hyphens',
    cases: [
      dropped(['X_Forwarded_For: 10.0.0.1'], fromSocket),
      dropped(['Authorization_: Basic eDp5']),
      dropped(['Content_Length: 5', 'Transfer_Encoding: chunked']),
    ],
  },
  {
    row: 42,
    situation: 'our own fields named as hop-by-hop',
    cases: [
      dropped(['Connection: authorization'], ownId),
      dropped(['Connection: x-request-id, keep-alive'], ownId),
      dropped(['Connection: X-Secret', 'X-Secret: 1', 'Keep-Alive: timeout=1']),
    ],
  },
  {
    row: 43,
    situation: 'another method in a field',
    cases: ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'].map((name) =>
      dropped([`${name}: DELETE`]),
    ),
  },
  {
    row: 44,
    situation: 'what is for others',
    cases: [
      dropped(['Cookie: session=1; csrf=2']),
      dropped(['Proxy-Authorization: Basic eDp5']),
      dropped(['TE: trailers', 'Proxy-Connection: keep-alive']),
    ],
  },
  {
    row: 45,
    situation: 'a correlation id of the caller’s',
    cases: [
      dropped(['X-Request-Id: idm-4711'], {
        ...ownId,
        'the trail keeps it': (seen) => corr(seen).callerId === 'idm-4711',
      }),
      dropped([`X-Request-Id: ${'x'.repeat(10_000)}`], {
        ...ownId,
        'the trail keeps a part': (seen) => (corr(seen).callerId?.length ?? 9999) < 600,
      }),
      dropped([`X-Request-Id: \u00f0\u009f\u0098\u0080`], ownId),
      dropped(['X-Request-Id: ","event":"forged'], {
        ...ownId,
        'it forges no record': ({ records }) => records.every(({ event }) => event !== 'forged'),
      }),
      {
        sent: 'X-Request-Id twice',
        play: get('X-Request-Id: 1', 'X-Request-Id: 2'),
        expected: { ...refused('400'), connection: 'closed' },
      },
    ],
  },
  {
    row: 46,
    situation: 'fields with the names of an object’s own',
    cases: ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype'].map((name) =>
      dropped([`${name}: x`]),
    ),
  },
  {
    row: 67,
    situation: 'a caller that may only read',
    cases: (['DELETE', 'PUT', 'PATCH', 'POST'] as const).map((method) => ({
      sent: method,
      play: sends((scene) => {
        const path = method === 'POST' ? '/Users' : '/Users/1';
        const fields =
          method === 'DELETE' ? [] : ['Content-Type: application/scim+json', 'Content-Length: 2'];
        const head = scene
          .head(method, path, ...fields)
          .with(2, `Authorization: ${scene.siege.gateway.logOn('auditor')}`);
        return request(head, method === 'DELETE' ? '' : '{}');
      }),
      expected: refused('403', 'authz.denied'),
    })),
  },
];
