/**
 * Stops the writer between any two steps that it makes on the file system, as a kill does, over the birth of a chain,
 * rotations and an end: what is on disk then verifies, goes on, and no checkpoint that was signed is ever contradicted.
 */
import assert from 'node:assert/strict';
import { cp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import type { Files } from '../../src/audit/files.ts';
import { readOwners } from '../../src/audit/owner.ts';
import { verifyTrail } from '../../src/audit/verify.ts';
import { each, instance, openTrail, readRecords, temporaryDirectory } from '../audit/support.ts';
import { SteppedFiles, type Remains, unsyncedFiles } from './stepped-files.ts';

class Stopped extends Error {}

/** The real file system up to a step, and nothing behind it. A write may be the half of it that came to the disk. */
class StoppingFiles extends SteppedFiles {
  readonly #last: number;
  readonly #half: boolean;

  constructor(last: number, half = false) {
    super();
    this.#last = last;
    this.#half = half;
  }

  protected async carryOut<T>(work: () => Promise<T>, { half, always }: Remains<T>): Promise<T> {
    if (this.steps <= this.#last) return work();
    if (this.steps === this.#last + 1 && this.#half) await half?.();
    await always?.();
    throw Object.assign(new Stopped('stopped'), { code: 'EIO' });
  }
}

const limits = { segmentBytes: 1200, probeMs: 100_000, checkpointMs: 100_000 };

/** Notes over rotations, and the numbers of those that were confirmed. */
async function live(directory: string, files: Files): Promise<number[]> {
  const confirmed: number[] = [];
  try {
    const opened = await openTrail({ directory, files, limits });
    for (let n = 0; n < 6; n += 1)
      await opened.trail.note('n', { n }).then(
        () => confirmed.push(n),
        () => undefined,
      );
    await opened.trail[Symbol.asyncDispose]();
  } catch (error) {
    assert.ok(
      error instanceof Error && [error, error.cause].some((found) => found instanceof Stopped),
      String(error),
    );
  }
  return confirmed;
}

async function stopAt(step: number, half: boolean, before: string | undefined): Promise<number> {
  const directory = await temporaryDirectory();
  if (before) await cp(before, directory, { recursive: true });
  const files = new StoppingFiles(step, half);
  const confirmed = await live(directory, files);
  const place = join(directory, instance);
  const left = await readdir(place).catch((): string[] => []);
  const checkpoint = left.includes('checkpoint')
    ? await readFile(join(place, 'checkpoint'), 'utf8')
    : undefined;
  for (const { path } of left.length > 0 ? await readOwners(place) : []) await rm(path);
  if (left.some((file) => file.startsWith('audit-')))
    assert.notEqual((await verifyTrail(directory)).verdict, 'tampered', `stopped after step ${step}`);

  const after = await openTrail({ directory, files: unsyncedFiles });
  await after.trail[Symbol.asyncDispose]();
  const noted = (await readRecords(directory)).filter(({ event }) => event === 'n').map(({ facts }) => facts);
  for (const n of confirmed)
    assert.ok(
      noted.some((facts) => JSON.stringify(facts) === JSON.stringify({ n })),
      `${n} was confirmed and is lost`,
    );
  const { verdict, instances } = await verifyTrail(
    directory,
    checkpoint ? { checkpoints: [checkpoint] } : {},
  );
  assert.equal(verdict, 'ok', `stopped after step ${step}: ${JSON.stringify(instances[0]?.findings)}`);
  const keys = (await readdir(place)).filter((file) => file.endsWith('.key'));
  assert.equal(keys.length, 1, 'the key of a closed segment is left');
  await rm(directory, { recursive: true });
  return files.steps;
}

for (const half of [false, true]) {
  const what = half ? 'in the middle of' : 'between';
  test(`a trail that stops ${what} any two steps goes on, whether it was its first start or not`, async () => {
    const before = await temporaryDirectory();
    const opened = await openTrail({ directory: before });
    await opened.trail[Symbol.asyncDispose]();
    for (const start of [undefined, before]) {
      const steps = await stopAt(Number.POSITIVE_INFINITY, half, start);
      assert.ok(steps > 60, String(steps));
      await each(steps, (at) => stopAt(at, half, start));
    }
  });
}
