/** `gatehouse cache forget`: nothing that is remembered of a system is told any more. */
import { readArguments, requireVerb, WrongUsage } from './arguments.ts';
import { operate, operatorOptions, reasonIn } from './operator.ts';

export const help = `usage: gatehouse cache forget --system ID --reason TEXT [--config FILE] [--json]

Lets the gateway forget all that it remembers of a system, for instance after somebody changed the target itself or a
transformation. Where replicas share a Redis it counts for all of them. It runs on the gateway's host, as the account
that runs the gateway; who asked and why is in the trail: TEXT has 3 to 500 characters.
With --json the answer is {"done":true,"says":"…"}; where it was not done, false and why.

examples:
  gatehouse cache forget --system 5d0cbe5a-6a3f-4c55-9d0e-3c1f4b7a2e01 --reason 'transformation changed'

exit codes: 0 done, 1 not done (the reason is told), 4 wrong usage
`;

const options = {
  ...operatorOptions,
  system: { type: 'string' },
} as const;

export async function run(args: readonly string[]): Promise<number> {
  requireVerb(args, ['forget'], help);
  const given = readArguments(args, options, help, 1);
  if (!given) return 0;
  const { system } = given.values;
  if (given.positionals[0] !== 'forget') throw new WrongUsage('the verb is forget', help);
  if (system === undefined) throw new WrongUsage('--system is needed', help);
  return operate({ action: 'forget', system, reason: reasonIn(given.values.reason, help) }, given.values);
}
