/** `npm run bench` in small: it measures what it is asked for, writes it down, and invents nothing. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { judge } from '../../bench/acceptance.ts';
import type { Run } from '../../bench/run.ts';
import type { Costs } from '../../bench/workloads.ts';

const bench = resolve(import.meta.dirname, '../../bench/bench.ts');
const ways = 'direct,nginx,gatehouse-1';
let directory = '';
let printed = '';
let run: Run;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gatehouse-bench-test-'));
  const words = ['a', 'c', 'cached', '--quick', '--only', ways, '--nginx', '/nowhere/nginx'];
  const { stdout } = await promisify(execFile)(process.execPath, [bench, ...words, '--out', directory]);
  printed = stdout;
  run = JSON.parse(await readFile(join(directory, 'bench.json'), 'utf8'));
});
after(() => rm(directory, { recursive: true }));

test('a load through Gatehouse costs fewer calls than directly, and none fails', () => {
  const [direct, gatehouse] = ['direct', 'gatehouse-1'].map((way) => costsOf('a', way));
  assert.equal(direct?.up, 13);
  assert.ok((gatehouse?.up ?? 99) <= 6, `${gatehouse?.up} calls`);
  assert.deepEqual([gatehouse?.refused, gatehouse?.failed], [0, 0]);
});

test('single reads after a load cost next to nothing, and some are compared with the tenant', () => {
  const { up = 0, operations } = costsOf('c', 'gatehouse-1') ?? {};
  assert.equal(operations, 300);
  assert.ok(up >= 1 && up <= 5, `${up} calls`);
});

test('a way that this machine does not have is told as not measured, without a figure', async () => {
  assert.match(printed, /nginx, proxy_cache: not measured: nginx is missing/);
  assert.deepEqual(run.missing, { nginx: 'nginx is missing' });
  assert.equal(run.costs.filter(({ way }) => way === 'nginx').length, 0);
  assert.equal(run.cached?.nginx, undefined);
  const chart = await readFile(join(directory, 'bench.svg'), 'utf8');
  assert.match(chart, /not measured: nginx is missing/);
});

test('only what is asked for is measured', () => {
  assert.deepEqual([...new Set(run.costs.map(({ workload }) => workload))], ['a', 'c']);
});

test('the chart is well-formed and has a row for every way that was measured', async () => {
  const chart = await readFile(join(directory, 'bench.svg'), 'utf8');
  assert.match(chart, /^<svg [^>]*>[\s\S]*<\/svg>\n$/);
  assert.equal(chart.match(/<rect class="(?:bar|own)"/g)?.length, run.costs.length + 1);
  assert.match(chart, /prefers-color-scheme: dark/);
});

test('every promise that was not kept is found in the figures', () => {
  const base = { refused: 0, failed: 0, operations: 20_000, seconds: 1, parallel: 1, waited: 1, longest: 1 };
  const through = { ...base, way: 'gatehouse-3', up: 40 } as const;
  const kept: readonly Costs[] = [
    { ...through, workload: 'a' },
    { ...through, workload: 'b', up: 10 },
    { ...through, workload: 'c' },
    { ...base, way: 'direct', workload: 'd-put', up: 1000, lost: 400 },
    { ...through, workload: 'd-put', lost: 400 },
    { ...through, workload: 'd-refuse', lost: 0 },
    { ...through, workload: 'f', one: 5, all: 240 },
  ];
  const broken: readonly Costs[] = [
    { ...through, workload: 'a', up: 211, seconds: 121, failed: 1 },
    { ...through, workload: 'b', up: 11 },
    { ...through, workload: 'c', up: 46 },
    { ...through, workload: 'c', up: 39 },
    { ...base, way: 'direct', workload: 'd-put', up: 1000, lost: 400 },
    { ...through, workload: 'd-put', lost: 401 },
    { ...through, workload: 'd-refuse', lost: 1 },
    { ...through, workload: 'f', one: 5.1, all: 240.1, refused: 1 },
  ];
  const heldOf = (all: readonly Costs[]): boolean[] => judge(all).map(({ held }) => held);
  assert.deepEqual(
    heldOf(kept),
    Array.from({ length: 11 }, () => true),
  );
  assert.equal(heldOf(broken).filter((held) => !held).length, 11);
});

function costsOf(workload: string, way: string): Costs | undefined {
  return run.costs.find((each) => each.workload === workload && each.way === way);
}
