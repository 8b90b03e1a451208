/** `gatehouse start` as a process: what its first start shows, and how it ends. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { gatehouse } from '../support/command.ts';

test('a first start that fails still shows the secrets that it generated, and says what to do', async (t) => {
  await using occupant = createServer().listen(0, '127.0.0.1');
  await once(occupant, 'listening');
  const { port } = occupant.address() as AddressInfo;
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-start-'));
  t.after(() => rm(directory, { recursive: true }));
  const file = join(directory, 'gatehouse.yaml');
  const config = {
    listen: { port },
    admin: { port: 0 },
    firstStart: { generateSecrets: true },
    secretsFile: 'secrets.yaml',
    audit: { directory: 'audit', keyFile: 'audit.key' },
    callers: {
      idm: { permissions: [{ permission: 'Access Proxy System API', systems: 'all', access: ['read'] }] },
    },
    tenants: { acme: { embedded: { port: 0, users: 1, groups: 0 } } },
    systems: { s1: { tenant: 'acme' } },
  };
  await writeFile(file, JSON.stringify(config));
  const { code, stdout, stderr } = await gatehouse('start', '--config', file);
  assert.equal(code, 1);
  assert.match(stdout, /^ {2}idm +gh_\S{43,}$/m);
  assert.match(stderr, new RegExp(`cannot listen on 127\\.0\\.0\\.1:${port} .*free the port`));
});

test('without a file of secrets it names the key and the command, and begins no trail', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-start-'));
  t.after(() => rm(directory, { recursive: true }));
  const file = join(directory, 'gatehouse.yaml');
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
  };
  await writeFile(file, JSON.stringify(config));
  const { code, stderr } = await gatehouse('start', '--config', file);
  assert.equal(code, 1);
  assert.match(stderr, /secretsFile .*secrets\.yaml is missing: make it with 'gatehouse secret new idm'/);
  assert.deepEqual(await readdir(directory), ['gatehouse.yaml']);
});

test('wrong usage ends with 4, help and version with 0', async () => {
  assert.equal((await gatehouse('no-such-command')).code, 4);
  assert.equal((await gatehouse('start', '--no-such-option')).code, 4);
  assert.equal((await gatehouse('start', '--help')).code, 0);
  assert.match((await gatehouse('--version')).stdout, /^\d+\.\d+\.\d+\n$/);
});
