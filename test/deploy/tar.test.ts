/** The archive's own format: what any tar reads, and the same bytes for the same content. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmod,
  lstat,
  mkdir,
  mkdtempDisposable,
  readFile,
  readlink,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';

import { tar } from '../../deploy/tar.ts';

const longFolder = `node_modules/${'a'.repeat(70)}/dist`;
const longPath = `${longFolder}/${'b'.repeat(80)}.js`;

async function makeTree(directory: string): Promise<void> {
  await mkdir(join(directory, longFolder), { recursive: true });
  await writeFile(join(directory, longPath), 'x'.repeat(1000));
  await writeFile(join(directory, 'empty'), '');
  await writeFile(join(directory, 'block'), 'x'.repeat(512));
  await writeFile(join(directory, 'program'), '#!/bin/sh\n');
  await chmod(join(directory, 'program'), 0o755);
  await symlink('program', join(directory, 'link'));
}

const bytesOf = (directory: string): Promise<Buffer> => buffer(Readable.from(tar(directory, 'top')));

test('what is packed comes out again: long paths, modes, links, empty files', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-tar-'));
  const tree = join(directory.path, 'tree');
  await makeTree(tree);
  execFileSync('tar', ['-C', directory.path, '-xf', '-'], { input: await bytesOf(tree) });
  const top = join(directory.path, 'top');
  assert.equal(await readFile(join(top, longPath), 'utf8'), 'x'.repeat(1000));
  assert.equal((await lstat(join(top, 'empty'))).size, 0);
  assert.equal((await lstat(join(top, 'block'))).size, 512);
  assert.equal((await lstat(join(top, 'program'))).mode & 0o111, 0o111);
  assert.equal(await readlink(join(top, 'link')), 'program');
});

test('the same files give the same bytes, whenever and with whichever mask they were written', async () => {
  await using one = await mkdtempDisposable(join(tmpdir(), 'gatehouse-tar-'));
  await using other = await mkdtempDisposable(join(tmpdir(), 'gatehouse-tar-'));
  await makeTree(one.path);
  await makeTree(other.path);
  await utimes(join(other.path, 'block'), 1, 1);
  await chmod(join(other.path, 'block'), 0o600);
  assert.ok((await bytesOf(one.path)).equals(await bytesOf(other.path)));
});

test('a path that the format cannot hold is refused, not cut', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-tar-'));
  await writeFile(join(directory.path, 'c'.repeat(120)), '');
  await assert.rejects(bytesOf(directory.path), /too long for an archive/);
});
