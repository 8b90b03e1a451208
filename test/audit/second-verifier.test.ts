/**
 * `deploy/verify_audit.py` was written from docs/audit-format.md alone. Where it and our verifier disagree on a trail, one
 * of the three is wrong.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { before, test } from 'node:test';
import { crc32 } from 'node:zlib';

import { hashLine } from '../../src/audit/chain.ts';
import { Journal } from '../../src/audit/journal.ts';
import { parseKeys } from '../../src/audit/published-keys.ts';
import { verifyTrail, type Verdict } from '../../src/audit/verify.ts';
import { instance, openTrail, temporaryDirectory } from './support.ts';

const program = resolve(import.meta.dirname, '../../deploy/verify_audit.py');
const codes = { ok: 0, tampered: 1, truncated: 2, incomplete: 3 } as const;

function python(...args: string[]): Promise<{ code: number | string; stdout: string; stderr: string }> {
  const { promise, resolve: settle } = Promise.withResolvers<{
    code: number | string;
    stdout: string;
    stderr: string;
  }>();
  const child = execFile('python3', [program, ...args], (error, stdout, stderr) => {
    settle({ code: child.exitCode ?? error?.code ?? -1, stdout, stderr });
  });
  return promise;
}

before(async () => {
  const { code, stderr } = await python('--help');
  const remedy =
    'The tests need python3 (3.9 or later) and openssl; on Debian: apt-get install python3 openssl';
  assert.equal(code, 0, `${remedy}\n${stderr}`);
});

/** File name → content. */
type Files = Map<string, Buffer>;

async function load(directory: string): Promise<Files> {
  const names = (await readdir(directory)).toSorted();
  const contents = await Promise.all(names.map((name) => readFile(join(directory, name))));
  return new Map(names.map((name, at) => [name, contents[at] ?? Buffer.alloc(0)]));
}

/** A chain of three segments, and what it was before it was opened once more. */
async function aTrail(): Promise<{ files: Files; earlier: Files }> {
  const limits = { segmentBytes: 1800 };
  await using opened = await openTrail({ limits });
  const directory = join(opened.directory, instance);
  for (let at = 0; at < 6; at += 1) await opened.trail.note('n', { at, text: 'x'.repeat(200) });
  await opened.trail[Symbol.asyncDispose]();
  const earlier = await load(directory);
  const { trail } = await openTrail({ limits, directory: opened.directory });
  for (let at = 0; at < 4; at += 1) await trail.note('m', { at });
  await trail[Symbol.asyncDispose]();
  return { files: await load(directory), earlier };
}

async function store(files: Files): Promise<string> {
  const directory = join(await temporaryDirectory(), instance);
  await mkdir(directory);
  for (const [name, content] of files) await writeFile(join(directory, name), content);
  return directory;
}

interface Evidence {
  readonly checkpoint?: string;
  readonly key?: string;
}

/** Both verdicts, with what the auditor has. */
async function judge(
  files: Files,
  { checkpoint, key }: Evidence = {},
): Promise<{ ours: Verdict; theirs: number | string }> {
  const directory = await store(files);
  const [note, keys] = [`${directory}.checkpoint`, `${directory}.pub`];
  if (checkpoint !== undefined) await writeFile(note, checkpoint);
  if (key !== undefined) await writeFile(keys, key);
  const report = await verifyTrail(directory, {
    ...(checkpoint !== undefined && { checkpoints: [checkpoint] }),
    ...(key !== undefined && { rootKeys: parseKeys(key) }),
  });
  const evidence = checkpoint === undefined ? ['--local-only'] : ['--checkpoint', note];
  const { code } = await python(directory, ...evidence, ...(key === undefined ? [] : ['--key', keys]));
  return { ours: report.verdict, theirs: code };
}

async function assertAgreed(
  files: Files,
  expected: Verdict | undefined,
  what: string,
  evidence?: Evidence,
): Promise<void> {
  const { ours, theirs } = await judge(files, evidence);
  assert.equal(theirs, codes[ours], `${what}: ours says ${ours}`);
  if (expected) assert.equal(ours, expected, what);
}

function segmentsOf(files: Files): string[] {
  return [...files.keys()].filter((name) => name.endsWith('.jsonl'));
}

function linesOf(content: Buffer): string[] {
  return content.toString().split('\n').slice(0, -1);
}

function edited(files: Files, name: string, edit: (lines: string[]) => string[]): Files {
  const lines = edit(linesOf(files.get(name) ?? Buffer.alloc(0)));
  return new Map(files).set(name, Buffer.from(lines.map((line) => `${line}\n`).join('')));
}

const textOf = (files: Files, name: string): string => files.get(name)?.toString() ?? '';

test('both verifiers find a sound trail sound, with and without a checkpoint and the root key', async () => {
  const { files, earlier } = await aTrail();
  assert.ok(segmentsOf(files).length >= 3);
  const evidence = { checkpoint: textOf(files, 'checkpoint'), key: textOf(files, 'keys.pub') };
  await assertAgreed(files, 'ok', 'local');
  await assertAgreed(files, 'ok', 'with evidence', evidence);
  await assertAgreed(files, 'ok', 'with an older checkpoint', { checkpoint: textOf(earlier, 'checkpoint') });
});

test('both agree on every line that is changed, taken out, repeated or moved', async () => {
  const { files } = await aTrail();
  for (const name of segmentsOf(files)) {
    const count = linesOf(files.get(name) ?? Buffer.alloc(0)).length;
    for (const at of [0, 1, count - 2, count - 1]) {
      const changed = (line: string): string => line.replace(/"mono":\d/, '"mono":8').replace(/.$/, '}');
      const what = `${name} line ${at + 1}`;
      await assertAgreed(
        edited(files, name, (lines) => lines.with(at, `${changed(lines[at] ?? '')} `)),
        undefined,
        `changed ${what}`,
      );
      await assertAgreed(
        edited(files, name, (lines) => lines.toSpliced(at, 1)),
        undefined,
        `without ${what}`,
      );
      await assertAgreed(
        edited(files, name, (lines) => lines.toSpliced(at, 0, lines[at] ?? '')),
        'tampered',
        `twice ${what}`,
      );
      if (at + 1 < count)
        await assertAgreed(
          edited(files, name, (lines) => lines.toSpliced(at, 2, lines[at + 1] ?? '', lines[at] ?? '')),
          'tampered',
          `moved ${what}`,
        );
    }
  }
});

/** With the right checksum, as somebody would write it who leaves the hashes and signatures alone. */
function withMono(line: string): string {
  const told = line.slice(0, line.lastIndexOf(',"crc"')).replace(/"mono":[\d.]+/, '"mono":1');
  return `${told},"crc":"${crc32(told).toString(16).padStart(8, '0')}"}`;
}

test('both agree on lines that were written anew with the right checksum', async () => {
  const { files } = await aTrail();
  for (const name of segmentsOf(files)) {
    const count = linesOf(files.get(name) ?? Buffer.alloc(0)).length;
    for (const at of [0, 1, count - 2, count - 1]) {
      const forged = edited(files, name, (lines) => lines.with(at, withMono(lines[at] ?? '')));
      await assertAgreed(forged, 'tampered', `${name} line ${at + 1}`);
    }
  }
});

/** The first line changed, and every later one chained to it anew: only signatures are left to tell. */
function rechained(lines: readonly string[]): string[] {
  const made: string[] = [];
  let head = /"prev":"(\w+)"/.exec(lines[0] ?? '')?.[1] ?? '';
  for (const [at, line] of lines.entries()) {
    const linked = line.replace(/"prev":"\w+"/, `"prev":"${head}"`);
    const next = withMono(at === 0 ? linked : linked.replace(/"mono":[\d.]+/, '"mono":1'));
    head = hashLine(head, Buffer.from(next)).head;
    made.push(next);
  }
  return made;
}

test('both believe a header and a footer because of their signatures alone', async () => {
  const { files } = await aTrail();
  const last = segmentsOf(files).at(-1) ?? '';
  const alone = new Map([...files].filter(([name]) => !name.startsWith('checkpoint')));
  const open = edited(alone, last, (lines) => lines.slice(0, -1));
  await assertAgreed(open, 'truncated', 'without a footer');
  await assertAgreed(edited(open, last, rechained), 'tampered', 'without a footer, and with a forged header');
  const footer = edited(alone, last, (lines) => lines.with(lines.length - 1, withMono(lines.at(-1) ?? '')));
  await assertAgreed(footer, 'tampered', 'a forged footer');
});

test('both agree on what is missing at an end, and tell a torn end from tampering', async () => {
  const { files } = await aTrail();
  const names = segmentsOf(files);
  const [first = '', second = '', last = ''] = [names[0], names[1], names.at(-1)];
  const whole = files.get(last) ?? Buffer.alloc(0);
  const cut = (bytes: number): Files => new Map(files).set(last, whole.subarray(0, bytes));
  const without = (name: string): Files => new Map([...files].filter(([other]) => other !== name));
  const alone = (changed: Files): Files =>
    new Map([...changed].filter(([name]) => !name.startsWith('checkpoint')));
  const hole = Buffer.concat([whole.subarray(0, -40), Buffer.alloc(39), Buffer.from('\n')]);
  const lastLine = whole.lastIndexOf('\n', -2) + 1;
  await assertAgreed(cut(whole.length - 7), 'truncated', 'a torn footer');
  await assertAgreed(cut(lastLine), 'truncated', 'no footer');
  await assertAgreed(cut(0), 'truncated', 'an empty last segment');
  await assertAgreed(new Map(files).set(last, hole), 'truncated', 'a hole of NULs at the end');
  await assertAgreed(
    edited(files, last, (lines) => lines.with(1, '\0'.repeat(30))),
    'tampered',
    'a hole with lines behind it',
  );
  await assertAgreed(alone(without(last)), undefined, 'without the last segment');
  await assertAgreed(without(last), undefined, 'without the last segment, with its checkpoint');
  await assertAgreed(without(second), 'tampered', 'without the second segment');
  await assertAgreed(without(first), 'tampered', 'without the first segment');
  await assertAgreed(
    new Map(files).set(last, Buffer.concat([whole, Buffer.from('x')])),
    'tampered',
    'bytes behind the footer',
  );
});

test('both agree on checkpoints and keys that do not fit', async () => {
  const { files, earlier } = await aTrail();
  const { files: others } = await aTrail();
  const checkpoint = textOf(files, 'checkpoint');
  const key = textOf(files, 'keys.pub');
  await assertAgreed(earlier, undefined, 'cut back to an earlier state', { checkpoint });
  await assertAgreed(files, 'incomplete', 'a checkpoint of another chain', {
    checkpoint: textOf(others, 'checkpoint'),
  });
  await assertAgreed(files, 'tampered', 'the root key of another chain', {
    checkpoint,
    key: textOf(others, 'keys.pub'),
  });
  await assertAgreed(files, 'tampered', 'another root', {
    checkpoint: checkpoint.replace(/\n[\w+/]{4}/, (text) => (text === '\nAAAA' ? '\nBBBB' : '\nAAAA')),
    key,
  });
  await assertAgreed(
    new Map(files).set('checkpoint', Buffer.from(textOf(others, 'checkpoint'))),
    'ok',
    'another local one',
  );
});

test('both agree on segments whose time was over, and on every other gap', async () => {
  const directory = await temporaryDirectory();
  const open = (): Promise<Journal> =>
    Journal.open({ directory, instance, inst: {}, secret: Buffer.alloc(32, 7) });
  for (let segment = 0; segment < 3; segment += 1) {
    await using journal = await open();
    await journal.append('n', {});
  }
  // The second time the segment with the first tombstones goes, too.
  for (let times = 0; times < 2; times += 1) {
    await using journal = await open();
    await journal.expire(new Date(Date.now() + 1000));
  }
  const files = await load(join(directory, instance));
  const account = [...files.keys()].find((name) => name.startsWith('expired-')) ?? '';
  const [last = ''] = segmentsOf(files);
  const key = textOf(files, 'keys.pub');
  await assertAgreed(files, 'ok', 'expired', { checkpoint: textOf(files, 'checkpoint'), key });
  const count = linesOf(files.get(account) ?? Buffer.alloc(0)).length;
  assert.equal(count, 8);
  for (let at = 0; at < count; at += 1) {
    await assertAgreed(
      edited(files, account, (lines) => lines.toSpliced(at, 1)),
      'tampered',
      `without line ${at}`,
    );
    const other = (lines: readonly string[]): string => lines[(at + 2) % count] ?? '';
    await assertAgreed(
      edited(files, account, (lines) => lines.with(at, other(lines))),
      'tampered',
      `another line ${at}`,
    );
  }
  await assertAgreed(new Map([...files].filter(([name]) => name !== account)), 'tampered', 'no account');
  const torn = Buffer.concat([files.get(account) ?? Buffer.alloc(0), Buffer.from('{"v":1')]);
  await assertAgreed(new Map(files).set(account, torn), 'ok', 'an account that a crash tore');
  await assertAgreed(
    edited(files, last, (lines) => lines.toSpliced(1, 1)),
    'tampered',
    'without a tombstone',
  );
});

test('the second verifier explains itself, and ends with 4 where ours does', async () => {
  const { files } = await aTrail();
  const directory = await store(files);
  const { code, stdout } = await python(directory, '--local-only', '--json');
  assert.equal(code, 0);
  assert.equal(JSON.parse(stdout).chains[0].segments, segmentsOf(files).length);
  for (const args of [
    [],
    [directory],
    [directory, '--local-only', '--checkpoint', 'x'],
    [`${directory}/no`, '--local-only'],
  ])
    assert.equal((await python(...args)).code, 4, args.join(' '));
});
