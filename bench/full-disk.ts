/**
 * How long it takes from a full disk to the first refusal, and from the return of space until calls are taken again.
 *
 *   node bench/full-disk.ts [rounds, default 10]
 */
import { setTimeout as pause } from 'node:timers/promises';

import { realFiles, type Files, type OpenFile } from '../src/audit/files.ts';
import { Journal } from '../src/audit/journal.ts';
import { createSmallDisk } from '../test/support/small-disk.ts';

const rounds = Number(process.argv[2] ?? 10);
const ballastBytes = 64 * 1024 * 1024;
await using disk = await createSmallDisk(2 * ballastBytes);

let fullAt = 0;
/** Notes when the disk said for the first time that it is full. */
const watched = (file: OpenFile): OpenFile => ({
  ...file,
  write: async (bytes, offset) => {
    try {
      return await file.write(bytes, offset);
    } catch (error) {
      fullAt ||= performance.now();
      throw error;
    }
  },
});
const files: Files = {
  ...disk.files,
  create: async (path, mode) => watched(await disk.files.create(path, mode)),
  open: async (path) => watched(await disk.files.open(path)),
};
await using journal = await Journal.open({
  directory: disk.directory,
  instance: 'bench',
  inst: { name: 'bench' },
  secret: Buffer.alloc(32, 7),
  limits: { ballastBytes },
  files,
});
// The ballast is put aside a second after the start.
while (
  (await realFiles.look(`${disk.directory}/bench/ballast`).catch(() => ({ bytes: 0 }))).bytes < ballastBytes
)
  await pause(50);

const refusals: number[] = [];
const recoveries: number[] = [];
for (let round = 0; round < rounds; round += 1) {
  await disk.fill();
  fullAt = 0;
  while (
    await journal.append('bench', { padding: 'x'.repeat(700) }).then(
      () => true,
      () => false,
    )
  )
    continue; // until it is refused
  refusals.push(performance.now() - fullAt);
  await pause(500);
  const at = performance.now();
  await disk.empty();
  while (!journal.accepting) await pause(1);
  recoveries.push(performance.now() - at);
}
const told = (values: readonly number[]): string =>
  `median ${(values.toSorted((a, b) => a - b)[rounds >> 1] ?? 0).toFixed(1)} ms, slowest ${Math.max(...values).toFixed(1)} ms`;
console.log(`${disk.isReal ? 'a real file system' : 'counted files'}, ballast 64 MiB, ${rounds} rounds`);
console.log(`from ENOSPC to the first refusal: ${told(refusals)} (target 100)`);
console.log(`from the return of space until calls are taken: ${told(recoveries)} (target 5000)`);
