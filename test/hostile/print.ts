/** `npm run hostile`: plays all rows and prints their table; ends as the tests end. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempDisposableSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-table-'));
const file = join(directory.path, 'table.txt');
const tests = join(import.meta.dirname, 'rows.test.ts');
const { status } = spawnSync(process.execPath, ['--test', '--test-reporter=dot', tests], {
  stdio: 'inherit',
  env: { ...process.env, HOSTILE_TABLE: file },
});
// Without it the tests could not even begin, and have said why.
if (existsSync(file)) process.stdout.write(`\n${readFileSync(file, 'utf8')}`);
process.exitCode = status ?? 1;
