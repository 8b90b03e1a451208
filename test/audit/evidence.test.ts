/**
 * What files alone cannot show: ends that were cut off cleanly, and trails that were written anew with right hashes and
 * signatures. A checkpoint from elsewhere, the root key and the chain of keys find them.
 */
import assert from 'node:assert/strict';
import { chmod, cp, open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { before, test } from 'node:test';

import { genesis } from '../../src/audit/chain.ts';
import { parseCheckpoint } from '../../src/audit/note.ts';
import { readPublishedKeys } from '../../src/audit/published-keys.ts';
import { scanSegment } from '../../src/audit/scan.ts';
import { parseFileName } from '../../src/audit/segment-name.ts';
import { fingerprint } from '../../src/audit/signing-key.ts';
import { verifyTrail, type TrailReport } from '../../src/audit/verify.ts';
import { instance, openTrail, segmentPaths, temporaryDirectory } from './support.ts';

/** All of them in `npm run endurance`; a line's reading is tried at every place anyway. */
const every = Number(process.env['EVERY'] ?? 23);

/** Three segments of twenty lines, as a clean stop leaves them. */
let original: string;
let checkpoint: string;

before(async () => {
  const opened = await openTrail();
  for (let segment = 0; segment < 3; segment += 1) {
    if (segment > 0) await opened.restart();
    for (let n = 0; n < 18; n += 1) await opened.trail.note('n');
  }
  await opened.trail[Symbol.asyncDispose]();
  original = opened.directory;
  checkpoint = await readFile(join(original, instance, 'checkpoint'), 'utf8');
});

async function copyOf(directory: string): Promise<string> {
  const copy = await temporaryDirectory();
  await cp(directory, copy, { recursive: true });
  return copy;
}

/** As an auditor verifies who kept the last checkpoint. */
function verify(directory: string): Promise<TrailReport> {
  return verifyTrail(directory, { checkpoints: [checkpoint] });
}

function reasons({ findings, instances }: TrailReport): string {
  return [...findings, ...instances.flatMap((report) => report.findings)]
    .map(({ reason }) => reason)
    .join(' ');
}

test('a trail that is as long as its checkpoint says is ok, and the report says how far that is proven', async () => {
  const { verdict, instances } = await verify(original);
  assert.equal(verdict, 'ok');
  assert.deepEqual(
    instances.map(({ lastSeq, checkpointed, segments }) => [lastSeq, checkpointed, segments]),
    [[60, 60, 3]],
  );
});

test('that the newest checkpoint beside the segments is missing or of another chain is remarked on, and no verdict', async () => {
  const own = 'checkpoint';
  const foreign = checkpoint.replace(/^gatehouse\/audit\/\w+/, `gatehouse/audit/${'0'.repeat(32)}`);
  const tellings: readonly (readonly [content: string | undefined, told: readonly RegExp[]])[] = [
    [checkpoint, []],
    [undefined, [/^The file 'checkpoint' beside the segments is missing\.$/]],
    [foreign, [/is that of another chain, gatehouse\/audit\/0{32}\.$/]],
    ['nonsense', [/holds no checkpoint\.$/]],
  ];
  for (const [content, told] of tellings) {
    const copy = await copyOf(original);
    if (content === undefined) await rm(join(copy, instance, own));
    else await writeFile(join(copy, instance, own), content);
    const { verdict, instances } = await verify(copy);
    const { remarks = [] } = instances[0] ?? {};
    assert.equal(verdict, 'ok');
    assert.equal(remarks.length, told.length);
    told.forEach((pattern, at) => assert.match(remarks[at] ?? '', pattern));
  }
});

test('every single-byte change in three segments of twenty lines is found, with its place and reason', async () => {
  const copy = await copyOf(original);
  for (const path of await segmentPaths(copy)) {
    const name = parseFileName(basename(path));
    assert.ok(name);
    await chmod(path, 0o640);
    await using file = await open(path, 'r+');
    const bytes = await readFile(path);
    for (const [offset, byte] of bytes.entries()) {
      await file.write(Buffer.of(byte ^ (1 << (offset % 8))), 0, 1, offset);
      const { fault } = await scanSegment(path, name);
      assert.ok(fault && fault.seq >= name.firstSeq, `${basename(path)} ${offset}`);
      if (offset % every === 0) assert.match(await placeAndVerdict(copy), /^\d+ (tampered|truncated) \w/);
      await file.write(Buffer.of(byte), 0, 1, offset);
    }
  }
  assert.equal((await verify(copy)).verdict, 'ok');
});

async function placeAndVerdict(directory: string): Promise<string> {
  const { verdict, instances } = await verify(directory);
  const [finding] = instances[0]?.findings ?? [];
  return `${finding?.seq} ${verdict} ${finding?.reason}`;
}

test('a cut at every offset of every segment is found', async () => {
  const copy = await copyOf(original);
  const paths = await segmentPaths(copy);
  for (const path of paths) {
    const bytes = await readFile(path);
    await rm(path);
    await writeFile(path, bytes);
    for (let cut = bytes.length - 1; cut >= 0; cut -= every === 1 ? 1 : 17) {
      await truncate(path, cut);
      const { verdict } = await verify(copy);
      assert.equal(verdict, path === paths.at(-1) ? 'truncated' : 'tampered', `cut at ${cut}`);
    }
    await writeFile(path, bytes);
  }
});

const edits: Record<string, (lines: readonly string[], at: number) => readonly (string | undefined)[]> = {
  removed: (lines, at) => lines.toSpliced(at, 1),
  repeated: (lines, at) => lines.toSpliced(at, 0, lines[at] ?? ''),
  'swapped with its successor': (lines, at) =>
    at + 1 < lines.length ? lines.toSpliced(at, 2, lines[at + 1] ?? '', lines[at] ?? '') : [],
};

for (const [what, edit] of Object.entries(edits)) {
  test(`a line of any of three segments that is ${what} is found, also the last`, async () => {
    const copy = await copyOf(original);
    for (const path of await segmentPaths(copy)) {
      const text = await readFile(path, 'utf8');
      const lines = text.trimEnd().split('\n');
      await rm(path);
      for (const at of lines.keys()) {
        await writeFile(
          path,
          edit(lines, at)
            .map((line) => `${line}\n`)
            .join(''),
        );
        const { verdict, instances } = await verify(copy);
        assert.notEqual(verdict, 'ok', `line ${at + 1}`);
        assert.ok(instances[0]?.findings.every(({ reason }) => reason !== ''));
      }
      await writeFile(path, text);
    }
  });
}

test('segments that are gone are found, wherever they were', async () => {
  for (const missing of [[0], [1], [2], [0, 1], [1, 2], [0, 1, 2]]) {
    const copy = await copyOf(original);
    const paths = await segmentPaths(copy);
    for (const at of missing) await rm(paths[at] ?? '');
    const report = await verify(copy);
    assert.ok(['tampered', 'truncated', 'incomplete'].includes(report.verdict), missing.join());
    assert.match(reasons(report), /missing|ends at|no segments/i);
  }
});

test('an end that was cut off at a clean stop passes by itself, and not against a checkpoint from elsewhere', async () => {
  const copy = await copyOf(original);
  await rm((await segmentPaths(copy))[2] ?? '');
  // Who cuts the end off also removes what stands beside it.
  for (const file of await readdir(join(copy, instance)))
    if (file.startsWith('checkpoint')) await rm(join(copy, instance, file));
  assert.equal((await verifyTrail(copy)).verdict, 'ok');
  const report = await verify(copy);
  assert.equal(report.verdict, 'truncated');
  assert.match(reasons(report), /reached line 60; it ends at 40/);
});

test('a checkpoint that was left beside a trail whose end was cut off tells it also without one from elsewhere', async () => {
  const copy = await copyOf(original);
  await rm((await segmentPaths(copy))[2] ?? '');
  const report = await verifyTrail(copy);
  assert.equal(report.verdict, 'truncated');
  assert.match(reasons(report), /beside the segments says that the trail reached line 60/);
});

test('a chain that began with another root key is found by key file and by fingerprint', async () => {
  const keys = await readPublishedKeys(join(original, instance));
  const told = fingerprint(keys[0]?.publicKey ?? '');
  assert.equal((await verifyTrail(original, { rootKeys: keys })).verdict, 'ok');
  assert.equal((await verifyTrail(original, { fingerprints: [told] })).verdict, 'ok');
  await using other = await openTrail();
  for (const trust of [{ rootKeys: keys }, { fingerprints: [told] }]) {
    const report = await verifyTrail(other.directory, trust);
    assert.equal(report.verdict, 'tampered');
    assert.match(reasons(report), /another root key/);
  }
  // The key for witnesses stands in the same file and signs for good, so it must not pass as a root key.
  const log = keys.filter(({ name }) => !name.endsWith('/root'));
  assert.equal((await verifyTrail(original, { rootKeys: log })).verdict, 'tampered');
});

test('a checkpoint of another content at the same size is found', async () => {
  const parsed = parseCheckpoint(checkpoint);
  assert.ok(parsed);
  const changed = checkpoint.replace(/\n[\w+/]{43}=\n/, `\n${Buffer.alloc(32, 9).toString('base64')}\n`);
  const report = await verifyTrail(original, { checkpoints: [changed] });
  assert.equal(report.verdict, 'tampered');
  assert.match(reasons(report), /not those of the checkpoint/);
});

test('a checkpoint that no key of the chain signed does not count', async () => {
  const [body = ''] = checkpoint.split('\n\n');
  const origin = body.split('\n')[0] ?? '';
  const unsigned = `${body}\n\n— ${origin} ${Buffer.alloc(68, 1).toString('base64')}\n`;
  const report = await verifyTrail(original, { checkpoints: [unsigned] });
  assert.equal(report.verdict, 'tampered');
  assert.match(reasons(report), /not signed by the segment's key/);
});

test('a checkpoint for a chain that is not there says that an instance is missing', async () => {
  const stranger = checkpoint.replaceAll(/audit\/[0-9a-f]{32}/g, `audit/${'ab'.repeat(16)}`);
  const report = await verifyTrail(original, { checkpoints: [checkpoint, stranger] });
  assert.equal(report.verdict, 'incomplete');
  assert.match(reasons(report), /no directory with its segments/);
});

test('segments in an archive and those that are left are one trail', async () => {
  const [archive, live] = [await copyOf(original), await copyOf(original)];
  const [first, second] = [await segmentPaths(archive), await segmentPaths(live)];
  await rm(first[2] ?? '');
  await rm(second[0] ?? '');
  await rm(second[1] ?? '');
  assert.notEqual((await verify(live)).verdict, 'ok');
  const { verdict, instances } = await verifyTrail([live, archive], { checkpoints: [checkpoint] });
  assert.deepEqual([verdict, instances.length], ['ok', 1]);
});

test('the key of a closed segment is nowhere any more', async () => {
  const keys = (await readdir(join(original, instance))).filter((file) => file.endsWith('.key'));
  assert.deepEqual(keys, ['signing-00000003.key']);
  const path = (await segmentPaths(original))[0] ?? '';
  const name = parseFileName(basename(path));
  assert.ok(name);
  assert.ok((await scanSegment(path, name, { from: { seq: 0, head: genesis } })).footer);
});
