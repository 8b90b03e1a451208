/** The gateway as a process: what it refuses to start with, and what no signal brings it to. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { stringify } from 'yaml';

const main = resolve(import.meta.dirname, '../../src/main.ts');

interface Started extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly directory: string;
  output(): string;
  /** Resolves when the output has it, or the process has ended. */
  shown(text: RegExp): Promise<void>;
}

async function start(options: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Started> {
  const directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-process-'));
  const { path } = directory;
  const file = join(path, 'gatehouse.yaml');
  await writeFile(
    file,
    stringify({
      listen: { port: 0 },
      admin: { port: 0 },
      audit: { directory: 'audit', instance: 'test', keyFile: 'audit.key' },
      secretsFile: 'secrets.yaml',
      firstStart: { generateSecrets: true },
      callers: {
        idm: { permissions: [{ permission: 'Access Proxy System API', systems: 'all', access: ['read'] }] },
      },
      tenants: { acme: { embedded: { port: 0, users: 1, groups: 1 } } },
      systems: { people: { tenant: 'acme' } },
    }),
  );
  const { NODE_OPTIONS: _, ...inherited } = process.env;
  const child = spawn(process.execPath, [...options, main, 'start', '--config', file], {
    cwd: path,
    env: { ...inherited, ...env },
  });
  const ended = once(child, 'close');
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  return {
    child,
    directory: path,
    output: () => output,
    async shown(text) {
      while (!text.test(output) && child.exitCode === null) await sleep(20);
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
      await directory.remove();
    },
  };
}

test('SIGUSR1 opens no debugger, and the gateway goes on', async () => {
  await using gateway = await start([]);
  await gateway.shown(/"serving"/);
  gateway.child.kill('SIGUSR1');
  await gateway.shown(/SIGUSR1|Debugger/);
  gateway.child.kill('SIGTERM');
  await once(gateway.child, 'close');
  assert.equal(gateway.child.exitCode, 0, gateway.output());
  assert.doesNotMatch(gateway.output(), /Debugger listening/);
});

for (const [what, options, env, told] of [
  ['an option of the command line', ['--report-on-signal'], {}, /--report-on-signal, which lets memory/],
  [
    'an option of NODE_OPTIONS',
    [],
    { NODE_OPTIONS: '--heapsnapshot-signal=SIGUSR2' },
    /NODE_OPTIONS: contains/,
  ],
  ['a variable', [], { NODE_TLS_REJECT_UNAUTHORIZED: '0' }, /any certificate would be accepted/],
] as const)
  test(`${what} that would undo what the configuration promises keeps it from starting`, async () => {
    await using gateway = await start(options, env);
    await once(gateway.child, 'close');
    assert.equal(gateway.child.exitCode, 1);
    assert.match(gateway.output(), told);
    assert.deepEqual(await readdir(gateway.directory), ['gatehouse.yaml'], 'nothing was written');
  });
