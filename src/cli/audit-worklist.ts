/** `gatehouse audit worklist`: which writes somebody has to make up for. */
import { worklist, type Work } from '../audit/worklist.ts';
import { readArguments } from './arguments.ts';
import { chainsIn, exitCodes, mostDirectories, Pass, timeHelp, timeIn } from './audit-input.ts';
import { cut, visible } from './audit-table.ts';
import { write } from './output.ts';

export const help = `usage: gatehouse audit worklist <directory>... [--since TIME] [--until TIME] [--system ID] [--json]

Lists writes that are not done: they failed, or nobody knows what became of them, and nobody has made up for them
since. Give the directories of all replicas, because the success may be in another's trail.

  failed   its caller was told that it was not carried out
  unknown  the tenant gave no certain answer, and looking at it has found none
  lost     its gateway ended before the tenant answered

A later success makes up for it: of a creation, one for the same user name or with the same body; of a PUT, a DELETE or
a PATCH, a PUT or a DELETE of the same resource; of a PATCH also the same PATCH. A DELETE of what is not there counts as
done. What its caller is not permitted is no work. Look up 'unknown' and 'lost' ones at the tenant before you repeat
them.

  --since TIME, --until TIME  when it failed; later successes count in any case
  --system ID                 the system, as in the configuration
  --json                      one object for each: {"state":…,"ts":…,"instance":…,"seq":…,"request":…,"caller":…,
                              "tenant":…,"system":…,"kind":…,"resourceType":…,"id":…,"userName":…,"bodyHash":…,
                              "status":…,"error":…,"tries":…}
  --help                      this text

id and userName are pseudonyms: 'gatehouse audit reveal … --request ID' shows who it is. They change with the quarter,
so work of the last one that was made up for in this one is listed still.

${timeHelp}

examples:
  gatehouse audit worklist /mnt/a/audit /mnt/b/audit --since 24h
  gatehouse audit worklist var/audit --since 2026-11-21T08:00 --until 2026-11-21T09:00 --system s4hana-cloud --json

exit codes:
  0  there is nothing to be done
  1  there is
  2  the trail is damaged or its end is missing, as after a crash until the gateway starts again
  4  the command was not understood, or a directory cannot be read
`;

const options = {
  since: { type: 'string' },
  until: { type: 'string' },
  system: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, options, help, 1, mostDirectories);
  if (!given) return exitCodes.done;
  const { since, until, system, json } = given.values;
  const chains = await chainsIn(given.positionals, help);
  using pass = new Pass(chains, { from: timeIn('since', since, help) });
  const { works, left } = await worklist(pass.entries(), {
    until: timeIn('until', until, help, true),
    system,
    isRunning: (instance) => chains.some((chain) => chain.instance === instance && chain.running),
  });
  if (!json) await write(works.length > 0 ? head : 'nothing has to be made up for\n');
  for (const work of works) await write(json ? `${JSON.stringify(work)}\n` : rowOf(work));
  if (left > 0)
    process.stderr.write(`gatehouse: the ${left} earliest are left out; narrow the time or name a system\n`);
  return pass.exitCode(works.length > 0 ? exitCodes.finding : exitCodes.done);
}

const widths = [19, 7, 12, 14, 16, 20] as const;
const head = `${row(['time (UTC)', 'state', 'caller', 'system', 'operation', 'answer', 'request'])}\n`;

function rowOf(work: Work): string {
  const { ts, state, caller = '', system = '', kind, resourceType = '', request = '' } = work;
  const answer = [work.status, work.error].filter((part) => part !== undefined).join(' ');
  const time = ts.slice(0, 19).replace('T', ' ');
  return `${row([time, state, caller, system, `${kind} ${resourceType}`.trimEnd(), answer, request])}\n`;
}

function row(cells: readonly string[]): string {
  const cell = (text: string, at: number): string =>
    cut(visible(text), widths[at] ?? 38).padEnd(widths[at] ?? 0);
  return cells.map(cell).join(' ').trimEnd();
}
