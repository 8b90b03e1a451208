/**
 * Records as rows of a table: RFC 4180, with CRLF. A cell that a spreadsheet would take for a formula gets an apostrophe
 * in front, because names and agents are chosen by strangers.
 */
import type { Entry } from './entry.ts';
import { factsOf, type RecordFacts } from './record-facts.ts';

type Column = readonly [string, (entry: Entry, facts: RecordFacts) => string | number | undefined];

const columns: readonly Column[] = [
  ['time', ({ ts }) => ts],
  ['instance', ({ instance }) => instance],
  ['seq', ({ seq }) => seq],
  ['event', ({ event }) => event],
  ['request', (_, facts) => facts.request],
  ['intent', (entry) => entry.number('intent')],
  ['caller', (_, facts) => facts.caller],
  ['claimed', (_, facts) => facts.claimed],
  ['auth', (_, facts) => facts.auth],
  ['credential', (_, facts) => facts.credential],
  ['source', (_, facts) => facts.address],
  ['agent', (_, facts) => facts.agent],
  ['method', (_, facts) => facts.method],
  ['path', (_, facts) => facts.path],
  ['operation', (entry) => entry.text('op', 'kind')],
  ['tenant', (_, facts) => facts.tenant],
  ['system', (_, facts) => facts.system],
  ['resource_type', (_, facts) => facts.resourceType],
  ['resource', (_, facts) => facts.resource],
  ['decision', (_, facts) => facts.decision],
  ['cache', (_, facts) => facts.cache],
  ['status', (_, facts) => facts.status],
  ['result', (_, facts) => facts.result],
  ['error', (_, facts) => facts.error],
  ['upstream_host', (_, facts) => facts.upstreamHost],
  ['ms', (_, facts) => facts.ms],
  ['bytes_in', (_, facts) => facts.bytesIn],
  ['bytes_out', (_, facts) => facts.bytesOut],
  ['caller_request', (_, facts) => facts.callerRequest],
  ['change', (entry) => jsonOf(entry.object('op', 'change'))],
  ['facts', (entry) => jsonOf(entry.object('facts'))],
];

export const csvHead = csvRow(columns.map(([title]) => title));

export function toCsv(entry: Entry): string {
  const facts = factsOf(entry);
  return csvRow(columns.map(([, value]) => value(entry, facts)));
}

function jsonOf(value: object | undefined): string | undefined {
  return value && JSON.stringify(value);
}

/** Any row of cells, with its end. */
export function csvRow(cells: readonly (string | number | undefined)[]): string {
  return `${cells.map((value) => cell(value)).join(',')}\r\n`;
}

function cell(value: string | number | undefined): string {
  if (value === undefined) return '';
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
