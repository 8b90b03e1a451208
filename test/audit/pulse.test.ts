/** What a trail does by itself: checkpoints while something comes, a heartbeat while nothing does. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import { parseCheckpoint } from '../../src/audit/note.ts';
import { verifyTrail } from '../../src/audit/verify.ts';
import { instance, openTrail, readRecords } from './support.ts';

async function sizeOf(directory: string): Promise<number> {
  const note = await readFile(join(directory, instance, 'checkpoint'), 'utf8').catch(() => '');
  return parseCheckpoint(note)?.size ?? 0;
}

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  for (let waited = 0; !(await holds()); waited += 10) {
    assert.ok(waited < 20_000, what);
    await pause(10);
  }
}

test('what is recorded is covered by a checkpoint soon after', async () => {
  await using opened = await openTrail({ limits: { checkpointMs: 20 } });
  await opened.trail.note('n');
  await until(async () => (await sizeOf(opened.directory)) === 2, 'no checkpoint comes');
  await opened.trail.note('n');
  await until(async () => (await sizeOf(opened.directory)) === 3, 'no second checkpoint comes');
  assert.equal((await verifyTrail(opened.directory)).verdict, 'ok');
});

test('a trail on which nothing is recorded says so, and the checkpoint goes with it', async () => {
  await using opened = await openTrail({ limits: { checkpointMs: 10, heartbeatMs: 50 } });
  const beats = async (): Promise<number> =>
    (await readRecords(opened.directory)).filter(({ event }) => event === 'audit.heartbeat').length;
  await until(async () => (await beats()) >= 3, 'the trail stays silent');
  await until(async () => (await sizeOf(opened.directory)) >= 4, 'the checkpoint stays behind');
});

test('the end of every segment has a checkpoint of its own, and the end of the trail is covered', async () => {
  await using opened = await openTrail({ limits: { segmentBytes: 1200 } });
  for (let n = 0; n < 12; n += 1) await opened.trail.note('n');
  await opened.trail[Symbol.asyncDispose]();
  const files = await readdir(join(opened.directory, instance));
  const segments = files.filter((file) => file.startsWith('audit-')).length;
  assert.ok(segments > 2);
  assert.equal(files.filter((file) => /^checkpoint-\d{8}$/.test(file)).length, segments);
  const { instances } = await verifyTrail(opened.directory);
  assert.equal(await sizeOf(opened.directory), instances[0]?.lastSeq);
});
