/**
 * The forms in which others read the trail. A mapper may leave things out and must not make anything up: what a record
 * does not say is absent, never guessed. docs/audit-export.md says field by field what becomes what.
 */
import type { Entry } from './entry.ts';
import { toCef } from './export-cef.ts';
import { csvHead, toCsv } from './export-csv.ts';
import { toEcs } from './export-ecs.ts';
import { toOcsf } from './export-ocsf.ts';

export interface ExportOptions {
  /** Puts the line as it was written into the event, where the form has a place for it. */
  readonly original: boolean;
  /** What the last header of the instance said of the process that wrote. */
  readonly host?: string | undefined;
  readonly version?: string | undefined;
}

interface Format {
  /** Comes once, before everything. */
  readonly head?: string;
  /** Lines with their ends; a record may be several events. */
  readonly map: (entry: Entry, options: ExportOptions) => string;
}

export const formats = {
  ocsf: { map: (entry, options) => jsonLines(toOcsf(entry, options)) },
  ecs: { map: (entry, options) => jsonLines([toEcs(entry, options)]) },
  cef: { map: (entry, options) => `${toCef(entry, options)}\n` },
  csv: { head: csvHead, map: toCsv },
} satisfies Record<string, Format>;

export type FormatName = keyof typeof formats;

function jsonLines(events: readonly object[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('');
}
