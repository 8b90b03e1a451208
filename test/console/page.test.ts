/** How the built page is served, and what is said where it is not built. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';

import { Page } from '../../src/console/page.ts';

interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Asks without the tidying of addresses that other clients do. */
async function ask(
  files: Readonly<Record<string, string | Buffer>>,
  path: string,
  headers: http.OutgoingHttpHeaders = {},
): Promise<Reply> {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-page-'));
  const dist = join(directory.path, 'dist');
  await writeFile(join(directory.path, 'secret.js'), 'secret');
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(dist, name)), { recursive: true });
    await writeFile(join(dist, name), content);
  }
  const page = await Page.open(dist);
  await using server = http.createServer(
    (request, response) => void page.send(request, response, request.url ?? ''),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const request = http.get({ port, host: '127.0.0.1', path, headers, agent: false });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, body: await buffer(response) };
}

const built = {
  'index.html': '<p>page',
  'assets/main-3f2a.js': 'script',
  'assets/main-3f2a.js.gz': gzipSync('script'),
};

test('a place within the page is the page, which is looked for anew each time', async () => {
  for (const path of ['/console/', '/console/audit', '/console/parties/x']) {
    const { status, headers, body } = await ask(built, path);
    assert.deepEqual([status, body.toString()], [200, '<p>page'], path);
    assert.equal(headers['cache-control'], 'no-cache');
    assert.match(headers['content-type'] ?? '', /^text\/html/);
  }
});

test('a file with its hash in the name is kept for good', async () => {
  const { headers, body } = await ask(built, '/console/assets/main-3f2a.js');
  assert.equal(body.toString(), 'script');
  assert.match(headers['cache-control'] ?? '', /immutable/);
  assert.match(headers['content-type'] ?? '', /^text\/javascript/);
});

test('a browser that takes it gets the file as it was compressed', async () => {
  const { headers, body } = await ask(built, '/console/assets/main-3f2a.js', {
    'accept-encoding': 'gzip, br',
  });
  assert.equal(headers['content-encoding'], 'gzip');
  assert.equal(gunzipSync(body).toString(), 'script');
});

for (const path of [
  '/console/../secret.js',
  '/console/..%2fsecret.js',
  '/console/assets/../../secret.js',
  '/console/nothing.js',
])
  test(`${path} is no file`, async () => {
    const { status, body } = await ask(built, path);
    assert.equal(status, 404);
    assert.doesNotMatch(body.toString(), /secret/);
  });

test('a page that is not built says what builds it', async () => {
  const { status, body } = await ask({}, '/console/');
  assert.equal(status, 503);
  assert.match(body.toString(), /npm run build/);
});
