/** Where a run is written: all of it as JSON, what is shown as SVG, and the figures in a page beside the words about them. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { chart } from './chart.ts';
import { markdown } from './report.ts';
import type { Run } from './run.ts';

export async function publish(run: Run, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'bench.json'), `${JSON.stringify(run, undefined, 2)}\n`);
  await writeFile(join(directory, 'bench.svg'), chart(run));
  await renewFigures(join(directory, 'bench.md'), markdown(run));
}

const [begin, end] = ['<!-- figures of a run -->', '<!-- end of the figures -->'];

/** In a page that has a place for them; the words around them stay. */
async function renewFigures(file: string, figures: string): Promise<void> {
  const page = await readFile(file, 'utf8').catch(() => `${begin}\n${end}\n`);
  const [before = '', rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`${file} has no place for the figures`);
  await writeFile(file, `${before}${begin}\n\n${figures}\n${end}${after}`);
}
