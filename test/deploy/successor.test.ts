/** A killed container's record of ownership must not keep its successor out, although both were process 1. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtempDisposable, readdir, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { readOwners } from '../../src/audit/owner.ts';
import { createTrail } from '../../src/audit/trail.ts';

const instance = 'gatehouse-0';
const periodKey = { period: '2026q1', secret: Buffer.alloc(32, 7) };
const options = { instance, version: '1.0.0', configHash: 'c0ffee', key: Buffer.alloc(32, 7), periodKey };

/** A process that opens the trail and then is killed; gives the name of the record that it leaves behind. */
async function killedOwner(directory: string): Promise<string> {
  const trail = new URL('../../src/audit/trail.ts', import.meta.url).href;
  const program = `import { createTrail } from ${JSON.stringify(trail)};
    const key = Buffer.alloc(32, 7);
    const periodKey = { period: '2026q1', secret: key };
    await createTrail({ ...${JSON.stringify({ ...options, directory })}, key, periodKey });
    process.stdout.write('open');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  const [record = '', ...more] = (await readdir(join(directory, instance))).filter((file) =>
    file.startsWith('owner-'),
  );
  assert.equal(more.length, 0);
  return record;
}

test('a killed owner whose pid belongs to a living stranger does not block', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-successor-'));
  const record = await killedOwner(directory.path);
  const below = join(directory.path, instance);
  // As when the container starts anew: process 1 lives, began at another time, and is not the one that was killed.
  const started = /^owner-\d+-(\d+)\.json$/.exec(record)?.[1];
  await rename(join(below, record), join(below, `owner-1-${Number(started) + 1}.json`));
  await using _ = await createTrail({ ...options, directory: directory.path });
  const owners = await readOwners(below);
  assert.deepEqual(
    owners.map(({ pid, alive }) => ({ pid, alive })),
    [{ pid: process.pid, alive: true }],
  );
});

test('a record with the very name of ours, left by a boot before this one, does not block', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-successor-'));
  let own = '';
  {
    await using _ = await createTrail({ ...options, directory: directory.path });
    own = (await readdir(join(directory.path, instance))).find((file) => file.startsWith('owner-')) ?? '';
  }
  await mkdir(join(directory.path, instance), { recursive: true });
  await writeFile(join(directory.path, instance, own), '{}\n');
  await using _ = await createTrail({ ...options, directory: directory.path });
});
