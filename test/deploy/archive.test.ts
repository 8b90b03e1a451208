/** The archive from its making to a rollback, below a directory of its own: what an operator without network does. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { generateKeyPairSync, verify } from 'node:crypto';
import {
  appendFile,
  cp,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';

import { packArchive, sha256, stage } from '../../deploy/package.ts';
import { freePort } from './free-port.ts';
import { startProgram } from './program.ts';

const root = resolve(import.meta.dirname, '../..');
const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
const base = await mkdtemp(join(tmpdir(), 'gatehouse-archive-'));
const prefix = join(base, 'machine');
const config = join(prefix, 'etc/gatehouse/gatehouse.yaml');
const trail = join(prefix, 'var/lib/gatehouse/audit');
const keys = generateKeyPairSync('ed25519');
let files: string[] = [];
let unpacked = '';
let newer = '';

before(async () => {
  const key = join(base, 'release.key');
  await writeFile(key, keys.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  files = await packArchive(root, join(base, 'dist'), key);
  await mkdir(join(base, 'unpacked'));
  unpacked = join(base, 'unpacked', basename(files[0] ?? '', '.tar.gz'));
  [newer] = await Promise.all([
    stage(await nextVersion(), join(base, 'newer')),
    run('tar', ['-C', join(base, 'unpacked'), '-xzf', files[0] ?? '']),
  ]);
});
after(() => rm(base, { recursive: true }));

/** The same sources as version 99.0.0. */
async function nextVersion(): Promise<string> {
  const next = join(base, 'next');
  await mkdir(next);
  for (const name of await readdir(root))
    if (!['package.json', 'package-lock.json', '.git'].includes(name))
      await symlink(join(root, name), join(next, name));
  for (const name of ['package.json', 'package-lock.json']) {
    const text = await readFile(join(root, name), 'utf8');
    await writeFile(join(next, name), text.replaceAll(`"version": "${version}"`, '"version": "99.0.0"'));
  }
  return next;
}

interface Outcome {
  readonly code: number | string;
  readonly output: string;
}

function run(program: string, args: readonly string[]): Promise<Outcome> {
  const { promise, resolve: done } = Promise.withResolvers<Outcome>();
  execFile(program, args, (error, stdout, stderr) =>
    done({ code: error?.code ?? 0, output: `${stdout}${stderr}` }),
  );
  return promise;
}

const installer = (tree: string, ...args: string[]): Promise<Outcome> =>
  run('sh', [join(tree, 'deploy/install.sh'), ...args, '--prefix', prefix]);
const install = (tree: string, ...args: string[]): Promise<Outcome> =>
  installer(tree, 'install', '--user', userInfo().username, ...args);
const inPlace = async (): Promise<string> => basename(await readlink(join(prefix, 'opt/gatehouse/current')));
const command = (...args: string[]): Promise<Outcome> => run(join(prefix, 'usr/local/bin/gatehouse'), args);

test('archive and bill of materials have the checksums that the key signed', async () => {
  const [archive = '', bill = '', sums = '', signature = ''] = files;
  const text = await readFile(sums);
  assert.ok(verify(undefined, text, keys.publicKey, await readFile(signature)));
  const lines = await Promise.all(
    [archive, bill].map(async (file) => `${await sha256(file)}  ${basename(file)}`),
  );
  assert.equal(text.toString(), `${lines.join('\n')}\n`);
});

test('the archive has no package that only development needs', async () => {
  const packages = await readdir(join(unpacked, 'node_modules'));
  assert.ok(packages.includes('express'));
  assert.deepEqual(
    packages.filter((name) => /^(typescript|oxlint|oxfmt|knip|supertest|fast-check|scimmy)/.test(name)),
    [],
  );
});

test('whoever is not root is told how to install all the same', async () => {
  const script = await readFile(join(root, 'deploy/install.sh'));
  // The script comes through standard input, because another account may not enter where the sources are.
  const uid = process.getuid?.() === 0 ? 65_534 : undefined;
  const { status, stderr } = spawnSync('sh', ['-s'], {
    cwd: '/',
    input: script,
    encoding: 'utf8',
    ...(uid !== undefined && { uid }),
  });
  assert.equal(status, 1);
  assert.match(stderr, /only root can install below \/; run it with sudo, or with --prefix DIR/);
});

test('a damaged archive changes nothing', async () => {
  const damaged = join(base, 'damaged');
  await cp(unpacked, damaged, { recursive: true, verbatimSymlinks: true });
  await appendFile(join(damaged, 'src/main.ts'), '\n');
  const { code, output } = await install(damaged);
  assert.match(output, /the archive is damaged; nothing was changed: \.\/src\/main\.ts/);
  assert.equal(code, 1);
  await assert.rejects(stat(prefix));
});

test('an archive with a file that nobody vouches for changes nothing', async () => {
  const planted = join(base, 'planted');
  await cp(unpacked, planted, { recursive: true, verbatimSymlinks: true });
  await writeFile(join(planted, 'node_modules/express/more.js'), '');
  assert.match((await install(planted)).output, /files that SHA256SUMS does not name/);
  await assert.rejects(stat(prefix));
});

test('it is installed, upgraded and rolled back while configuration and trail stay', async (t) => {
  await t.test('the first installation is sound and can be repeated', async () => {
    for (const _ of [1, 2]) {
      const { code, output } = await install(unpacked);
      assert.equal(code, 0, output);
    }
    assert.equal(await inPlace(), version);
    assert.match((await command('check')).output, /the configuration is sound/);
  });

  await t.test('secrets, keys and trail are for the account alone', async () => {
    for (const path of ['etc/gatehouse/secrets', 'var/lib/gatehouse/audit', 'var/lib/gatehouse/keys'])
      assert.equal((await stat(join(prefix, path))).mode & 0o777, 0o700, path);
  });

  await t.test('the unit starts what is in place', async () => {
    const unit = await readFile(join(prefix, 'etc/systemd/system/gatehouse.service'), 'utf8');
    const [, node = '', main = '', file = ''] =
      /^ExecStart=(\S+) \S+ (\S+) start --config (\S+)$/m.exec(unit) ?? [];
    for (const path of [node, main, file]) assert.ok((await stat(path)).isFile(), path);
    assert.match(unit, new RegExp(`^User=${userInfo().username}$`, 'm'));
    assert.match(unit, new RegExp(`^ReadWritePaths=${prefix}/var/lib/gatehouse$`, 'm'));
  });

  let secret = '';
  await t.test('it starts with the embedded tenant and shows a secret once', async () => {
    await movePorts();
    await using gateway = await startProgram(join(prefix, 'usr/local/bin/gatehouse'), ['start']);
    secret = (await gateway.line(/^ +identity-manager +(\S+)$/))[1] ?? '';
    assert.equal(await readUsers(gateway.url, secret), 200);
  });

  const kept = await readFile(config, 'utf8');
  await t.test('an upgrade that the configuration does not suit is not switched to', async () => {
    await appendFile(config, 'unknownKey: 1\n');
    const { code, output } = await install(newer);
    assert.match(output, /unknownKey/);
    assert.equal(code, 1);
    assert.equal(await inPlace(), version);
    await writeFile(config, kept);
  });

  await t.test('an upgrade keeps configuration, secrets and trail', async () => {
    const { code, output } = await install(newer);
    assert.equal(code, 0, output);
    assert.equal(await inPlace(), '99.0.0');
    assert.equal(await readFile(config, 'utf8'), kept);
    await using gateway = await startProgram(join(prefix, 'usr/local/bin/gatehouse'), ['start']);
    assert.equal(await readUsers(gateway.url, secret), 200);
  });

  await t.test('the trail of both versions is one sound chain', async () => {
    const { code, output } = await command('audit', 'verify', trail, '--local-only');
    assert.equal(code, 0, output);
    const instances = await readdir(trail);
    assert.equal(instances.length, 1);
  });

  await t.test('a rollback puts the earlier version in place, and its trail goes on', async () => {
    assert.equal((await installer(join(prefix, 'opt/gatehouse/current'), 'rollback')).code, 0);
    assert.equal(await inPlace(), version);
    {
      await using gateway = await startProgram(join(prefix, 'usr/local/bin/gatehouse'), ['start']);
      assert.equal(await readUsers(gateway.url, secret), 200);
    }
    assert.equal((await command('audit', 'verify', trail, '--local-only')).code, 0);
    assert.equal((await installer(newer, 'rollback')).code, 0);
    assert.equal(await inPlace(), '99.0.0');
  });
});

/** The delivered ports may be taken on this machine. */
async function movePorts(): Promise<void> {
  let text = await readFile(config, 'utf8');
  for (const port of [8080, 9090, 8081]) text = text.replace(`port: ${port}`, `port: ${await freePort()}`);
  await writeFile(config, text);
}

async function readUsers(url: string, secret: string): Promise<number> {
  const path = '/ipsproxy/service/api/v1/scim/5d0cbe5a-6a3f-4c55-9d0e-3c1f4b7a2e01/Users?count=2';
  const authorization = `Basic ${Buffer.from(`identity-manager:${secret}`).toString('base64')}`;
  const reply = await fetch(`${url}${path}`, { headers: { authorization } });
  await reply.body?.cancel();
  return reply.status;
}
