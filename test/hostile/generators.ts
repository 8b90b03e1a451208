/** What callers could send, from what is right to what no client would write: targets, fields and bodies for fast-check. */
import fc from 'fast-check';

import { systemId } from '../support/gateway.ts';

/** In every value that must not reach the tenant. */
export const canary = 'c4n4ry';
export const base = `/ipsproxy/service/api/v1/scim/${systemId}`;

/** One of the words, which spaces part. */
const anyOf = (...lines: readonly string[]): fc.Arbitrary<string> =>
  fc.constantFrom(...lines.flatMap((line) => line.split(' ')));

const word = fc.stringMatching(/^[A-Za-z0-9._~-]{1,12}$/);
const nasty = anyOf(
  '.. . %2e%2e .%2e %2E ..; ;x=1 %2f %5c \\ %252e %00 %0d%0a %zz % // %u002e ..%c0%af %2e%2e%2f',
  '# ? & = * @ : + %c0%ae %e2%80%8b %ef%bc%8f \' " < { | ^ ` \u00e9 \u00ff \t %20 ~ ! $ , () __proto__ constructor',
);
const encoded = fc.integer({ min: 0, max: 255 }).map((byte) => `%${byte.toString(16).padStart(2, '0')}`);
const anyByte = fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte));

const segment = fc.oneof(
  { weight: 4, arbitrary: word },
  { weight: 3, arbitrary: nasty },
  { weight: 2, arbitrary: encoded },
  {
    weight: 2,
    arbitrary: fc
      .array(fc.oneof(word, nasty, encoded), { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join('')),
  },
  { weight: 1, arbitrary: fc.array(anyByte, { maxLength: 6 }).map((bytes) => bytes.join('')) },
);
const resource = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(fc.constantFrom('/Users/', '/Groups/'), word, nasty, word)
      .map((parts) => parts.join('')),
  },
  { weight: 5, arbitrary: fc.constantFrom('/Users', '/Groups', '/Users/1', '/Groups/g-1') },
  {
    weight: 5,
    arbitrary: fc.tuple(fc.constantFrom('/Users/', '/Groups/'), segment).map((parts) => parts.join('')),
  },
  {
    weight: 4,
    arbitrary: fc
      .array(segment, { maxLength: 5 })
      .map((segments) => segments.map((each) => `/${each}`).join('')),
  },
);
const root = fc.oneof(
  { weight: 8, arbitrary: fc.constant(base) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      base.replace('/service', ''),
      `/${base}`,
      base.replace('scim/', 'scim//'),
      `${base}/`,
      base.toUpperCase(),
      '/ipsproxy/service/api/v1/systems/1/entities',
      '/ips/service/publicapi/v1',
      '/oauth2/token',
      '',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'http://gateway',
      'https://127.0.0.1',
      `http://a@b${base}`,
      '*',
      'gateway:443',
    ),
  },
);
const query = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  {
    weight: 3,
    arbitrary: fc
      .array(
        fc.tuple(
          fc.constantFrom('filter', 'count', 'startIndex', 'attributes', 'x', 'filter'),
          fc.oneof(word, segment),
        ),
        { minLength: 1, maxLength: 3 },
      )
      .map((pairs) => `?${pairs.map((pair) => pair.join('=')).join('&')}`),
  },
  {
    weight: 1,
    arbitrary: fc
      .array(fc.oneof(nasty, encoded, anyByte), { maxLength: 5 })
      .map((parts) => `?${parts.join('')}`),
  },
);

export interface Cut {
  readonly at: number;
  readonly length: number;
  readonly insert: string;
}

/** A mutation of any text: what stands somewhere is replaced. */
const cut: fc.Arbitrary<Cut> = fc.record({
  at: fc.nat(200),
  length: fc.nat(4),
  insert: fc.oneof(nasty, encoded, anyByte, fc.constant('')),
});

function mutate(text: string, cuts: readonly Cut[]): string {
  return cuts.reduce((changed, { at, length, insert }) => {
    const place = at % (changed.length + 1);
    return changed.slice(0, place) + insert + changed.slice(place + length);
  }, text);
}

/** A request target: the grammar of ours, and what a mutation or two make of it. */
export const target: fc.Arbitrary<string> = fc
  .tuple(
    fc.tuple(root, resource, query).map((parts) => parts.join('')),
    fc.oneof(
      { weight: 3, arbitrary: fc.constant<Cut[]>([]) },
      { weight: 1, arbitrary: fc.array(cut, { minLength: 1, maxLength: 2 }) },
    ),
  )
  .map(([text, cuts]) => mutate(text, cuts));

const fieldName = fc.oneof(
  anyOf(
    'X-Forwarded-For Forwarded X-Forwarded-Client-Cert X-Real-IP Cookie Proxy-Authorization Authorization_ Via Referer',
    'X-Request-Id traceparent User-Agent Origin X-Original-URL X-HTTP-Method-Override Set-Cookie X-CSRF-Token Date Range',
    '__proto__ constructor Accept-Language Pragma Idempotency-Key',
  ),
  fc.stringMatching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,20}$/),
);
const visible = fc.stringMatching(/^[ -~\u0080-\u00ff]{0,8}$/);
const secretValue = fc.oneof(
  { weight: 6, arbitrary: fc.constant(canary) },
  { weight: 5, arbitrary: visible.map((text) => text + canary) },
  { weight: 1, arbitrary: anyByte.map((byte) => byte + canary) },
);
const plainField = fc.tuple(fieldName, secretValue).map(([name, value]) => `${name}: ${value}`);
/** Fields with a meaning to the gateway or to the framing; what may go up of them holds no canary. */
const strongField = fc.constantFrom(
  'Connection: close',
  'Connection: authorization, x-request-id',
  'Connection: Upgrade',
  'Upgrade: h2c',
  'TE: trailers',
  'Trailer: X',
  'Expect: 100-continue',
  'Expect: x',
  'Keep-Alive: timeout=1',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: xchunked',
  'Content-Length: 0',
  'Content-Length: 2',
  'Content-Length: 40',
  'Content-Length: -1',
  'Content-Encoding: gzip',
  'Accept: */*',
  'Accept-Encoding: gzip',
  'If-Match: W/"1"',
  'If-None-Match: *',
  'Cache-Control: no-cache',
  'Host: evil.example',
  'Host:',
  'Content-Type: text/xml',
  'Content-Type: application/json',
  'X: a\r\n folded',
  'X : a',
  'X\u0000: a',
  ': a',
  'X',
  ' X: a',
  'X: a\nY: b',
);

const jsonText = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('{}', '{"schemas":[]}') },
  fc.constantFrom(
    '{}',
    '{"schemas":[]}',
    '{"__proto__":{}}',
    '{"a":1,"a":2}',
    '[]',
    '',
    '{',
    'null',
    '{"a":"\\ud800"}',
    '[[[[',
    '{}{}',
  ),
  fc.json({ maxDepth: 4 }),
  fc.array(anyByte, { maxLength: 30 }).map((bytes) => bytes.join('')),
);
const framing = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('length', 'chunks') },
  { weight: 1, arbitrary: fc.constantFrom('none', 'both', 'short', 'long') },
);

export interface Sent {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly string[];
  readonly host: boolean;
  readonly logOn: 'right' | 'wrong' | 'none';
  readonly body: string | undefined;
  readonly framing: string;
  readonly cuts: readonly Cut[];
}

export const sent: fc.Arbitrary<Sent> = fc.record({
  method: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom('GET', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE') },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        'HEAD',
        'OPTIONS',
        'TRACE',
        'CONNECT',
        'QUERY',
        'get',
        'FROB',
        'PRI',
        'GE T',
      ),
    },
  ),
  target: fc.oneof(
    { weight: 2, arbitrary: target },
    { weight: 1, arbitrary: resource.map((path) => base + path) },
    {
      weight: 3,
      arbitrary: fc
        .tuple(fc.constantFrom('/Users', '/Groups'), word)
        .map(([type, id]) => `${base}${type}/${id}`),
    },
  ),
  fields: fc.array(fc.oneof({ weight: 12, arbitrary: plainField }, { weight: 1, arbitrary: strongField }), {
    maxLength: 4,
  }),
  host: fc.oneof({ weight: 20, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  logOn: fc.oneof(
    { weight: 8, arbitrary: fc.constant('right' as const) },
    { weight: 1, arbitrary: fc.constantFrom('wrong', 'none') },
  ),
  body: fc.option(jsonText, { nil: undefined }),
  framing,
  cuts: fc.oneof(
    { weight: 8, arbitrary: fc.constant<Cut[]>([]) },
    { weight: 1, arbitrary: fc.array(cut, { minLength: 1, maxLength: 2 }) },
  ),
});

/** The bytes of one request, as latin1. */
export function bytesOf(
  { method, target: path, fields, host, logOn, body, framing: how, cuts }: Sent,
  authority: string,
  authorization: string,
): string {
  const isPlain = how === 'length' || how === 'chunks';
  const content = method.startsWith('P') ? (body ?? '{}') : isPlain ? undefined : body;
  const [framed, text] = frame(content, how);
  const log = {
    right: [`Authorization: ${authorization}`],
    wrong: [`Authorization: Basic ${canary}`],
    none: [],
  }[logOn];
  const head = [
    `${method} ${path} HTTP/1.1`,
    ...(host ? [`Host: ${authority}`] : []),
    ...log,
    ...(content === undefined ? [] : ['Content-Type: application/scim+json']),
    ...framed,
    ...fields,
  ];
  return mutate(`${head.join('\r\n')}\r\n\r\n`, cuts) + text;
}

function frame(body: string | undefined, how: string): [fields: string[], text: string] {
  if (body === undefined) return [[], ''];
  const length = Buffer.byteLength(body, 'latin1');
  const chunks = `${length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  switch (how) {
    case 'chunks':
      return [['Transfer-Encoding: chunked'], length === 0 ? '0\r\n\r\n' : chunks];
    case 'both':
      return [[`Content-Length: ${length}`, 'Transfer-Encoding: chunked'], chunks];
    case 'short':
      return [[`Content-Length: ${Math.max(0, length - 1)}`], body];
    case 'long':
      return [[`Content-Length: ${length + 1}`], body];
    case 'none':
      return [[], body];
    default:
      return [[`Content-Length: ${length}`], body];
  }
}
