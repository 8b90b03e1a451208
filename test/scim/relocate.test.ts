import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import type { Reply } from '../../src/scim/call.ts';
import { relocate, type Location } from '../../src/scim/relocate.ts';

const id = 'bbb111aa-1234-aaaa-7777-1234567abcde';
const tenant = `https://t1.accounts.ondemand.com/ipsproxy/service/api/v1/scim/${id}`;
const ours = 'https://gw.example/ipsproxy/service/api/v1/scim/acme';
const from: Location = { base: new URL(tenant), systemId: id, resourceTypes: ['Users', 'Groups'] };
const to = new URL(ours);

const replyOf = (body: string | Buffer, headers = {}): Reply => ({
  status: 200,
  headers,
  body: Buffer.from(body),
});
const bodyAfter = (body: string): string => relocate(replyOf(body), from, to).body.toString();
const headerAfter = (location: string): string | undefined =>
  relocate(replyOf('', { location }), from, to).headers['location'];

const moved: readonly (readonly [title: string, link: string, below: string])[] = [
  ['a resource below the base', `${tenant}/Users/1`, '/Users/1'],
  ['an id with percent-encoding', `${tenant}/Users/a%2Fb%20c`, '/Users/a%2Fb%20c'],
  ['an id with dots', `${tenant}/Users/a.b@c.example`, '/Users/a.b@c.example'],
  ['a query', `${tenant}/Users?startIndex=26&count=25`, '/Users?startIndex=26&count=25'],
  ['the base itself', tenant, ''],
  [
    'another case of scheme and host',
    `HTTPS://T1.Accounts.OnDemand.com${from.base.pathname}/Users/1`,
    '/Users/1',
  ],
  ['the default port', `https://t1.accounts.ondemand.com:443${from.base.pathname}/Users/1`, '/Users/1'],
  ['dot segments that stay below', `${tenant}/Groups/../Users/1`, '/Users/1'],
  ['the custom domain', `https://iam.acme.example/ipsproxy/service/api/v1/scim/${id}/Users/1`, '/Users/1'],
  [
    'the older form',
    `https://ipsproxyp-c.eu1.hana.ondemand.com:443/ipsproxy/api/v1/scim/${id}/Groups/g`,
    '/Groups/g',
  ],
  [
    'the certificate form',
    `https://ipsproxyp-c.cert.eu1.example/ipsproxy/certapi/v1/scim/${id}/Users/1`,
    '/Users/1',
  ],
  ['an internal host', 'http://backend.internal:8080/scim/v2/Users/1', '/Users/1'],
  ['an absolute path', '/scim/v2/Groups/7', '/Groups/7'],
  ['an absolute path below the base', `${from.base.pathname}/Users/1`, '/Users/1'],
  ['a host without scheme', '//backend.internal/scim/Users/1', '/Users/1'],
  ['a schema on an internal host', 'https://b.internal/v2/Schemas/urn:x:User', '/Schemas/urn:x:User'],
  ['a resource by a lower-case endpoint', 'https://b.internal/v2/users/1', '/users/1'],
  ['a discovery document', 'https://b.internal/v2/ServiceProviderConfig', '/ServiceProviderConfig'],
  [
    'credentials in the link, which vanish',
    `https://u:p@t1.accounts.ondemand.com${from.base.pathname}/Users/1`,
    '/Users/1',
  ],
];

for (const [title, link, below] of moved) {
  test(`a link to ${title} names the gateway in bodies`, () => {
    assert.equal(
      bodyAfter(JSON.stringify({ meta: { location: link } })),
      `{"meta":{"location":"${ours}${below}"}}`,
    );
  });
  test(`a link to ${title} names the gateway in the Location header`, () => {
    assert.equal(headerAfter(link), ours + below);
  });
}

for (const rest of ['/Users/ä', '/Users/a%20b', "/Users/a,(b)=c;'d'!", '/Users?filter=x', '/Users/..a'])
  test(`what follows the base stays as it was written: ${rest}`, () => {
    assert.equal(bodyAfter(`{"$ref":"${tenant}${rest}"}`), `{"$ref":"${ours}${rest}"}`);
  });

for (const rest of [
  '/../x',
  '/a/..',
  '/a/%2E%2e/x',
  '/./a',
  String.raw`/..\x`,
  '/a/.?b',
  'x/Users/1',
  '@evil.example',
])
  test(`what might lead away from the base is not written behind ours: ${rest}`, () => {
    assert.doesNotMatch(
      bodyAfter(JSON.stringify({ $ref: tenant + rest })),
      /gw.example.*(?:\.\.|%2e|\/\.[/?]|evil)/i,
    );
  });

test('a resource type whose endpoint is a whole address is found at the gateway', () => {
  const typesAt = (base: string): string =>
    JSON.stringify({
      endpoint: `${base}/Users`,
      Resources: [{ endpoint: `${base}/Groups`, x: { endpoint: U } }],
    });
  assert.equal(bodyAfter(typesAt(tenant)), typesAt(ours));
  const usual = '{"Resources":[{"endpoint":"/Users"}]}';
  const atRoot = { ...from, base: new URL('https://t1.example') };
  assert.equal(relocate(replyOf(usual), atRoot, to).body.toString(), usual);
});

const kept: readonly (readonly [title: string, link: string, inHeader: boolean])[] = [
  ['a relative reference upward', '../Users/1', true],
  ['a relative reference', 'Users/1', true],
  ['a URN', 'urn:ietf:params:scim:schemas:core:2.0:User', true],
  ['a foreign address', 'https://photos.example/pictures/1', false],
  ['an address out of the base', `${tenant}/../other/Things/1`, false],
  ['a longer system id', `${tenant}f/Things/1`, false],
  [
    "another system's resource",
    'https://t1.accounts.ondemand.com/ipsproxy/service/api/v1/scim/other/Users/1',
    false,
  ],
  ['an unknown absolute path', '/admin/console', false],
  ['a list on an internal host', 'https://b.internal/scim/v2/Users', false],
  ['another scheme', 'ldap://b.internal/Users/1', false],
  ['no address', 'http://[broken/Users/1', false],
  ['backslashes', String.raw`\\b.internal\Users\1`, false],
  ['white space within', 'https://b.internal/scim/Users/1 2', false],
];

for (const [title, link, inHeader] of kept) {
  test(`${title} stays in bodies, in the very same reply`, () => {
    const reply = replyOf(JSON.stringify({ meta: { location: link }, members: [{ $ref: link }] }));
    assert.equal(relocate(reply, from, to), reply);
  });
  test(`${title} ${inHeader ? 'stays in' : 'is dropped from'} the Location header (row 93)`, () => {
    assert.equal(headerAfter(link), inHeader ? link : undefined);
  });
}

test('a reply that names the gateway already is the very same reply', () => {
  const reply = replyOf(`{"meta":{"location":"${ours}/Users/1"}}`, { location: `${ours}/Users/1` });
  assert.equal(relocate(reply, from, to), reply);
});

const U = `${tenant}/Users/1`;
const V = `${ours}/Users/1`;

test('locations and references are found wherever SCIM has them, and only there', () => {
  const before = {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
    Resources: [
      {
        id: '1',
        meta: { location: U, resourceType: 'User' },
        groups: [{ value: 'g', $ref: U }],
        manager: { $ref: U },
      },
      { id: '2', photos: [{ value: U }], location: U, profileUrl: U, meta: { version: U } },
    ],
  };
  const after = {
    schemas: before.schemas,
    Resources: [
      {
        id: '1',
        meta: { location: V, resourceType: 'User' },
        groups: [{ value: 'g', $ref: V }],
        manager: { $ref: V },
      },
      before.Resources[1],
    ],
  };
  assert.deepEqual(JSON.parse(bodyAfter(JSON.stringify(before))), after);
});

test('the locations of a bulk response name the gateway, in its operations only', () => {
  const operations = [{ method: 'POST', location: U, response: { meta: { location: U } } }];
  const moved = [{ method: 'POST', location: V, response: { meta: { location: V } } }];
  assert.deepEqual(JSON.parse(bodyAfter(JSON.stringify({ Operations: operations }))), { Operations: moved });
  const deeper = JSON.stringify({ extension: { operations: [{ location: U }] } });
  assert.equal(bodyAfter(deeper), deeper);
});

test('escaped slashes are read as slashes', () => {
  const link = U.replaceAll('/', String.raw`\/`)
    .replace('Users', String.raw`\u0055sers`)
    .replace('https:', String.raw`https\u003a`);
  assert.equal(bodyAfter(`{"meta":{"location":"${link}"}}`), `{"meta":{"location":"${V}"}}`);
  assert.equal(bodyAfter(`{"$ref":"${U.replaceAll('/', String.raw`\u002f`)}"}`), `{"$ref":"${V}"}`);
});

const awkward = (link: string): string =>
  `{ "z" : 12345678901234567890,\n\t"a":1e400, "meta":{"location" : "${link}" , "x":1.0}, "a":"\\u00e4ä\\/" }\r\n`;

test('all other bytes stay: white space, order, numbers beyond the double, repeated names', () => {
  assert.equal(bodyAfter(awkward(U)), awkward(V));
});

test('the length is told anew when the reply had it', () => {
  const { headers, body } = relocate(
    replyOf(`{"$ref":"${U}"}`, { 'content-length': '1', etag: 'W/"1"' }),
    from,
    to,
  );
  assert.deepEqual(headers, { 'content-length': String(body.length), etag: 'W/"1"' });
});

for (const [title, body] of [
  ['no body', ''],
  ['HTML', `<a href="${U}">`],
  ['half JSON', `{"meta":{"location":"${U}"}`],
  ['a zip', Buffer.from([0x50, 0x4b, 3, 4, 0xff])],
] as const)
  test(`of a reply with ${title} only the header changes`, () => {
    const reply = relocate(replyOf(body, { location: U }), from, to);
    assert.deepEqual(reply.body, Buffer.from(body));
    assert.equal(reply.headers['location'], V);
  });

test('the reply that came in is not changed', () => {
  const reply = replyOf(`{"meta":{"location":"${U}"}}`, { location: U });
  const copy = structuredClone({ headers: reply.headers, body: reply.body.toString() });
  relocate(reply, from, to);
  assert.deepEqual({ headers: reply.headers, body: reply.body.toString() }, copy);
});

/** JSON of any shape, with the names that matter and the given links. */
function trees(link: fc.Arbitrary<string>): fc.Arbitrary<unknown> {
  const names = fc.constantFrom('meta', 'Meta', 'location', 'LOCATION', '$ref', 'Operations', 'x');
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      link,
      fc.constantFrom(null, true, 0.1, 'text'),
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(names, tie('tree'), { noNullPrototype: true }),
    ),
  }));
  return tree;
}

test('relocation changes exactly the links, for any JSON', () => {
  const links = fc.constantFrom(U, `${tenant}/Groups/ä`, 'urn:x', '../Users/1', 'https://photos.example/1');
  const expected = (value: unknown, owner: string, depth: number): unknown => {
    if (Array.isArray(value)) return value.map((item) => expected(item, owner, depth + 1));
    if (typeof value !== 'object' || value === null) return value;
    const isLink = (name: string): boolean =>
      name === '$ref' ||
      (name === 'location' && (owner === 'meta' || (owner === 'operations' && depth === 2)));
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]: [string, unknown]) => {
        const name = key.toLowerCase();
        if (typeof inner !== 'string') return [key, expected(inner, name, depth + 1)];
        return [key, isLink(name) ? inner.replace(tenant, ours) : inner];
      }),
    );
  };
  fc.assert(
    fc.property(trees(links), fc.constantFrom(undefined, 2), (value, indent) => {
      const after: unknown = JSON.parse(bodyAfter(JSON.stringify(value, undefined, indent)));
      assert.deepEqual(after, expected(value, '', 0));
    }),
    { numRuns: 2000 },
  );
});

/** The JSON with every string under the name of a link taken out: what must never change. */
function structure(text: string): string {
  return JSON.stringify(JSON.parse(text), (key, inner: unknown) =>
    /^(?:location|\$ref)$/i.test(key) && typeof inner === 'string' ? 'link' : inner,
  );
}

test('relocation yields valid JSON and the same structure, whatever stands in a link', () => {
  const links = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'binary' }).map((tail) => `${tenant}/Users/${tail}`),
    fc.webUrl({ withQueryParameters: true, withFragments: true }).map((url) => `${url}/Users/1`),
  );
  fc.assert(
    fc.property(trees(links), (value) => {
      const text = JSON.stringify(value);
      assert.equal(structure(bodyAfter(text)), structure(text));
    }),
    { numRuns: 2000 },
  );
});
