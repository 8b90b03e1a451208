/** A backend that pages by token and knows no total, against a small server that is one. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { proxyId, startedTenant } from './started-tenant.ts';

const people = Array.from({ length: 230 }, (_, at) => ({ key: `p${at}`, login: `person${at}` }));

/** Pages of 40 at most, whatever is asked for; its tokens mean nothing to anybody else. */
async function startPeopleServer() {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://people');
    asked.push(url.search);
    const from = Number((url.searchParams.get('after') ?? 'T0').slice(1));
    const [, , id] = url.pathname.split('/');
    const page = {
      found: people.slice(from, from + 40),
      more: from + 40 < people.length ? `T${from + 40}` : null,
    };
    const person = people.find(({ key }) => key === id);
    response.statusCode = id === undefined || person ? 200 : 404;
    response.end(JSON.stringify(id === undefined ? page : (person ?? { message: 'nobody' })));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const readTransformation = {
  user: {
    scimEntityEndpoint: 'Users',
    mappings: [
      { sourcePath: '$.key', targetPath: '$.id', targetVariable: 'entityIdSourceSystem' },
      { sourcePath: '$.login', targetPath: '$.userName' },
    ],
  },
};

const before = async (url: string) =>
  await startedTenant({
    systems: [
      {
        id: proxyId,
        properties: { URL: url },
        readTransformation,
        backend: {
          kind: 'token-pages',
          paths: { Users: '/people', Groups: '/teams' },
          key: 'key',
          items: 'found',
          next: 'more',
          tokenParameter: 'after',
          sizeParameter: 'size',
        },
      },
    ],
  });

test('a startIndex is reached by tokens, and the total is estimated until the last page', async () => {
  await using server = await startPeopleServer();
  await using started = await before(server.url);
  const seen: unknown[] = [];
  const totals: unknown[] = [];
  for (const startIndex of [1, 101, 201, 231]) {
    const { body } = await started.call('GET', `/Users?startIndex=${startIndex}&count=100`);
    seen.push(...(body.Resources ?? []).map(({ id }) => id));
    totals.push([body.totalResults, body.itemsPerPage]);
  }
  assert.deepEqual(
    seen,
    people.map(({ key }) => key),
  );
  assert.deepEqual(totals, [
    [101, 100],
    [201, 100],
    [301, 30],
    [230, 0],
  ]);
});

test('a page in the middle costs no walk from the start once its token is known', async () => {
  await using server = await startPeopleServer();
  await using started = await before(server.url);
  await started.call('GET', '/Users?startIndex=201&count=10');
  server.asked.length = 0;
  const { body } = await started.call('GET', '/Users?startIndex=201&count=10');
  assert.equal(body.Resources?.[0]?.id, 'p200');
  assert.equal(server.asked.length, 1);
});

test('it cannot filter, and one that is not there is not found', async () => {
  await using server = await startPeopleServer();
  await using started = await before(server.url);
  const filter = encodeURIComponent('userName eq "person7"');
  assert.equal((await started.call('GET', `/Users?filter=${filter}`)).status, 400);
  assert.equal((await started.call('GET', '/Users/p7')).body['userName'], 'person7');
  const { status, body } = await started.call('GET', '/Users/none');
  assert.equal(status, 404);
  assert.match(body.detail ?? '', /nobody/);
});
