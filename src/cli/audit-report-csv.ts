/** The report for a spreadsheet: one table, whose first column says to which part of the report a row belongs. */
import { csvRow } from '../audit/export-csv.ts';
import type { Happening } from '../audit/happening.ts';
import type { Bounded, Class } from '../audit/survey.ts';
import type { Counts } from '../audit/time-series.ts';
import { classes } from './audit-report-chart.ts';
import type { Report } from './audit-report-page.ts';

type Row = readonly (string | number | undefined)[];

const head: Row = [
  'section',
  'time',
  'until',
  'instance',
  'name',
  'detail',
  'count',
  ...classes.map(([name]) => name),
];

export function csv({ verification, survey, unknownWrites }: Report): string {
  const rows: Row[] = [
    head,
    ...verification.instances.map(({ instance, verdict, firstTs, lastTs, head: chainHead, records }): Row => [
      'verification',
      firstTs,
      lastTs,
      instance,
      verdict,
      chainHead,
      records,
    ]),
    ...[{ instance: '', findings: verification.findings }, ...verification.instances].flatMap(
      ({ instance, findings }) =>
        findings.map((finding): Row => [
          'finding',
          '',
          '',
          instance,
          finding.verdict,
          `${finding.file} ${finding.reason}`,
        ]),
    ),
    ...survey.traffic.intervals().map(({ at, counts }): Row => {
      const until = new Date(at + survey.traffic.stepMs).toISOString();
      return ['traffic', new Date(at).toISOString(), until, '', '', '', total(counts), ...figures(counts)];
    }),
    ...countRows('caller', survey.callers),
    ...countRows('system', survey.systems),
    ...happeningRows('unknown write', unknownWrites),
    ...[...survey.refusals.values()].map(({ event, who, from, reason, firstAt, lastAt, count }): Row => [
      'refusal',
      firstAt,
      lastAt,
      '',
      event,
      [who, from, reason].filter(Boolean).join(' '),
      count,
    ]),
    ...happeningRows('configuration', survey.changes),
    ...happeningRows('reveal', survey.reveals),
    ...happeningRows('gap', survey.gaps),
  ];
  return rows.map((row) => csvRow(Array.from({ length: head.length }, (_, at) => row[at]))).join('');
}

function countRows(section: string, map: ReadonlyMap<string, Counts<Class>>): Row[] {
  return [...map].map(([name, counts]) => [section, '', '', '', name, '', total(counts), ...figures(counts)]);
}

function happeningRows(section: string, { items, more }: Bounded<Happening>): Row[] {
  const rows = items.map(({ at, instance, event, detail }): Row => [
    section,
    at,
    '',
    instance,
    event,
    detail,
    1,
  ]);
  return more > 0 ? [...rows, [section, '', '', '', 'more', '', more]] : rows;
}

function figures(counts: Counts<Class>): number[] {
  return classes.map(([name]) => counts[name]);
}

function total(counts: Counts<Class>): number {
  return figures(counts).reduce((all, each) => all + each, 0);
}
