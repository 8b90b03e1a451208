/** `gatehouse audit hash`: the pseudonyms of one text, as they stand in the trail. */
import { text } from 'node:stream/consumers';

import type { Redactor } from '../audit/redact.ts';
import { readArguments, WrongUsage } from './arguments.ts';
import { pseudonymTypeIn, pseudonymTypes, redactorsFrom, type PseudonymType } from './audit-input.ts';

export const help = `usage: gatehouse audit hash <value> --key FILE [--type TYPE] [--period PERIOD] [--json]

Prints the pseudonym of a text. Whoever has the key file can look for people in the trail: keep it from others.
With - as the value it is read from standard input, so that it does not stay in the shell's history.

  --key FILE   the gateway's audit.periodKeyFile
  --type TYPE  id: a resource's id (case counts) · value: a value in a filter, or a userName · name: a claimed user
               name; without it all of them are printed
  --period P   a quarter such as 2026q4, or all that have not been erased (default: the present one)
  --json       {"id":…,"value":…,"name":…}, or the one of --type; with --period all one for each period
  --help       this text

examples:
  gatehouse audit hash ada@example.com --type value --key periods.key
  gatehouse audit hash - --key periods.key --period all < id.txt

exit codes: 0 done, 4 the command was not understood, or the key cannot be read
`;

const options = {
  key: { type: 'string' },
  type: { type: 'string' },
  period: { type: 'string' },
  json: { type: 'boolean' },
} as const;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, options, help, 1);
  if (!given) return 0;
  const { key, type, period, json } = given.values;
  if (key === undefined) throw new WrongUsage('--key is needed', help);
  const types = type === undefined ? pseudonymTypes : [pseudonymTypeIn(type, help)];
  const redactors = chosen(await redactorsFrom(key, help), period);
  const value = await valueOf(given.positionals[0] ?? '');
  for (const redactor of redactors) process.stdout.write(told(redactor, types, value, json === true));
  return 0;
}

function chosen(redactors: readonly Redactor[], period: string | undefined): readonly Redactor[] {
  if (period === 'all') return redactors;
  if (period === undefined) return redactors.slice(-1);
  const found = redactors.filter((redactor) => redactor.period.period === period);
  if (found.length === 0)
    throw new WrongUsage(
      `--period is one from ${redactors[0]?.period.period} to ${redactors.at(-1)?.period.period}, or all`,
      help,
    );
  return found;
}

function told(redactor: Redactor, types: readonly PseudonymType[], value: string, json: boolean): string {
  const pseudonyms = types.map((type) => [type, redactor.pseudonym(type, value)] as const);
  if (json) return `${JSON.stringify(Object.fromEntries(pseudonyms))}\n`;
  return pseudonyms
    .map(([type, made]) => (types.length > 1 ? `${type.padEnd(6)} ${made}\n` : `${made}\n`))
    .join('');
}

async function valueOf(given: string): Promise<string> {
  if (given !== '-') return given;
  return (await text(process.stdin)).replace(/\r?\n$/, '');
}
