/** `gatehouse transform` as an administrator calls it: exit codes, both streams, tables and JSON. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const pair = fileURLToPath(new URL('pair', import.meta.url));

async function gatehouse(args: readonly string[], input = '') {
  const child = spawn(process.execPath, [main, 'transform', ...args]);
  child.stdin.end(input);
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.on('close', resolve);
  const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), promise]);
  return { stdout, stderr, exitCode };
}

/** A folder of files that is gone afterwards. */
async function folder(files: Readonly<Record<string, unknown>>) {
  const path = await mkdtemp(join(tmpdir(), 'transform-'));
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(path, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

const read = join(pair, 'read.json');
const user = { id: 'u9', userName: 'bob', name: { familyName: 'B' } };

describe('transform check', () => {
  it('accepts a folder of transformations', async () => {
    const { stdout, exitCode } = await gatehouse(['check', pair]);
    assert.equal(stdout, '2 transformations, 0 with faults\n');
    assert.equal(exitCode, 0);
  });

  it('names every fault of every file and ends with 1', async () => {
    await using files = await folder({
      'a.json': {
        user: { mappings: [{ sourcePath: '$[', targetPath: '$.a' }, { functions: [{ function: 'nope' }] }] },
      },
      'b.json': '{"user":',
      'c.json': { user: { mappings: [] } },
      'notes.txt': 'no transformation',
    });
    const { stdout, exitCode } = await gatehouse(['check', files.path]);
    assert.equal(exitCode, 1);
    assert.match(
      stdout,
      /a\.json\n {2}! user {2}1 {2}sourcePath .*\n {2}! user {2}2 {2}functions\[0\]\.function {2}unknown function nope\n/,
    );
    assert.match(stdout, /b\.json\n {2}! .*not JSON/);
    assert.match(stdout, /3 transformations, 2 with faults\n$/);
    assert.doesNotMatch(stdout, /c\.json|notes/);
  });

  it('reports as JSON with --json', async () => {
    await using files = await folder({
      'a.json': { user: { mappings: [{ sourcePath: '$[', targetPath: '$.a' }] } },
    });
    const { stdout, exitCode } = await gatehouse(['check', join(files.path, 'a.json'), '--json']);
    const [report] = JSON.parse(stdout);
    assert.equal(exitCode, 1);
    assert.deepEqual(
      [report.faults[0].entity, report.faults[0].mapping, report.faults[0].key],
      ['user', 1, 'sourcePath'],
    );
  });

  it('finds what a property breaks', async () => {
    await using files = await folder({
      't.json': { user: { mappings: [{ constant: 1, targetPath: '$.a', condition: '$.a =~ /%p%/' }] } },
      'p.json': { p: '(' },
    });
    assert.equal((await gatehouse(['check', join(files.path, 't.json')])).exitCode, 0);
    const { stdout, exitCode } = await gatehouse([
      'check',
      join(files.path, 't.json'),
      '--properties',
      join(files.path, 'p.json'),
    ]);
    assert.match(stdout, /unclosed group/);
    assert.equal(exitCode, 1);
  });
});

describe('transform run', () => {
  it('prints the output of an entity and nothing else', async () => {
    const { stdout, stderr, exitCode } = await gatehouse(
      ['run', read, '--entity', 'user', '--input', '-', '--variable', 'entityBaseLocation=https://t/Users/'],
      JSON.stringify(user),
    );
    assert.deepEqual(JSON.parse(stdout).meta, { location: 'https://t/Users/u9', resourceType: 'User' });
    assert.deepEqual([stderr, exitCode], ['', 0]);
  });

  it('explains every mapping with --explain', async () => {
    const { stdout, exitCode } = await gatehouse(
      ['run', read, '--entity', 'user', '--input', '-', '--explain'],
      JSON.stringify(user),
    );
    assert.equal(exitCode, 0);
    assert.match(stdout, /^ {3}1 \+ written to \$\.id and to variable entityIdSourceSystem: "u9"$/m);
    assert.match(stdout, /^ {3}2 - skipped: there is no value in variable entityBaseLocation$/m);
    assert.match(stdout, /^ {3}7 - skipped: there is no value at \$\.externalId and it is optional$/m);
    assert.match(stdout, /^ {2}entityIdSourceSystem = "u9"$/m);
  });

  it('ends with 2 and the reason when the condition leaves the entity out', async () => {
    await using files = await folder({ 'p.json': { 'acme.user.type': 'partner' } });
    const properties = ['--properties', join(files.path, 'p.json')];
    const { stdout, stderr, exitCode } = await gatehouse(
      ['run', read, '--entity', 'user', '--input', '-', ...properties],
      JSON.stringify(user),
    );
    assert.deepEqual([stdout, exitCode], ['', 2]);
    assert.match(stderr, /The condition: .*'partner'.*, is not fulfilled\./);
  });

  it('explains a failure at the mapping that fails', async () => {
    const { stdout, exitCode } = await gatehouse(
      ['run', read, '--entity', 'user', '--input', '-', '--explain'],
      '{"id":"x"}',
    );
    assert.match(stdout, /^ {3}6 ! fails: there is no value at \$\.userName and it is not optional$/m);
    assert.equal(exitCode, 1);
  });

  it('ends with 1 and the mapping when the entity cannot be transformed', async () => {
    const { stderr, exitCode } = await gatehouse(
      ['run', read, '--entity', 'user', '--input', '-'],
      '{"id":"x"}',
    );
    assert.equal(exitCode, 1);
    assert.equal(
      stderr,
      'gatehouse: user, mapping 6: there is no value at $.userName and it is not optional\n',
    );
  });
});

describe('wrong usage', () => {
  const calls: readonly (readonly [readonly string[], RegExp])[] = [
    [['check', '/does/not/exist'], /cannot be read \(ENOENT\)/],
    [['verify', pair], /there is no verb 'verify' here; the verbs are check, run/],
    [['check'], /wrong number of arguments/],
    [['run', read], /--entity is needed/],
    [['run', read, '--entity', 'user', '--operation', 'upsert'], /--operation is one of read, create/],
    [['run', read, '--entity', 'user', '--variable', 'x'], /--variable is name=value/],
    [['check', pair, '--nope'], /nope/],
  ];
  for (const [args, reason] of calls) {
    it(`ends with 4 and the help: transform ${args.filter((arg) => !arg.startsWith('/')).join(' ')}`, async () => {
      const { stderr, exitCode } = await gatehouse(args);
      assert.match(stderr, reason);
      assert.match(stderr, /usage: gatehouse transform check/);
      assert.equal(exitCode, 4);
    });
  }

  it('never quotes an input that is not JSON', async () => {
    const { stderr, exitCode } = await gatehouse(['run', read, '--entity', 'user', '--input', '-'], 'secret');
    assert.equal(exitCode, 4);
    assert.doesNotMatch(stderr, /secret/);
  });

  it('shows the help with examples when asked', async () => {
    const { stdout, exitCode } = await gatehouse(['--help']);
    assert.match(stdout, /examples:\n/);
    assert.equal(exitCode, 0);
  });
});
