/** `gatehouse guard list`: what is held, and what of it somebody has let pass. */
import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import { loadConfig } from '../../src/gateway/config.ts';
import { guardPlaces } from '../../src/gateway/shared-guard.ts';
import { LocalBook } from '../../src/guard/local-book.ts';
import { gatehouse } from '../support/command.ts';
import { prepareInstallation } from '../support/installation.ts';

const system = '5d0cbe5a-6a3f-4c55-9d0e-3c1f4b7a2e01';
const about = {
  kind: 'delete',
  caller: 'idm',
  system,
  resourceType: 'Users',
  amount: 51,
  limit: 50,
} as const;

test('a hold is listed with its whole system, and with what may still pass once it was released', async () => {
  await using place = await mkdtempDisposable(join(tmpdir(), 'gatehouse-guard-'));
  const { file } = await prepareInstallation(place.path, 'http://127.0.0.1:1');
  const { state } = guardPlaces(loadConfig(file));
  await mkdir(dirname(state), { recursive: true, mode: 0o700 });
  const book = await LocalBook.open(state);
  await book.note({ ...about, id: 'k7m', name: 'a name' });
  const list = async (...more: string[]): Promise<string> =>
    (await gatehouse('guard', 'list', '--config', file, ...more)).stdout;
  const before = await list();
  assert.match(before, new RegExp(`^k7m .* ${system} Users +51, allowed 50$`, 'm'));
  await book.permit('k7m', 2, 3_600_000);
  assert.match(await list(), /51, allowed 50; released, 2 may still pass$/m);
  const [held = '', failure = ''] = (await list('--json')).split('\n');
  assert.equal(JSON.parse(held).left, 2);
  assert.match(JSON.parse(failure).error, /^no gateway test runs below /);
});
