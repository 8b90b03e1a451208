/** `gatehouse audit export`: the trail in the forms that a SIEM or a spreadsheet reads. */
import type { Entry } from '../audit/entry.ts';
import { formats, type ExportOptions, type FormatName } from '../audit/formats.ts';
import { matcherOf } from '../audit/query.ts';
import { readArguments, WrongUsage } from './arguments.ts';
import { chainsIn, exitCodes, mostDirectories, Pass, timeHelp, timeIn } from './audit-input.ts';
import { write } from './output.ts';

const names = Object.keys(formats).join(', ');

export const help = `usage: gatehouse audit export <directory>... --format FORMAT [--from TIME] [--to TIME] [--event NAME]
                              [--original]

Writes the records of all named directories, by time, in another form; docs/audit-export.md says field by field what
becomes what. None of the forms can be verified: keep the trail itself.

  --format FORMAT         ocsf: OCSF 1.8.0, JSON Lines · ecs: Elastic Common Schema, JSON Lines ·
                          cef: Common Event Format · csv: RFC 4180 with a head
  --from TIME, --to TIME  when it happened; a day as --to is meant with its end
  --event NAME            such as authn.failure; authn.* is all that begin so
  --original              puts each line as it was written into ocsf (raw_data) and ecs (event.original)
  --help                  this text

${timeHelp}

examples:
  gatehouse audit export var/audit --format ocsf --from 24h > audit.ocsf.jsonl
  gatehouse audit export /mnt/a/audit /mnt/b/audit --format csv --event 'authz.*' > denied.csv

exit codes:
  0  exported
  1  there was nothing to export
  2  the trail is damaged or its end is missing; what could be read was exported
  4  the command was not understood, or a directory cannot be read
`;

const options = {
  format: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  event: { type: 'string' },
  original: { type: 'boolean', default: false },
} as const;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, options, help, 1, mostDirectories);
  if (!given) return exitCodes.done;
  const { values } = given;
  const format: (typeof formats)[FormatName] & { readonly head?: string } = formats[formatIn(values.format)];
  const range = { from: timeIn('from', values.from, help), to: timeIn('to', values.to, help, true) };
  const matches = matcherOf({ event: values.event });
  using pass = new Pass(await chainsIn(given.positionals, help), range);
  const writers = new Writers();
  let count = 0;
  if (format.head) await write(format.head);
  for await (const entry of pass.entries()) {
    writers.note(entry);
    if (!matches(entry)) continue;
    await write(format.map(entry, { original: values.original, ...writers.of(entry) }));
    count += 1;
  }
  return pass.exitCode(count > 0 ? exitCodes.done : exitCodes.finding);
}

function formatIn(text: string | undefined): FormatName {
  if (text !== undefined && Object.hasOwn(formats, text)) return text as FormatName;
  throw new WrongUsage(`--format is one of ${names}`, help);
}

/** Host and version of the process that wrote a record, as the last header of its instance said. */
class Writers {
  readonly #known = new Map<string, Pick<ExportOptions, 'host' | 'version'>>();

  note(entry: Entry): void {
    if (entry.event !== 'audit.segment_opened') return;
    this.#known.set(entry.instance, {
      host: entry.text('inst', 'host'),
      version: entry.text('inst', 'version'),
    });
  }

  of({ instance }: Entry): Pick<ExportOptions, 'host' | 'version'> {
    return this.#known.get(instance) ?? {};
  }
}
