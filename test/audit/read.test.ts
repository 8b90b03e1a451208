/** Readers of the trail: one stream from many directories, and holes that are told. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';

import { openChains, readTrail, type Damage, type Reading } from '../../src/audit/read.ts';
import { openTrail, temporaryDirectory } from './support.ts';
import { chainA, chainB, writeTrail, type WrittenRecord } from './written-trail.ts';

async function read(
  directories: readonly string[],
  range: Pick<Reading, 'from' | 'to'> = {},
): Promise<{ texts: string[]; damages: Damage[] }> {
  const damages: Damage[] = [];
  const texts: string[] = [];
  const chains = await openChains(directories);
  for await (const entry of readTrail(chains, { ...range, onDamage: (damage) => damages.push(damage) }))
    if (!entry.event.startsWith('audit.segment')) texts.push(`${entry.instance} ${entry.event}`);
  return { texts, damages };
}

function at(time: string, event: string): WrittenRecord {
  return { ts: `2026-11-21T${time}.000Z`, event };
}

test('the directories of several instances are one trail by time', async () => {
  const [one, two] = [await temporaryDirectory(), await temporaryDirectory()];
  await writeTrail(one, 'gw-1', chainA, [
    { records: [at('08:00:00', 'a'), at('08:00:20', 'b')], reason: 'stopped' },
  ]);
  await writeTrail(two, 'gw-2', chainB, [
    { records: [at('08:00:10', 'c'), at('08:00:30', 'd')], reason: 'stopped' },
  ]);
  const { texts, damages } = await read([one, `${two}/gw-2`]);
  assert.deepEqual(texts, ['gw-1 a', 'gw-2 c', 'gw-1 b', 'gw-2 d']);
  assert.deepEqual(damages, []);
});

test('a chain keeps its own order when its clock was set back', async () => {
  const directory = await temporaryDirectory();
  const records = [at('09:00:00', 'first'), at('08:00:00', 'second'), at('09:30:00', 'third')];
  await writeTrail(directory, 'gw-1', chainA, [{ records, reason: 'stopped' }]);
  await writeTrail(directory, 'gw-2', chainB, [{ records: [at('08:30:00', 'other')], reason: 'stopped' }]);
  const { texts } = await read([directory]);
  assert.deepEqual(
    texts.filter((text) => text.startsWith('gw-1')),
    ['gw-1 first', 'gw-1 second', 'gw-1 third'],
  );
});

test('a line that was changed is left out and told, and so is one that is missing', async () => {
  const directory = await temporaryDirectory();
  const records = ['a', 'b', 'c', 'd'].map((event, second) => at(`08:00:0${second}`, event));
  const [path = ''] = await writeTrail(directory, 'gw-1', chainA, [{ records, reason: 'stopped' }]);
  const lines = (await readFile(path, 'utf8')).split('\n');
  await writeFile(
    path,
    lines
      .with(2, (lines[2] ?? '').replace('"b"', '"x"'))
      .toSpliced(3, 1)
      .join('\n'),
  );
  const { texts, damages } = await read([directory]);
  assert.deepEqual(texts, ['gw-1 a', 'gw-1 d']);
  assert.deepEqual(
    damages.map(({ reason }) => reason),
    ['a line is not as it was written (seq 3)', '4 was expected, 5 found'],
  );
});

test('a missing end is told, unless the instance is running', async () => {
  const directory = await temporaryDirectory();
  await writeTrail(directory, 'gw-1', chainA, [{ records: [at('08:00:00', 'a')] }]);
  assert.match((await read([directory])).damages[0]?.reason ?? '', /no footer/);
  await using opened = await openTrail();
  await opened.trail.note('n');
  assert.deepEqual((await read([opened.directory])).damages, []);
});

test('what a segment holds beyond its confirmed bytes is not read', async () => {
  const directory = await temporaryDirectory();
  await writeTrail(directory, 'gw-1', chainA, [
    { records: [at('08:00:00', 'a')], refused: '{"v":1,"seq":3,"was":"refused"}\n' },
    { records: [at('08:00:01', 'b')], reason: 'stopped' },
  ]);
  assert.deepEqual(await read([directory]), { texts: ['gw-1 a', 'gw-1 b'], damages: [] });
});

test('a range is read without the segments that lie days away from it', async () => {
  const directory = await temporaryDirectory();
  const days = ['11-01', '11-02', '11-10', '11-20', '11-21'];
  const segments = days.map((day) => ({
    records: [{ ts: `2026-${day}T08:00:00.000Z`, event: `d${day.slice(3)}` }],
    reason: 'rotated',
  }));
  const [first = '', , , , last = ''] = await writeTrail(directory, 'gw-1', chainA, segments);
  // Whoever reads them anyway has to tell that they are damaged.
  for (const path of [first, last])
    await writeFile(path, `${(await readFile(path, 'utf8')).split('\n')[0]}\nx\n`);
  const range = { from: Date.parse('2026-11-10'), to: Date.parse('2026-11-11') };
  assert.deepEqual(await read([directory], range), { texts: ['gw-1 d10'], damages: [] });
});

test('instances of the same name are told apart by their directories', async () => {
  const [one, two] = [await temporaryDirectory(), await temporaryDirectory()];
  for (const [directory, chain] of [
    [one, chainA],
    [two, chainB],
  ] as const)
    await writeTrail(directory, 'gw', chain, [{ records: [at('08:00:00', 'a')], reason: 'stopped' }]);
  assert.deepEqual((await read([one, two])).texts.toSorted(), [`${one}/gw a`, `${two}/gw a`].toSorted());
});
