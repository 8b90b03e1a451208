/** `gatehouse idm-csv`: the method and the time-out that fit the system. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { stringify } from 'yaml';

import { soundDocument, theSecret } from '../support/configuration.ts';

const main = resolve(import.meta.dirname, '../../src/main.ts');
const run = promisify(execFile);

/** The columns of the file that is written for the system `people` with these settings. */
async function columnsFor(system: object): Promise<ReadonlyMap<string, string>> {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-csv-'));
  const file = join(directory.path, 'gatehouse.yaml');
  const document = { ...soundDocument(), systems: { people: { tenant: 'acme', ...system } } };
  await writeFile(file, stringify(document), { mode: 0o600 });
  const args = [main, 'idm-csv', '--system', 'people', '--config', file];
  const { stdout } = await run(process.execPath, args, { env: { ...process.env, ACME_SECRET: theSecret } });
  const [names = '', values = ''] = stdout.split('\n');
  const cells = values.split(',').map((value) => value.replaceAll('"', ''));
  return new Map(names.split(',').map((name, at) => [name, cells[at] ?? '']));
}

test('the method is the one that SAP documents for the type of the system, unless another is named', async () => {
  const methods = await Promise.all(
    [
      {},
      { connector: 'SAP Application Server ABAP' },
      { connector: 'SAP CPQ' },
      { connector: 'SAP CPQ', assignment: 'PUT' },
      { connector: 'SCIM System', assignment: 'PATCH', patchEntity: true },
      { connector: 'SAP S/4HANA On-Premise' },
    ].map(async (system) => (await columnsFor(system)).get('SCIM_ASSIGNMENT_METHOD')),
  );
  assert.deepEqual(methods, ['PUT', 'PUT', 'PATCH', 'PUT', 'PATCH', '']);
});

test('SAP Identity Management waits longer than a write may take', async () => {
  assert.equal((await columnsFor({})).get('READ_TIMEOUT'), String(50_000 + 190_000 + 20_000));
  const slower = await columnsFor({ deadlines: { write: '300s' } });
  assert.equal(slower.get('READ_TIMEOUT'), String(50_000 + 300_000 + 20_000));
});
