/**
 * Records as rows of a table that fits 110 columns. Cells show what strangers sent, so whatever could move a terminal's
 * cursor or turn its text around is shown as `?`.
 */
import type { Entry } from '../audit/entry.ts';

const widest = 110;
const placeWidth = 16;

interface Column {
  readonly title: string;
  readonly width: number;
  readonly value: (entry: Entry) => string;
}

const columns: readonly Column[] = [
  { title: 'time (UTC)', width: 19, value: timeOf },
  { title: 'record', width: placeWidth, value: placeOf },
  { title: 'event', width: 18, value: ({ event }) => event },
  { title: 'caller', width: 16, value: callerOf },
  { title: 'system', width: 8, value: systemOf },
  { title: 'operation', width: 13, value: operationOf },
];

export function timeOf({ ts }: Entry): string {
  return ts.slice(0, 19).replace('T', ' ');
}

/** `gateway-1:4711`, which `audit prove` takes. */
export function placeOf({ instance, seq }: Entry): string {
  const number = String(seq);
  const room = placeWidth - number.length - 1;
  return `${instance.length > room ? `…${instance.slice(1 - room)}` : instance}:${number}`;
}

export function callerOf(entry: Entry): string {
  return entry.text('actor', 'name') ?? entry.text('actor', 'claimed') ?? entry.text('facts', 'user') ?? '';
}

export function systemOf(entry: Entry): string {
  return entry.text('op', 'system') ?? entry.text('upstream', 'system') ?? '';
}

export function operationOf(entry: Entry): string {
  const kind = entry.text('op', 'kind');
  if (kind === undefined) return entry.text('target', 'method') ?? entry.text('upstream', 'method') ?? '';
  return `${kind} ${entry.text('op', 'resourceType') ?? ''}`.trimEnd();
}

/** `201`, `502 upstream-timeout`, or what else became of it. */
export function outcomeOf(entry: Entry): string {
  const status = entry.number('outcome', 'http') ?? entry.number('upstream', 'status');
  const reason = entry.text('outcome', 'error') ?? entry.text('outcome', 'code');
  const said = [status, reason].filter((part) => part !== undefined).join(' ');
  return said || (entry.text('outcome', 'result') ?? '');
}

export const tableHead = rowOf(
  columns.map(({ title }) => title),
  'outcome',
);

export function tableRow(entry: Entry): string {
  return rowOf(
    columns.map(({ value }) => value(entry)),
    outcomeOf(entry),
  );
}

function rowOf(cells: readonly string[], last: string): string {
  const fixed = columns.map(({ width }, at) => cut(visible(cells[at] ?? ''), width).padEnd(width)).join(' ');
  return `${fixed} ${cut(visible(last), widest - fixed.length - 1)}`.trimEnd();
}

/** Controls and formats (Cc, Cf), which include escape sequences and the marks that reverse the writing direction. */
export function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
}

export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
