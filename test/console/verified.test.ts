/** What a verification says of the past: a chain that was longer here, or was here at all, is missed, and that is recorded. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFile, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { before, test } from 'node:test';

import { encodeKey } from '../../src/audit/note.ts';
import { publishedKeysFile } from '../../src/audit/published-keys.ts';
import type { TrailOptions } from '../../src/audit/trail.ts';
import { witnessedFile } from '../../src/audit/witness-client.ts';
import { openWitness, serve } from '../../src/cli/witness.ts';
import type { VerifyJob } from '../../src/console/api/record.ts';
import { VerifyJobs, type VerifyWork } from '../../src/console/trail/verify-jobs.ts';
import { instance, openTrail, segmentPaths, temporaryDirectory, type OpenedTrail } from '../audit/support.ts';
import { startConsole } from '../support/console.ts';
import { eventually } from '../support/eventually.ts';

/** Two trails of two segments, as clean stops leave them. */
let original: string;

before(async () => {
  original = await temporaryDirectory();
  for (const name of [instance, 'gw-2']) {
    await using opened = await writeTrail();
    await opened.trail[Symbol.asyncDispose]();
    await cp(join(opened.directory, instance), join(original, name), { recursive: true });
  }
});

async function writeTrail(changes: Partial<TrailOptions> = {}): Promise<OpenedTrail> {
  const opened = await openTrail(changes);
  await opened.trail.note('n');
  await opened.restart();
  await opened.trail.note('n');
  return opened;
}

/** As an administrator on the host can: the last segment, and whatever says that it was there. */
async function cutOff(directory: string): Promise<void> {
  const last = (await segmentPaths(directory)).at(-1) ?? '';
  await rm(last);
  for (const file of await readdir(dirname(last)))
    if (/^checkpoint(?:-\d+)?$/.test(file)) await rm(join(dirname(last), file));
}

class Place {
  readonly trails: string;
  readonly directory: string;
  key = Buffer.alloc(32, 5);

  private constructor(root: string) {
    this.trails = join(root, 'audit');
    this.directory = join(root, 'index');
  }

  static async of(trails: string): Promise<Place> {
    const place = new Place(await temporaryDirectory());
    await mkdir(place.trails);
    await cp(trails, place.trails, { recursive: true });
    return place;
  }

  /** Each time as a new process does. */
  async verify(witness?: VerifyWork['witness']): Promise<VerifyJob> {
    const { promise, resolve } = Promise.withResolvers<VerifyJob>();
    await using jobs = new VerifyJobs({
      trails: this.trails,
      directory: this.directory,
      key: this.key,
      onDone: resolve,
      ...(witness && { witness }),
    });
    jobs.start('auditor');
    return await promise;
  }
}

const reasonsOf = ({ findings = [] }: VerifyJob): string => findings.map(({ reason }) => reason).join(' ');

test('a chain whose end was cut off after it was verified here is missed, however often one asks', async () => {
  const place = await Place.of(original);
  assert.equal((await place.verify()).verdict, 'ok');
  await cutOff(place.trails);
  for (let turn = 0; turn < 2; turn += 1) {
    const job = await place.verify();
    assert.equal(job.verdict, 'truncated');
    assert.match(reasonsOf(job), /verified here at .+ with \d+ records; it ends at \d+\./);
    assert.deepEqual(
      job.instances?.map(({ verdict }) => verdict),
      ['truncated', 'ok'],
    );
  }
});

test('a chain that was verified here and is gone is missed', async () => {
  const place = await Place.of(original);
  await place.verify();
  await rm(join(place.trails, instance), { recursive: true });
  const job = await place.verify();
  assert.equal(job.verdict, 'truncated');
  assert.match(reasonsOf(job), /^gw-1 \(chain [0-9a-f]{32}\) had \d+ records .+ It is gone\.$/);
});

test('a line that somebody made fit a shorter chain is not believed, and that is told until the chain is verified anew', async () => {
  const place = await Place.of(original);
  await place.verify();
  const file = join(place.directory, 'verified.json');
  const book: Record<string, { instance: string; lastSeq: number }> = JSON.parse(
    await readFile(file, 'utf8'),
  );
  for (const line of Object.values(book)) if (line.instance === instance) line.lastSeq -= 2;
  await writeFile(file, JSON.stringify(book));
  const job = await place.verify();
  assert.equal(job.verdict, 'incomplete');
  assert.match(reasonsOf(job), /^What verified\.json says of [0-9a-f]{32} is not what was written here/);
  assert.equal((await place.verify()).verdict, 'ok');
});

for (const [what, spoil] of [
  ['is no JSON', (place: Place) => writeFile(join(place.directory, 'verified.json'), '{"')],
  ['was sealed by another installation', async (place: Place) => void (place.key = Buffer.alloc(32, 6))],
] as const)
  test(`where what was verified ${what}, nothing is known of before, and what is verified now is kept`, async () => {
    const place = await Place.of(original);
    await place.verify();
    await spoil(place);
    assert.equal((await place.verify()).verdict, 'incomplete');
    assert.equal((await place.verify()).verdict, 'ok');
    await cutOff(place.trails);
    assert.equal((await place.verify()).verdict, 'truncated');
  });

test('a chain that has grown, and one that is new, are not missed', async () => {
  await using opened = await writeTrail();
  const place = await Place.of(opened.directory);
  await place.verify();
  await opened.restart();
  await cp(opened.directory, place.trails, { recursive: true, force: true });
  await cp(join(original, 'gw-2'), join(place.trails, 'gw-2'), { recursive: true });
  const job = await place.verify();
  assert.deepEqual(
    job.instances?.map(({ verdict }) => verdict),
    ['ok', 'ok'],
  );
});

test('with a witness a verification says how far it vouches, and finds an end that was never verified here', async () => {
  const directory = await temporaryDirectory();
  const witness = await openWitness(directory, 'witness.example/w1');
  await using server = serve(witness).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await using opened = await openTrail({ witness: { url, key: witness.verifier } });
  const own = join(opened.directory, instance);
  await copyFile(join(own, publishedKeysFile), join(directory, 'logs', 'gw-1.pub'));
  await opened.restart();
  await opened.restart();
  await opened.trail[Symbol.asyncDispose]();
  await eventually(async () => (await readdir(own)).includes(witnessedFile));
  const given = { url, publicKey: encodeKey(witness.verifier) };

  const [covered] = (await (await Place.of(opened.directory)).verify(given)).instances ?? [];
  assert.equal(covered?.verdict, 'ok');
  assert.equal(covered.coveredTo, covered.records);
  assert.ok(covered.witnessedAt);

  const place = await Place.of(opened.directory);
  await cutOff(place.trails);
  await rm(join(place.trails, instance, witnessedFile));
  assert.equal((await place.verify()).verdict, 'ok');
  const job = await place.verify(given);
  assert.equal(job.verdict, 'truncated');
  assert.match(reasonsOf(job), /The checkpoint that was given says that the trail reached line/);
});

test('the verdict stands in the trail, also where nobody waits for it', async () => {
  await using started = await startConsole();
  const auditor = await started.logOn('auditor');
  const gone = join(started.gateway.auditDirectory, 'gw-2');
  await cp(join(original, 'gw-2'), gone, { recursive: true });
  await auditor.ask('POST', '/audit/verifications', {});
  await started.untilTold('console.verified', { user: 'auditor', verdict: 'ok', findings: 0 });
  await rm(gone, { recursive: true });
  await auditor.ask('POST', '/audit/verifications', {});
  // Of one finding or two: the gateway's own trail may have named its neighbour by then, which is missed as well.
  await started.untilTold('console.verified', { user: 'auditor', verdict: 'truncated' });
});
