/** `gatehouse witness` as a process, and a gateway's trail that uses it by its configuration. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join, resolve as resolvePath } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import { parseCheckpoint } from '../../src/audit/note.ts';
import { startGateway } from '../support/gateway.ts';
import { temporaryDirectory } from './support.ts';

const main = resolvePath(import.meta.dirname, '../../src/main.ts');

interface Command {
  readonly child: ChildProcess;
  readonly lines: string[];
  readonly ended: Promise<unknown[]>;
}

function run(...args: string[]): Command {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => lines.push(line));
  return { child, lines, ended: once(child, 'close') };
}

async function until(holds: () => Promise<boolean> | boolean, what: string): Promise<void> {
  for (let waited = 0; !(await holds()); waited += 20) {
    assert.ok(waited < 30_000, what);
    await pause(20);
  }
}

test('a witness shows its key, cosigns the trail of a gateway that knows it, and proves that trail', async (t) => {
  const directory = await temporaryDirectory();
  const witness = run(
    'witness',
    '--directory',
    directory,
    '--listen',
    '127.0.0.1:0',
    '--name',
    'w.example/1',
  );
  t.after(() => witness.child.kill('SIGKILL'));
  await until(() => witness.lines.length >= 2, 'the witness does not start');
  const [url = ''] = /http:\S+/.exec(witness.lines[0] ?? '') ?? [];
  const publicKey = (witness.lines[1] ?? '').trim();
  {
    await using gateway = await startGateway({
      config: {
        audit: {
          directory: join(directory, 'trails'),
          instance: 'gw',
          keyFile: join(directory, 'audit.key'),
          witness: { url, publicKey },
        },
      },
    });
    const place = join(gateway.auditDirectory, 'gw');
    await copyFile(join(place, 'keys.pub'), join(directory, 'logs', 'gw.pub'));
    await gateway.call('GET', '/Users?count=1');
    const origin = parseCheckpoint(await latest(place))?.origin ?? '';
    const fetched = async (): Promise<string> => (await fetch(`${url}/${origin}/checkpoint`)).text();
    // The first offer came before the witness knew the log, and the next one comes after a pause.
    await until(async () => (parseCheckpoint(await fetched())?.size ?? 0) > 0, 'nothing is cosigned');
    const kept = join(directory, 'kept');
    await writeFile(kept, await fetched());
    const key = join(directory, 'witness.pub');
    const verify = run('audit', 'verify', place, '--checkpoint', kept, '--witness-key', key);
    assert.deepEqual(await verify.ended, [0, null], verify.lines.join('\n'));
    assert.ok(verify.lines.some((line) => /covered\s+up to \d+ by a checkpoint, witnessed at 20/.test(line)));
  }
  witness.child.kill('SIGTERM');
  assert.deepEqual(await witness.ended, [0, null]);
});

async function latest(place: string): Promise<string> {
  let note = '';
  await until(async () => {
    note = await readFile(join(place, 'checkpoint'), 'utf8').catch(() => '');
    return note !== '';
  }, 'no checkpoint comes');
  return note;
}

test('a witness that is not told where it keeps its memory ends with 4 and the help', async () => {
  for (const args of [[], ['--directory', '/tmp/x', '--listen', 'nowhere'], ['--directory', '/tmp/x', 'y']]) {
    const { lines, ended } = run('witness', ...args);
    assert.deepEqual(await ended, [4, null]);
    assert.ok(lines.some((line) => line.startsWith('usage: gatehouse witness')));
  }
});
