/** `gatehouse audit search` and its siblings as scripts and people use them: exit codes, tables, files. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { resolve as resolvePath } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

import { encodePeriodKey } from '../../src/audit/period-file.ts';
import { Redactor } from '../../src/audit/redact.ts';
import { aCall, anOperation, instance, openTrail, temporaryDirectory, upstreamCall } from './support.ts';
import { chainA, chainB, writeTrail } from './written-trail.ts';

const main = resolvePath(import.meta.dirname, '../../src/main.ts');

function audit(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { promise, resolve } = Promise.withResolvers<{ code: number; stdout: string; stderr: string }>();
  const child = execFile(
    process.execPath,
    [main, 'audit', ...args],
    { maxBuffer: 1 << 26 },
    (_, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
  );
  return promise;
}

const outcome = { result: 'success', http: 200 };
const written = {
  ts: '2026-11-21T08:00:00.000Z',
  event: 'request.outcome',
  req: 'r-1',
  actor: { name: 'idm' },
  op: { kind: 'delete', effect: 'write', system: 'S1', resourceType: 'Users' },
  outcome,
};

async function twoInstances(): Promise<string> {
  const directory = await temporaryDirectory();
  const intent = { ...written, event: 'upstream.intent', outcome: undefined, ts: '2026-11-21T07:59:59.000Z' };
  const evil = {
    ...written,
    req: 'r-2',
    actor: { name: `\u001b[2Jevil\u202e${'x'.repeat(99)}` },
    system: 'S2',
  };
  await writeTrail(directory, 'gw-1', chainA, [{ records: [intent, written], reason: 'stopped' }]);
  await writeTrail(directory, 'gw-2', chainB, [{ records: [evil], reason: 'stopped' }]);
  return directory;
}

test('search finds in all instances and ends with 0, or with 1 when nothing is found', async () => {
  const directory = await twoInstances();
  const { code, stdout } = await audit('search', directory, '--kind', 'delete', '--status', '200');
  assert.equal(code, 0);
  assert.deepEqual(
    stdout.split('\n').map((row) => row.slice(20, 27).trim()),
    ['record', 'gw-1:3', 'gw-2:2', ''],
  );
  assert.equal((await audit('search', directory, '--caller', 'nobody')).code, 1);
  assert.equal((await audit('search', directory, '--from', '2026-11-22')).code, 1);
});

test('the table fits 110 columns and shows nothing that moves a terminal', async () => {
  const { stdout } = await audit('search', await twoInstances());
  assert.match(stdout, /\?\[2Jevil\?x/);
  assert.doesNotMatch(stdout.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
  assert.ok(stdout.split('\n').every((row) => row.length <= 110));
});

test('search --json gives the lines as they are, and --joined all that belongs to the call', async () => {
  const directory = await twoInstances();
  const { stdout } = await audit('search', directory, '--request', 'r-1', '--json');
  const [intent = '', end = ''] = stdout.split('\n');
  assert.deepEqual([JSON.parse(intent).event, JSON.parse(end).seq], ['upstream.intent', 3]);
  const joined = await audit('search', directory, '--status', '200', '--caller', 'idm', '--joined', '--json');
  assert.equal(joined.stdout, `{"records":[${intent},${end}]}\n`);
});

test('a person is found by the value and the key file, and hash shows the pseudonym', async () => {
  const directory = await temporaryDirectory();
  const key = `${directory}/periods.key`;
  const period = { period: '2026q1', secret: Buffer.alloc(32, 9) };
  await writeFile(key, encodePeriodKey(period));
  const pseudonym = new Redactor(period).pseudonym('id', '4711');
  const record = { ...written, op: { ...written.op, id: pseudonym } };
  await writeTrail(`${directory}/trail`, 'gw-1', chainA, [{ records: [record], reason: 'stopped' }]);
  const search = (...args: string[]): Promise<{ code: number }> =>
    audit('search', `${directory}/trail`, ...args);
  assert.equal((await search('--value', '4711', '--key', key)).code, 0);
  assert.equal((await search('--value', '4712', '--key', key)).code, 1);
  assert.equal((await search('--value', '4711', '--key', key, '--type', 'name')).code, 1);
  assert.equal((await search('--value', '4711')).code, 4);
  assert.equal(
    (await audit('hash', '4711', '--type', 'id', '--period', '2026q1', '--key', key)).stdout,
    `${pseudonym}\n`,
  );
});

test('a damaged trail is searched, told and ends with 2', async () => {
  const directory = await temporaryDirectory();
  const [path = ''] = await writeTrail(directory, 'gw-1', chainA, [
    { records: [written], reason: 'stopped' },
  ]);
  await truncate(path, (await readFile(path)).length - 10);
  const { code, stdout, stderr } = await audit('search', directory, '--caller', 'idm');
  assert.equal(code, 2);
  assert.match(stdout, /gw-1:2/);
  assert.match(stderr, /torn/);
});

test('every subcommand explains itself with examples, then exit codes, and at most 120 columns', async () => {
  for (const name of [
    'search',
    'tail',
    'export',
    'report',
    'open-intents',
    'worklist',
    'prove',
    'check-proof',
    'hash',
  ]) {
    const { code, stdout } = await audit(name, '--help');
    assert.equal(code, 0, name);
    assert.match(
      stdout,
      new RegExp(
        `usage: gatehouse audit ${name} [^]*examples:\\n {2}gatehouse audit ${name} [^]*exit codes:`,
      ),
    );
    assert.deepEqual(
      stdout.split('\n').filter((line) => line.length > 120),
      [],
    );
    assert.equal((await audit(name, '--no-such-option')).code, 4, name);
  }
});

test('what is no trail, no time or no format ends with 4', async () => {
  const directory = await twoInstances();
  const wrong = [
    ['search', await temporaryDirectory()],
    ['search', `${directory}/nowhere`],
    ['search', directory, '--from', 'yesterday'],
    ['search', directory, '--from', '2026-13-40'],
    ['search', directory, '--status', '20'],
    ['search', directory, '--limit', '0'],
    ['tail', directory, '-n', 'x'],
    ['export', directory],
    ['export', directory, '--format', 'toString'],
    ['report', directory, '--format', 'pdf'],
    ['prove', '3', directory],
    ['prove', 'gw-3:3', directory],
    ['check-proof', `${directory}/none`, '--key', 'x'],
    ['hash', 'x'],
  ];
  for (const args of wrong) assert.equal((await audit(...args)).code, 4, args.join(' '));
});

test('tail shows the last records of all instances', async () => {
  const { code, stdout } = await audit('tail', await twoInstances(), '-n', '2', '--event', 'request.*');
  assert.equal(code, 0);
  assert.match(stdout, /^time.*\n.* gw-1:3 .*\n.* gw-2:2 .*\n$/);
});

test('tail --follow goes on over a new segment and a restart, and ends with 0', async () => {
  await using opened = await openTrail({ limits: { segmentBytes: 1500 } });
  await opened.trail.note('seen.before');
  const child = spawn(process.execPath, [main, 'audit', 'tail', opened.directory, '-f', '--event', 'seen.*']);
  const rows = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async (): Promise<string> => String((await rows.next()).value);
  assert.match(await next(), /^time/);
  assert.match(await next(), /seen\.before/);
  for (let at = 0; at < 8; at += 1) await opened.trail.note(`seen.${at}`, { text: 'x'.repeat(400) });
  for (let at = 0; at < 8; at += 1) assert.match(await next(), new RegExp(String.raw`seen\.${at}`));
  await opened.restart();
  await opened.trail.note('seen.after');
  assert.match(await next(), /seen\.after/);
  const ended = Promise.withResolvers<number | null>();
  child.once('exit', (code) => ended.resolve(code));
  child.kill('SIGTERM');
  assert.equal(await ended.promise, 0);
});

test('open-intents lists writes without an end and ends with 1, without any with 0', async () => {
  await using opened = await openTrail();
  const entry = opened.trail.open(aCall({ id: 'r-9', method: 'POST' }));
  entry.add({ caller: 'idm', operation: anOperation({ kind: 'create', effect: 'write' }) });
  const upstream = await entry.intend({ ...upstreamCall, method: 'POST' });
  const open = await audit('open-intents', opened.directory);
  assert.equal(open.code, 1);
  assert.match(open.stdout, / open +idm +create Users +r-9\n/);
  assert.match(open.stderr, /gw-1 is running/);
  await upstream.close({ result: 'success', sent: true, status: 201 });
  assert.equal((await audit('open-intents', opened.directory)).code, 0);
});

test('a record is proven to a third party, by its number or its request', async () => {
  await using opened = await openTrail();
  const entry = opened.trail.open(aCall({ id: 'r-9' }));
  await entry.close({ status: 401, error: 'unauthenticated' });
  await opened.trail[Symbol.asyncDispose]();
  const proof = `${opened.directory}/a.proof`;
  const key = `${opened.directory}/${instance}/keys.pub`;
  for (const wanted of ['r-9', '2', 'gw-1:2']) {
    assert.equal((await audit('prove', wanted, opened.directory, '--out', proof)).code, 0, wanted);
    assert.match(
      (await audit('check-proof', proof, '--key', key)).stdout,
      /^proven\n {2}record {4}2, authn\.failure/,
    );
  }
  assert.equal((await audit('prove', '99', opened.directory)).code, 1);
  await writeFile(proof, (await readFile(proof, 'utf8')).replace('r-9', 'r-8'));
  assert.equal((await audit('check-proof', proof, '--key', key)).code, 1);
});

test('the report is one file without scripts or anything from elsewhere, and escapes what strangers chose', async () => {
  const directory = await temporaryDirectory();
  const evil = { ...written, actor: { name: '<script src=//x>"\'&' } };
  await writeTrail(directory, 'gw-1', chainA, [{ records: [written, evil], reason: 'stopped' }]);
  const out = `${directory}/report.html`;
  // Nobody has signed this trail, and the report says so.
  assert.equal((await audit('report', directory, '--out', out)).code, 1);
  const page = await readFile(out, 'utf8');
  assert.match(page, /tampered[^]*&lt;script src=\/\/x&gt;&quot;&#39;&amp;/);
  assert.doesNotMatch(page, /<script|<link|<img|<iframe|https?:|url\(|@import/);
  const tags = [...page.matchAll(/<(\w+)[^>]*>|<\/(\w+)>/g)].map(
    ([, open, close]) => open ?? `/${close ?? ''}`,
  );
  for (const name of ['section', 'table', 'tr', 'td', 'svg', 'g', 'div'])
    assert.equal(
      tags.filter((tag) => tag === name).length,
      tags.filter((tag) => tag === `/${name}`).length,
      name,
    );
});

test('the report of a sound trail ends with 0, and the CSV has every section', async () => {
  await using opened = await openTrail();
  await opened.trail.note('process.start');
  const entry = opened.trail.open(aCall({ id: 'r-9' }));
  await entry.close({ status: 401, error: 'unauthenticated' });
  await opened.trail[Symbol.asyncDispose]();
  const { code, stdout } = await audit('report', opened.directory, '--format', 'csv');
  assert.equal(code, 0);
  const sections = new Set(stdout.split('\r\n').map((row) => row.split(',', 1)[0]));
  for (const section of ['verification', 'traffic', 'caller', 'system', 'refusal', 'configuration'])
    assert.ok(sections.has(section), section);
});
