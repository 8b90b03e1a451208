import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startGateway, type TestGateway } from '../support/gateway.ts';
import { play, type Answer, type Step } from '../support/scim-client.ts';
import { startUpstream, type Answer as Respond, type TestUpstream } from '../support/upstream.ts';

let upstream: TestUpstream;
let gateway: TestGateway;
let base: string;

before(async () => {
  upstream = await startUpstream();
  base = `${upstream.url}/scim/v2`;
  gateway = await startGateway({
    upstream: upstream.url,
    system: { kind: 'scim', url: `${base}/`, resourceTypes: ['Users', 'Groups', 'Devices'] },
    tenant: { pace: { perMinute: 90_000, burst: 1000, tenantLimit: 100_000 } },
  });
});
after(async () => {
  await gateway[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const scim = { 'content-type': 'application/scim+json' };
const json = { 'content-type': 'application/json' };
const step = (method: string, path: string, more: Partial<Step> = {}): Step => ({
  title: `${method} ${path}`,
  method,
  path,
  ...more,
});
const post = (path: string): Step => step('POST', path, { body: { schemas: [] } });

interface Quirk {
  readonly title: string;
  readonly step: Step;
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** `{base}` is where the service provider believes to be. */
  readonly body?: string;
}

const respondWith =
  ({ status = 200, headers = scim, body }: Quirk): Respond =>
  (_request, response) => {
    const placed = Object.entries(headers).map(([name, value]) => [name, value.replace('{base}', base)]);
    response.writeHead(status, Object.fromEntries(placed)).end(body?.replaceAll('{base}', base));
  };

const through = (asked: Step): Promise<Answer> => play(gateway.base, asked, gateway.logOn());

const unchanged: readonly Quirk[] = [
  {
    title: 'a patch that is answered without a body',
    step: { ...post('/Users/1'), method: 'PATCH' },
    status: 204,
    headers: {},
  },
  {
    title: 'a creation that is answered with a location only',
    step: post('/Users'),
    status: 201,
    headers: { location: '{base}/Users/1', etag: '"1"' },
  },
  { title: 'a deletion that is answered with a body', step: step('DELETE', '/Users/1'), body: '{"id":"1"}' },
  { title: 'a creation that is accepted only', step: post('/Users'), status: 202, headers: {} },
  {
    title: 'an error as plain JSON',
    step: step('GET', '/Users/2'),
    status: 404,
    headers: json,
    body: '{"error":"gone"}',
  },
  {
    title: 'an error without a type',
    step: step('GET', '/Users/3'),
    status: 400,
    headers: {},
    body: '{"status":400}',
  },
  {
    title: 'an internal error',
    step: post('/Groups'),
    status: 500,
    headers: json,
    body: '{"detail":"oops"}',
  },
  {
    title: 'what is not implemented',
    step: post('/.search'),
    status: 501,
    headers: json,
    body: '{"status":"501"}',
  },
  {
    title: 'a strong tag',
    step: step('GET', '/Users/4'),
    headers: { ...scim, etag: '"strong"' },
    body: '{}',
  },
  {
    title: 'a tag without quotes',
    step: step('GET', '/Users/5'),
    headers: { ...scim, etag: 'bare' },
    body: '{}',
  },
  {
    title: 'a list with nothing but resources',
    step: step('GET', '/Users?count=3'),
    body: '{"Resources":[{"id":"1"}]}',
  },
  { title: 'a list without resources', step: step('GET', '/Users?count=4'), body: '{"totalResults":0}' },
  {
    title: 'white space, order, large numbers and repeated names',
    step: step('GET', '/Users/6'),
    body: ' {\n"z":12345678901234567890, "a" : 1.0,"a":[ ],"meta":{"location":"{base}/Users/6"}\t}\r\n',
  },
  {
    title: 'a list of all types at the root',
    step: step('GET', '/?filter=meta.created%20pr'),
    body: '{"Resources":[{"meta":{"location":"{base}/Users/1"}},{"meta":{"location":"{base}/Devices/7"}}]}',
  },
  { title: 'the root as such', step: step('GET', ''), body: '{"Resources":[]}' },
  {
    title: 'a resource of a type of its own',
    step: step('GET', '/Devices/7'),
    body: '{"owner":{"$ref":"{base}/Users/1"},"meta":{"location":"{base}/Devices/7"}}',
  },
  {
    title: 'resource types whose endpoints are whole addresses',
    step: step('GET', '/ResourceTypes'),
    body: '{"Resources":[{"endpoint":"{base}/Users","meta":{"location":"{base}/ResourceTypes/User"}}]}',
  },
  {
    title: 'a bulk request to types of its own',
    step: step('POST', '/Bulk', {
      body: {
        Operations: [
          { method: 'POST', path: '/Devices', bulkId: 'a' },
          { method: 'PUT', path: '/users/a@b.c' },
        ],
      },
    }),
    body: '{"Operations":[{"location":"{base}/Devices/8"},{"location":"{base}/users/a@b.c","status":"200"}]}',
  },
  {
    title: 'a schema by its percent-encoded URN',
    step: step('GET', '/Schemas/urn%3Aietf%3Ax'),
    body: '{"id":"urn:ietf:x"}',
  },
];

for (const quirk of unchanged)
  test(`${quirk.title} is the same through the gateway`, async () => {
    upstream.answer = respondWith(quirk);
    const direct = await play(base, quirk.step);
    assert.deepEqual((await through(quirk.step)).heard, direct.heard);
  });

const moved: readonly (readonly [title: string, link: string, leadsTo: string])[] = [
  ['an absolute path', '/scim/v2/Users/a~1', '/Users/a~1'],
  ['an absolute path of another base', '/internal/Users/1', '/Users/1'],
  ['a path from its root', '/Users/1', '/Users/1'],
  ['a path relative to the list', 'Users/1', '/Users/1'],
  ['a path relative to the base', './Users/1', '/Users/1'],
  ['another host', 'http://node-7.internal:8080/scim/v2/Users/1', '/Users/1'],
  ['another host in lower case', 'https://node-7.internal/scim/v2/users/1', '/users/1'],
  ['no scheme', '//node-7.internal/scim/v2/Users/1', '/Users/1'],
  ['another scheme than it is asked by', `https://{host}/scim/v2/Users/1`, '/Users/1'],
  ['a slash at the end of its base', '{base}//Users/1', '//Users/1'],
  ['a host that is written differently', 'HTTP://{host}/scim/v2/Users/x', '/Users/x'],
];

for (const [title, written, leadsTo] of moved)
  test(`a location with ${title} leads to the gateway`, async () => {
    const link = written.replace('{host}', new URL(base).host).replace('{base}', base);
    const body = JSON.stringify({ meta: { location: link } });
    upstream.answer = respondWith({
      title,
      step: post('/Users'),
      status: 201,
      headers: { ...scim, location: link },
      body,
    });
    const { links } = await through(post('/Users'));
    assert.equal(links.length, 2);
    for (const found of links) {
      const target = new URL(found, `${gateway.base}/Users`).href;
      assert.equal(target, gateway.base + leadsTo);
      upstream.answer = (_request, response) => void response.writeHead(200, scim).end('{}');
      const { heard } = await through(step('GET', target.slice(gateway.base.length)));
      assert.equal(heard.status, 200);
    }
  });

test('a refusal without an explanation gets one and keeps its status', async () => {
  upstream.answer = (_request, response) => void response.writeHead(404).end();
  const { heard } = await through(step('GET', '/Users/nobody'));
  assert.deepEqual([heard.status, heard.type], [404, 'application/scim+json;charset=UTF-8']);
});

test('a write to one user makes the next read of another ask a service provider again', async () => {
  upstream.answer = (_request, response) => void response.writeHead(200, scim).end('{"id":"x"}');
  await through(step('GET', '/Users/manager'));
  assert.match((await through(step('GET', '/Users/manager'))).cacheStatus ?? '', /; hit/);
  await through(step('DELETE', '/users/employee'));
  assert.doesNotMatch((await through(step('GET', '/Users/manager'))).cacheStatus ?? '', /; hit/);
});

test('a lower-case endpoint needs the same permission', async () => {
  const asAuditor = (asked: Step): Promise<Answer> => play(gateway.base, asked, gateway.logOn('auditor'));
  const { length } = upstream.received;
  for (const path of ['/users/1', '/USERS/1', '/me']) {
    const { heard } = await asAuditor(step('DELETE', path));
    assert.equal(heard.status, 403, path);
  }
  assert.equal((await asAuditor(step('POST', '/bulk', { body: { Operations: [] } }))).heard.status, 403);
  assert.equal(upstream.received.length, length);
});
