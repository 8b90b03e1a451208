/** Which files of a configuration others can write or replace, and which they cannot although a mode looks like it. */
import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtempDisposable, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { openPlaces } from '../../src/gateway/open-places.ts';

async function place() {
  const directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-open-'));
  const file = join(directory.path, 'gatehouse.yaml');
  await writeFile(file, '', { mode: 0o640 });
  return { path: directory.path, file, [Symbol.asyncDispose]: () => directory.remove() };
}

for (const [what, fileMode, directoryMode, expected] of [
  ['the owner’s alone', 0o600, 0o700, []],
  ['readable by all', 0o644, 0o755, []],
  ['writable by a group, which is the operator’s choice', 0o660, 0o770, []],
  ['in a directory where each may remove only his own', 0o644, 0o1777, []],
  ['writable by all', 0o646, 0o755, ['gatehouse.yaml']],
  ['in a directory that all can write', 0o644, 0o777, ['.']],
] as const)
  test(`a file that is ${what} is ${expected.length === 0 ? 'not open' : 'open'}`, async () => {
    await using there = await place();
    await chmod(there.file, fileMode);
    await chmod(there.path, directoryMode);
    assert.deepEqual(
      openPlaces([there.file]).map(({ path }) => path),
      expected.map((name) => join(there.path, name)),
    );
  });

test('of a link, what it leads to counts, and the directories of both', async () => {
  await using there = await place();
  const data = join(there.path, '..data');
  await mkdir(data);
  const target = join(data, 'ca.crt');
  await writeFile(target, '');
  const link = join(there.path, 'ca.crt');
  await symlink(target, link);
  await chmod(target, 0o666);
  await chmod(data, 0o777);
  assert.deepEqual(openPlaces([link]), [
    { path: target, isDirectory: false },
    { path: data, isDirectory: true },
  ]);
});

test('where nobody can write, as in a ConfigMap that Kubernetes has mounted, a mode says nothing', async () => {
  await using there = await place();
  await chmod(there.path, 0o777);
  assert.deepEqual(
    openPlaces([there.file], (path) => path === there.path),
    [],
  );
});

test('a file that is not there yet is not open, and its directory may be', async () => {
  await using there = await place();
  await chmod(there.path, 0o777);
  assert.deepEqual(openPlaces([join(there.path, 'secrets.yaml')]), [{ path: there.path, isDirectory: true }]);
});
