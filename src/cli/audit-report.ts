/** `gatehouse audit report`: a period of the trail on a few pages, for people who were not there. */
import { writeFile } from 'node:fs/promises';

import type { Entry } from '../audit/entry.ts';
import type { Happening } from '../audit/happening.ts';
import { mayHaveWritten, openIntents } from '../audit/open-intents.ts';
import { parseKeys } from '../audit/published-keys.ts';
import { Bounded, Survey } from '../audit/survey.ts';
import { verifyTrail } from '../audit/verify.ts';
import { readArguments, WrongUsage } from './arguments.ts';
import { chainsIn, contentOf, exitCodes, mostDirectories, Pass, timeHelp, timeIn } from './audit-input.ts';
import { csv } from './audit-report-csv.ts';
import { page, type Report } from './audit-report-page.ts';
import { callerOf, operationOf } from './audit-table.ts';
import { durationIn } from './duration.ts';
import { write } from './output.ts';

export const help = `usage: gatehouse audit report <directory>... [--from TIME] [--to TIME] [--format html|csv] [--out FILE]
                              [--checkpoint FILE]... [--key FILE]... [--silence 10m]

Writes what a period of the trail comes to: whether it verifies, calls by time, caller and system, writes of unknown
outcome, refusals, changes of the configuration, reveals, gaps and restarts. The HTML is one file without scripts and
without anything from elsewhere; the CSV has the same figures.

  --from TIME, --to TIME  the period (default: all); a day as --to is meant with its end
  --format FORMAT         html (default) or csv
  --out FILE              instead of standard output
  --checkpoint FILE       a checkpoint from another host, and --key FILE, a copy of keys.pub: as for 'verify'
  --silence LENGTH        how long without a record is a gap: 90m, 24h, 7d (default 10m: one is written every minute)
  --help                  this text

${timeHelp}

examples:
  gatehouse audit report var/audit --from 2026-11-01 --to 2026-11-30 --out november.html
  gatehouse audit report /mnt/a/audit /mnt/b/audit --from 7d --format csv > week.csv

exit codes:
  0  written, and the trail verifies, or lacks only a checkpoint from elsewhere
  1  written, and the trail was tampered with
  2  written, and the trail's end is missing
  4  the command was not understood, or a file cannot be read
`;

const options = {
  from: { type: 'string' },
  to: { type: 'string' },
  format: { type: 'string', default: 'html' },
  out: { type: 'string' },
  checkpoint: { type: 'string', multiple: true },
  key: { type: 'string', multiple: true },
  silence: { type: 'string', default: '10m' },
} as const;

const writers = { html: page, csv } as const;
const codes = {
  ok: exitCodes.done,
  incomplete: exitCodes.done,
  truncated: exitCodes.damaged,
  tampered: 1,
} as const;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, options, help, 1, mostDirectories);
  if (!given) return exitCodes.done;
  const { from, to, format, out, checkpoint = [], key = [], silence } = given.values;
  if (format !== 'html' && format !== 'csv') throw new WrongUsage('--format is html or csv', help);
  const range = { from: timeIn('from', from, help), to: timeIn('to', to, help, true) };
  const pass = new Pass(await chainsIn(given.positionals, help), range);
  const { survey, unknownWrites } = await surveyOf(pass, silenceIn(silence));
  pass.exitCode(exitCodes.done);
  const verification = await verifyTrail(given.positionals, {
    checkpoints: await Promise.all(checkpoint.map((file) => contentOf(file, help))),
    rootKeys: (await Promise.all(key.map((file) => contentOf(file, help)))).flatMap(parseKeys),
  });
  const report = {
    verification,
    survey,
    unknownWrites,
    checkpoints: checkpoint.length > 0,
    ...period(range, survey),
  };
  const text = writers[format](report);
  if (out === undefined) await write(text);
  else await writeFile(out, text, { mode: 0o640 });
  return codes[verification.verdict];
}

function silenceIn(text: string): number {
  const ms = durationIn(text);
  if (ms === undefined) throw new WrongUsage('--silence is a length such as 90s, 90m, 24h or 7d', help);
  return ms;
}

const mostUnknown = 500;

/** One pass for both: what comes by is surveyed, and what has no end is found. */
async function surveyOf(pass: Pass, silenceMs: number): Promise<Pick<Report, 'survey' | 'unknownWrites'>> {
  const survey = new Survey(silenceMs);
  const unknownWrites = new Bounded<Happening>(mostUnknown);
  for await (const { state, entry } of openIntents(surveyed(pass.entries(), survey))) {
    if (!mayHaveWritten(entry)) continue;
    const detail = [
      callerOf(entry),
      operationOf(entry),
      entry.text('op', 'id'),
      `request ${entry.text('req') ?? '–'}`,
    ];
    const { ts, instance } = entry;
    unknownWrites.add({ at: ts, instance, event: state, detail: detail.filter(Boolean).join(' · ') });
  }
  return { survey, unknownWrites };
}

async function* surveyed(entries: AsyncIterable<Entry>, survey: Survey): AsyncGenerator<Entry> {
  for await (const entry of entries) {
    survey.take(entry);
    yield entry;
  }
}

function period(
  { from, to }: { readonly from: number | undefined; readonly to: number | undefined },
  { firstTs, lastTs }: Survey,
): Pick<Report, 'from' | 'to' | 'madeAt'> {
  const madeAt = new Date().toISOString();
  return {
    from: from === undefined ? (firstTs ?? madeAt) : new Date(from).toISOString(),
    to: to === undefined ? (lastTs ?? madeAt) : new Date(to).toISOString(),
    madeAt,
  };
}
