/**
 * Fails every single step that the trail makes on the file system, one after the other, and looks at the disk
 * afterwards: nothing goes up without a durable intent, nothing is confirmed that is not there.
 */
import assert from 'node:assert/strict';
import { appendFile, cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import { readOwners } from '../../src/audit/owner.ts';
import type { Trail } from '../../src/audit/trail.ts';
import { verifyTrail } from '../../src/audit/verify.ts';
import { ScimError } from '../../src/scim/error.ts';
import {
  aCall,
  anOperation,
  each,
  instance,
  openTrail,
  readRecords,
  segmentPaths,
  temporaryDirectory,
  upstreamCall,
} from '../audit/support.ts';
import { SteppedFiles, type Remains, unsyncedFiles } from './stepped-files.ts';

type Fault = 'error' | 'short write';

/** The real file system, of which the steps number `first` to `first + count - 1` fail. */
class FaultyFiles extends SteppedFiles {
  readonly #fault: Fault;
  readonly #first: number;
  readonly #count: number;

  constructor(fault: Fault, first: number, count: number) {
    super();
    this.#fault = fault;
    this.#first = first;
    this.#count = count;
  }

  protected async carryOut<T>(work: () => Promise<T>, { half, always }: Remains<T>): Promise<T> {
    const fails = this.steps >= this.#first && this.steps < this.#first + this.#count;
    if (!fails) return work();
    if (this.#fault === 'short write') return (half ?? work)();
    await half?.();
    await always?.();
    throw Object.assign(new Error('injected'), { code: 'EIO' });
  }
}

interface Seen {
  /** Ids of calls that went up, and of calls whose request record was confirmed. */
  readonly wentUp: string[];
  readonly confirmed: string[];
  notes: number;
}

async function callOnce(trail: Trail, id: string, seen: Seen): Promise<void> {
  try {
    const entry = trail.open(aCall({ id }));
    entry.add({ operation: anOperation({ effect: 'write', kind: 'delete', id: '4711' }) });
    const upstream = await entry.intend(upstreamCall);
    seen.wentUp.push(id);
    await upstream.close({ result: 'success', sent: true, status: 204 });
    if (await entry.close({ status: 204 })) seen.confirmed.push(id);
  } catch (error) {
    assert.ok(error instanceof ScimError && error.kind === 'audit-unavailable', String(error));
  }
}

async function untilReady(trail: Trail): Promise<void> {
  for (let tries = 0; !trail.ready; tries += 1) {
    assert.ok(tries < 400, 'the trail does not recover');
    await pause(5);
  }
}

/** Calls one by one and together, over rotations. Ends when the trail has come back to life, which it must. */
async function live(trail: Trail, seen: Seen): Promise<void> {
  for (const id of ['a', 'b']) {
    await untilReady(trail);
    await callOnce(trail, id, seen);
  }
  await untilReady(trail);
  await Promise.all(['c', 'd', 'e', 'f'].map((id) => callOnce(trail, id, seen)));
  await untilReady(trail);
  await trail.note('n').then(
    () => (seen.notes += 1),
    () => undefined,
  );
  await untilReady(trail);
}

/** What a killed process leaves: an open call, no footer, and a line that breaks off. */
async function leaveCrash(): Promise<string> {
  await using opened = await openTrail();
  await opened.trail.open(aCall({ id: 'crashed' })).intend(upstreamCall);
  const directory = await temporaryDirectory();
  await cp(opened.directory, directory, { recursive: true });
  for (const { path } of await readOwners(join(directory, instance))) await rm(path);
  const [segment = ''] = await segmentPaths(directory);
  await appendFile(segment, '{"v":1,"seq":4,"prev":"');
  return directory;
}

async function runWith(files: FaultyFiles, crashed: string): Promise<void> {
  const directory = await temporaryDirectory();
  await cp(crashed, directory, { recursive: true });
  const seen: Seen = { wentUp: [], confirmed: [], notes: 0 };
  const limits = { segmentBytes: 2500, probeMs: 5 };
  const opened = await openTrail({ directory, files, limits }).catch(() => undefined);
  if (opened) {
    await live(opened.trail, seen);
    await opened.trail[Symbol.asyncDispose]();
  }
  await using after = await openTrail({ directory, files: unsyncedFiles });
  const records = await readRecords(directory);
  const has = (event: string, req: string): boolean =>
    records.some((record) => record.event === event && record['req'] === req);
  assert.deepEqual(
    seen.wentUp.filter((id) => !has('upstream.intent', id)),
    [],
    'went up without an intent on disk',
  );
  assert.deepEqual(
    seen.confirmed.filter((id) => !has('request.outcome', id)),
    [],
    'confirmed but not on disk',
  );
  assert.ok(records.filter(({ event }) => event === 'n').length >= seen.notes);
  const closed = new Set(records.map(({ intent }) => intent));
  const open = records.filter(({ event, seq }) => event === 'upstream.intent' && !closed.has(seq));
  assert.deepEqual(open, [], 'an intent without any outcome after the restart');
  const { verdict, instances } = await verifyTrail(directory);
  assert.equal(verdict, 'ok', JSON.stringify(instances[0]?.findings));
  await after.trail.note('n');
}

const never = Number.POSITIVE_INFINITY;

for (const [fault, count] of [
  ['error', 1],
  ['error', 4],
  ['short write', 3],
] as const) {
  test(`with ${count} × ${fault} at any step the trail keeps its promises and recovers`, async () => {
    const crashed = await leaveCrash();
    const clean = new FaultyFiles(fault, never, 0);
    await runWith(clean, crashed);
    assert.ok(clean.steps > 60);
    await each(clean.steps, (n) =>
      assert.doesNotReject(runWith(new FaultyFiles(fault, n + 1, count), crashed), `step ${n + 1}`),
    );
  });
}
