/** `gatehouse check` says what is dangerous although it would start, and nothing of what is not. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdtempDisposable, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { stringify } from 'yaml';

import { servedByRoot } from '../../src/cli/check-warnings.ts';
import { createCertificate } from '../support/certificate.ts';
import { changed, load } from '../support/configuration.ts';

const main = resolve(import.meta.dirname, '../../src/main.ts');
const env = { ...process.env, ACME_SECRET: 'kept to ourselves' };
/** Nothing of it is warned of: no temporary place, and nobody who is left without a secret. */
const sound = { audit: { directory: '/var/lib/gatehouse/audit' }, firstStart: { generateSecrets: true } };

interface Told {
  readonly code: unknown;
  readonly stdout: string;
}

async function check(place: string, document: object, ...more: string[]): Promise<Told> {
  const file = join(place, 'gatehouse.yaml');
  await writeFile(file, stringify(document), { flag: 'a' });
  const { promise, resolve: end } = Promise.withResolvers<Told>();
  execFile(process.execPath, [main, 'check', '--config', file, ...more], { env }, (error, stdout) =>
    end({ code: error?.code ?? 0, stdout }),
  );
  return promise;
}

const placeForTest = () => mkdtempDisposable(join(tmpdir(), 'gatehouse-check-'));

test('a danger is a warning with its path and its remedy, and the configuration is sound', async () => {
  await using place = await placeForTest();
  const document = changed({ ...sound, guard: { deletes: { above: 'off' } } });
  const { code, stdout } = await check(place.path, document);
  assert.equal(code, 0);
  assert.match(stdout, /the configuration is sound/);
  assert.match(stdout, /^ {2}warning: guard\.deletes\.above: Nobody hears .*\n {4}remedy: Write refuse/m);
  assert.equal(stdout.match(/warning:/g)?.length, 1);
});

test('what is no danger is no warning', async () => {
  await using place = await placeForTest();
  const { code, stdout } = await check(place.path, changed(sound), '--json');
  assert.deepEqual([code, JSON.parse(stdout).warnings], [0, []]);
});

test('an account of the console that cannot log on is warned of', async () => {
  await using place = await placeForTest();
  const console = {
    accounts: { admin: { role: 'administrator' } },
    secretsFile: 'console.yaml',
    indexDirectory: 'index',
  };
  const document = changed({
    audit: sound.audit,
    secretsFile: 'secrets.yaml',
    admin: { port: 9090, console },
  });
  const { stdout } = await check(place.path, document, '--json');
  const { warnings }: { warnings: { path: string; remedy: string }[] } = JSON.parse(stdout);
  assert.equal(
    warnings.find(({ path }) => path === 'admin.console.accounts.admin')?.remedy,
    "'gatehouse secret new admin --console' gives it a secret.",
  );
});

test('a technical user that cannot log on is warned of, until it can', async () => {
  await using place = await placeForTest();
  const secretsFile = 'secrets.yaml';
  const before = await check(place.path, changed({ audit: sound.audit, secretsFile }), '--json');
  assert.partialDeepStrictEqual(JSON.parse(before.stdout).warnings, [{ path: 'callers.sap-idm' }]);
  const config = ['--config', join(place.path, 'gatehouse.yaml')];
  await promisify(execFile)(process.execPath, [main, 'secret', 'new', 'sap-idm', ...config], { env });
  const { stdout } = await promisify(execFile)(process.execPath, [main, 'check', '--json', ...config], {
    env,
  });
  assert.deepEqual(JSON.parse(stdout).warnings, []);
});

for (const [what, warned] of [
  ['a file that others can write', 'gatehouse.yaml'],
  ['a directory in which others can replace the file', '.'],
] as const)
  test(`${what} is warned of`, async () => {
    await using place = await placeForTest();
    await writeFile(join(place.path, 'gatehouse.yaml'), '');
    const path = join(place.path, warned);
    await chmod(path, 0o777);
    const { code, stdout } = await check(place.path, changed(sound), '--json');
    assert.equal(code, 0);
    assert.partialDeepStrictEqual(JSON.parse(stdout).warnings, [
      { path, remedy: `Let its owner alone write: chmod o-w ${path}` },
    ]);
    assert.equal(JSON.parse(stdout).warnings.length, 1);
  });

test('a certificate of a listener that has ended is a fault', async () => {
  await using place = await placeForTest();
  const { certificate, key } = createCertificate('localhost', { expired: true });
  await writeFile(join(place.path, 'own.crt'), certificate);
  await writeFile(join(place.path, 'own.key'), key, { mode: 0o600 });
  const tls = { certificate: { file: 'own.crt' }, key: { file: 'own.key' } };
  const { code, stdout } = await check(place.path, changed({ ...sound, listen: { tls } }));
  assert.equal(code, 1);
  assert.match(stdout, /listen\.tls\.certificate: the certificate has expired/);
});

test('every file that cannot be reached is a fault with its path in the configuration and its remedy', async () => {
  await using place = await placeForTest();
  // No account gets past a link that leads to itself; a directory that is closed to the account ends the same way.
  await symlink('loop', join(place.path, 'loop'));
  const reach = {
    listen: { tls: { certificate: { file: 'loop' }, key: { file: 'loop' } } },
    audit: { ...sound.audit, keyFile: 'loop' },
    secretsFile: 'loop',
  };
  const { code, stdout } = await check(place.path, changed({ ...sound, ...reach }));
  assert.equal(code, 1);
  const cannot = /^ {2}(\S+): cannot read \S+loop \(ELOOP\)\n {4}remedy: .*account read it$/gm;
  assert.deepEqual(
    [...stdout.matchAll(cannot)].map(([, path = '']) => path).toSorted(),
    ['audit.keyFile', 'listen.tls.certificate', 'listen.tls.key', 'secretsFile'],
    stdout,
  );
});

test('a file that the gateway itself writes but this account cannot read is a fault', async (t) => {
  if (process.getuid?.() === 0) return t.diagnostic('root reads every file');
  await using place = await placeForTest();
  await writeFile(join(place.path, 'secrets.yaml'), '', { mode: 0o200 });
  const audit = { ...sound.audit, keyFile: 'audit.key' };
  const { code, stdout } = await check(place.path, changed({ ...sound, audit, secretsFile: 'secrets.yaml' }));
  assert.equal(code, 1);
  assert.match(
    stdout,
    /^ {2}secretsFile: cannot read \S+ \(EACCES\)\n {4}remedy: let the gateway’s account/m,
  );
});

test('what a start as root refuses is warned of where root checks, and of no other account', () => {
  const everywhere = { host: '0.0.0.0', port: 0 };
  const config = load(changed({ ...sound, health: everywhere, admin: { port: 0 } }));
  const root = servedByRoot(config, 0);
  assert.deepEqual(
    root.map(({ path, problem }) => [path, problem]),
    [['health.host', 'A start as root is refused: root must not serve 0.0.0.0.']],
  );
  assert.deepEqual(servedByRoot(config, 1000), []);
});
