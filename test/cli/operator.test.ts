/** What an operator asks of a running gateway from its host: done, told, and in the trail with who and why. */
import assert from 'node:assert/strict';
import { mkdtempDisposable, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { startChild } from '../support/child.ts';
import { gatehouse } from '../support/command.ts';
import { readRecords, systemId } from '../support/gateway.ts';
import { prepareInstallation } from '../support/installation.ts';
import { startUpstream } from '../support/upstream.ts';

async function stage() {
  const stack = new AsyncDisposableStack();
  const { path } = stack.use(await mkdtempDisposable(join(tmpdir(), 'gatehouse-operator-')));
  const upstream = stack.use(await startUpstream());
  const { file, authorization } = await prepareInstallation(path, upstream.url);
  const child = await startChild(file);
  stack.defer(async () => void (child.process.exitCode ?? (await child.end('SIGTERM'))));
  const config = ['--config', file];
  const base = `${child.url}/ipsproxy/service/api/v1/scim/${systemId}`;
  const read = async (): Promise<number> =>
    (await fetch(`${base}/Users/4711`, { headers: { authorization } })).status;
  const acts = async () =>
    (await readRecords(join(path, 'audit'))).filter(({ event }) => event === 'operator.acted');
  return { path, upstream, child, config, read, acts, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test('what is remembered of a system is forgotten, and who asked for it and why is in the trail', async () => {
  await using place = await stage();
  const { upstream, config, read, acts } = place;
  await read();
  await read();
  assert.equal(upstream.received.length, 1);
  const asked = ['cache', 'forget', '--system', systemId, '--reason', 'transformation changed'];
  const { code, stdout } = await gatehouse(...asked, ...config);
  assert.equal(code, 0);
  assert.match(stdout, /told any more/);
  await read();
  assert.equal(upstream.received.length, 2);
  const [act] = await acts();
  const { action, system, reason, uid } = (act?.facts ?? {}) as Readonly<Record<string, unknown>>;
  assert.deepEqual(
    [action, system, reason, uid],
    ['forget', systemId, 'transformation changed', process.getuid?.()],
  );
});

test('a paused tenant gets nothing until it is resumed', async () => {
  await using place = await stage();
  const { upstream, config, read } = place;
  const why = ['--reason', 'maintenance'];
  assert.equal((await gatehouse('tenant', 'pause', 'acme', '--minutes', '30', ...why, ...config)).code, 0);
  const waiting = read();
  const { stdout } = await gatehouse('tenant', 'resume', 'acme', ...why, ...config, '--json');
  assert.equal(JSON.parse(stdout).done, true);
  const before = upstream.received.length;
  assert.ok([200, 429].includes(await waiting));
  assert.equal(await read(), 200);
  assert.ok(before === 0 || upstream.received.length >= before);
});

test('a reason that is too short or too long is wrong usage that says how long it is', async () => {
  for (const words of [
    ['tenant', 'resume', 'acme'],
    ['tenant', 'pause', 'acme', '--minutes', '1'],
    ['cache', 'forget', '--system', systemId],
    ['snapshot', 'release', '--system', systemId, '--type', 'Users'],
    ['guard', 'release', 'k7m', '--count', '1'],
  ])
    for (const reason of ['x', 'y'.repeat(501)]) {
      const { code, stderr } = await gatehouse(...words, '--reason', reason);
      assert.equal(code, 4);
      assert.match(stderr, /^gatehouse: --reason is a text of 3 to 500 characters\n/);
    }
});

test('an unknown name, a missing gateway and a request that says too little are told', async () => {
  await using place = await stage();
  const { path, child, config } = place;
  const why = ['--reason', 'to see'];
  const unknown = await gatehouse('tenant', 'resume', 'elsewhere', ...why, ...config);
  assert.deepEqual(
    [unknown.code, unknown.stderr],
    [1, 'gatehouse: there is no tenant "elsewhere"; there is: acme.\n'],
  );
  assert.equal((await gatehouse('cache', 'forget', ...config)).code, 4);
  const desk = join(path, 'audit', 'test', 'operator');
  assert.equal((await stat(desk)).mode & 0o077, 0);
  await writeFile(join(desk, 'a.request'), 'no JSON');
  await child.end('SIGTERM');
  const nobody = await gatehouse('tenant', 'resume', 'acme', ...why, ...config);
  assert.deepEqual(
    [nobody.code, nobody.stderr],
    [1, `gatehouse: no gateway test runs below ${join(path, 'audit')}.\n`],
  );
  for (const name of await readdir(desk))
    assert.doesNotMatch(await readFile(join(desk, name), 'utf8'), /to see/);
});

test('where the shell names another instance than the service, the commands name both and fail', async () => {
  await using place = await stage();
  const other = join(place.path, 'other.yaml');
  const settings = await readFile(join(place.path, 'gatehouse.yaml'), 'utf8');
  await writeFile(other, settings.replace('instance: test', 'instance: gw-9'));
  const there = `${join(place.path, 'audit')}; there are test`;
  const stderr = `gatehouse: no gateway gw-9 runs below ${there}: GATEHOUSE_AUDIT__INSTANCE says which one is meant.\n`;
  for (const words of [
    ['guard', 'list'],
    ['alert', 'test'],
  ])
    assert.deepEqual(await gatehouse(...words, '--config', other), { code: 1, stdout: '', stderr });
  const found = await gatehouse('guard', 'list', ...place.config);
  assert.deepEqual(found, { code: 0, stdout: 'nothing is held\n', stderr: '' });
});
