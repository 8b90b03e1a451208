/** `gatehouse audit loads`: what loads brought, and who was missing in them. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

import type { Entry } from '../audit/entry.ts';
import type { Redactor } from '../audit/redact.ts';
import { readArguments, WrongUsage } from './arguments.ts';
import {
  chainsIn,
  exitCodes,
  mostDirectories,
  Pass,
  redactorsFrom,
  timeHelp,
  timeIn,
} from './audit-input.ts';
import { cut, timeOf, visible } from './audit-table.ts';
import { write } from './output.ts';

export const help = `usage: gatehouse audit loads <directory>... [--from TIME] [--to TIME] [--system ID] [--load ID] [--missing]
         [--among FILE --key PERIODKEY] [--json]

Lists the loads that the gateway has followed to their ends: how many resources they had, how many came twice, on how many
pages, and how they differ from the last whole load.

  smaller, empty  it misses more than the guard allows; 'not released' where it is not what later loads are compared with

  --system ID     only of this system
  --load ID       only this load
  --missing       below each load the pseudonyms of the ids that the last whole load had and it has not
  --among FILE    names those whose ids stand in this file, one in a line, such as the accounts that the identity manager
                  has; needs --key
  --key FILE      the gateway's audit.periodKeyFile
  --json          one {"instance":…,"missing":[…],"record":…} for each load, the record as it stands in the trail
  --help          this text

${timeHelp}

examples:
  gatehouse audit loads var/audit --from 24h
  gatehouse audit loads var/audit --load 3f9c11aa --missing --among accounts.txt --key var/keys/periods.key

exit codes:
  0  every load is whole, or was released
  1  some are not
  2  the trail is damaged or its end is missing
  4  the command was not understood, or a file cannot be read
`;

const options = {
  from: { type: 'string' },
  to: { type: 'string' },
  system: { type: 'string' },
  load: { type: 'string' },
  missing: { type: 'boolean', default: false },
  among: { type: 'string' },
  key: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

interface Found {
  readonly entry: Entry;
  readonly missing: string[];
}

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, options, help, 1, mostDirectories);
  if (!given) return exitCodes.done;
  const { from, to, system, load, missing, among, key, json } = given.values;
  if ((among === undefined) !== (key === undefined))
    throw new WrongUsage('--among and --key belong together', help);
  const range = { from: timeIn('from', from, help), to: timeIn('to', to, help, true) };
  using pass = new Pass(await chainsIn(given.positionals, help), range);
  const found = await loadsIn(pass.entries(), (entry) => isWanted(entry, system, load));
  const names = among !== undefined && key !== undefined ? await namesIn(among, key, found) : undefined;
  if (!json) await write(found.length > 0 ? head : 'no load has been read to its end\n');
  for (const each of found) await write(json ? jsonOf(each, names) : textOf(each, missing, names));
  const isHeld = found.some(({ entry }) => entry.object('facts')?.['accepted'] === false);
  return pass.exitCode(isHeld ? exitCodes.finding : exitCodes.done);
}

function isWanted(entry: Entry, system: string | undefined, load: string | undefined): boolean {
  return (
    (system === undefined || entry.text('facts', 'system') === system) &&
    (load === undefined || entry.text('facts', 'load') === load)
  );
}

async function loadsIn(entries: AsyncIterable<Entry>, wanted: (entry: Entry) => boolean): Promise<Found[]> {
  const found = new Map<string, Found>();
  for await (const entry of entries) {
    if (entry.event !== 'load.completed' && entry.event !== 'load.missing') continue;
    if (!wanted(entry)) continue;
    const id = `${entry.instance} ${entry.text('facts', 'load') ?? ''}`;
    if (entry.event === 'load.completed') found.set(id, { entry: entry.kept(), missing: [] });
    else
      found.get(id)?.missing.push(...entry.list('facts', 'ids').filter((each) => typeof each === 'string'));
  }
  return [...found.values()];
}

/** Of the ids in the file those that are missing somewhere, by their pseudonyms. */
async function namesIn(
  file: string,
  key: string,
  found: readonly Found[],
): Promise<ReadonlyMap<string, string>> {
  const wanted = new Set(found.flatMap(({ missing }) => missing));
  const periods = new Set([...wanted].map((each) => each.slice(1, each.indexOf(':'))));
  const redactors = (await redactorsFrom(key, help)).filter(({ period }) => periods.has(period.period));
  const names = new Map<string, string>();
  try {
    for await (const line of createInterface({ input: createReadStream(file) }))
      add(line.trim(), redactors, wanted, names);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    throw new WrongUsage(`${file} cannot be read${code}`, help);
  }
  return names;
}

function add(
  id: string,
  redactors: readonly Redactor[],
  wanted: ReadonlySet<string>,
  names: Map<string, string>,
): void {
  for (const redactor of redactors) {
    const pseudonym = redactor.pseudonym('id', id);
    if (wanted.has(pseudonym)) names.set(pseudonym, id);
  }
}

const widths = [19, 9, 20, 8, 14, 8, 6, 6, 6, 6, 8] as const;
const head = `${row(['time (UTC)', 'load', 'system', 'type', 'caller', 'ids', 'twice', 'pages', 'empty', 'new', 'missing', 'verdict'])}\n`;

function textOf(
  { entry, missing }: Found,
  showsMissing: boolean,
  names: ReadonlyMap<string, string> | undefined,
): string {
  const text = (name: string): string => entry.text('facts', name) ?? '';
  const number = (name: string): string => String(entry.number('facts', name) ?? '');
  const isAccepted = entry.object('facts')?.['accepted'] !== false;
  const verdict = `${text('verdict')}${isAccepted ? '' : ', not released'}`;
  const told = row([
    timeOf(entry),
    ...['load', 'system', 'resourceType', 'caller'].map(text),
    ...['ids', 'duplicates', 'pages', 'emptyPages', 'new', 'missing'].map(number),
    verdict,
  ]);
  const listed = showsMissing || names ? missing.map((each) => `  missing: ${nameOf(each, names)}`) : [];
  const more = (entry.number('facts', 'missing') ?? 0) - missing.length;
  if (listed.length > 0 && more > 0)
    listed.push(`  missing: and ${more} more, which the trail does not name`);
  return [told, ...listed].map((line) => `${line}\n`).join('');
}

function nameOf(pseudonym: string, names: ReadonlyMap<string, string> | undefined): string {
  return visible(names?.get(pseudonym) ?? pseudonym);
}

function row(cells: readonly string[]): string {
  const told = cells.map((text, at) =>
    widths[at] ? cut(visible(text), widths[at]).padEnd(widths[at]) : visible(text),
  );
  return told.join(' ').trimEnd();
}

function jsonOf({ entry, missing }: Found, names: ReadonlyMap<string, string> | undefined): string {
  const listed = missing.map((pseudonym) => ({
    pseudonym,
    ...(names?.has(pseudonym) && { id: names.get(pseudonym) }),
  }));
  const { instance, line } = entry;
  return `{"instance":${JSON.stringify(instance)},"missing":${JSON.stringify(listed)},"record":${line.toString()}}\n`;
}
