/** Segments whose time is over: gone with a trace, and gaps of any other kind stay tampering. */
import assert from 'node:assert/strict';
import { chmod, cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test } from 'node:test';

import { expiredFile } from '../../src/audit/expired.ts';
import { realFiles, type Files, type OpenFile } from '../../src/audit/files.ts';
import { Journal, type JournalOptions } from '../../src/audit/journal.ts';
import { readPublishedKeys } from '../../src/audit/published-keys.ts';
import { verifyTrail, type TrailReport } from '../../src/audit/verify.ts';
import { each, instance, readRecords, segmentPaths, temporaryDirectory } from './support.ts';

function open(directory: string, changes: Partial<JournalOptions> = {}): Promise<Journal> {
  return Journal.open({ directory, instance, inst: {}, secret: Buffer.alloc(32, 7), ...changes });
}

/** Segments with some records each, all of them closed. */
async function writeTrail(segments: number): Promise<string> {
  const directory = await temporaryDirectory();
  for (let n = 0; n < segments; n += 1) {
    await using journal = await open(directory);
    for (let record = 0; record < 4; record += 1) await journal.append('n', {});
  }
  return directory;
}

/** Removes all segments that are closed when it is called. */
async function expireAll(directory: string): Promise<number> {
  await using journal = await open(directory);
  return await journal.expire(new Date(Date.now() + 1000));
}

function told({ verdict, instances }: TrailReport): unknown[] {
  const [report] = instances;
  return [verdict, report?.expired, report?.findings.map(({ reason }) => reason).join(' ')];
}

async function remainsOf(directory: string): Promise<string> {
  const files = await readdir(join(directory, instance));
  return join(directory, instance, files.find((file) => file.startsWith('expired-')) ?? '');
}

test('segments whose time is over leave a trail that verifies, from root key to last checkpoint', async () => {
  const directory = await writeTrail(3);
  assert.equal(await expireAll(directory), 3);
  const keys = await readPublishedKeys(join(directory, instance));
  const checkpoint = await readFile(join(directory, instance, 'checkpoint'), 'utf8');
  const report = await verifyTrail(directory, { rootKeys: keys, checkpoints: [checkpoint] });
  assert.deepEqual(told(report), ['ok', 3, '']);
  const tombstones = (await readRecords(directory)).filter(({ event }) => event === 'audit.segment_expired');
  assert.deepEqual(
    tombstones.map((record) => record['segment']),
    [1, 2, 3],
  );
});

test('no line has a member twice, so that no reader has to choose', async () => {
  const directory = await writeTrail(2);
  await expireAll(directory);
  const texts = await Promise.all((await segmentPaths(directory)).map((path) => readFile(path, 'utf8')));
  const lines = [...texts, await readFile(await remainsOf(directory), 'utf8')].join('').trim().split('\n');
  assert.ok(lines.some((line) => line.includes('audit.segment_expired')));
  assert.deepEqual(
    lines.filter((line) => JSON.stringify(JSON.parse(line)) !== line),
    [],
  );
});

test('what has expired stays accounted for when the record of it expires, too', async () => {
  const directory = await writeTrail(2);
  for (const expected of [2, 1, 1]) assert.equal(await expireAll(directory), expected);
  const keys = await readPublishedKeys(join(directory, instance));
  assert.deepEqual(told(await verifyTrail(directory, { rootKeys: keys })), ['ok', 4, '']);
});

test('only segments that ended before the time that is named are removed', async () => {
  const directory = await writeTrail(2);
  {
    await using journal = await open(directory);
    assert.equal(await journal.expire(new Date(Date.now() - 60_000)), 0);
  }
  assert.equal((await segmentPaths(directory)).length, 3);
});

test('a running trail removes what is older than it is told to keep', async () => {
  const directory = await writeTrail(2);
  await using journal = await open(directory, { limits: { keepMs: -1000, checkpointMs: 5 } });
  for (let tries = 0; (await segmentPaths(directory)).length > 1; tries += 1) {
    assert.ok(tries < 2000, 'nothing is removed');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await journal[Symbol.asyncDispose]();
  assert.deepEqual(told(await verifyTrail(directory)), ['ok', 2, '']);
});

test('a segment that was removed by anybody else stays a loss', async () => {
  const directory = await writeTrail(4);
  const [first = ''] = await segmentPaths(directory);
  await cp(first, `${first}.kept`);
  assert.equal(await expireAll(directory), 4);
  const left = await segmentPaths(directory);
  assert.equal(left.length, 1);
  await rm(await remainsOf(directory));
  const [verdict, expired, reasons] = told(await verifyTrail(directory));
  assert.deepEqual([verdict, expired], ['tampered', 0]);
  assert.match(String(reasons), /Segments 1 to 4 before this one are missing/);
});

const forgeries: Record<string, (lines: readonly string[]) => readonly (string | undefined)[]> = {
  'that lacks its first pair': (lines) => lines.slice(2),
  'that lacks a pair in the middle': (lines) => lines.toSpliced(2, 2),
  'that lacks its last pair': (lines) => lines.slice(0, -2),
  'with the headers of two segments exchanged': (lines) =>
    lines.with(0, lines[2] ?? '').with(2, lines[0] ?? ''),
  'with the tombstones of two segments exchanged': (lines) =>
    lines.with(1, lines[3] ?? '').with(3, lines[1] ?? ''),
  'with another byte in a header': (lines) =>
    lines.with(2, (lines[2] ?? '').replace('"open":[]', '"open":[ ]')),
  'with another byte in a tombstone': (lines) =>
    lines.with(1, (lines[1] ?? '').replace('"count":', '"count":1')),
};

for (const [what, forge] of Object.entries(forgeries)) {
  test(`an account of removed segments ${what} is found`, async () => {
    const directory = await writeTrail(3);
    await expireAll(directory);
    const path = await remainsOf(directory);
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
    await writeFile(
      path,
      forge(lines)
        .map((line) => `${line}\n`)
        .join(''),
    );
    assert.equal((await verifyTrail(directory)).verdict, 'tampered');
  });
}

test('a tombstone of another trail is no account of this one', async () => {
  const [directory, other] = [await writeTrail(2), await writeTrail(2)];
  await expireAll(directory);
  await expireAll(other);
  const path = await remainsOf(directory);
  const [lines, foreign] = await Promise.all(
    [path, await remainsOf(other)].map(async (file) => (await readFile(file, 'utf8')).split('\n')),
  );
  await writeFile(path, lines?.with(1, foreign?.[1] ?? '').join('\n') ?? '');
  assert.match(
    String(told(await verifyTrail(directory))),
    /tampered.*not a record of this trail|wrong about/,
  );
});

test('segments that were moved to an archive and those that are left are one trail', async () => {
  const directory = await writeTrail(3);
  const archive = await temporaryDirectory();
  await cp(directory, archive, { recursive: true });
  for (const file of await readdir(join(archive, instance)))
    if (!file.startsWith('audit-')) await rm(join(archive, instance, file));
  await expireAll(directory);
  const checkpoint = await readFile(join(directory, instance, 'checkpoint'), 'utf8');
  const report = await verifyTrail([directory, archive], { checkpoints: [checkpoint] });
  assert.deepEqual([...told(report), report.instances.length], ['ok', 0, '', 1]);
  // An archive that lost its oldest segments is completed by the account of them.
  const [oldest = ''] = await segmentPaths(archive);
  await rm(oldest);
  assert.deepEqual(told(await verifyTrail([archive, directory])), ['ok', 1, '']);
});

test('a segment that does not verify is not removed, nor any behind it', async () => {
  const directory = await writeTrail(3);
  const [, second = ''] = await segmentPaths(directory);
  await chmod(second, 0o640);
  await writeFile(second, (await readFile(second, 'utf8')).replace('"event":"n"', '"event":"m"'));
  await assert.rejects(expireAll(directory), { name: 'SegmentUnsound' });
  const left = (await segmentPaths(directory)).map((path) => basename(path).slice(39, 47));
  assert.deepEqual(left, ['00000002', '00000003', '00000004']);
});

/** The real file system, of which one step fails; closing and looking are no steps. */
function filesFailingAt(step: number, count: { steps: number }): Files {
  const fail = async <T>(work: () => Promise<T>): Promise<T> => {
    count.steps += 1;
    if (count.steps === step) throw Object.assign(new Error('injected'), { code: 'EIO' });
    return work();
  };
  const wrap = (file: OpenFile): OpenFile => ({
    ...file,
    write: (bytes, offset) => fail(() => file.write(bytes, offset)),
    dataSync: () => fail(() => file.dataSync()),
    truncate: (length) => fail(() => file.truncate(length)),
  });
  return {
    ...realFiles,
    create: (path, mode) => fail(async () => wrap(await realFiles.create(path, mode))),
    open: (path) => fail(async () => wrap(await realFiles.open(path))),
    remove: (path) => fail(() => realFiles.remove(path)),
    syncDirectory: (path) => fail(() => realFiles.syncDirectory(path)),
  };
}

/** How many steps it took. */
async function removeWithFailure(original: string, step: number): Promise<number> {
  const directory = await temporaryDirectory();
  await cp(original, directory, { recursive: true });
  const count = { steps: 0 };
  try {
    await using journal = await open(directory, {
      files: filesFailingAt(step, count),
      limits: { probeMs: 5 },
    });
    await journal.expire(new Date(Date.now() + 1000));
  } catch {
    // The step that failed was one of the start or of the removal.
  }
  const { verdict, instances } = await verifyTrail(directory);
  assert.notEqual(verdict, 'tampered', `step ${step}: ${JSON.stringify(instances[0]?.findings)}`);
  await expireAll(directory);
  assert.equal((await verifyTrail(directory)).verdict, 'ok', `step ${step}`);
  await rm(directory, { recursive: true });
  return count.steps;
}

test('whatever step of a removal fails, the trail verifies, and the next removal completes it', async () => {
  const original = await writeTrail(2);
  const steps = await removeWithFailure(original, Number.POSITIVE_INFINITY);
  assert.ok(steps > 40, String(steps));
  await each(steps, (n) => removeWithFailure(original, n + 1));
});

test('the account of removed segments may be torn at its end, and is completed', async () => {
  const directory = await writeTrail(2);
  await expireAll(directory);
  const path = await remainsOf(directory);
  await writeFile(path, '{"v":1,"seq":1', { flag: 'a' });
  assert.equal((await verifyTrail(directory)).verdict, 'ok');
  await expireAll(directory);
  assert.deepEqual(told(await verifyTrail(directory)), ['ok', 3, '']);
  assert.ok(path.endsWith(expiredFile(basename(path).slice(8, 40))));
  await mkdir(join(directory, 'away'));
  await rename(path, join(directory, 'away', basename(path)));
  assert.equal((await verifyTrail(join(directory, instance))).verdict, 'tampered');
});
