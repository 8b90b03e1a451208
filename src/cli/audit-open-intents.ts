/** `gatehouse audit open-intents`: what has to be looked up at the tenant after a crash or an outage. */
import { mayHaveWritten, openIntents, type OpenUpstreamCall } from '../audit/open-intents.ts';
import { readArguments } from './arguments.ts';
import { chainsIn, exitCodes, mostDirectories, Pass, timeHelp, timeIn } from './audit-input.ts';
import { callerOf, cut, operationOf, placeOf, timeOf, visible } from './audit-table.ts';
import { write } from './output.ts';

export const help = `usage: gatehouse audit open-intents <directory>... [--from TIME] [--to TIME] [--all] [--json]

Lists upstream calls of which the trail does not know the end. They went up, or may have, so whether the tenant
has done them must be looked up there.

  open     there is no outcome: the call is under way, or its gateway was not started again
  lost     the gateway ended before the tenant answered
  unknown  the tenant did not answer in time

  --from TIME, --to TIME  when the call went up, or its end was recorded
  --all                   reads, too; without it only writes
  --json                  one {"state":…,"instance":…,"record":…} for each, the record as it stands in the trail
  --help                  this text

${timeHelp}

examples:
  gatehouse audit open-intents var/audit
  gatehouse audit open-intents /mnt/a/audit /mnt/b/audit --from 24h --json

exit codes:
  0  there are none
  1  there are some
  2  the trail is damaged or its end is missing, as after a crash until the gateway starts again
  4  the command was not understood, or a directory cannot be read
`;

const options = {
  from: { type: 'string' },
  to: { type: 'string' },
  all: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, options, help, 1, mostDirectories);
  if (!given) return exitCodes.done;
  const { from, to, all, json } = given.values;
  const range = { from: timeIn('from', from, help), to: timeIn('to', to, help, true) };
  using pass = new Pass(await chainsIn(given.positionals, help), range);
  let count = 0;
  for await (const call of openIntents(pass.entries())) {
    if (!all && !mayHaveWritten(call.entry)) continue;
    if (count === 0 && !json) await write(head);
    count += 1;
    await write(json ? jsonOf(call) : rowOf(call));
  }
  const running = pass.chains.filter((chain) => chain.running).map(({ instance }) => instance);
  if (count > 0 && running.length > 0)
    process.stderr.write(
      `gatehouse: ${running.join(', ')} is running, so calls under way are among the open ones\n`,
    );
  return pass.exitCode(count > 0 ? exitCodes.finding : exitCodes.done);
}

const widths = [19, 16, 7, 12, 13] as const;
const head = `${row(['time (UTC)', 'record', 'state', 'caller', 'operation', 'request'])}\n`;

function rowOf({ state, entry }: OpenUpstreamCall): string {
  const request = entry.text('req') ?? '';
  return `${row([timeOf(entry), placeOf(entry), state, callerOf(entry), operationOf(entry), request])}\n`;
}

function row(cells: readonly string[]): string {
  return cells.map((text, at) => cut(visible(text), widths[at] ?? 38).padEnd(widths[at] ?? 0)).join(' ');
}

function jsonOf({ state, entry }: OpenUpstreamCall): string {
  return `{"state":"${state}","instance":${JSON.stringify(entry.instance)},"record":${entry.line.toString()}}\n`;
}
