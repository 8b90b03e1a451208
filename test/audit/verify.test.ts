/** Tampering with a trail on disk, exhaustively where it is small enough: nothing goes unnoticed, nothing sound is accused. */
import assert from 'node:assert/strict';
import { cp, readFile, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';

import { genesis } from '../../src/audit/chain.ts';
import { scanSegment } from '../../src/audit/scan.ts';
import { parseFileName } from '../../src/audit/segment-name.ts';
import { verifyTrail, type TrailReport } from '../../src/audit/verify.ts';
import { openTrail, segmentPaths, temporaryDirectory } from './support.ts';

/** Segments of which the last ends as a clean stop leaves it. */
async function writeTrail(records: readonly number[]): Promise<string> {
  const opened = await openTrail();
  for (const [at, count] of records.entries()) {
    if (at > 0) await opened.restart();
    for (let n = 0; n < count; n += 1) await opened.trail.note('n', {});
  }
  await opened.trail[Symbol.asyncDispose]();
  return opened.directory;
}

class SmallTrail implements AsyncDisposable {
  readonly directory: string;
  readonly paths: readonly string[];

  private constructor(directory: string, paths: readonly string[]) {
    this.directory = directory;
    this.paths = paths;
  }

  static async write(...records: readonly number[]): Promise<SmallTrail> {
    const directory = await writeTrail(records);
    return new SmallTrail(directory, await segmentPaths(directory));
  }

  /** The verdict on a copy in which one segment has another content. */
  async verdictWith(content: Buffer | undefined, segment = 0): Promise<TrailReport> {
    const copy = await temporaryDirectory();
    await cp(this.directory, copy, { recursive: true });
    const original = this.paths[segment] ?? '';
    const path = join(copy, basename(dirname(original)), basename(original));
    await rm(path);
    if (content) await writeFile(path, content);
    const report = await verifyTrail(copy);
    await rm(copy, { recursive: true });
    return report;
  }

  async lines(segment = 0): Promise<string[]> {
    const text = await readFile(this.paths[segment] ?? '', 'utf8');
    return text.split('\n').slice(0, -1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true });
  }
}

const beginning = { seq: 0, head: genesis };

function content(lines: readonly (string | undefined)[]): Buffer {
  return Buffer.from(lines.map((line) => `${line}\n`).join(''));
}

test('a trail of several segments is ok as it was written', async () => {
  await using trail = await SmallTrail.write(3, 4, 5);
  const { verdict, instances } = await verifyTrail(trail.directory);
  assert.equal(verdict, 'ok');
  assert.deepEqual(
    instances.map(({ segments, records, lastSeq }) => ({ segments, records, lastSeq })),
    [{ segments: 3, records: 18, lastSeq: 18 }],
  );
});

test('a cut at every offset of a segment of 60 lines leaves it without its end', async () => {
  await using trail = await SmallTrail.write(58);
  const [path = ''] = trail.paths;
  const name = parseFileName(basename(path));
  assert.ok(name);
  for (let cut = (await readFile(path)).length - 1; cut >= 0; cut -= 1) {
    await truncate(path, cut);
    const { fault, footer } = await scanSegment(path, name, { from: beginning });
    assert.ok(!footer && fault?.kind !== 'changed', `cut at ${cut}`);
    if (cut % 100 === 0) assert.equal((await verifyTrail(trail.directory)).verdict, 'truncated');
  }
});

const edits: Record<string, (lines: readonly string[], at: number) => (string | undefined)[]> = {
  removed: (lines, at) => lines.toSpliced(at, 1),
  repeated: (lines, at) => lines.toSpliced(at, 0, lines[at] ?? ''),
  'swapped with its successor': (lines, at) => lines.toSpliced(at, 2, lines[at + 1] ?? '', lines[at] ?? ''),
};

for (const [what, edit] of Object.entries(edits)) {
  test(`a line that is ${what} is found wherever it stands`, async () => {
    await using trail = await SmallTrail.write(58);
    const lines = await trail.lines();
    // Without the footer the trail has no end, which the test on cuts covers.
    for (let at = 0; at < lines.length - 1; at += 1) {
      const { verdict, instances } = await trail.verdictWith(content(edit(lines, at)));
      assert.equal(verdict, 'tampered', `line ${at + 1}`);
      assert.ok(instances[0]?.findings[0]?.reason);
    }
  });
}

for (const segment of [0, 1, 2]) {
  test(`a trail without its segment ${segment + 1} of 4 is tampered with`, async () => {
    await using trail = await SmallTrail.write(3, 3, 3, 3);
    assert.equal((await trail.verdictWith(undefined, segment)).verdict, 'tampered');
  });
}

test('a line that was rewritten with a right checksum is found by the line after it', async () => {
  await using trail = await SmallTrail.write(5);
  const lines = await trail.lines();
  const forged = (lines[3] ?? '').slice(0, -18).replace('"event":"n"', '"event":"m"');
  const crc = crc32(forged).toString(16).padStart(8, '0');
  const { instances } = await trail.verdictWith(content(lines.with(3, `${forged},"crc":"${crc}"}`)));
  const [finding] = instances[0]?.findings ?? [];
  assert.deepEqual(
    [finding?.verdict, finding?.line, finding?.reason],
    ['tampered', 5, 'The line does not follow from the line before it.'],
  );
});

test('a segment that was cut although others follow is tampered with, not torn', async () => {
  await using trail = await SmallTrail.write(3, 3);
  const whole = await readFile(trail.paths[0] ?? '');
  for (const cut of [whole.length - 1, whole.length - 400, 10, 0])
    assert.equal((await trail.verdictWith(whole.subarray(0, cut))).verdict, 'tampered', `cut at ${cut}`);
});

test('a hole of zeros in the last line is torn, and one before an intact line is tampering', async () => {
  await using trail = await SmallTrail.write(5);
  const lines = (await trail.lines()).slice(0, 5);
  const holed = (at: number): Buffer =>
    content(lines.with(at, (lines[at] ?? '').replace(/"ts":"[^"]*"/, '\0'.repeat(31))));
  assert.equal((await trail.verdictWith(holed(4))).verdict, 'truncated');
  assert.equal((await trail.verdictWith(holed(3))).verdict, 'tampered');
});

test('a trail that is being written is ok, with and without a line in the making', async () => {
  await using opened = await openTrail();
  await opened.trail.note('n');
  assert.equal((await verifyTrail(opened.directory)).verdict, 'ok');
  const [path = ''] = await segmentPaths(opened.directory);
  const whole = await readFile(path);
  await writeFile(path, '{"v":1,"seq":', { flag: 'a' });
  const { verdict, instances } = await verifyTrail(opened.directory);
  assert.deepEqual([verdict, instances[0]?.running], ['ok', true]);
  await truncate(path, whole.length);
});

test('a line of megabytes without an end is refused without being held in memory', async () => {
  await using trail = await SmallTrail.write(2);
  const lines = await trail.lines();
  const endless = Buffer.concat([content(lines.slice(0, 2)), Buffer.alloc(64 * 1024 * 1024, 'x')]);
  assert.equal((await trail.verdictWith(endless)).verdict, 'truncated');
});

test('a directory without segments is not a sound trail', async () => {
  const trail = await SmallTrail.write(2);
  await unlink(trail.paths[0] ?? '');
  assert.equal((await verifyTrail(trail.directory)).verdict, 'truncated');
  await trail[Symbol.asyncDispose]();
});
