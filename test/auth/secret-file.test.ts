import assert from 'node:assert/strict';
import { mkdtempDisposable, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { addSecret, endsOf, parseSecrets, readSecrets } from '../../src/auth/secret-file.ts';
import { hashSecret, verifyGenerated } from '../../src/auth/secret.ts';

const hashed = await hashSecret('secret');
const temporary = (): ReturnType<typeof mkdtempDisposable> =>
  mkdtempDisposable(join(tmpdir(), 'gatehouse-secrets-'));

test('the file names technical users and their hashes', () => {
  const entries = parseSecrets(
    `# rotated in May\nidm:\n  - hash: ${hashed}\n    note: old\n  - hash: ${hashed}\n`,
  );
  assert.deepEqual([...entries], [['idm', [{ hash: hashed, note: 'old' }, { hash: hashed }]]]);
});

test('an empty file names nobody', () => {
  assert.equal(parseSecrets('').size, 0);
  assert.equal(parseSecrets('# nobody yet\n').size, 0);
});

test('names stay what is written, also those that YAML or JavaScript would take for something else', () => {
  const names = ['__proto__', 'constructor', '1234', 'true', 'null', '0x10'];
  const entries = parseSecrets(names.map((name) => `${name}:\n  - hash: ${hashed}`).join('\n'));
  assert.deepEqual([...entries.keys()], names);
  assert.equal(entries.get('toString'), undefined);
});

const broken: readonly (readonly [title: string, text: string])[] = [
  ['a list', `- hash: ${hashed}`],
  ['a text', 'idm'],
  ['a user without entries', 'idm: []'],
  ['three entries', `idm:\n${`  - hash: ${hashed}\n`.repeat(3)}`],
  ['a clear secret', 'idm:\n  - hash: tell-nobody'],
  ['an unknown key', `idm:\n  - hash: ${hashed}\n    secret: tell-nobody`],
  ['an entry that is no map', 'idm:\n  - tell-nobody'],
  ['a user twice', `idm:\n  - hash: ${hashed}\nidm:\n  - hash: ${hashed}`],
  ['a user without name', `'':\n  - hash: ${hashed}`],
  ['broken YAML', 'idm: [tell-nobody'],
  ['an unknown alias', 'idm: *tell-nobody'],
  ['two documents', `idm:\n  - hash: ${hashed}\n---\nidm2:\n  - hash: ${hashed}`],
];

for (const [title, text] of broken)
  test(`a file with ${title} is refused without quoting it`, () => {
    assert.throws(
      () => parseSecrets(text),
      (error: Error) =>
        error.message.startsWith('The file of secrets is not valid') &&
        !/tell-nobody|argon2id\$/.test(error.message),
    );
  });

test('an added secret is told once, kept as a hash, and its file is for its owner only', async () => {
  await using directory = await temporary();
  const file = join(directory.path, 'secrets.yaml');
  const secret = await addSecret(file, 'idm');
  assert.match(secret, /^gh_/);
  assert.ok(!(await readFile(file, 'utf8')).includes(secret));
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const [entry] = (await readSecrets(file)).get('idm') ?? [];
  assert.ok(entry && verifyGenerated(entry.hash, secret));
  assert.deepEqual(await readdir(directory.path), ['secrets.yaml']);
});

test('a second secret stands beside the first, a third is refused, other users stay', async () => {
  await using directory = await temporary();
  const file = join(directory.path, 'secrets.yaml');
  await addSecret(file, 'other');
  await addSecret(file, '__proto__');
  await addSecret(file, '__proto__');
  await assert.rejects(addSecret(file, '__proto__'), /has 2 secrets/);
  assert.deepEqual(
    [...(await readSecrets(file))].map(([user, entries]) => [user, entries.length]),
    [
      ['other', 1],
      ['__proto__', 2],
    ],
  );
});

test('adding keeps what people wrote beside the hashes', async () => {
  await using directory = await temporary();
  const file = join(directory.path, 'secrets.yaml');
  await writeFile(file, `# ask the network team\nidm: # the production one\n  - hash: ${hashed}\n`);
  await addSecret(file, 'idm');
  await addSecret(file, 'iag');
  const text = await readFile(file, 'utf8');
  for (const comment of ['# ask the network team', '# the production one']) assert.ok(text.includes(comment));
  assert.deepEqual([...(await readSecrets(file)).keys()], ['idm', 'iag']);
});

test('adding to a broken file leaves it as it is', async () => {
  await using directory = await temporary();
  const file = join(directory.path, 'secrets.yaml');
  await writeFile(file, 'idm: [');
  await assert.rejects(addSecret(file, 'idm'), /not valid/);
  assert.equal(await readFile(file, 'utf8'), 'idm: [');
});

test('a secret may have an end, and its file names it as an instant', async () => {
  await using directory = await temporary();
  const file = join(directory.path, 'secrets.yaml');
  const notAfter = Date.UTC(2027, 0, 31, 12);
  await addSecret(file, 'idm', notAfter);
  await addSecret(file, 'other');
  assert.match(await readFile(file, 'utf8'), /notAfter: 2027-01-31T12:00:00Z\n/);
  assert.deepEqual(endsOf(await readSecrets(file)), [{ user: 'idm', notAfter }]);
});

test('a user ends with the secret that lasts longest, and never while one has no end', () => {
  const entry = (notAfter?: string) =>
    `  - hash: ${hashed}\n${notAfter ? `    notAfter: ${notAfter}\n` : ''}`;
  const [sooner, later] = ['2027-01-31T12:00:00Z', '2027-02-28T12:00:00Z'];
  const entries = parseSecrets(
    `rotated:\n${entry(sooner)}${entry()}both:\n${entry(later)}${entry(sooner)}one:\n${entry(sooner)}`,
  );
  assert.deepEqual(endsOf(entries), [
    { user: 'both', notAfter: Date.parse(later) },
    { user: 'one', notAfter: Date.parse(sooner) },
  ]);
});

test('whoever gets a second secret loses the one that has ended', async () => {
  await using directory = await temporary();
  const file = join(directory.path, 'secrets.yaml');
  const ended = `  - hash: ${hashed}\n    notAfter: 2020-01-31T12:00:00Z\n`;
  await writeFile(file, `idm:\n${ended}  - hash: ${hashed}\n`);
  await addSecret(file, 'idm');
  const entries = (await readSecrets(file)).get('idm') ?? [];
  assert.deepEqual(
    entries.map(({ notAfter }) => notAfter),
    [undefined, undefined],
  );
});

for (const end of ['2027-01-31', 'tomorrow', '2027-01-31T12:00:00', '2027-13-31T12:00:00Z', '1900000000'])
  test(`the end ${end} is refused, because nobody could say when it is`, () => {
    assert.throws(
      () => parseSecrets(`idm:\n  - hash: ${hashed}\n    notAfter: ${end}`),
      /must be an instant/,
    );
  });
