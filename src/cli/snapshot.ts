/** `gatehouse snapshot release`: a snapshot that became smaller, and whose loss somebody has looked at, is taken. */
import { readArguments, requireVerb, WrongUsage } from './arguments.ts';
import { operate, operatorOptions, reasonIn } from './operator.ts';

export const help = `usage: gatehouse snapshot release --system ID --type TYPE --reason TEXT [--config FILE] [--json]

A new snapshot that is empty or over 5 % smaller than the one in force does not take its place (snapshot.refused in the
trail). If so many are really gone, this lets the next one be of any size, once, for all replicas. It runs on a gateway's
host, as the account that runs the gateway; who asked and why is in the trail: TEXT has 3 to 500
characters.
With --json the answer is {"done":true,"says":"…"}; where it was not done, false and why.

examples:
  gatehouse snapshot release --system 5d0cbe5a-6a3f-4c55-9d0e-3c1f4b7a2e01 --type Users --reason 'plant 3 was sold'

exit codes: 0 done, 1 not done (the reason is told), 4 wrong usage
`;

const options = {
  ...operatorOptions,
  system: { type: 'string' },
  type: { type: 'string' },
} as const;

export async function run(args: readonly string[]): Promise<number> {
  requireVerb(args, ['release'], help);
  const given = readArguments(args, options, help, 1);
  if (!given) return 0;
  const { system, type } = given.values;
  if (given.positionals[0] !== 'release') throw new WrongUsage('the verb is release', help);
  if (system === undefined || type === undefined)
    throw new WrongUsage('--system and --type are needed', help);
  const reason = reasonIn(given.values.reason, help);
  return operate({ action: 'release-snapshot', system, resourceType: type, reason }, given.values);
}
