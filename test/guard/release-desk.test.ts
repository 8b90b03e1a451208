/** Releases by files: what the gateway takes, what it answers, and that nothing counts twice. */
import assert from 'node:assert/strict';
import { mkdtempDisposable, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import type { Release } from '../../src/guard/guard.ts';
import { askForRelease, ReleaseDesk } from '../../src/guard/release-desk.ts';
import { eventually } from '../support/eventually.ts';

const wanted: Release = {
  hold: 'k7m',
  count: 3,
  lifetimeMs: 60_000,
  reason: 'CHG-1',
  actor: { name: 'operator' },
};
const patienceMs = 30_000;

async function place(): Promise<{ path: string; remove: () => Promise<void> } & AsyncDisposable> {
  return mkdtempDisposable(join(tmpdir(), 'gatehouse-desk-'));
}

test('a release arrives once, with the account that asked for it, and leaves no file', async () => {
  await using directory = await place();
  const released: Release[] = [];
  await using _ = new ReleaseDesk(directory.path, (release) => Promise.resolve(released.push(release) > 0));
  assert.equal(await askForRelease(directory.path, wanted, patienceMs), 'released');
  assert.deepEqual(released, [{ ...wanted, actor: { name: 'operator', uid: process.getuid?.() } }]);
  assert.deepEqual(await readdir(directory.path), []);
});

test('what is not known, and what cannot be recorded, is answered so', async () => {
  await using directory = await place();
  await using _ = new ReleaseDesk(directory.path, ({ hold }) =>
    hold === 'k7m' ? Promise.reject(new Error('no disk')) : Promise.resolve(false),
  );
  assert.equal(await askForRelease(directory.path, { ...wanted, hold: 'x' }, patienceMs), 'unknown hold');
  assert.equal(await askForRelease(directory.path, wanted, patienceMs), 'not recorded');
});

for (const [title, text] of [
  ['is no JSON', 'released'],
  ['has a number below nothing', JSON.stringify({ ...wanted, count: -1 })],
  ['ends before it begins', JSON.stringify({ ...wanted, lifetimeMs: 0 })],
  ['names no reason', JSON.stringify({ ...wanted, reason: undefined })],
  ['is longer than any reason', JSON.stringify({ ...wanted, reason: 'a'.repeat(20_000) })],
] as const)
  test(`a request that ${title} is not understood`, async () => {
    await using directory = await place();
    await using _ = new ReleaseDesk(directory.path, () => assert.fail('it was carried out'));
    await writeFile(join(directory.path, 'a.request'), text);
    const answer = join(directory.path, 'a.answer');
    await eventually(async () => (await readdir(directory.path)).join() === 'a.answer', patienceMs);
    assert.equal(await readFile(answer, 'utf8'), 'not understood');
    assert.equal((await stat(answer)).mode & 0o077, 0);
  });

test('where no gateway runs nobody takes the request, and it is not left for a later one', async () => {
  await using directory = await place();
  assert.equal(await askForRelease(directory.path, wanted, 200), undefined);
  assert.deepEqual(await readdir(directory.path), []);
});
