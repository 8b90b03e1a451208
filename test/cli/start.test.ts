/** `gatehouse start` as a process: what its first start shows, and how it ends. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, mkdtempDisposable, readdir, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { gatehouse } from '../support/command.ts';

async function installation(changes: object) {
  const directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-start-'));
  const file = join(directory.path, 'gatehouse.yaml');
  const config = {
    listen: { port: 0 },
    admin: { port: 0 },
    secretsFile: 'secrets.yaml',
    audit: { directory: 'audit', keyFile: 'audit.key' },
    callers: {
      idm: { permissions: [{ permission: 'Access Proxy System API', systems: 'all', access: ['read'] }] },
    },
    tenants: { acme: { embedded: { port: 0, users: 1, groups: 0 } } },
    systems: { s1: { tenant: 'acme' } },
    ...changes,
  };
  await writeFile(file, JSON.stringify(config));
  return { path: directory.path, file, [Symbol.asyncDispose]: () => directory.remove() };
}

test('a first start that fails still shows the secrets that it generated, and says what to do', async () => {
  await using occupant = createServer().listen(0, '127.0.0.1');
  await once(occupant, 'listening');
  const { port } = occupant.address() as AddressInfo;
  await using installed = await installation({ listen: { port }, firstStart: { generateSecrets: true } });
  const { code, stdout, stderr } = await gatehouse('start', '--config', installed.file);
  assert.equal(code, 1);
  assert.match(stdout, /^ {2}idm +gh_\S{43,}$/m);
  assert.match(stderr, new RegExp(`cannot listen on 127\\.0\\.0\\.1:${port} .*free the port`));
});

test('where any of its ports is taken, a start names the address and begins no trail', async () => {
  await using occupant = createServer().listen(0, '127.0.0.1');
  await once(occupant, 'listening');
  const { port } = occupant.address() as AddressInfo;
  for (const taken of [{ admin: { port } }, { listeners: { second: { port } } }]) {
    await using installed = await installation({ ...taken, firstStart: { generateSecrets: true } });
    const { code, stderr } = await gatehouse('start', '--config', installed.file);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`cannot listen on 127\\.0\\.0\\.1:${port} `));
    assert.deepEqual((await readdir(installed.path)).toSorted(), ['gatehouse.yaml', 'secrets.yaml']);
  }
});

test('without a file of secrets it names the key and the command, and begins no trail', async () => {
  await using installed = await installation({});
  const { code, stderr } = await gatehouse('start', '--config', installed.file);
  assert.equal(code, 1);
  assert.match(stderr, /secretsFile .*secrets\.yaml is missing: make it with 'gatehouse secret new idm'/);
  assert.deepEqual(await readdir(installed.path), ['gatehouse.yaml']);
});

test('a configuration that others can write is told in the log', async () => {
  await using installed = await installation({});
  await chmod(installed.file, 0o666);
  const { stderr } = await gatehouse('start', '--config', installed.file);
  const { message, remedy } = JSON.parse(stderr.split('\n')[0] ?? '');
  assert.deepEqual(
    [message, remedy],
    ['others can write a file of the configuration', `chmod o-w ${installed.file}`],
  );
});

test('wrong usage ends with 4, help and version with 0', async () => {
  assert.equal((await gatehouse('no-such-command')).code, 4);
  assert.equal((await gatehouse('start', '--no-such-option')).code, 4);
  assert.equal((await gatehouse('start', '--help')).code, 0);
  assert.match((await gatehouse('--version')).stdout, /^\d+\.\d+\.\d+\n$/);
});
