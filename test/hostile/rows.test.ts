/**
 * Every row of the acceptance list of hostile and faulty situations, by its number: played against a running gateway,
 * or held elsewhere. HOSTILE_TABLE names a file for the table of them all; `npm run hostile` prints it.
 */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { after, test } from 'node:test';

import type { Siege } from '../support/siege.ts';
import { bodyRows } from './body-rows.ts';
import { remembered } from './cache-rows.ts';
import { corpusRows } from './corpus-rows.ts';
import { elsewhere } from './elsewhere.ts';
import { framingRows } from './framing-rows.ts';
import { guarded } from './guard-rows.ts';
import { book, guessing, tokens } from './guessing-rows.ts';
import { handshakes } from './handshake-rows.ts';
import { headerRows } from './header-rows.ts';
import { logOnRows } from './logon-rows.ts';
import { pathRows } from './path-rows.ts';
import { besiegePlain } from './plain-stage.ts';
import { ownProcess } from './process-rows.ts';
import type { Row, Stage } from './row.ts';
import { playStage, type Line } from './stage.ts';
import { table } from './table.ts';
import { busyTenant, faultyTenant } from './tenant-rows.ts';
import { clients, tenantTls } from './tls-rows.ts';

const wholeList = 118;
const lines: Line[] = [];
const played: Pick<Row, 'row' | 'differs'>[] = [];

function perform<S extends Siege>(stage: Stage<S>): void {
  played.push(...stage.rows);
  playStage(stage, (line) => lines.push(line));
}

perform({
  title: 'before a tenant that echoes',
  open: () => besiegePlain(),
  rows: [...framingRows, ...pathRows, ...headerRows, ...logOnRows, ...bodyRows],
});
perform(faultyTenant);
perform(busyTenant);
perform(book);
perform(guessing);
perform(tokens);
perform(clients);
perform(tenantTls);
perform(remembered);
perform(ownProcess);
perform(guarded);
perform({ title: 'under what outside suites send', open: () => besiegePlain(), rows: corpusRows });
perform(handshakes);

test('every row of the list is played here, or held elsewhere, once', () => {
  const numbers = [
    ...played.map(({ row }) => row).filter((row) => typeof row === 'number'),
    ...Object.keys(elsewhere).map(Number),
  ];
  assert.deepEqual(
    numbers.toSorted((one, another) => one - another),
    Array.from({ length: wholeList }, (_, at) => at + 1),
  );
});

for (const [row, entry] of Object.entries(elsewhere))
  test(`the test that holds row ${row} is there`, async () => {
    const text = await readFile(resolve(import.meta.dirname, '../..', entry.file), 'utf8');
    assert.ok(text.includes(entry.title), `${entry.file} has no '${entry.title}'`);
  });

after(async () => {
  const file = process.env['HOSTILE_TABLE'];
  if (file) await writeFile(file, table(lines, played));
});
