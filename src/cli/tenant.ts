/** `gatehouse tenant`: no more calls to a tenant for some time, and calls again. */
import { readArguments, requireVerb, WrongUsage } from './arguments.ts';
import { operate, operatorOptions, reasonIn } from './operator.ts';

export const help = `usage: gatehouse tenant pause <tenant> --minutes N --reason TEXT [--config FILE] [--json]
       gatehouse tenant resume <tenant> --reason TEXT [--config FILE] [--json]

pause   Nothing goes up to the tenant for so many minutes (1 to 1440): for a window of maintenance. What is on its way is
        finished, and what is remembered is told. All else waits for the end where 'patience' reaches so far; else it gets
        429 with Retry-After at once.
resume  Ends the pause.

It counts for the replica on whose host it runs, as the account that runs the gateway; run it on each host. Who asked and
why is in the trail: TEXT has 3 to 500 characters.
With --json the answer is {"done":true,"says":"…"}; where it was not done, false and why.

examples:
  gatehouse tenant pause main --minutes 30 --reason 'SAP maintenance CHG-4711'
  gatehouse tenant resume main --reason 'maintenance is over'

exit codes: 0 done, 1 not done (the reason is told), 4 wrong usage
`;

const options = {
  ...operatorOptions,
  minutes: { type: 'string' },
} as const;

export async function run(args: readonly string[]): Promise<number> {
  requireVerb(args, ['pause', 'resume'], help);
  const given = readArguments(args, options, help, 2);
  if (!given) return 0;
  const [verb, tenant = ''] = given.positionals;
  const { minutes } = given.values;
  if (verb !== 'pause' && verb !== 'resume') throw new WrongUsage('the verbs are pause and resume', help);
  const reason = reasonIn(given.values.reason, help);
  if (verb === 'resume') return operate({ action: 'resume', tenant, reason }, given.values);
  if (minutes === undefined || !/^[1-9]\d{0,3}$/.test(minutes))
    throw new WrongUsage('--minutes is a number from 1 to 1440', help);
  return operate({ action: 'pause', tenant, minutes: Number(minutes), reason }, given.values);
}
