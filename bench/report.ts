/** A run as text: the rows as they come, and the part of docs/bench.md that is made of a run. */
import { connections, fixedRate, type Comparison } from './cached-reads.ts';
import type { Memory } from './memory.ts';
import { median } from './pairs.ts';
import type { Run } from './run.ts';
import { minutes, noteOf, number, titlesOf, wayTitles } from './words.ts';
import { workloads, type Costs } from './workloads.ts';

const names = ['calls up', '429 seen', 'failed', 'minutes'];

export const heading = `${''.padEnd(24)}${names.map((name) => name.padStart(10)).join('')}`;

export function rowOf(costs: Costs): string {
  const cells = cellsOf(costs).map((cell) => cell.padStart(10));
  return `${wayTitles[costs.way].padEnd(24)}${cells.join('')}   ${noteOf(costs)}`.trimEnd();
}

function cellsOf({ up, refused, failed, seconds }: Costs): string[] {
  return [number(up), number(refused), number(failed), minutes(seconds)];
}

export function cachedText({ gatehouse, nginx, ratios }: Comparison): string[] {
  const line = (name: string, { perSecond, p50, p99 }: Comparison['gatehouse']): string =>
    `${name}: ${number(perSecond)} a second to ${connections} callers; p50 ${p50.toFixed(1)} ms and p99 ${p99.toFixed(1)} ms at ${fixedRate} a second`;
  const ratio = `ratio ${median(ratios).toFixed(2)} (pairs: ${ratios.map((each) => each.toFixed(2)).join(', ')})`;
  return [
    nginx ? line('nginx', nginx) : 'nginx: not measured: nginx is missing',
    line('Gatehouse', gatehouse),
    ...(nginx ? [ratio] : []),
  ];
}

export function memoryText({ store, users, mebibytes }: Memory): string {
  const where = store === 'redis' ? 'Redis' : 'the gateway';
  return `${number(users)} users remembered in ${where}: ${number(mebibytes)} MiB`;
}

export function verdictText({ workload, way, promise, held }: Run['verdicts'][number]): string {
  return `${held ? 'held    ' : 'NOT HELD'}  (${workload}) ${wayTitles[way]}: ${promise}`;
}

export function markdown(run: Run): string {
  const titles = titlesOf(run.sizes);
  const rows = workloads.flatMap((workload) =>
    run.costs
      .filter((each) => each.workload === workload)
      .map(
        (costs, at) =>
          `| ${at === 0 ? titles[workload] : ''} | ${wayTitles[costs.way]} | ${cellsOf(costs).join(' | ')} | ${noteOf(costs)} |`,
      ),
  );
  const others = [...(run.cached ? cachedText(run.cached) : []), ...run.memory.map(memoryText)];
  const absent = Object.entries(run.missing).map(([way, why]) => `${way}: not measured: ${why}`);
  return `${run.at.slice(0, 10)}, commit ${run.commit}, ${run.machine}.

| workload | way | ${names.join(' | ')} | |
|---|---|---:|---:|---:|---:|---|
${rows.join('\n')}

${list([...others, ...absent])}
${list(run.verdicts.map((verdict) => verdictText(verdict).replace(/ +/g, ' ')))}`;
}

function list(lines: readonly string[]): string {
  return lines.map((line) => `- ${line}\n`).join('');
}
