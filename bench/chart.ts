/**
 * A run as one SVG: a panel per workload, a bar of calls up per way, and the figures beside it in words. It has a ground of
 * its own and colours for light and dark, so that it can be read wherever it is shown.
 */
import { connections, type Comparison } from './cached-reads.ts';
import type { Run } from './run.ts';
import { wayNames, type WayName } from './way.ts';
import { minutes, noteOf, number, titlesOf, wayTitles } from './words.ts';
import { workloads, type Costs } from './workloads.ts';

const width = 960;
const left = 24;
const barLeft = 184;
const barRoom = 180;
const columns = { up: 426, refused: 496, failed: 562, minutes: 630, note: 650 };
const row = 20;
const panelHead = 38;
const panelGap = 14;

const style = `
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 13px }
.muted { fill: #59636e }
.ground { fill: #ffffff; stroke: #d1d9e0 }
.bar { fill: #8c959f }
.own { fill: #0969da }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .muted { fill: #9198a1 }
  .ground { fill: #0d1117; stroke: #3d444d }
  .bar { fill: #656c76 }
  .own { fill: #4493f8 }
}`;

export function chart(run: Run): string {
  const titles = titlesOf(run.sizes);
  let y = 50;
  const parts: string[] = [];
  for (const workload of workloads) {
    const costs = run.costs.filter((each) => each.workload === workload);
    if (costs.length === 0) continue;
    parts.push(panel(titles[workload], costs, run.missing, y));
    y += panelHead + row * wayNames.filter((way) => isShown(way, costs, run.missing)).length + panelGap;
  }
  if (run.cached) {
    parts.push(cachedPanel(run.cached, run.missing['nginx'], y));
    y += panelHead + row * 2 + panelGap;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y + 8}" role="img" aria-label="Calls that reach the tenant, per workload and way">
<style>${style}
</style>
<rect class="ground" x="0.5" y="0.5" width="${width - 1}" height="${y + 7}" rx="8"/>
<text class="title" x="${left}" y="26">An identity manager's work against a tenant that slows at 150 calls a minute and refuses at 200</text>
<text class="muted" x="${left}" y="44">Bars: calls that reached the tenant. Minutes of its clock.</text>
${heads(['calls up', '429 seen', 'failed', 'minutes'], 44)}
${parts.join('\n')}
</svg>
`;
}

function isShown(way: WayName, costs: readonly Costs[], missing: Run['missing']): boolean {
  // Its row stands empty where it would have stood beside the direct way.
  const isLacking = missing[way] !== undefined && costs.some((each) => each.way === 'direct');
  return isLacking || costs.some((each) => each.way === way);
}

function panel(title: string, costs: readonly Costs[], missing: Run['missing'], y: number): string {
  const most = Math.max(1, ...costs.map(({ up }) => up));
  const ways = wayNames.filter((way) => isShown(way, costs, missing));
  const rows = ways.map((way, at) => {
    const rowY = y + panelHead + at * row;
    const found = costs.find((each) => each.way === way);
    return found ? costsRow(found, found.up / most, rowY) : absentRow(way, missing[way] ?? '', rowY);
  });
  return [titleOf(title, y), ...rows].join('\n');
}

function titleOf(title: string, y: number): string {
  return `<text class="title" x="${left}" y="${y + 18}">${escape(title)}</text>`;
}

function heads(names: readonly string[], y: number): string {
  const places = [columns.up, columns.refused, columns.failed, columns.minutes];
  return names.map((name, at) => right(name, places[at] ?? 0, y, 'muted')).join('');
}

function costsRow(costs: Costs, share: number, y: number): string {
  const { way, up, refused, failed, seconds } = costs;
  const figures = [
    right(number(up), columns.up, y),
    right(number(refused), columns.refused, y),
    right(number(failed), columns.failed, y),
    right(minutes(seconds), columns.minutes, y),
  ];
  return `${label(way, y)}${bar(way, share, y)}${figures.join('')}${noted(noteOf(costs), y)}`;
}

function absentRow(way: WayName, why: string, y: number): string {
  const said = `not measured: ${escape(why)}`;
  return `${label(way, y)}<text class="muted" x="${barLeft}" y="${y}">${said}</text>`;
}

function cachedPanel({ gatehouse, nginx }: Comparison, missing: string | undefined, y: number): string {
  const most = Math.max(gatehouse.perSecond, nginx?.perSecond ?? 0);
  const title = `Remembered reads by ${connections} callers`;
  const rows = [
    { way: 'nginx', found: nginx, with: 'basic authentication and an access log' },
    { way: 'gatehouse-1', found: gatehouse, with: 'log-on and a durable record of each' },
  ] as const;
  const drawn = rows.map(({ way, found, with: note }, at) => {
    const rowY = y + panelHead + at * row;
    if (!found) return absentRow(way, missing ?? '', rowY);
    const figures = [
      right(number(found.perSecond), columns.up, rowY),
      right(found.p50.toFixed(1), columns.refused, rowY),
      right(found.p99.toFixed(1), columns.failed, rowY),
    ];
    return `${label(way, rowY)}${bar(way, found.perSecond / most, rowY)}${figures.join('')}${noted(note, rowY)}`;
  });
  const labels = heads(['a second', 'p50 ms', 'p99 ms'], y + 18);
  return [titleOf(title, y), labels, ...drawn].join('\n');
}

function label(way: WayName, y: number): string {
  return `<text x="${left}" y="${y}">${wayTitles[way]}</text>`;
}

function bar(way: WayName, share: number, y: number): string {
  const length = Math.max(1, share * barRoom).toFixed(1);
  const kind = way.startsWith('gatehouse') ? 'own' : 'bar';
  return `<rect class="${kind}" x="${barLeft}" y="${y - 11}" width="${length}" height="14" rx="2"/>`;
}

function noted(text: string, y: number): string {
  return `<text class="muted" x="${columns.note}" y="${y}">${escape(text)}</text>`;
}

function right(text: string, x: number, y: number, kind = ''): string {
  return `<text${kind && ` class="${kind}"`} x="${x}" y="${y}" text-anchor="end">${escape(text)}</text>`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
