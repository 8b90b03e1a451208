/** What POST and PUT bring back: kept as the read that would follow, and only where a probe has found them equal. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createMemoryStore } from '../../src/cache/memory-store.ts';
import type { Reply } from '../../src/scim/call.ts';
import { eventually } from '../support/eventually.ts';
import { Directory } from './directory.ts';
import { Side, type SideOptions } from './paging-tenant.ts';

const create = (side: Side, directory: Directory, name = 'eve'): Promise<void> =>
  side.send('POST', 'Users', () => directory.create(name));
const replace = (side: Side, directory: Directory, userName = 'eve', query = ''): Promise<void> =>
  side.send('PUT', `Users/u0${query}`, () => directory.change('u0', { userName }));

/** How many calls a read costs. */
async function costOf(side: Side, directory: Directory, target: string): Promise<number> {
  const before = directory.calls;
  await side.read(target);
  return directory.calls - before;
}

/** A side whose probes have been made, of a POST and a PUT. */
async function probed(directory: Directory, options: SideOptions = {}): Promise<Side> {
  const side = new Side(directory, options);
  await create(side, directory, 'first');
  await side.probed();
  await replace(side, directory, 'first');
  await side.probed();
  return side;
}

test('the first write of each kind is followed by a probe, and the next ones by none', async () => {
  const directory = new Directory(['ada']);
  const side = await probed(directory);
  assert.equal(directory.calls, 2);
  for (let time = 0; time < 20; time += 1) await create(side, directory);
  for (let time = 0; time < 20; time += 1) await replace(side, directory);
  assert.equal(directory.calls, 2);
});

test('one write in 500 is compared again', async () => {
  const directory = new Directory(['ada']);
  const side = await probed(directory);
  directory.calls = 0;
  for (let time = 0; time < 1100; time += 1) {
    await replace(side, directory);
    await side.probed();
  }
  assert.equal(directory.calls, 2);
});

test('the read after a create or a change costs no call', async () => {
  const directory = new Directory(['ada']);
  const side = await probed(directory);
  await create(side, directory);
  await replace(side, directory, 'new');
  assert.equal(await costOf(side, directory, `Users/${directory.ids.at(-1)}`), 0);
  assert.equal(await costOf(side, directory, 'Users/u0'), 0);
});

test('nothing is kept before a probe could be made', async () => {
  const directory = new Directory(['ada']);
  const side = new Side(directory, { probes: false });
  await replace(side, directory);
  assert.equal(await costOf(side, directory, 'Users/u0'), 1);
  assert.deepEqual(side.kept, []);
});

test('nothing is kept of a write that was asked for a part of the resource', async () => {
  const directory = new Directory(['ada']);
  const side = await probed(directory);
  for (const query of ['?attributes=id', '?excludedAttributes=groups', '?x=1'])
    await replace(side, directory, 'new', query);
  assert.deepEqual(side.kept, []);
});

test('nothing is kept of a reply that is no resource, or another one', async () => {
  const directory = new Directory(['ada', 'bob']);
  const side = await probed(directory);
  const reply = (status: number, body: string): Reply => ({
    status,
    headers: { 'content-type': 'application/scim+json' },
    body: Buffer.from(body),
  });
  for (const each of [
    reply(204, ''),
    reply(200, ''),
    reply(200, '{}'),
    reply(200, '[]'),
    reply(200, '{"id":"u1"}'),
    reply(400, '{"id":"u0"}'),
    undefined,
  ])
    await side.send('PUT', 'Users/u0', () => each);
  assert.deepEqual(side.kept, []);
});

test('a reply with a password is not kept', async () => {
  const directory = new Directory(['ada']);
  const side = await probed(directory);
  const body = Buffer.from('{"id":"u0","password":"x"}');
  await side.send('PUT', 'Users/u0', () => ({ ...directory.change('u0', {}), body }));
  assert.equal(await costOf(side, directory, 'Users/u0'), 1);
});

test('a system whose replies say something else is not believed for any write, and that is told once', async () => {
  const directory = new Directory(['ada']);
  const side = await probed(directory);
  const other = new Side(directory);
  const without = (reply: Reply): Reply => ({
    ...reply,
    body: Buffer.from(reply.body.toString().replace('"groups":0,', '')),
  });
  for (let time = 0; time < 3; time += 1) {
    await other.send('PUT', 'Users/u0', () => without(directory.change('u0', {})));
    await eventually(async () => other.differences.length > 0);
  }
  await create(other, directory);
  await other.probed();
  const attributes = ['groups'];
  assert.deepEqual(other.differences, [{ system: 'hr', resourceType: 'Users', of: 'replace', attributes }]);
  assert.deepEqual([other.kept, side.differences], [[], []]);
});

test('a probe that another write has overtaken proves nothing', async () => {
  const directory = new Directory(['ada']);
  const store = createMemoryStore({ maxBytes: 1_000_000 });
  const other = new Side(directory, { store });
  let pauses = 0;
  const side = new Side(directory, {
    store,
    // The third is that of the probe on its way up, behind two of the write.
    pause: async () => {
      if ((pauses += 1) === 3) await other.send('PATCH', 'Groups/7', () => directory.join('u0'));
    },
  });
  await replace(side, directory);
  await side.probed();
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.deepEqual(side.differences, []);
  await replace(side, directory);
  await side.probed();
  await replace(side, directory);
  assert.equal(side.kept.length, 1);
});

for (const [through, stores] of [
  ['this replica', 1],
  ['another replica', 2],
] as const)
  test(`a reply that a write through ${through} has overtaken is not kept`, async () => {
    const directory = new Directory(['ada']);
    const store = createMemoryStore({ maxBytes: 1_000_000 });
    let isHeld = false;
    const started = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const side = await probed(directory, {
      store,
      pause: async () => {
        if (!isHeld) return;
        isHeld = false;
        started.resolve();
        await goOn.promise;
      },
    });
    const slow = side.send('PUT', 'Users/u0', () => {
      // The tenant has carried it out, and its answer is on its way.
      isHeld = true;
      return directory.change('u0', { userName: 'slow' });
    });
    await started.promise;
    const writer = stores === 1 ? side : new Side(directory, { store });
    await writer.send('PUT', 'Users/u0', () => directory.change('u0', { userName: 'quick' }));
    goOn.resolve();
    await slow;
    const { reply } = await side.read('Users/u0');
    assert.equal(JSON.parse(reply.body.toString()).userName, 'quick');
  });
