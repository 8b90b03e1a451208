/** `gatehouse audit erase`: makes the pseudonyms and seals of past quarters unreadable for good; the chain stays as it is. */
import { eraseBefore } from '../audit/period-file.ts';
import { isPeriod, periodOf } from '../audit/period.ts';
import { readArguments, WrongUsage } from './arguments.ts';
import { periodKeyFrom } from './audit-input.ts';

export const help = `usage: gatehouse audit erase --before PERIOD --key FILE [--json]

Puts the key of a quarter in the place of an older one. Nobody can look for a person in what was recorded before it,
nor open what was sealed, in any copy of the trail; every line still verifies. It cannot be undone. A running gateway
goes on. The file of every replica, and every backup of it, must be exchanged as well.

  --before PERIOD  the first quarter that stays readable, such as 2026q1; the present one at the latest
  --key FILE       the gateway's audit.periodKeyFile
  --json           {"from":…,"until":…,"erased":…}: the first readable quarter before and now, and whether they differ

examples:
  gatehouse audit erase --before 2026q1 --key /var/lib/gatehouse/keys/periods.key

exit codes: 0 done, 4 the command was not understood, or the file cannot be read
`;

const options = {
  before: { type: 'string' },
  key: { type: 'string' },
  json: { type: 'boolean' },
} as const;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, options, help);
  if (!given) return 0;
  const { before, key } = given.values;
  if (key === undefined) throw new WrongUsage('--key is needed', help);
  if (before === undefined || !isPeriod(before) || before > periodOf(new Date()))
    throw new WrongUsage('--before is a quarter such as 2026q1, and not in the future', help);
  const { period: first } = await periodKeyFrom(key, help);
  const { period } = await eraseBefore(key, before);
  if (given.values.json) {
    process.stdout.write(`${JSON.stringify({ from: first, until: period, erased: period !== first })}\n`);
    return 0;
  }
  process.stdout.write(
    period === first
      ? `nothing before ${first} could be read\n`
      : `what was recorded from ${first} until ${period} began cannot be read any more\n`,
  );
  return 0;
}
