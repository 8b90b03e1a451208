/** `gatehouse secret`: what it prints is a secret once, or a hash; what it refuses says why. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

import { stringify } from 'yaml';

import { readSecrets } from '../../src/auth/secret-file.ts';
import { generateSecret, verifyGenerated, verifySecret } from '../../src/auth/secret.ts';
import { soundDocument } from '../support/configuration.ts';

const main = resolve(import.meta.dirname, '../../src/main.ts');
const env = { ...process.env, ACME_SECRET: 'kept to ourselves' };

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function secret(args: readonly string[], input = ''): Promise<Outcome> {
  return gatehouse(['secret', ...args], input);
}

function gatehouse(args: readonly string[], input = ''): Promise<Outcome> {
  const { promise, resolve: settle } = Promise.withResolvers<Outcome>();
  const child = execFile(process.execPath, [main, ...args], { env }, (_, stdout, stderr) =>
    settle({ code: child.exitCode ?? -1, stdout, stderr }),
  );
  child.stdin?.end(input);
  return promise;
}

test('new shows a generated secret once, and the file that is configured keeps its hash', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-secret-'));
  const config = join(directory.path, 'gatehouse.yaml');
  await writeFile(config, stringify({ ...soundDocument(), secretsFile: 'secrets.yaml' }));
  const { code, stdout } = await secret(['new', 'sap-idm', '--config', config]);
  assert.equal(code, 0);
  const file = join(directory.path, 'secrets.yaml');
  const [entry] = (await readSecrets(file)).get('sap-idm') ?? [];
  assert.ok(entry && verifyGenerated(entry.hash, stdout.trim()));
  assert.ok(!(await readFile(file, 'utf8')).includes(stdout.trim()));
  const stranger = await secret(['new', 'nobody', '--config', config]);
  assert.equal(stranger.code, 1);
  assert.match(stranger.stderr, /there is no technical user "nobody"; there (?:is|are): /);
});

test('rotate gives a new secret and lets the old one end after the grace', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-secret-'));
  const config = join(directory.path, 'gatehouse.yaml');
  await writeFile(config, stringify({ ...soundDocument(), secretsFile: 'secrets.yaml' }));
  const file = join(directory.path, 'secrets.yaml');
  await secret(['new', 'sap-idm', '--config', config]);
  await writeFile(file, `# kept by hand\n${await readFile(file, 'utf8')}`, { mode: 0o600 });
  const { code, stdout } = await secret(['rotate', 'sap-idm', '--grace', '48h', '--config', config]);
  assert.equal(code, 0);
  const [old, now, ...others] = (await readSecrets(file)).get('sap-idm') ?? [];
  assert.deepEqual(others, []);
  assert.ok(now && verifyGenerated(now.hash, stdout.trim()) && now.notAfter === undefined);
  const days = ((old?.notAfter ?? 0) - Date.now()) / 86_400_000;
  assert.ok(days > 1.9 && days <= 2, String(days));
  assert.match(await readFile(file, 'utf8'), /# kept by hand/);
  // The old one has not ended, so a second rotation would leave three.
  const again = await secret(['rotate', 'sap-idm', '--config', config]);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /sap-idm has 2 secrets already, one of them until \d{4}-.+Z; remove one from /);
});

test('check has nothing to say of a secret that was rotated', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-secret-'));
  const config = join(directory.path, 'gatehouse.yaml');
  await writeFile(config, stringify({ ...soundDocument(), secretsFile: 'secrets.yaml' }));
  const ofEnds = async () =>
    /A secret of .+/.exec((await gatehouse(['check', '--config', config])).stdout)?.[0];
  await secret(['new', 'sap-idm', '--expires', '3d', '--config', config]);
  assert.match((await ofEnds()) ?? '', /sap-idm ends within 3 days/);
  await secret(['rotate', 'sap-idm', '--grace', '1d', '--config', config]);
  assert.equal(await ofEnds(), undefined);
});

test('with --json the secret comes with the name of its user', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-secret-'));
  const config = join(directory.path, 'gatehouse.yaml');
  await writeFile(config, stringify({ ...soundDocument(), secretsFile: 'secrets.yaml' }));
  const { stdout } = await secret(['new', 'sap-idm', '--config', config, '--json']);
  const told: { readonly user: string; readonly secret: string } = JSON.parse(stdout);
  const [entry] = (await readSecrets(join(directory.path, 'secrets.yaml'))).get('sap-idm') ?? [];
  assert.equal(told.user, 'sap-idm');
  assert.ok(entry && verifyGenerated(entry.hash, told.secret));
});

test('rotate removes what has ended', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-secret-'));
  const config = join(directory.path, 'gatehouse.yaml');
  await writeFile(config, stringify({ ...soundDocument(), secretsFile: 'secrets.yaml' }));
  await secret(['new', 'sap-idm', '--config', config]);
  await secret(['rotate', 'sap-idm', '--grace', '0d', '--config', config]);
  assert.equal((await secret(['rotate', 'sap-idm', '--config', config])).code, 0);
  const entries = (await readSecrets(join(directory.path, 'secrets.yaml'))).get('sap-idm');
  assert.equal(entries?.length, 2);
});

test('hash prints the slow hash of a chosen secret, exactly as it was given', async () => {
  const { code, stdout } = await secret(['hash'], ' bird: gänseblümchen \n');
  assert.equal(code, 0);
  assert.equal(await verifySecret(stdout.trim(), ' bird: gänseblümchen '), true);
});

test('hash prints the SHA-256 of a generated secret', async () => {
  const generated = generateSecret();
  const { stdout } = await secret(['hash'], generated);
  assert.equal(verifyGenerated(stdout.trim(), generated), true);
});

for (const [what, input, reason] of [
  ['a short one', 'fifteen letters\n', /at least 16/],
  ['nothing', '', /at least 16/],
  ['one with a control character', 'a tab\tin the middle', /control characters/],
  ['one of over 1024 bytes', 'ä'.repeat(513), /over 1024 bytes/],
  ['a mistyped generated one', `${generateSecret()}0`, /checksum is wrong/],
] as const)
  test(`hash refuses ${what} without repeating it`, async () => {
    const { code, stdout, stderr } = await secret(['hash'], input);
    assert.equal(code, 1);
    assert.equal(stdout, '');
    assert.match(stderr, reason);
    assert.ok(input === '' || !stderr.includes(input.trim()));
  });

test('another verb is wrong usage', async () => {
  const { code, stderr } = await secret(['add', 'sap-idm']);
  assert.equal(code, 4);
  assert.match(stderr, /the verbs are new, rotate, hash/);
});

test('new gives a secret an end where one is asked for, in whole days', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-secret-'));
  const config = join(directory.path, 'gatehouse.yaml');
  await writeFile(config, stringify({ ...soundDocument(), secretsFile: 'secrets.yaml' }));
  const before = Date.now();
  assert.equal((await secret(['new', 'sap-idm', '--expires', '90d', '--config', config])).code, 0);
  const [entry] = (await readSecrets(join(directory.path, 'secrets.yaml'))).get('sap-idm') ?? [];
  const days = ((entry?.notAfter ?? 0) - before) / 86_400_000;
  assert.ok(Math.abs(days - 90) < 0.01, `${days}`);
  const wrong = await secret(['new', 'sap-idm', '--expires', '90', '--config', config]);
  assert.deepEqual([wrong.code, wrong.stdout], [4, '']);
});
