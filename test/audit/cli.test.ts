/** `gatehouse audit`: its exit codes are what scripts rely on. */
import assert from 'node:assert/strict';
import { copyFile, rename, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { audit } from './command.ts';
import { instance, openTrail, segmentPaths, temporaryDirectory } from './support.ts';

test('a sound trail ends with 0 and is described', async () => {
  await using opened = await openTrail();
  await opened.trail.note('n');
  await opened.trail[Symbol.asyncDispose]();
  const { code, stdout } = await audit('verify', opened.directory, '--local-only');
  assert.equal(code, 0);
  assert.match(stdout, /sequence\s+1 to 3[^]*verdict\s+ok/);
});

test('without a checkpoint from elsewhere the verdict says what it does not see, and remarks stand with their trail', async () => {
  await using opened = await openTrail();
  await opened.trail[Symbol.asyncDispose]();
  const checkpoint = join(await temporaryDirectory(), 'checkpoint');
  await rename(join(opened.directory, instance, 'checkpoint'), checkpoint);
  const local = await audit('verify', opened.directory, '--local-only');
  assert.equal(local.code, 0);
  assert.match(local.stdout, /- remark\n {4}The file 'checkpoint' beside the segments is missing\./);
  assert.match(
    local.stdout,
    /\nVerdict: ok, as far as can be seen here: an end that was cut off is not seen\n$/,
  );
  const { stdout } = await audit('verify', opened.directory, '--checkpoint', checkpoint);
  assert.match(stdout, /\nVerdict: ok\n$/);
});

test('one instance can be named by its own directory, and the report is JSON', async () => {
  await using opened = await openTrail();
  const { code, stdout } = await audit('verify', '--json', '--local-only', `${opened.directory}/gw-1`);
  assert.equal(code, 0);
  assert.equal(JSON.parse(stdout).instances[0].running, true);
});

test('a changed trail ends with 1, one without its end with 2', async () => {
  await using opened = await openTrail();
  await opened.restart();
  await opened.trail[Symbol.asyncDispose]();
  const [first = '', last = ''] = await segmentPaths(opened.directory);
  await truncate(last, 100);
  assert.equal((await audit('verify', opened.directory, '--local-only')).code, 2);
  await truncate(first, 100);
  const { code, stdout } = await audit('verify', opened.directory, '--local-only');
  assert.equal(code, 1);
  assert.match(stdout, /! tampered .* seq 1/);
});

test('what is not understood ends with 4 and the help', async () => {
  for (const args of [[], ['verify'], ['verify', 'a', 'b'], ['verfy', '.'], ['verify', '.', '--jsn']]) {
    const { code, stderr } = await audit(...args);
    assert.equal(code, 4, args.join(' '));
    assert.match(stderr, /usage: gatehouse audit/);
  }
});

test('a directory that is not there ends with 4 and its name', async () => {
  const { code, stderr } = await audit('verify', '--local-only', `${await temporaryDirectory()}/nowhere`);
  assert.equal(code, 4);
  assert.match(stderr, /^gatehouse: the trail cannot be read: .*nowhere'\n\nusage: gatehouse audit verify/);
});

test('--help explains with examples', async () => {
  const { code, stdout } = await audit('--help');
  assert.equal(code, 0);
  assert.match(stdout, /examples:\n {2}gatehouse audit verify/);
});

test('a trail is only judged against a checkpoint from elsewhere, or when told to go without', async () => {
  await using opened = await openTrail();
  await opened.trail[Symbol.asyncDispose]();
  const kept = await temporaryDirectory();
  for (const file of ['checkpoint', 'keys.pub'])
    await copyFile(`${opened.directory}/${instance}/${file}`, `${kept}/${file}`);
  const { code, stderr } = await audit('verify', opened.directory);
  assert.equal(code, 4);
  assert.match(stderr, /^gatehouse: give --checkpoint from another host, or say --local-only/);
  const evidence = ['--checkpoint', `${kept}/checkpoint`, '--key', `${kept}/keys.pub`];
  const proven = await audit('verify', opened.directory, ...evidence);
  assert.equal(proven.code, 0);
  assert.match(proven.stdout, /covered\s+up to 2 by a checkpoint/);
  assert.equal((await audit('verify', opened.directory, ...evidence, '--local-only')).code, 4);
  assert.equal((await audit('verify', opened.directory, '--checkpoint', `${kept}/none`)).code, 4);
});

test('an instance whose directory is missing ends with 3', async () => {
  await using here = await openTrail();
  await using away = await openTrail();
  for (const opened of [here, away]) await opened.trail[Symbol.asyncDispose]();
  const checkpoints = [here, away].flatMap(({ directory }) => [
    '--checkpoint',
    `${directory}/${instance}/checkpoint`,
  ]);
  assert.equal((await audit('verify', here.directory, away.directory, ...checkpoints)).code, 0);
  const { code, stdout } = await audit('verify', here.directory, ...checkpoints);
  assert.equal(code, 3);
  assert.match(stdout, /no directory with its segments/);
});

test('the fingerprint that `audit key` shows is the one that `audit verify` takes', async () => {
  await using opened = await openTrail();
  const { stdout } = await audit('key', opened.directory);
  const [told = ''] = /sha256:[0-9a-f]{64}/.exec(stdout) ?? [];
  assert.equal((await audit('verify', opened.directory, '--local-only', '--key', told)).code, 0);
  const other = `sha256:${'0'.repeat(64)}`;
  assert.equal((await audit('verify', opened.directory, '--local-only', '--key', other)).code, 1);
});
