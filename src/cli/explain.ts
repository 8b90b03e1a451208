/** `gatehouse explain`: what became of one call, step by step, with the reason and the time of each. */
import { joinCalls, type CallRecords } from '../audit/calls.ts';
import { matcherOf } from '../audit/query.ts';
import { configFile, loadConfig } from '../gateway/config.ts';
import { readArguments, WrongUsage } from './arguments.ts';
import { chainsIn, exitCodes, Pass, timeHelp, timeIn } from './audit-input.ts';
import { stepsOf, type Step } from './explain-steps.ts';
import { write } from './output.ts';

export const help = `usage: gatehouse explain <request id> [--audit DIR]... [--from TIME] [--to TIME] [--config FILE] [--json]

Tells from the audit trail what became of a call: who was recognised, what allowed it, whether it was remembered, what it
waited for, what the tenant said, what the caller got, and how long each took.

  <request id>     the gateway's (X-Request-Id of every answer), the caller's or the tenant's id of the call
  --audit DIR      where the trails are, of several hosts if need be; else audit.directory of the configuration
  --from, --to     where to look; a range makes a large trail quick
  --json           {"request":…,"at":…,"instance":…,"steps":[{"atMs":…,"ms":…,"step":…,"found":…}]} for each call, and
                   {"request":…,"steps":[]} where there is none

${timeHelp}

examples:
  gatehouse explain 8d0c7a52-1f0e-4c8b-9d4e-5b2f6f3e9a11
  gatehouse explain 8d0c7a52-1f0e-4c8b-9d4e-5b2f6f3e9a11 --from 2h --json
  gatehouse explain 4711 --audit /mnt/a/audit --audit /mnt/b/audit

exit codes: 0 found, 1 no such call, 2 the trail is damaged, 4 wrong usage
`;

const options = {
  audit: { type: 'string', multiple: true },
  from: { type: 'string' },
  to: { type: 'string' },
  config: { type: 'string' },
  json: { type: 'boolean' },
} as const;

/** An id is the caller's choice, so several calls may have it. */
const mostCalls = 20;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, options, help, 1);
  if (!given) return exitCodes.done;
  const [request = ''] = given.positionals;
  const { audit, from, to, config, json = false } = given.values;
  if (request === '') throw new WrongUsage('give the id of a call', help);
  const directories = audit ?? [loadConfig(configFile(config)).audit.directory];
  const range = { from: timeIn('from', from, help), to: timeIn('to', to, help, true) };
  using pass = new Pass(await chainsIn(directories, help), range);
  const matches = matcherOf({ request });
  let count = 0;
  for await (const records of joinCalls(pass.entries())) {
    if (!records.some(matches)) continue;
    const steps = stepsOf(records);
    await write(json ? `${JSON.stringify({ ...headOf(records), steps })}\n` : textOf(records, steps, count));
    count += 1;
    if (count === mostCalls) break;
  }
  if (count === 0) {
    if (json) await write(`${JSON.stringify({ request, steps: [] })}\n`);
    process.stderr.write(`gatehouse: no call with the id ${JSON.stringify(request)} is in these trails\n`);
  }
  return pass.exitCode(count > 0 ? exitCodes.done : exitCodes.finding);
}

function headOf(records: CallRecords) {
  const [first] = records;
  return { request: first?.text('req'), at: first?.ts, instance: first?.instance };
}

function textOf(records: CallRecords, steps: readonly Step[], before: number): string {
  const { request, at, instance } = headOf(records);
  const rows = steps.map(
    ({ atMs, ms, step, found }) =>
      `  ${told(atMs).padStart(11)} ${told(ms).padStart(10)}  ${step.padEnd(10)} ${found}`,
  );
  const head = `${before === 0 ? '' : '\n'}${request ?? 'a call of the gateway'}, ${at}, ${instance}`;
  return `${head}\n  ${'since begin'.padStart(11)} ${'took'.padStart(10)}\n${rows.join('\n')}\n`;
}

function told(ms: number | undefined): string {
  return ms === undefined ? '' : `${ms.toFixed(1)} ms`;
}
