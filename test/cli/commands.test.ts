/** What all commands have in common, and the small ones among them. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { stringify } from 'yaml';

import { WrongUsage } from '../../src/cli/arguments.ts';
import { commands, type Commands } from '../../src/cli/commands.ts';
import { wordsOf } from '../../src/cli/completion.ts';
import { hint } from '../../src/cli/nearest.ts';
import { soundDocument } from '../support/configuration.ts';

const main = resolve(import.meta.dirname, '../../src/main.ts');
const sources = resolve(import.meta.dirname, '../../src/cli');
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
    assert.match(help, /\nexit codes:(?:.*\n)+$/, `${name}: exit codes come last`);
    assert.doesNotMatch(help, /exit codes:(?:.*\n)*\nexamples?:/, name);
  }
});

/** Services, whose log is JSON anyway, a play, and what writes a format of its own. */
const withoutJson = new Set([
  'start',
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
  const silent = helps.filter(([, help]) => !/--json\b/.test(help.split('\n\n')[0] ?? ''));
  assert.deepEqual(new Set(silent.map(([name]) => name)), withoutJson);
  for (const [name, help] of helps.filter(([each]) => !withoutJson.has(each)))
    assert.match(
      help,
      /^(?: +--json {2,}| *With --json )(?:.*\{".*":|the lines as they stand)|^ +--json .*\n +\{"/m,
      name,
    );
});

test('with --json a failure is JSON as well, whatever it is, and the exit code is the same', async () => {
  for (const [typed, wanted, says] of [
    [['doctor', '--config', 'nowhere.yaml'], 1, /nowhere\.yaml is not sound/],
    [['guard', 'list', '--config', 'nowhere.yaml'], 1, /nowhere\.yaml is not sound/],
    [['audit', 'key', 'nowhere'], 4, /nowhere/],
    [['audit', 'verify', 'nowhere', '--local-only'], 4, /^the trail cannot be read: .*nowhere/],
    [['explain', 'x', '--whatever'], 4, /^there is no option '--whatever' here/],
  ] as const)
    await assert.rejects(run(...typed, '--json'), ({ code, stdout, stderr }: Refused) => {
      assert.equal(code, wanted, typed.join(' '));
      const { error }: { readonly error: string } = JSON.parse(stdout);
      assert.match(error, says);
      assert.ok(stderr.includes(error), stderr);
      return true;
    });
});

interface Refused {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

for (const [typed, says] of [
  [['chekc'], "there is no command 'chekc'. Did you mean 'check'?"],
  [['audit', 'serach', '.'], "there is no command 'audit serach'. Did you mean 'search'?"],
  [['audit'], 'audit needs a subcommand'],
  [['check', '--confg', 'x'], "there is no option '--confg' here. Did you mean '--config'?"],
  [['audit', 'search', '.', '--resource', 'Users'], "'--resource' here. Did you mean '--resource-type'?"],
  [['explain', 'x', '--whatever'], "there is no option '--whatever' here.\n"],
  [['check', '--config'], "Option '--config <value>' argument missing"],
] as const)
  test(`'gatehouse ${typed.join(' ')}' is wrong usage, and a hint is told beside the help`, async () => {
    await assert.rejects(run(...typed), ({ code, stdout, stderr }: Refused) => {
      assert.deepEqual([code, stdout], [4, '']);
      assert.ok(stderr.startsWith('gatehouse: ') && stderr.includes(says), stderr);
      assert.match(stderr, /\nusage: gatehouse/);
      assert.doesNotMatch(stderr, /^ +at /m);
      return true;
    });
  });

test('a hint is a name that is near, and none is given where none is', () => {
  const names = ['--config', '--json', '--from', '--to'];
  const hints = ['--cofnig', '--jsn', '--form', '--conf', '--missing', ''].map((typed) => hint(typed, names));
  const meant = ['--config', '--json', '--from', '--config'].map((name) => ` Did you mean '${name}'?`);
  assert.deepEqual(hints, [...meant, '', '']);
});

test('what a failure says goes to standard error, as one line without a stack', async () => {
  for (const typed of [
    ['doctor', '--config', 'nowhere.yaml'],
    ['caller', 'list', '--config', 'nowhere.yaml'],
    ['transform', 'check', 'nowhere.json'],
    ['audit', 'key', 'nowhere'],
  ])
    await assert.rejects(run(...typed), ({ code, stdout, stderr }: Refused) => {
      assert.ok(code === 1 || code === 4, `${code}`);
      assert.equal(stdout, '');
      assert.match(stderr, /nowhere/);
      assert.doesNotMatch(stderr, /^ +at |node:/m);
      return true;
    });
});

test('whoever reads may have had enough: a command ends with its exit code and without a word', async () => {
  for (const [typed, wanted] of [
    [['--help'], 0],
    [['audit', 'search', '--help'], 0],
    [['check', '--config', 'nowhere.yaml'], 1],
  ] as const) {
    const child = spawn(process.execPath, [main, ...typed], { env });
    child.stdout.destroy();
    const [told, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
    assert.deepEqual([told, code], ['', wanted], typed.join(' '));
  }
});

/** Two unknown things, of which the first is not the option that is tried. */
async function takes(command: Commands[string], verbs: readonly string[], option: string): Promise<boolean> {
  const { run: runIt } = await command.load();
  for (const verb of [[], ...verbs.map((each) => [each])])
    try {
      await runIt([...verb, option, '--zzz']);
    } catch (error) {
      assert.ok(error instanceof WrongUsage, String(error));
      if (!error.message.includes(`no option '${option}'`)) return true;
    }
  return false;
}

test('what the shells complete is what the commands take: every command, and each of its options', async () => {
  const words = await wordsOf(commands);
  const all = async (some: Commands, before: readonly string[] = []): Promise<void> => {
    for (const [name, command] of Object.entries(some)) {
      const { commands: own } = await command.load();
      const path = [...before, name];
      if (own) {
        await all(own, path);
        continue;
      }
      const next = words.get(path.join(' ')) ?? assert.fail(path.join(' '));
      const options = next.filter((word) => word.startsWith('--') && word !== '--help');
      const verbs = next.filter((word) => !word.startsWith('--'));
      for (const option of options)
        assert.ok(await takes(command, verbs, option), `${path.join(' ')} ${option}`);
      const files = globSync(`${path.join('-')}{,-job}.ts`, { cwd: sources });
      const source = files.map((file) => readFileSync(join(sources, file), 'utf8')).join('\n');
      const taken = [...source.matchAll(/'?([a-z][a-z-]*)'?: \{ type: '(?:string|boolean)'/g)];
      for (const [, option] of taken)
        assert.ok(options.includes(`--${option}`), `${path.join(' ')} --${option}`);
    }
  };
  await all(commands);
});

for (const [asked, says] of [
  ['secret', /: the verbs are new, rotate, hash\n/],
  ['secret nwe', /: there is no verb 'nwe' here; the verbs are new, rotate, hash\. Did you mean 'new'\?/],
  ['caller', /: the verb is list\n/],
  ['cache', /: the verb is forget\n/],
  ['tenant', /: the verbs are pause, resume\n/],
  ['guard', /: the verbs are list, release\n/],
  ['alert', /: the verb is test\n/],
  ['snapshot', /: the verb is release\n/],
  ['transform chk', /: there is no verb 'chk' here; the verbs are check, run\.\n/],
  ['witness', /: --directory DIR is needed\n/],
  ['idm-csv', /: --system is needed\n/],
] as const)
  test(`'gatehouse ${asked}' says what is missing`, () =>
    assert.rejects(run(...asked.split(' ')), { code: 4, stderr: says }));

test('help of a command is its own, however it is asked for', async () => {
  const [asked, own] = await Promise.all([run('help', 'audit', 'verify'), run('audit', 'verify', '--help')]);
  assert.equal(asked.stdout, own.stdout);
});

test('a name that nobody has is told with those that there are', async () => {
  await assert.rejects(run('secret', 'new', 'nobody'), {
    code: 1,
    stderr: /there is no technical user "nobody"; there are: identity-manager, /,
  });
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
  // What is no word of ours is the shell's own, which knows names of files with blanks.
  assert.deepEqual(await completed('gatehouse', 'check', '--config', 'pack'), ['']);
  assert.match(script, /^complete -o default -F _gatehouse gatehouse /m);
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
