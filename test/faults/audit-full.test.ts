/** A disk that is really full: what was kept for that day lets the trail say so, and end in order. */
import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import { ballastFile } from '../../src/audit/ballast.ts';
import { parseCheckpoint } from '../../src/audit/note.ts';
import type { Trail } from '../../src/audit/trail.ts';
import { verifyTrail } from '../../src/audit/verify.ts';
import { instance, openTrail, readRecords, type OpenedTrail } from '../audit/support.ts';
import { eventually } from '../support/eventually.ts';
import { createSmallDisk, type SmallDisk } from '../support/small-disk.ts';

const diskBytes = 8 * 1024 * 1024;
const ballastBytes = 2 * 1024 * 1024;

function openOn({ directory, files }: SmallDisk, bytes = ballastBytes): Promise<OpenedTrail> {
  return openTrail({ directory, files, limits: { ballastBytes: bytes, probeMs: 20, checkpointMs: 20 } });
}

async function ballastOf({ directory }: SmallDisk): Promise<number> {
  return (await stat(join(directory, instance, ballastFile)).catch(() => ({ size: 0 }))).size;
}

/** A block may have room for some lines yet. */
async function untilRefused(trail: Trail): Promise<void> {
  for (let n = 0; n < 1000; n += 1)
    try {
      await trail.note('n', { padding: 'x'.repeat(500) });
    } catch {
      return; // which is what was waited for
    }
  assert.fail('the disk is not full');
}

test('a full disk is told in the trail at once, and calls are refused until there is other space', async () => {
  await using disk = await createSmallDisk(diskBytes);
  const { trail, directory } = await openOn(disk);
  await eventually(async () => (await ballastOf(disk)) === ballastBytes);
  await disk.fill();
  await untilRefused(trail);
  const failures = async () => (await readRecords(directory)).filter(({ event }) => event === 'audit.failed');
  await eventually(async () => (await failures()).length > 0);
  assert.equal((await failures())[0]?.['code'], 'ENOSPC');
  await pause(300);
  assert.equal(trail.ready, false, 'the space of the ballast is not for calls');
  await disk.empty();
  await eventually(async () => trail.ready);
  assert.equal(await ballastOf(disk), ballastBytes);
  await trail.note('after');
  await trail[Symbol.asyncDispose]();
  const events = (await readRecords(directory)).map(({ event }) => event).filter((event) => event !== 'n');
  assert.deepEqual(events, [
    'audit.segment_opened',
    'audit.failed',
    'audit.recovered',
    'after',
    'audit.segment_closed',
  ]);
  assert.equal((await verifyTrail(directory)).verdict, 'ok');
});

test('a process that ends on a full disk leaves its stop, a footer and the last checkpoint', async () => {
  await using disk = await createSmallDisk(diskBytes);
  const { trail, directory } = await openOn(disk);
  await eventually(async () => (await ballastOf(disk)) === ballastBytes);
  await disk.fill();
  await untilRefused(trail);
  await trail.remember('process.stop');
  await trail[Symbol.asyncDispose]();
  const records = await readRecords(directory);
  assert.deepEqual(
    records.slice(-3).map(({ event }) => event),
    ['audit.failed', 'process.stop', 'audit.segment_closed'],
  );
  const checkpoint = parseCheckpoint(await readFile(join(directory, instance, 'checkpoint'), 'utf8'));
  assert.equal(checkpoint?.size, records.at(-1)?.seq);
  assert.equal((await verifyTrail(directory)).verdict, 'ok');
});

test('without a ballast the end of the trail is missing on a full disk', async () => {
  await using disk = await createSmallDisk(diskBytes);
  const { trail, directory } = await openOn(disk, 0);
  await disk.fill();
  await untilRefused(trail);
  await trail.remember('process.stop');
  await trail[Symbol.asyncDispose]();
  assert.equal((await verifyTrail(directory)).verdict, 'truncated');
});

test('what a former process put aside is used, and goes where none is wanted any more', async () => {
  await using disk = await createSmallDisk(diskBytes);
  await (await openOn(disk)).trail[Symbol.asyncDispose]();
  const second = await openOn(disk);
  await eventually(async () => (await ballastOf(disk)) === ballastBytes);
  await second.trail[Symbol.asyncDispose]();
  const third = await openOn(disk, 0);
  await eventually(async () => (await ballastOf(disk)) === 0);
  await third.trail[Symbol.asyncDispose]();
});
