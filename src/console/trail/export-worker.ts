/** Writes an export in a thread of its own, never further ahead of its reader than a few pieces. */
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';

import type { Entry } from '../../audit/entry.ts';
import { formats, type FormatName } from '../../audit/formats.ts';
import { openChains, readTrail } from '../../audit/read.ts';
import { headerEvent } from '../../audit/segment-shape.ts';
import { post } from '../../thread.ts';
import type { ExportFormat } from '../api/record.ts';
import type { AuditQuery } from '../api/trail.ts';
import { askedOf } from './shape.ts';
import { criteriaOf, rangeOf } from './trail-desk.ts';

export interface ExportJob {
  readonly trails: string;
  readonly query: AuditQuery;
  readonly format: ExportFormat;
}

/** A text, or the end. */
export type ExportMessage = string | null;

const pieceLength = 256 * 1024;
const mostAhead = 4;

const { trails, query, format } = workerData as ExportJob;
const port = parentPort;
if (!port) throw new TypeError('This is no thread.');
let ahead = 0;
port.on('message', () => (ahead -= 1));

const inRange = finite(rangeOf(query));
const { matches } = askedOf(criteriaOf(query));
const chains = (await openChains([trails])).filter(
  ({ instance }) => query.instance?.includes(instance) ?? true,
);
const writers = new Map<
  string,
  { readonly host: string | undefined; readonly version: string | undefined }
>();
let piece = format === 'csv' ? formats.csv.head : '';
for await (const entry of readTrail(chains, inRange)) {
  if (entry.event === headerEvent)
    writers.set(entry.instance, { host: entry.text('inst', 'host'), version: entry.text('inst', 'version') });
  if (!matches(entry)) continue;
  piece += format === 'lines' ? `${entry.line.toString()}\n` : mapped(entry, format);
  if (piece.length < pieceLength) continue;
  tell(piece);
  piece = '';
  while (ahead >= mostAhead) await once(port, 'message');
}
if (piece !== '') tell(piece);
tell(null);

function mapped(entry: Entry, name: FormatName): string {
  const { map }: { readonly map: (typeof formats)['ocsf']['map'] } = formats[name];
  return map(entry, { original: false, ...writers.get(entry.instance) });
}

function tell(message: ExportMessage): void {
  ahead += 1;
  post(port, message);
}

function finite({ from, to }: { readonly from: number; readonly to: number }) {
  return { from: Number.isFinite(from) ? from : undefined, to: Number.isFinite(to) ? to : undefined };
}
