/**
 * The report as one HTML file: no script, nothing from elsewhere, fit for the screen (light and dark) and for paper. It
 * must be understood by somebody who has never seen the gateway.
 */
import type { Happening } from '../audit/happening.ts';
import { noCalls, type Bounded, type Class, type Refusal, type Survey } from '../audit/survey.ts';
import { sum, type Counts } from '../audit/time-series.ts';
import type { Finding, InstanceReport, TrailReport, Verdict } from '../audit/verify.ts';
import { chart, classes } from './audit-report-chart.ts';
import { style } from './audit-report-style.ts';
import { escape, momentText, numberText, sizeText } from './audit-report-text.ts';

export interface Report {
  readonly from: string;
  readonly to: string;
  readonly madeAt: string;
  /** Whether checkpoints from elsewhere were given. */
  readonly checkpoints: boolean;
  readonly verification: TrailReport;
  readonly survey: Survey;
  /** Writes of which nobody knows whether the tenant did them. */
  readonly unknownWrites: Bounded<Happening>;
}

export function page(report: Report): string {
  const { survey, from, to, madeAt } = report;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Audit report ${escape(from)} to ${escape(to)}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>Audit report</h1>
<p>${escape(momentText(from))} to ${escape(momentText(to))} UTC · made ${escape(momentText(madeAt))} from the files of ${report.verification.instances.map(({ instance }) => escape(instance)).join(', ')}</p>
</header>
${banner(report)}
${tiles(survey)}
<section><h2>Calls over time</h2>${chart(survey.traffic.intervals(), survey.traffic.stepMs)}</section>
<div class="pair">
<section><h2>By caller</h2>${countTable('Technical user', survey.callers)}</section>
<section><h2>By system</h2>${countTable('System', survey.systems)}</section>
</div>
${happenings('Writes of unknown outcome', 'Whether the tenant has done them must be looked up there.', report.unknownWrites, 'There are none.')}
${refusals(survey)}
${happenings('Configuration and permissions', 'Starts with version and configuration, changes setting by setting, secrets and certificates read again.', survey.changes, 'Nothing was changed and nothing was started.')}
${happenings('Reveals', 'Who had identifiers of persons opened, and why.', survey.reveals, 'Nobody had identifiers opened.')}
${happenings('Gaps and restarts', 'Silences, restarts, segments without a footer and troubles with writing.', survey.gaps, 'None.')}
${verification(report)}
</body>
</html>
`;
}

const verdicts: Readonly<Record<Verdict, readonly [string, string]>> = {
  ok: ['good', 'The trail is as it was written.'],
  incomplete: ['warn', 'What is there is sound. What was given does not suffice to prove that it is all.'],
  truncated: [
    'warn',
    'An end of the trail is missing: a crash that was not repaired yet, or somebody cut it off.',
  ],
  tampered: ['bad', 'The trail was tampered with.'],
};

function banner({ verification: { verdict }, checkpoints }: Report): string {
  const [kind, text] = verdicts[verdict];
  const local = checkpoints
    ? ''
    : ' No checkpoint from another host was given, so the end of the trail was judged by the files alone.';
  return `<p class="banner ${kind}"><strong>${escape(verdict)}</strong> ${text}${local}</p>`;
}

function tiles({ calls, reads, writes, hits, records }: Survey): string {
  const all = classes.reduce((total, [name]) => total + calls[name], 0);
  const figures: readonly (readonly [string, number, string?])[] = [
    ['calls', all],
    ['reads', reads],
    ['from the cache', hits],
    ['writes', writes],
    ['refused', calls.refused, 'refused'],
    ['failed', calls.failed, 'failed'],
    ['outcome unknown', calls.unknown, 'unknown'],
    ['records', records],
  ];
  const cells = figures.map(
    ([title, value, kind]) =>
      `<div><b${kind && value > 0 ? ` class="${kind}"` : ''}>${numberText(value)}</b><span>${title}</span></div>`,
  );
  return `<div class="tiles">${cells.join('')}</div>`;
}

const mostRows = 30;

function countTable(title: string, map: ReadonlyMap<string, Counts<Class>>): string {
  const rows = [...map].toSorted(([, a], [, b]) => totalOf(b) - totalOf(a));
  if (rows.length === 0) return '<p class="none">None.</p>';
  const rest = rows.slice(mostRows).map(([, counts]) => counts);
  const shown = rows.slice(0, mostRows);
  if (rest.length > 0) shown.push([`${rest.length} more`, rest.reduce(sum, noCalls)]);
  const body = shown.map(([name, counts]) => {
    const cells = classes.map(
      ([kind]) => `<td class="n${counts[kind] > 0 ? ` ${kind}` : ' zero'}">${numberText(counts[kind])}</td>`,
    );
    return `<tr><td>${escape(name)}</td>${cells.join('')}</tr>`;
  });
  const head = classes.map(([, heading]) => `<th class="n">${heading}</th>`).join('');
  return table(`<th>${title}</th>${head}`, body);
}

function totalOf(counts: Counts<Class>): number {
  return classes.reduce((total, [name]) => total + counts[name], 0);
}

function refusals({ refusals: map }: Survey): string {
  const rows = [...map.values()].toSorted((a, b) => b.count - a.count);
  const body = rows.slice(0, mostRows * 2).map(refusalRow);
  const more = rows.length - body.length;
  const content =
    body.length === 0
      ? '<p class="none">Nothing was refused.</p>'
      : table(
          '<th>What</th><th>Who</th><th>From</th><th>Reason</th><th class="n">Times</th><th>First</th><th>Last</th>',
          body,
        );
  return `<section><h2>Refusals and suspicions</h2><p>Log-ons that failed, calls without permission, throttled and malformed ones. A name that was not believed shows as its pseudonym.</p>${content}${moreText(more)}</section>`;
}

function refusalRow({ event, who, from, reason, count, firstAt, lastAt }: Refusal): string {
  const cells = [event, who, from, reason].map((text) => `<td>${escape(text)}</td>`).join('');
  return `<tr>${cells}<td class="n">${numberText(count)}</td><td class="t">${momentText(firstAt)}</td><td class="t">${momentText(lastAt)}</td></tr>`;
}

function happenings(title: string, says: string, { items, more }: Bounded<Happening>, none: string): string {
  const body = items.map(
    ({ at, instance, event, detail }) =>
      `<tr><td class="t">${momentText(at)}</td><td class="i">${escape(instance)}</td><td>${escape(event)}</td><td class="d">${escape(detail)}</td></tr>`,
  );
  const content =
    body.length === 0
      ? `<p class="none">${none}</p>`
      : `<p>${says}</p>${table('<th>When (UTC)</th><th>Instance</th><th>What</th><th>Detail</th>', body)}`;
  return `<section><h2>${title}</h2>${content}${moreText(more)}</section>`;
}

function moreText(more: number): string {
  return more > 0
    ? `<p class="more">and ${numberText(more)} more; 'gatehouse audit search' finds them</p>`
    : '';
}

function verification({ verification: { instances, findings } }: Report): string {
  const all = [...findings.map((finding) => ({ instance: '', finding })), ...instances.flatMap(findingsOf)];
  const rows = all.map(({ instance, finding }) => findingRow(instance, finding));
  const shown = table('<th>Verdict</th><th>Instance</th><th>File</th><th>Line</th><th>Reason</th>', rows);
  const content = rows.length === 0 ? '<p class="none">No findings.</p>' : shown;
  return `<section><h2>Verification</h2><p>Of the whole trail, also of what lies outside the period.</p>${table(
    '<th>Instance</th><th>Verdict</th><th class="n">Segments</th><th class="n">Records</th><th class="n">Size</th><th>From (UTC)</th><th>To (UTC)</th><th>Head of the chain</th>',
    instances.map(instanceRow),
  )}${content}</section>`;
}

function findingsOf({ instance, findings }: InstanceReport): { instance: string; finding: Finding }[] {
  return findings.map((finding) => ({ instance, finding }));
}

function findingRow(instance: string, { verdict, file, line, reason }: Finding): string {
  const place = line === undefined ? '' : String(line);
  return `<tr><td>${escape(verdict)}</td><td class="i">${escape(instance)}</td><td class="h">${escape(file)}</td><td class="n">${place}</td><td class="d">${escape(reason)}</td></tr>`;
}

function instanceRow(report: InstanceReport): string {
  const { instance, verdict, running, segments, records, bytes, firstTs, lastTs, head } = report;
  const state = running ? ' (being written)' : '';
  return `<tr><td class="i">${escape(instance)}</td><td>${escape(verdict)}${state}</td><td class="n">${numberText(segments)}</td><td class="n">${numberText(records)}</td><td class="n">${sizeText(bytes)}</td><td class="t">${momentText(firstTs)}</td><td class="t">${momentText(lastTs)}</td><td class="h">${escape(head ?? '')}</td></tr>`;
}

function table(head: string, rows: readonly string[]): string {
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}
