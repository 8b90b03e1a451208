/** `gatehouse alert test`: whether alerts arrive where they should. */
import { readArguments, requireVerb, WrongUsage } from './arguments.ts';
import { operate } from './operator.ts';

export const help = `usage: gatehouse alert test [--channel NAME] [--config FILE] [--json]

Lets the running gateway send an alert named test to a channel of alerts.channels, or to all of them, and tells which took it
and why another did not. It goes the way that real alerts go, whatever the channel's 'least' and 'only' say. It runs on the
gateway's host, as the account that runs the gateway; who asked is in the trail.
With --json the answer is {"done":true,"says":"…"}; where one did not take it, false and why.

examples:
  gatehouse alert test
  gatehouse alert test --channel mail

exit codes: 0 all took it, 1 one did not or there is none (the reason is told), 4 wrong usage
`;

const options = {
  channel: { type: 'string' },
  config: { type: 'string' },
  json: { type: 'boolean' },
} as const;

export async function run(args: readonly string[]): Promise<number> {
  requireVerb(args, ['test'], help);
  const given = readArguments(args, options, help, 1);
  if (!given) return 0;
  if (given.positionals[0] !== 'test') throw new WrongUsage('the verb is test', help);
  const { channel } = given.values;
  return operate({ action: 'test-alert', ...(channel !== undefined && { channel }) }, given.values);
}
