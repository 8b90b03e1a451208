/** Warnings before the trail's file system is full. */
import assert from 'node:assert/strict';
import { mkdtempDisposable, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { fileOf } from '../../src/audit/segment-name.ts';
import { grownWithinADay, SpaceWatch, type SpaceWarning } from '../../src/gateway/space.ts';
import { startGateway } from '../support/gateway.ts';

const total = 1_000_000;

async function toldOver(frees: readonly number[], bytesPerDay: number): Promise<(number | undefined)[]> {
  const told: SpaceWarning[] = [];
  let freeBytes = total;
  using watch = new SpaceWatch({
    space: () => Promise.resolve({ freeBytes, totalBytes: total }),
    bytesPerDay: () => Promise.resolve(bytesPerDay),
    tell: (warning) => void told.push(warning),
  });
  for (const free of frees) {
    freeBytes = free;
    await watch.check();
  }
  return told.map((warning) => (bytesPerDay > 0 ? warning.daysLeft : warning.freePercent));
}

test('a disk that fills is told of at each threshold, once', async () => {
  const frees = [900_000, 310_000, 290_000, 280_000, 70_000, 60_000, 9000, 8000];
  assert.deepEqual(await toldOver(frees, 10_000), [29, 7, 0.9]);
});

test('a disk that others fill is told of by what is left of it', async () => {
  assert.deepEqual(await toldOver([900_000, 99_000, 49_000, 48_000, 9000], 0), [9.9, 4.9, 0.9]);
});

test('space that came back and went again is told of again', async () => {
  assert.deepEqual(await toldOver([290_000, 900_000, 290_000], 10_000), [29, 29]);
});

test('the growth of a day is that of the segments written to within it', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-space-'));
  const put = async (number: number, bytes: number, age: number): Promise<void> => {
    const path = join(directory.path, fileOf({ chain: 'a'.repeat(32), number, firstSeq: number }));
    await writeFile(path, Buffer.alloc(bytes));
    const at = new Date(Date.now() - age);
    await utimes(path, at, at);
  };
  await put(1, 1000, 25 * 3_600_000);
  await put(2, 100, 23 * 3_600_000);
  await put(3, 10, 0);
  await writeFile(join(directory.path, 'ballast'), Buffer.alloc(5000));
  assert.equal(await grownWithinADay(directory.path), 110);
});

test('what is free for the trail is a figure', async () => {
  await using gateway = await startGateway();
  const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  const [, free = ''] = /^gatehouse_audit_free_bytes (\S+)$/m.exec(text) ?? [];
  assert.ok(Number(free) > 0);
});
