/** Requests by files: what the gateway takes, what it answers, and that nothing is done twice. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmod,
  chown,
  link,
  mkdir,
  mkdtempDisposable,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { askDesk } from '../../src/file-desk.ts';
import {
  openOperatorDesk,
  operatorPlace,
  operatorReply,
  type Operations,
} from '../../src/gateway/operator-desk.ts';
import { eventually } from '../support/eventually.ts';

const wanted = { action: 'release', hold: 'k7m', count: 3, minutes: 1, reason: 'CHG-1', by: 'operator' };
const forget = { action: 'forget', system: 'people', reason: 'CHG-2', by: 'operator' };
const patienceMs = 30_000;
const note = (): Promise<void> => Promise.resolve();
const never = (): Promise<string> => assert.fail('it was carried out');
const nothing: Operations = {
  forget: never,
  pause: never,
  resume: never,
  releaseSnapshot: never,
  releaseSome: never,
  tryAlerts: () => assert.fail('it was carried out'),
  names: (kind) => [`one of the ${kind}`],
};

async function stage(operations: Partial<Operations>, record = note) {
  const stack = new AsyncDisposableStack();
  const { path } = stack.use(await mkdtempDisposable(join(tmpdir(), 'gatehouse-desk-')));
  const config = { audit: { directory: path, instance: 'test' } } as Parameters<typeof operatorPlace>[0];
  stack.use(await openOperatorDesk(config, { ...nothing, ...operations }, record));
  const place = operatorPlace(config);
  const ask = async (asked: unknown) =>
    operatorReply.parse(JSON.parse((await askDesk(place, asked, patienceMs)) ?? '{}'));
  return { place, ask, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test('a release arrives once, with the account that asked for it, and leaves no file', async () => {
  const released: unknown[] = [];
  await using desk = await stage({
    releaseSome: (release) => Promise.resolve(released.push(release) > 0 ? 'released' : undefined),
  });
  assert.deepEqual(await desk.ask(wanted), { done: true, says: 'released' });
  const actor = { name: 'operator', uid: process.getuid?.() };
  assert.deepEqual(released, [{ hold: 'k7m', count: 3, lifetimeMs: 60_000, reason: 'CHG-1', actor }]);
  assert.deepEqual(await readdir(desk.place), []);
});

test('a snapshot that became smaller is released with its system and type', async () => {
  const released: string[][] = [];
  await using desk = await stage({
    releaseSnapshot: (...asked) =>
      Promise.resolve(released.push(asked) > 0 ? 'may be of any size' : undefined),
  });
  const asked = { action: 'release-snapshot', system: 'people', resourceType: 'Users' };
  assert.equal((await desk.ask({ ...asked, reason: 'CHG-3', by: 'operator' })).done, true);
  assert.deepEqual(released, [['people', 'Users']]);
});

test('what is not known is answered with what there is', async () => {
  const unknown = () => Promise.resolve(undefined);
  await using desk = await stage({
    forget: unknown,
    pause: unknown,
    releaseSome: unknown,
    releaseSnapshot: unknown,
    tryAlerts: () => Promise.resolve([]),
    names: (kind) => ({ systems: ['one', 'two'], tenants: ['acme'], channels: [] })[kind],
  });
  const why = { reason: 'CHG-4', by: 'operator' };
  const snapshot = { action: 'release-snapshot', resourceType: 'Users', ...why };
  const cases: readonly (readonly [object, string])[] = [
    [forget, 'there is no system "people"; there are: one, two.'],
    [{ action: 'pause', tenant: 'a', minutes: 1, ...why }, 'there is no tenant "a"; there is: acme.'],
    [wanted, `there is no hold "k7m"; 'gatehouse guard list' lists them.`],
    [{ ...snapshot, system: 'three' }, 'there is no system "three"; there are: one, two.'],
    [{ ...snapshot, system: 'one' }, 'one keeps no snapshot of Users (systems.one.snapshot).'],
    [{ action: 'test-alert', channel: 'mail', by: 'x' }, 'there is no channel "mail"; there are: none.'],
  ];
  for (const [asked, says] of cases) assert.deepEqual(await desk.ask(asked), { done: false, says });
});

test('what cannot be recorded is not done, and said to be so', async () => {
  await using desk = await stage({}, () => Promise.reject(new Error('no disk')));
  assert.match((await desk.ask(forget)).says, /cannot be recorded/);
});

test('what was recorded and failed is said to have failed', async () => {
  await using desk = await stage({ forget: () => Promise.reject(new Error('a fault')) });
  assert.deepEqual(await desk.ask(forget), { done: false, says: 'It failed; the gateway’s log says where.' });
});

for (const [title, text] of [
  ['is no JSON', 'released'],
  ['has a number below nothing', JSON.stringify({ ...wanted, count: -1 })],
  ['ends before it begins', JSON.stringify({ ...wanted, minutes: 0 })],
  ['names no reason', JSON.stringify({ ...wanted, reason: undefined })],
  ['asks for what nobody does', JSON.stringify({ ...wanted, action: 'stop' })],
  ['is longer than any reason', JSON.stringify({ ...wanted, reason: 'a'.repeat(20_000) })],
] as const)
  test(`a request that ${title} is not understood`, async () => {
    await using desk = await stage({});
    await writeFile(join(desk.place, 'a.request'), text);
    const answer = join(desk.place, 'a.answer');
    await eventually(async () => (await readdir(desk.place)).join() === 'a.answer', patienceMs);
    assert.match(await readFile(answer, 'utf8'), /not understood/);
    assert.equal((await stat(answer)).mode & 0o077, 0);
  });

test('where no gateway runs nobody takes the request, and it is not left for a later one', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-desk-'));
  assert.equal(await askDesk(directory.path, wanted, 200), undefined);
  assert.deepEqual(await readdir(directory.path), []);
});

const forgetting = (done: string[]): Partial<Operations> => ({
  forget: (system) => Promise.resolve(done.push(system) > 0 ? 'forgotten' : undefined),
});

for (const [title, place] of [
  [
    'a link to a request elsewhere',
    async (file: string, elsewhere: string) => {
      await writeFile(elsewhere, JSON.stringify({ ...forget, system: 'linked' }));
      await symlink(elsewhere, file);
    },
  ],
  [
    'a second name of a file',
    async (file: string, elsewhere: string) => {
      await writeFile(elsewhere, JSON.stringify({ ...forget, system: 'linked' }));
      await link(elsewhere, file);
    },
  ],
  ['a pipe', async (file: string) => void execFileSync('mkfifo', [file])],
  ['a directory', async (file: string) => assert.equal(await mkdir(file), undefined)],
] as const)
  test(`${title} is no request, and does not stand in the way of one`, async () => {
    const done: string[] = [];
    await using desk = await stage(forgetting(done));
    await place(join(desk.place, '0.request'), join(desk.place, 'elsewhere'));
    assert.equal((await desk.ask(forget)).done, true);
    assert.deepEqual(done, ['people']);
  });

test('a directory into which others can write is not served', async () => {
  const done: string[] = [];
  await using desk = await stage(forgetting(done));
  await chmod(desk.place, 0o770);
  await writeFile(join(desk.place, 'a.request'), JSON.stringify({ ...forget, system: 'theirs' }));
  assert.equal(await askDesk(desk.place, forget, 1500), undefined);
  await rm(join(desk.place, 'a.request'));
  await chmod(desk.place, 0o700);
  assert.equal((await desk.ask(forget)).done, true);
  assert.deepEqual(done, ['people']);
});

test('a directory that was there before is made private, and what others left in it is no request', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-desk-'));
  const config = { audit: { directory: directory.path, instance: 'test' } } as Parameters<
    typeof operatorPlace
  >[0];
  const place = operatorPlace(config);
  await mkdir(place, { recursive: true });
  await chmod(place, 0o777);
  // Only root can make a file that is somebody else's.
  if (process.getuid?.() === 0) {
    await writeFile(join(place, 'a.request'), JSON.stringify({ ...forget, system: 'theirs' }));
    await chown(join(place, 'a.request'), 65_534, 65_534);
  }
  const done: string[] = [];
  await using _desk = await openOperatorDesk(config, { ...nothing, ...forgetting(done) }, note);
  assert.equal((await stat(place)).mode & 0o777, 0o700);
  assert.match((await askDesk(place, forget, patienceMs)) ?? '', /"done":true/);
  assert.deepEqual(done, ['people']);
});
