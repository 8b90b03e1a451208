/** `gatehouse audit hash`: the pseudonym of one text, as it stands in the trail. */
import { text } from 'node:stream/consumers';

import { readArguments, WrongUsage } from './arguments.ts';
import { pseudonymTypeIn, pseudonymTypes, redactorFrom } from './audit-input.ts';

const help = `usage: gatehouse audit hash <value> --key FILE [--type TYPE] [--json]

Prints the pseudonym of a text. Whoever has the key file can look for people in the trail: keep it from others.
With - as the value it is read from standard input, so that it does not stay in the shell's history.

  --key FILE   the gateway's audit.keyFile
  --type TYPE  id: a resource's id (case counts) · value: a value in a filter · name: a claimed user name;
               without it all of them are printed
  --json       as one JSON object
  --help       this text

exit codes: 0 done, 4 the command was not understood, or the key cannot be read

examples:
  gatehouse audit hash ada@example.com --type value --key gatehouse.key
  gatehouse audit hash - --key gatehouse.key < id.txt
`;

export async function run(args: readonly string[]): Promise<number> {
  const options = { key: { type: 'string' }, type: { type: 'string' }, json: { type: 'boolean' } } as const;
  const given = readArguments(args, options, help, 1);
  if (!given) return 0;
  const { key, type, json } = given.values;
  if (key === undefined) throw new WrongUsage('--key is needed', help);
  const types = type === undefined ? pseudonymTypes : [pseudonymTypeIn(type, help)];
  const redactor = await redactorFrom(key, help);
  const value = await valueOf(given.positionals[0] ?? '');
  const pseudonyms = types.map((each) => [each, redactor.pseudonym(each, value)] as const);
  const rows = pseudonyms.map(([name, made]) => (type === undefined ? `${name.padEnd(6)} ${made}` : made));
  process.stdout.write(json ? `${JSON.stringify(Object.fromEntries(pseudonyms))}\n` : `${rows.join('\n')}\n`);
  return 0;
}

async function valueOf(given: string): Promise<string> {
  if (given !== '-') return given;
  return (await text(process.stdin)).replace(/\r?\n$/, '');
}
