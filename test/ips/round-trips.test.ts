/** The command that takes a folder of transformations through the round trip, on pairs of our own. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';

const command = resolve(import.meta.dirname, 'round-trips.ts');
const own = (name: string) =>
  readFile(resolve(import.meta.dirname, `../transformation/pair/${name}.json`), 'utf8');
const [read, write] = await Promise.all([own('read'), own('write')]);

async function roundTrips(files: Readonly<Record<string, string>>, ...options: readonly string[]) {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'pairs-'));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder.path, name), content);
  const args = [command, folder.path, ...options];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [closed, table] = await Promise.all([once(child, 'close'), text(child.stdout)]);
  const [code]: readonly unknown[] = closed;
  return { code, table };
}

/** A proxy pair names the endpoint of each entity; the engine's own tests need none. */
function withEndpoints(content: string): string {
  const { user, group } = JSON.parse(content);
  const entities = {
    user: { scimEntityEndpoint: 'Users', ...user },
    group: { scimEntityEndpoint: 'Groups', ...group },
  };
  return JSON.stringify(entities);
}
const pair = { 'own-0a1b2c3-1.json': withEndpoints(read), 'own-0a1b2c3-2.json': withEndpoints(write) };

for (const [way, ...options] of [['straight to the tenant'], ['through a gateway', '--gateway']] as const)
  test(`a pair of our own works ${way}`, async () => {
    const { code, table } = await roundTrips(pair, ...options);
    assert.equal(code, 0, table);
    assert.match(
      table,
      /^own 1 +Users +POST 201 GET 200 PUT 200 GET 200 PATCH 204 GET 200 DELETE 204 GET 404 +works$/m,
    );
    assert.match(table, /^own 1 +Groups +POST 201 .* works$/m);
    assert.match(table, /^1 pairs, 2 round trips, 0 fail$/m);
  });

test('a pair that loses what a caller changes fails, with the reason', async () => {
  const fixed = {
    sourcePath: '$.schemas',
    targetPath: '$.name.familyName',
    functions: [{ type: 'elementAt', index: 0 }],
  };
  const document = JSON.parse(pair['own-0a1b2c3-2.json']);
  document.user.mappings.push({ ...fixed, preserveArrayWithSingleElement: true });
  const { code, table } = await roundTrips({ ...pair, 'own-0a1b2c3-2.json': JSON.stringify(document) });
  assert.equal(code, 1);
  assert.match(table, /^own 1 +Users .* fails +the change of name\.familyName is lost$/m);
});

test('a folder without a pair is no success', async () => {
  assert.equal((await roundTrips({})).code, 1);
});
