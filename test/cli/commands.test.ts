/** What all commands have in common, and the small ones among them. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { stringify } from 'yaml';

import { commands, type Commands } from '../../src/cli/commands.ts';
import { soundDocument } from '../support/configuration.ts';

const main = resolve(import.meta.dirname, '../../src/main.ts');
const env = { ...process.env, ACME_SECRET: 'kept to ourselves' };
const run = (...args: string[]) => promisify(execFile)(process.execPath, [main, ...args], { env });

async function helpsOf(some: Commands, before = ''): Promise<(readonly [name: string, help: string])[]> {
  const helps = await Promise.all(
    Object.entries(some).map(async ([name, { load }]) => {
      const { help, commands: own } = await load();
      return own ? helpsOf(own, `${before}${name} `) : [[`${before}${name}`, help] as const];
    }),
  );
  return helps.flat();
}

test('the help of every command has its usage, examples and exit codes', async () => {
  for (const [name, help] of await helpsOf(commands)) {
    assert.match(help, new RegExp(`^usage: gatehouse ${name}\\b`), name);
    assert.match(help, new RegExp(`\nexamples?:\n(?:.*\n)*?.*gatehouse ${name}\\b`), name);
    assert.match(help, /exit codes?:/, name);
  }
});

/** Services, whose log is JSON anyway, a play, and what writes a format of its own. */
const withoutJson = new Set([
  'start',
  'ips',
  'witness',
  'demo',
  'completion',
  'idm-csv',
  'audit export',
  'audit report',
  'audit prove',
]);

test('every command that answers a question answers in JSON as well', async () => {
  const helps = await helpsOf(commands);
  const silent = helps.filter(([, help]) => !/--json\b/.test(help)).map(([name]) => name);
  assert.deepEqual(new Set(silent), withoutJson);
});

test('bash completes commands, subcommands and options', async () => {
  const { stdout: script } = await run('completion', 'bash');
  const completed = async (...words: string[]): Promise<string[]> => {
    const ask = `COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _gatehouse; echo "\${COMPREPLY[@]}"`;
    const { stdout } = await promisify(execFile)('bash', ['-c', `${script}\n${ask}`, 'bash', ...words]);
    return stdout.trim().split(' ');
  };
  assert.deepEqual(await completed('gatehouse', 'doc'), ['doctor']);
  assert.deepEqual(await completed('gatehouse', 'audit', 'ver'), ['verify']);
  assert.deepEqual(await completed('gatehouse', 'audit', 'search', '--resource'), ['--resource-type']);
  assert.deepEqual(await completed('gatehouse', 'audit', 'search', '--caller', 'x', '--sys'), ['--system']);
  assert.ok((await completed('gatehouse', 'secret', '')).includes('rotate'));
});

test('the other shells get scripts of their own, and an unknown one is wrong usage', async () => {
  assert.match((await run('completion', 'zsh')).stdout, /bashcompinit/);
  assert.match((await run('completion', 'fish')).stdout, /^complete -c gatehouse .*-l read$/m);
  await assert.rejects(run('completion', 'tcsh'), { code: 4 });
});

test('bench tells what the machine carries, and that nothing failed', async () => {
  const { stdout } = await run('bench', '--seconds', '1', '--callers', '4', '--json');
  const figures: { readonly what: string; readonly perSecond: number; readonly failed: number }[] =
    JSON.parse(stdout);
  assert.deepEqual(
    figures.map(({ what, failed }) => [what, failed]),
    [
      ['reads that are remembered', 0],
      ['reads at the tenant', 0],
      ['writes', 0],
    ],
  );
  assert.ok(figures.every(({ perSecond }) => perSecond > 0));
  await assert.rejects(run('bench', '--callers', 'many'), { code: 4 });
});

test('caller list says how each logs on and what it may do', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-caller-'));
  const config = join(directory.path, 'gatehouse.yaml');
  const permission = { permission: 'Access Proxy System API', systems: ['people'], access: ['read'] };
  const careful = {
    permissions: [{ ...permission, deniedAttributes: ['emails'] }],
    sourceNetworks: ['10.20.0.0/16'],
  };
  const document = soundDocument();
  const callers = { ...document.callers, careful };
  await writeFile(config, stringify({ ...document, callers, secretsFile: 'secrets.yaml' }));
  await run('secret', 'new', 'careful', '--expires', '90d', '--config', config);
  const { stdout } = await run('caller', 'list', '--config', config);
  assert.match(stdout, /^careful\n {2}log-on {2}secret until 20\d\d-.*\n {2}from {4}10\.20\.0\.0\/16\n/m);
  assert.match(stdout, /may {5}read all resource types of people, but not emails/);
  assert.match(stdout, /^sap-idm\n {2}log-on {2}none: it cannot log on/m);
  const rows = JSON.parse((await run('caller', 'list', '--config', config, '--json')).stdout);
  assert.deepEqual(
    rows.map(({ caller, secrets }: { caller: string; secrets: unknown[] }) => [caller, secrets.length]),
    [
      ['sap-idm', 0],
      ['careful', 1],
    ],
  );
});
