/** Who can be found in the trail, by whom, and how that ends: periods, seals, revealing, erasure. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { encodePeriodKey, eraseBefore, readOrCreatePeriodKey } from '../../src/audit/period-file.ts';
import { keyAfter, keyOf, keysUntil, periodOf, RunningPeriod } from '../../src/audit/period.ts';
import { Redactor } from '../../src/audit/redact.ts';
import { createRevealKey, openSeal, parseRevealKey, readSeal, Sealer } from '../../src/audit/seal.ts';
import { verifyTrail } from '../../src/audit/verify.ts';
import { audit } from './command.ts';
import { aCall, anOperation, openTrail, readRecords, temporaryDirectory, upstreamCall } from './support.ts';

const secret = Buffer.alloc(32, 5);
const first = { period: '2025q3', secret };

test('each quarter follows from the one before, and none from a later one', () => {
  const next = keyAfter(keyAfter(first));
  assert.equal(next.period, '2026q1');
  assert.deepEqual(keyOf(first, '2026q1'), next);
  assert.equal(keyOf(next, '2025q4'), undefined);
  assert.deepEqual(
    keysUntil(first, new Date('2026-05-01T00:00:00Z')).map(({ period }) => period),
    ['2025q3', '2025q4', '2026q1', '2026q2'],
  );
});

test('a clock that is set back brings no older key into use', () => {
  const running = new RunningPeriod(first);
  assert.equal(running.at(new Date('2026-01-01T00:00:00Z')).period, '2026q1');
  assert.equal(running.at(new Date('2025-12-31T23:59:59Z')).period, '2026q1');
});

test('the same person has another pseudonym in each quarter', () => {
  const [some, other] = [first, keyAfter(first)].map((key) => new Redactor(key).pseudonym('id', '4711'));
  assert.match(some ?? '', /^p2025q3:/);
  assert.notEqual(some?.split(':')[1], other?.split(':')[1]);
});

test('processes that start together make one key between them', async () => {
  const file = join(await temporaryDirectory(), 'periods.key');
  const keys = await Promise.all(Array.from({ length: 8 }, () => readOrCreatePeriodKey(file)));
  assert.equal(new Set(keys.map((key) => key.secret.toString('hex'))).size, 1);
});

test('a seal opens with every key it was made for, its period and its request, and else not', () => {
  const [some, other, stranger] = [createRevealKey(), createRevealKey(), createRevealKey()];
  const publicKeys = [some, other]
    .map(({ publicKey }) => parseRevealKey(publicKey))
    .filter((key) => key !== undefined);
  const text = new Sealer(publicKeys).seal('names', first, 'r-1');
  const seal = readSeal(text);
  assert.ok(seal);
  const both = [some.privateKey, other.privateKey];
  assert.equal(openSeal(seal, both, first, 'r-1'), 'names');
  assert.equal(openSeal(seal, [some.privateKey], first, 'r-1'), undefined);
  assert.equal(openSeal(seal, [some.privateKey, stranger.privateKey], first, 'r-1'), undefined);
  assert.equal(openSeal(seal, both, keyAfter(first), 'r-1'), undefined);
  assert.equal(openSeal(seal, both, first, 'r-2'), undefined);
  const changed = Buffer.from(seal.bytes);
  changed.writeUInt8(changed.readUInt8(50) ^ 1, 50);
  assert.equal(openSeal({ ...seal, bytes: changed }, both, first, 'r-1'), undefined);
});

/** 500 deletions that should not have been, in a trail whose seals one or two persons open together. */
async function wrongDeletions(persons: number) {
  const directory = await temporaryDirectory();
  const keys = Array.from({ length: persons }, () => createRevealKey());
  const files = await Promise.all(
    keys.map(async ({ privateKey }, at) => {
      const file = join(directory, `reveal-${at}.pem`);
      await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
      return file;
    }),
  );
  const sealFor = keys.map(({ publicKey }) => parseRevealKey(publicKey)).filter((key) => key !== undefined);
  const trailDirectory = join(directory, 'audit');
  const opened = await openTrail({
    directory: trailDirectory,
    periodKey: first,
    sealer: new Sealer(sealFor),
  });
  const deletions = Array.from({ length: 500 }, async (_, n) => {
    const entry = opened.trail.open(aCall({ id: `r-${n}`, method: 'DELETE' }));
    entry.add({
      caller: 'idm',
      operation: anOperation({ kind: 'delete', effect: 'write', id: `PERSON-${n}` }),
    });
    const upstream = await entry.intend(upstreamCall);
    await upstream.close({ result: 'success', sent: true, status: 204 });
    await entry.close({ status: 204 });
  });
  await Promise.all(deletions);
  await opened.trail[Symbol.asyncDispose]();
  const periodFile = join(directory, 'periods.key');
  await writeFile(periodFile, encodePeriodKey(first), { mode: 0o600 });
  const register = join(directory, 'reveals');
  const reveal = (...more: string[]) =>
    audit(
      'reveal',
      trailDirectory,
      '--kind',
      'delete',
      '--reason',
      'INC-1',
      '--key',
      files[0] ?? '',
      '--period-key',
      periodFile,
      '--register',
      register,
      '--json',
      ...more,
    );
  return { trailDirectory, periodFile, register, files, reveal };
}

test('after 500 wrong deletions one knows who they were, and that it was looked up is registered', async () => {
  const { trailDirectory, register, reveal } = await wrongDeletions(1);
  assert.ok(!JSON.stringify(await readRecords(trailDirectory)).includes('PERSON-'));

  const { code, stdout } = await reveal();
  assert.equal(code, 0);
  const names = stdout
    .trim()
    .split('\n')
    .map((line): string => JSON.parse(line).identifiers.id);
  assert.deepEqual(new Set(names), new Set(Array.from({ length: 500 }, (_, n) => `PERSON-${n}`)));

  const { verdict } = await verifyTrail(register);
  assert.equal(verdict, 'ok');
  const found = await audit('search', register, '--event', 'audit.read', '--json');
  const { facts } = JSON.parse(found.stdout);
  assert.deepEqual([facts.reason, facts.records, facts.query.kind], ['INC-1', 500, 'delete']);
  assert.ok(!found.stdout.includes('PERSON-'));
  const report = await audit('report', register, '--format', 'csv');
  assert.match(report.stdout, /^reveal,.*INC-1/m);
});

test('where two are needed, one alone learns nothing', async () => {
  const { files, reveal } = await wrongDeletions(2);
  const alone = await reveal();
  assert.equal(alone.code, 2);
  assert.ok(!alone.stdout.includes('PERSON-'));
  const together = await reveal('--second-key', files[1] ?? '');
  assert.equal(together.code, 0);
  assert.ok(together.stdout.includes('PERSON-499'));
});

test('nothing is revealed without a reason, a criterion or a register that can be written', async () => {
  const { trailDirectory, periodFile, files } = await wrongDeletions(1);
  const base = [trailDirectory, '--key', files[0] ?? '', '--period-key', periodFile];
  const attempts = [
    ['--kind', 'delete', '--register', join(trailDirectory, '../r')],
    ['--reason', 'x', '--register', join(trailDirectory, '../r')],
    ['--kind', 'delete', '--reason', 'x'],
    ['--kind', 'delete', '--reason', 'x', '--register', join(periodFile, 'r')],
  ];
  for (const more of attempts) {
    const { code, stdout } = await audit('reveal', ...base, ...more);
    assert.notEqual(code, 0);
    assert.equal(stdout, '');
  }
});

test("when a period's key is gone, nobody finds or opens what it made, and the chain still verifies", async () => {
  const { trailDirectory, periodFile, reveal } = await wrongDeletions(1);
  const search = () => audit('search', trailDirectory, '--value', 'PERSON-7', '--key', periodFile);
  const present = periodOf(new Date());
  assert.equal((await search()).code, 0);
  const old = await readFile(periodFile);

  // The records above were made just now, so the quarter that follows is the first that stays.
  const later = keyAfter(keyOf(first, present) ?? first);
  await eraseBefore(periodFile, later.period);
  assert.equal(await readFile(periodFile, 'utf8'), encodePeriodKey(later));
  assert.ok(!(await readFile(periodFile)).equals(old));
  assert.equal((await search()).code, 1);
  const { code, stdout } = await reveal();
  assert.equal(code, 2);
  assert.ok(!stdout.includes('PERSON-'));
  assert.equal((await verifyTrail(trailDirectory)).verdict, 'ok');
});

test('erase takes what is past and nothing that is to come', async () => {
  const file = join(await temporaryDirectory(), 'periods.key');
  await writeFile(file, encodePeriodKey(first), { mode: 0o600 });
  assert.equal((await audit('erase', '--before', '2999q1', '--key', file)).code, 4);
  assert.equal((await audit('erase', '--before', '2026q1', '--key', file)).code, 0);
  assert.equal(await readFile(file, 'utf8'), encodePeriodKey(keyAfter(keyAfter(first))));
  assert.match((await audit('erase', '--before', '2025q1', '--key', file)).stdout, /nothing before 2026q1/);
});
