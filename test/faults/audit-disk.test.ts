/** A disk that is full, slow, gone or lying: calls are refused, nothing is lost, and the trail recovers by itself. */
import assert from 'node:assert/strict';
import { mkdir, open, readFile, rename, rm, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import { realFiles, type Files, type OpenFile } from '../../src/audit/files.ts';
import { readOwners } from '../../src/audit/owner.ts';
import type { Trail } from '../../src/audit/trail.ts';
import { verifyTrail } from '../../src/audit/verify.ts';
import { ScimError } from '../../src/scim/error.ts';
import {
  aCall,
  anOperation,
  instance,
  openTrail,
  readRecords,
  segmentPaths,
  temporaryDirectory,
  upstreamCall,
  type AuditRecord,
} from '../audit/support.ts';

/** The real file system with one behaviour of open files changed. */
function filesWith(change: (file: OpenFile) => Partial<OpenFile>): Files {
  const wrap = (file: OpenFile): OpenFile => ({ ...file, ...change(file) });
  return {
    ...realFiles,
    create: async (path, mode) => wrap(await realFiles.create(path, mode)),
    open: async (path) => wrap(await realFiles.open(path)),
  };
}

function isUnavailable(error: unknown): boolean {
  return (
    error instanceof ScimError &&
    error.kind === 'audit-unavailable' &&
    error.headers['retry-after'] !== undefined
  );
}

async function untilReady(trail: Trail): Promise<void> {
  for (let waited = 0; !trail.ready; waited += 5) {
    assert.ok(waited < 5000, 'the trail does not recover');
    await pause(5);
  }
}

const fast = { limits: { probeMs: 20 } };

/** /dev/full answers every write with a real ENOSPC. */
class FullDisk implements AsyncDisposable {
  readonly #full: FileHandle;
  isFull = false;

  private constructor(full: FileHandle) {
    this.#full = full;
  }

  static async create(): Promise<FullDisk> {
    return new FullDisk(await open('/dev/full', 'r+'));
  }

  files(): Files {
    return filesWith((file) => ({
      write: async (bytes, offset) => {
        if (!this.isFull) return file.write(bytes, offset);
        return (await this.#full.write(bytes)).bytesWritten;
      },
    }));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#full.close();
  }
}

test('on a full disk calls are refused, and when space returns they are taken again', async () => {
  await using disk = await FullDisk.create();
  await using opened = await openTrail({ ...fast, files: disk.files() });
  const { trail, directory } = opened;
  disk.isFull = true;
  await assert.rejects(trail.open(aCall({ id: 'refused' })).intend(upstreamCall), isUnavailable);
  assert.equal(trail.ready, false);
  assert.throws(() => trail.open(aCall({})), isUnavailable);
  disk.isFull = false;
  await untilReady(trail);
  await trail.open(aCall({})).intend(upstreamCall);

  const records = await readRecords(directory);
  const failed = records.find(({ event }) => event === 'audit.failed');
  assert.deepEqual([failed?.['code'], failed?.['refused']], ['ENOSPC', 1]);
  assert.ok(records.some(({ event }) => event === 'audit.recovered'));
  assert.ok(!records.some((record) => record['req'] === 'refused'));
  assert.equal((await verifyTrail(directory)).verdict, 'ok');
});

test('the outcome of a write that could not be recorded is made up when the disk is back', async () => {
  await using disk = await FullDisk.create();
  await using opened = await openTrail({ ...fast, files: disk.files() });
  const { trail, directory } = opened;
  const entry = trail.open(aCall({ id: 'w' }));
  entry.add({ operation: anOperation({ kind: 'delete', effect: 'write', id: '1' }) });
  const upstream = await entry.intend(upstreamCall);
  disk.isFull = true;
  assert.equal(await upstream.close({ result: 'success', sent: true, status: 204 }), false);
  assert.equal(await entry.close({ status: 204 }), false);
  assert.equal(trail.ready, false);
  disk.isFull = false;
  await untilReady(trail);

  const mine = (await readRecords(directory)).filter((record) => record['req'] === 'w');
  assert.deepEqual(
    mine.map(({ event }) => event),
    ['upstream.intent', 'upstream.outcome', 'request.outcome'],
  );
});

test('a read whose record could not be written is recorded as withheld', async () => {
  await using disk = await FullDisk.create();
  await using opened = await openTrail({ ...fast, files: disk.files() });
  const entry = opened.trail.open(aCall({ id: 'r' }));
  entry.add({ operation: anOperation({}), cache: 'hit' });
  disk.isFull = true;
  assert.equal(await entry.close({ status: 200 }), false);
  disk.isFull = false;
  await untilRecorded(opened.directory, ({ event }) => event === 'request.withheld');

  const mine = (await readRecords(opened.directory)).filter((record) => record['req'] === 'r');
  assert.deepEqual(
    mine.map(({ event }) => event),
    ['request.cache_hit', 'request.withheld'],
  );
});

test('reads that are answered while nothing can be written are kept as far as there is room, and the rest is counted', async () => {
  await using disk = await FullDisk.create();
  // While the trail tries again, what waits is not in the queue; that comes later here.
  const limits = { probeMs: 500, queueRecords: 10 };
  await using opened = await openTrail({ limits, mode: 'fail-closed-writes', files: disk.files() });
  const { trail, directory } = opened;
  disk.isFull = true;
  await assert.rejects(trail.note('n'), isUnavailable);
  for (let n = 0; n < 15; n += 1) {
    const entry = trail.open(aCall({ id: `r${n}` }));
    entry.add({ operation: anOperation({}), cache: 'hit' });
    assert.equal(await entry.close({ status: 200 }), true);
  }
  disk.isFull = false;
  await untilRecorded(directory, ({ event }) => event === 'audit.recovered');
  await opened.restart();
  const records = await readRecords(directory);
  assert.equal(records.filter(({ event }) => event === 'request.cache_hit').length, 10);
  assert.deepEqual(
    records.filter(({ event }) => event === 'audit.gap').map((record) => record['notKept']),
    [5],
  );
});

test('what is still owed at the end is written when the disk allows it then', async () => {
  await using disk = await FullDisk.create();
  const opened = await openTrail({ limits: { probeMs: 60_000 }, files: disk.files() });
  const upstream = await opened.trail.open(aCall({ id: 'late' })).intend(upstreamCall);
  disk.isFull = true;
  assert.equal(await upstream.close({ result: 'success', sent: true }), false);
  disk.isFull = false;
  await opened.trail[Symbol.asyncDispose]();
  const records = await readRecords(opened.directory);
  assert.ok(records.some(({ event }) => event === 'upstream.outcome'));
  assert.equal((await verifyTrail(opened.directory)).verdict, 'ok');
});

test('what a failed write left behind is cut off again', async () => {
  let fails = false;
  const files = filesWith((file) => ({
    write: async (bytes, offset) => {
      if (!fails) return file.write(bytes, offset);
      await file.write(bytes.subarray(0, 100), offset);
      throw Object.assign(new Error('I/O'), { code: 'EIO' });
    },
  }));
  await using opened = await openTrail({ limits: { probeMs: 60_000 }, files });
  const [path = ''] = await segmentPaths(opened.directory);
  const before = await readFile(path);
  fails = true;
  await assert.rejects(opened.trail.note('n'), isUnavailable);
  assert.deepEqual(await readFile(path), before);
});

test('an end that comes while the trail tries to recover waits for it', async () => {
  await using disk = await FullDisk.create();
  const opened = await openTrail({ limits: { probeMs: 1 }, files: disk.files() });
  const upstream = await opened.trail.open(aCall({ id: 'late' })).intend(upstreamCall);
  disk.isFull = true;
  await upstream.close({ result: 'success', sent: true });
  await pause(10);
  disk.isFull = false;
  await pause(1);
  await opened.trail[Symbol.asyncDispose]();
  const outcomes = (await readRecords(opened.directory)).filter(({ event }) => event === 'upstream.outcome');
  assert.equal(outcomes.length, 1);
  assert.equal((await verifyTrail(opened.directory)).verdict, 'ok');
});

test('after a failed fsync the file is never written again, and the next segment says how much of it counts', async () => {
  let fails = false;
  const files = filesWith((file) => ({
    dataSync: () =>
      fails ? Promise.reject(Object.assign(new Error('I/O'), { code: 'EIO' })) : file.dataSync(),
  }));
  await using opened = await openTrail({ ...fast, files });
  const { trail, directory } = opened;
  await trail.note('before');
  fails = true;
  const refused = assert.rejects(trail.note('refused'), isUnavailable);
  await refused;
  fails = false;
  const [tainted = ''] = await segmentPaths(directory);
  const left = await readFile(tainted);
  await untilReady(trail);
  await trail.note('after');

  assert.deepEqual(await readFile(tainted), left);
  const records = await readRecords(directory);
  assert.deepEqual(
    records.map(({ event }) => event),
    ['audit.segment_opened', 'before', 'audit.segment_opened', 'audit.failed', 'audit.recovered', 'after'],
  );
  assert.equal((await verifyTrail(directory)).verdict, 'ok');
});

test('a failed fsync refuses the batch it was for, not the records that came meanwhile', async () => {
  let failures = 0;
  const files = filesWith((file) => ({
    dataSync: async () => {
      await pause(30);
      if (failures-- > 0) throw Object.assign(new Error('I/O'), { code: 'EIO' });
      await file.dataSync();
    },
  }));
  await using opened = await openTrail({ ...fast, files });
  failures = 1;
  const first = opened.trail.note('first');
  await pause(5);
  const second = opened.trail.note('second');
  await assert.rejects(first, isUnavailable);
  await second;
});

/** A disk whose syncs wait while it is held. */
function heldDisk(): { files: Files; hold: () => () => void } {
  let held: Promise<void> = Promise.resolve();
  const files = filesWith((file) => ({
    dataSync: async () => {
      await held;
      await file.dataSync();
    },
  }));
  const hold = (): (() => void) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    held = promise;
    return resolve;
  };
  return { files, hold };
}

async function untilRecorded(directory: string, wanted: (record: AuditRecord) => boolean): Promise<void> {
  for (let waited = 0; !(await readRecords(directory)).some(wanted); waited += 5) {
    assert.ok(waited < 5000, 'the record does not appear');
    await pause(5);
  }
}

test('a slow disk refuses an intent at its deadline, and one that is written late is marked as not sent', async () => {
  const { files, hold } = heldDisk();
  await using opened = await openTrail({ files, deadlineMs: 500 });
  const { trail, directory } = opened;
  const release = hold();
  await assert.rejects(trail.open(aCall({ id: 'late' })).intend(upstreamCall), isUnavailable);
  while (trail.ready) await pause(5);
  release();
  await untilRecorded(directory, (record) => record.event === 'audit.failed' && record['code'] === 'SLOW');
  await untilRecorded(directory, ({ event }) => event === 'upstream.outcome');
  await untilReady(trail);

  const records = await readRecords(directory);
  const intent = records.find((record) => record['req'] === 'late');
  const outcome = records.find((record) => record['intent'] === intent?.seq);
  assert.deepEqual(outcome?.['outcome'], { result: 'failure', sent: false, error: 'audit-unavailable' });
});

const absences: Record<string, (path: string) => Promise<() => Promise<void>>> = {
  'is moved away': async (path) => {
    await rename(path, `${path}-away`);
    return () => rename(`${path}-away`, path);
  },
  'is replaced by a file': async (path) => {
    await rename(path, `${path}-away`);
    await writeFile(path, '');
    return async () => {
      await rm(path);
      await rename(`${path}-away`, path);
    };
  },
};

for (const [what, takeAway] of Object.entries(absences)) {
  test(`while the directory ${what} calls are refused, and when it is back they are taken again`, async () => {
    await using opened = await openTrail(fast);
    const { trail, directory } = opened;
    await trail.note('before');
    const bringBack = await takeAway(join(directory, instance));
    await assert.rejects(trail.note('lost'), isUnavailable);
    await pause(100);
    assert.equal(trail.ready, false);
    await bringBack();
    await untilReady(trail);
    await trail.note('after');
    assert.equal((await verifyTrail(directory)).verdict, 'ok');
  });
}

test('a segment that was interrupted is as closed as any when its successor has said how much of it counts', async () => {
  await using opened = await openTrail(fast);
  const { trail, directory } = opened;
  await trail.note('before');
  const bringBack = await absences['is moved away']?.(join(directory, instance));
  await assert.rejects(trail.note('lost'), isUnavailable);
  await bringBack?.();
  await untilReady(trail);
  await trail.note('after');
  const modes = await Promise.all(
    (await segmentPaths(directory)).map(async (path) => (await stat(path)).mode & 0o777),
  );
  assert.deepEqual(modes, [0o440, 0o640]);
});

test('in a fresh directory the trail goes on, says who owns it, and the missing past is found', async () => {
  await using opened = await openTrail(fast);
  const { trail, directory } = opened;
  const path = join(directory, instance);
  await rename(path, `${path}-away`);
  await mkdir(path);
  await assert.rejects(trail.note('lost'), isUnavailable);
  await untilReady(trail);
  await trail.note('after');
  const owners = await readOwners(path);
  assert.deepEqual(
    owners.map(({ pid, alive }) => [pid, alive]),
    [[process.pid, true]],
  );
  await rm(`${path}-away`, { recursive: true });
  assert.equal((await verifyTrail(directory)).verdict, 'tampered');
});

test('a file that somebody else writes to is left at once', async () => {
  await using opened = await openTrail(fast);
  const { trail, directory } = opened;
  const [path = ''] = await segmentPaths(directory);
  await writeFile(path, `${'x'.repeat(500)}\n`, { flag: 'a' });
  await assert.rejects(trail.note('n'), isUnavailable);
  await untilReady(trail);
  await trail.note('n');
  assert.equal((await segmentPaths(directory)).length, 2);
  assert.equal((await verifyTrail(directory)).verdict, 'ok');
});

test('the queue is bounded, and what does not fit is refused at once', async () => {
  const { files, hold } = heldDisk();
  await using opened = await openTrail({ files, limits: { queueRecords: 10 } });
  const release = hold();
  const first = opened.trail.note('first');
  await pause(20);
  const notes = Array.from({ length: 15 }, () => opened.trail.note('n'));
  const settled = Promise.allSettled(notes);
  await assert.rejects(notes[14] ?? first, isUnavailable);
  release();
  const written = (await settled).filter(({ status }) => status === 'fulfilled');
  assert.equal(written.length, 10);
  await first;
});

test('a segment that is full is closed and followed by another, also while calls are open', async () => {
  await using opened = await openTrail({ limits: { segmentBytes: 1500 } });
  const { trail, directory } = opened;
  const upstream = await trail.open(aCall({ id: 'open' })).intend(upstreamCall);
  for (let n = 0; n < 10; n += 1) await trail.note('n');
  const headers = (await readRecords(directory)).filter(({ event }) => event === 'audit.segment_opened');
  assert.ok(headers.length > 2);
  assert.deepEqual(headers.at(-1)?.['open'], [{ intent: 2, req: 'open' }]);
  await upstream.close({ result: 'success', sent: true });
  await opened.restart();
  const unknown = (await readRecords(directory)).filter(isUnknown);
  assert.deepEqual(unknown, []);
});

test('a call that is open over a rotation is unknown after a restart', async () => {
  await using opened = await openTrail({ limits: { segmentBytes: 1500 } });
  await opened.trail.open(aCall({ id: 'open' })).intend(upstreamCall);
  for (let n = 0; n < 10; n += 1) await opened.trail.note('n');
  await opened.restart();
  const unknown = (await readRecords(opened.directory)).filter(isUnknown);
  assert.deepEqual(
    unknown.map((record) => record['req']),
    ['open'],
  );
  await opened.restart();
  assert.equal((await readRecords(opened.directory)).filter(isUnknown).length, 1);
});

function isUnknown({ event }: AuditRecord): boolean {
  return event === 'request.outcome_unknown';
}

test('a trail cannot begin where there is no directory to write to', async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, 'file');
  await writeFile(file, '');
  await assert.rejects(openTrail({ directory: file }), { code: 'ENOTDIR' });
});
