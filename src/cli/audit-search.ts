/** `gatehouse audit search`: finds records, alone or with all that belongs to their call. */
import { joinCalls } from '../audit/calls.ts';
import type { Entry } from '../audit/entry.ts';
import { isStatus, matcherOf, type Query } from '../audit/query.ts';
import { readArguments, WrongUsage } from './arguments.ts';
import {
  chainsIn,
  exitCodes,
  mostDirectories,
  Pass,
  pseudonymTypeIn,
  pseudonymTypes,
  redactorsFrom,
  timeHelp,
  timeIn,
} from './audit-input.ts';
import { tableHead, tableRow } from './audit-table.ts';
import { write } from './output.ts';

export const help = `usage: gatehouse audit search <directory>... [criteria] [--joined] [--json] [--limit N]

Finds records in the trails of all named directories, by time. All criteria must hold of one record.

  --from TIME, --to TIME   when it happened; a day as --to is meant with its end
  --caller NAME            the technical user
  --system NAME, --tenant NAME
  --kind KIND              list, get, create, replace, patch, delete, bulk, …; --effect read or write
  --resource-type TYPE     Users, Groups, …
  --result RESULT          success, failure, denied, unknown, aborted; --error KIND as in docs/errors.md
  --status STATUS          of the answer or of the tenant: 404, 4xx
  --address IP             the caller's
  --request ID             the gateway's, the caller's or the tenant's id of the call
  --event NAME             such as authn.failure; authn.* is all that begin so
  --pseudonym P            p2026q4:…, anywhere in the record
  --value TEXT --key FILE  records with a pseudonym of this text in any period; FILE is the gateway's
                           audit.periodKeyFile. Several mean any of them: for a person give the id AND
                           the user name, because most calls have one alone. An e-mail address is found
                           where it is the user name, or a filter asked for it
  --type TYPE              what the text is: ${pseudonymTypes.join(', ')} (default: any)
  --joined                 with every record of the calls that were found, call by call
  --json                   the lines as they stand in the trail, or none; with --joined one {"records":[…]} a call
  --limit N                the first N only
  --help                   this text

${timeHelp}

examples:
  gatehouse audit search var/audit --from 24h --kind delete --resource-type Users
  gatehouse audit search /mnt/a/audit /mnt/b/audit --value 4711 --value ada --key periods.key --joined
  gatehouse audit search var/audit --status 5xx --from 2026-11-21T08:00 --to 2026-11-21T09:00 --json

exit codes:
  0  found
  1  nothing found
  2  the trail is damaged or its end is missing; what could be read was searched
  4  the command was not understood, or a directory cannot be read
`;

const options = {
  from: { type: 'string' },
  to: { type: 'string' },
  caller: { type: 'string' },
  system: { type: 'string' },
  tenant: { type: 'string' },
  kind: { type: 'string' },
  effect: { type: 'string' },
  'resource-type': { type: 'string' },
  result: { type: 'string' },
  error: { type: 'string' },
  status: { type: 'string' },
  address: { type: 'string' },
  request: { type: 'string' },
  event: { type: 'string' },
  pseudonym: { type: 'string' },
  value: { type: 'string', multiple: true },
  key: { type: 'string' },
  type: { type: 'string' },
  joined: { type: 'boolean' },
  json: { type: 'boolean' },
  limit: { type: 'string' },
} as const;

type Values = NonNullable<ReturnType<typeof understand>>['values'];

export async function run(args: readonly string[]): Promise<number> {
  const given = understand(args);
  if (!given) return exitCodes.done;
  const { values } = given;
  const query = await queryOf(values);
  const limit = limitIn(values.limit);
  const range = { from: timeIn('from', values.from, help), to: timeIn('to', values.to, help, true) };
  using pass = new Pass(await chainsIn(given.positionals, help), range);
  const found = values.joined ? callsIn(pass, query) : entriesIn(pass, query);
  let count = 0;
  if (!values.json) await write(`${tableHead}\n`);
  for await (const records of found) {
    if (count > 0 && values.joined && !values.json) await write('\n');
    await write(values.json ? jsonOf(records, values.joined === true) : tableOf(records));
    count += 1;
    if (count === limit) break;
  }
  return pass.exitCode(count > 0 ? exitCodes.done : exitCodes.finding);
}

function understand(args: readonly string[]) {
  return readArguments(args, options, help, 1, mostDirectories);
}

async function queryOf(values: Values): Promise<Query> {
  const { status, 'resource-type': resourceType } = values;
  if (status !== undefined && !isStatus(status))
    throw new WrongUsage('--status is one such as 404 or 4xx', help);
  return { ...values, resourceType, pseudonyms: await pseudonymsOf(values) };
}

async function pseudonymsOf({ pseudonym, value, key, type }: Values): Promise<string[] | undefined> {
  if (value === undefined) return pseudonym === undefined ? undefined : [pseudonym];
  if (pseudonym !== undefined) throw new WrongUsage('give --pseudonym or --value, not both', help);
  if (key === undefined) throw new WrongUsage('--value needs --key', help);
  const redactors = await redactorsFrom(key, help);
  const types = type === undefined ? pseudonymTypes : [pseudonymTypeIn(type, help)];
  return redactors.flatMap((redactor) =>
    types.flatMap((each) => value.map((text) => redactor.pseudonym(each, text))),
  );
}

function limitIn(text: string | undefined): number {
  if (text === undefined) return Infinity;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new WrongUsage('--limit is a number from 1', help);
  return Number(text);
}

async function* entriesIn(pass: Pass, query: Query): AsyncGenerator<readonly Entry[]> {
  const matches = matcherOf(query);
  for await (const entry of pass.entries()) if (matches(entry)) yield [entry];
}

/** A call is found by any one of its records, and then shown with the outcomes that do not name its caller. */
async function* callsIn(pass: Pass, query: Query): AsyncGenerator<readonly Entry[]> {
  const matches = matcherOf(query);
  for await (const records of joinCalls(pass.entries())) if (records.some(matches)) yield records;
}

function tableOf(records: readonly Entry[]): string {
  return records.map((entry) => `${tableRow(entry)}\n`).join('');
}

function jsonOf(records: readonly Entry[], joined: boolean): string {
  const lines = records.map(({ line }) => line.toString());
  return joined ? `{"records":[${lines.join(',')}]}\n` : `${lines.join('\n')}\n`;
}
