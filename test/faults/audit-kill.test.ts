/** Processes that end without a word, and processes that meet: what was confirmed is on disk, and one alone writes. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, chmod, cp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import { verifyTrail } from '../../src/audit/verify.ts';
import {
  instance,
  openTrail,
  readRecords,
  segmentPaths,
  temporaryDirectory,
  type AuditRecord,
} from '../audit/support.ts';

const writer = join(import.meta.dirname, 'audit-writer.ts');

class Writer implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;

  constructor(
    directory: string,
    prefix: string,
    { fileLimit, padding = 0 }: { fileLimit?: number; padding?: number } = {},
  ) {
    const command = [process.execPath, writer, directory, prefix, String(padding)];
    const limited = fileLimit ? ['prlimit', `--fsize=${fileLimit}`, ...command] : command;
    const [program = '', ...args] = limited;
    this.#child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    assert.ok(this.#child.stdout);
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.lines.push(line));
  }

  async until(count: number, what: string): Promise<void> {
    for (let waited = 0; this.said(what).length < count; waited += 5) {
      assert.ok(waited < 20_000 && this.#child.exitCode === null, `the writer does not say '${what}'`);
      await pause(5);
    }
  }

  said(what: string): string[] {
    return this.lines.filter((line) => line.startsWith(what)).map((line) => line.slice(what.length + 1));
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const closed = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

function idsOf(records: readonly AuditRecord[], event: string): Set<unknown> {
  return new Set(records.filter((record) => record.event === event).map((record) => record['req']));
}

test('ten kills in the middle of writing lose nothing that was confirmed, and the chain goes on', async () => {
  const directory = await temporaryDirectory();
  const confirmed: string[] = [];
  const wentUp: string[] = [];
  for (let round = 0; round < 10; round += 1) {
    await using child = new Writer(directory, `k${round}`);
    await child.until(20 + round * 7, 'done');
    await child.kill();
    confirmed.push(...child.said('done'));
    wentUp.push(...child.said('up'));
    assert.notEqual((await verifyTrail(directory)).verdict, 'tampered');
  }
  await using after = await openTrail({ directory });
  const records = await readRecords(directory);
  const intents = idsOf(records, 'upstream.intent');
  const requests = idsOf(records, 'request.outcome');
  assert.deepEqual(
    confirmed.filter((id) => !requests.has(id)),
    [],
  );
  assert.deepEqual(
    wentUp.filter((id) => !intents.has(id)),
    [],
  );
  const answered = new Set(records.map((record) => record['intent']));
  assert.ok(records.every(({ event, seq }) => event !== 'upstream.intent' || answered.has(seq)));
  assert.equal((await verifyTrail(after.directory)).verdict, 'ok');
});

test('a second process is refused while the first lives, and takes over when it was killed', async () => {
  const directory = await temporaryDirectory();
  await using first = new Writer(directory, 'first');
  await first.until(1, 'ready');
  await assert.rejects(openTrail({ directory }), { name: 'DirectoryTaken' });
  await first.until(first.said('done').length + 10, 'done');
  await first.kill();
  await using second = await openTrail({ directory });
  await second.trail.note('n');
  const owners = (await readdir(join(directory, instance))).filter((file) => file.startsWith('owner-'));
  assert.equal(owners.length, 1);
});

test('a file that may not grow any more (EFBIG) is left, and the trail goes on in the next one', async () => {
  const directory = await temporaryDirectory();
  await using child = new Writer(directory, 'big', { fileLimit: 30_000, padding: 200 });
  await child.until(300, 'done');
  await child.kill();
  await using after = await openTrail({ directory });
  assert.ok((await segmentPaths(directory)).length > 3);
  const records = await readRecords(directory);
  const requests = idsOf(records, 'request.outcome');
  assert.deepEqual(
    child.said('done').filter((id) => !requests.has(id)),
    [],
  );
  const failed = records.filter(({ event }) => event === 'audit.failed');
  assert.ok(failed.length > 0 && failed.every((record) => record['code'] === 'EFBIG'));
  assert.equal((await verifyTrail(after.directory)).verdict, 'ok');
});

/** A trail as a killed process leaves it: no footer, and a dead owner. */
async function crashedTrail(): Promise<string> {
  const directory = await temporaryDirectory();
  await using child = new Writer(directory, 'crash');
  await child.until(10, 'done');
  await child.kill();
  return directory;
}

test('a torn tail is cut off, kept in a file of its own, and recorded', async () => {
  const directory = await crashedTrail();
  const [path = ''] = await segmentPaths(directory);
  await appendFile(path, '{"v":1,"seq":99999,"prev":"torn');
  assert.equal((await verifyTrail(directory)).verdict, 'truncated');
  await using after = await openTrail({ directory });

  const repaired = (await readRecords(directory)).find(({ event }) => event === 'audit.repaired');
  const kept = (await readdir(join(directory, instance))).find((file) => file.endsWith('.torn'));
  assert.equal(repaired?.['kept'], kept);
  const text = await readFile(join(directory, instance, kept ?? ''), 'utf8');
  assert.ok(text.endsWith('{"v":1,"seq":99999,"prev":"torn'));
  assert.equal((await verifyTrail(after.directory)).verdict, 'ok');
});

test('a segment that died before its header was whole is set aside', async () => {
  const directory = await crashedTrail();
  const [path = ''] = await segmentPaths(directory);
  await writeFile(path.replace('-00000001-0000000000000001', '-00000002-0000000000099999'), '');
  await using after = await openTrail({ directory });
  assert.equal((await verifyTrail(after.directory)).verdict, 'ok');
});

test('a changed line stops the start; told to go on, the gateway records that, and the trail stays tampered with', async () => {
  const directory = await crashedTrail();
  const [path = ''] = await segmentPaths(directory);
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace('"upstream.intent"', '"upstream.intend"'));
  await assert.rejects(openTrail({ directory }), { name: 'TrailDamaged' });

  await using after = await openTrail({ directory, acceptDamaged: true });
  const accepted = (await readRecords(directory)).filter(({ event }) => event === 'audit.damage_accepted');
  assert.equal(accepted.length, 1);
  assert.equal((await verifyTrail(after.directory)).verdict, 'tampered');
});

test('a cut anywhere in the last line can be repaired', async () => {
  const opened = await openTrail();
  await opened.trail.note('n');
  await opened.trail.note('n');
  await opened.trail[Symbol.asyncDispose]();
  const [path = ''] = await segmentPaths(opened.directory);
  const bytes = await readFile(path);
  const lastLine = bytes.lastIndexOf(0x0a, bytes.length - 2) + 1;
  for (let cut = lastLine; cut < bytes.length; cut += 23) {
    const directory = await temporaryDirectory();
    await cp(opened.directory, directory, { recursive: true });
    // A checkpoint that knows the cut line would tell that it is missing.
    await rm(join(directory, instance, 'checkpoint'));
    await rm(join(directory, instance, 'checkpoint-00000001'));
    const [copy = ''] = await segmentPaths(directory);
    await chmod(copy, 0o640);
    await truncate(copy, cut);
    await (await openTrail({ directory })).trail[Symbol.asyncDispose]();
    assert.equal((await verifyTrail(directory)).verdict, 'ok', `cut at ${cut}`);
    await rm(directory, { recursive: true });
  }
});

test('closed segments are read-only, and nobody else sees the directory', async () => {
  await using opened = await openTrail();
  await opened.restart();
  const [closed = '', open = ''] = await segmentPaths(opened.directory);
  const modes = await Promise.all([closed, open, join(opened.directory, instance)].map((path) => stat(path)));
  assert.deepEqual(
    modes.map(({ mode }) => (mode & 0o777).toString(8)),
    ['440', '640', '750'],
  );
});

test('without the key that its last segment was signed with the trail does not start; told to go on, it stays tampered with', async () => {
  const directory = await crashedTrail();
  const other = { directory, key: Buffer.alloc(32, 8) };
  await assert.rejects(openTrail(other), { name: 'SigningKeyLost' });
  assert.equal((await verifyTrail(directory)).verdict, 'truncated');

  await using after = await openTrail({ ...other, acceptDamaged: true });
  await after.trail.note('n');
  const { verdict, instances } = await verifyTrail(after.directory);
  assert.equal(verdict, 'tampered');
  const reasons = instances[0]?.findings.map(({ reason }) => reason).join(' ') ?? '';
  assert.match(reasons, /not signed by the key of the segment before it/);
  assert.match(reasons, /told to go on behind damage/);
  await after.restart();
  assert.equal((await verifyTrail(after.directory)).verdict, 'tampered');
});
