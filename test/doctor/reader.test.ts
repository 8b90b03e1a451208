/** What `gatehouse doctor` does when whoever reads has had enough. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';

import { readRecords } from '../support/gateway.ts';

const root = resolve(import.meta.dirname, '../..');

test('an examination whose reader has gone comes to its end and to its exit code', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-doctor-'));
  const config = join(directory.path, 'config/gatehouse.yaml');
  await mkdir(dirname(config));
  await writeFile(config, await readFile(join(root, 'config/gatehouse.yaml')));
  const child = spawn(process.execPath, [join(root, 'src/main.ts'), 'doctor', '--config', config]);
  child.stdout.destroy();
  const [told, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  assert.deepEqual([told, code], ['', 0]);
  const records = await readRecords(join(directory.path, 'var/audit'), 'doctor');
  assert.equal(records.at(-1)?.event, 'audit.segment_closed');
});
