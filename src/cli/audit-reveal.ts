/**
 * `gatehouse audit reveal`: who stands behind the pseudonyms of the calls that a query finds. That it was done, by whom and
 * why is on disk, in a register of its own, before a name is shown.
 */
import { createPublicKey, hkdfSync, type KeyObject } from 'node:crypto';
import { userInfo } from 'node:os';

import { joinCalls } from '../audit/calls.ts';
import type { Entry } from '../audit/entry.ts';
import { keyOf, type PeriodKey } from '../audit/period.ts';
import { isStatus, matcherOf, type Query } from '../audit/query.ts';
import { encodeRevealKey, openSeal, readRevealKey, readSeal } from '../audit/seal.ts';
import { createTrail } from '../audit/trail.ts';
import { version } from '../version.ts';
import { readArguments, WrongUsage } from './arguments.ts';
import {
  chainsIn,
  contentOf,
  exitCodes,
  mostDirectories,
  Pass,
  periodKeyFrom,
  timeHelp,
  timeIn,
} from './audit-input.ts';
import { visible } from './audit-table.ts';
import { write } from './output.ts';

export const help = `usage: gatehouse audit reveal <directory>... <criteria> --reason TEXT --key FILE [--second-key FILE]
         --period-key FILE --register DIRECTORY [--json] [--limit N]

Opens the identifiers that were sealed in the calls that are found: ids, user names, added and removed members. At least
one criterion is needed, and all must hold of one record of a call. The register is a trail of its own, with one
instance for each first key; 'audit verify', 'search' and 'report' read it. What was found and why is written there
before anything is shown.

  --reason TEXT         why, for the register
  --key FILE            the private key of who reveals (PEM); --second-key where two are needed, in the order of the
                        configuration
  --period-key FILE     the gateway's audit.periodKeyFile
  --register DIRECTORY  where it is registered; not the audit directory
  --from TIME, --to TIME, --caller NAME, --system NAME, --kind KIND, --resource-type TYPE, --result RESULT,
  --status STATUS, --request ID, --pseudonym P          as in 'gatehouse audit search'
  --json                one object for each record:
                        {"ts":…,"record":…,"request":…,"kind":…,"resourceType":…,"identifiers":…}
  --limit N             refuse when more records are found (default: 1000)
  --help                this text

${timeHelp}

examples:
  gatehouse audit reveal var/audit --kind delete --from 24h --caller idm --reason 'INC-4711: wrong deletions' \\
    --key /media/dpo/reveal.pem --period-key var/keys/periods.key --register var/reveals

exit codes:
  0  all that was found is shown
  1  nothing found
  2  something cannot be opened: its period was erased, or it was sealed for other keys; or the trail is damaged
  4  the command was not understood, a file cannot be read, or too much was found
`;

const options = {
  reason: { type: 'string' },
  key: { type: 'string' },
  'second-key': { type: 'string' },
  'period-key': { type: 'string' },
  register: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  caller: { type: 'string' },
  system: { type: 'string' },
  kind: { type: 'string' },
  'resource-type': { type: 'string' },
  result: { type: 'string' },
  status: { type: 'string' },
  request: { type: 'string' },
  pseudonym: { type: 'string' },
  json: { type: 'boolean' },
  limit: { type: 'string' },
} as const;

type Values = NonNullable<ReturnType<typeof understand>>['values'];

interface Sealed {
  readonly entry: Entry;
  readonly request: string;
  readonly seal: string;
}

export async function run(args: readonly string[]): Promise<number> {
  const given = understand(args);
  if (!given) return exitCodes.done;
  const { values } = given;
  const query = queryOf(values);
  const reason = needed('reason', values.reason);
  const register = needed('register', values.register);
  const period = await periodKeyFrom(needed('period-key', values['period-key']), help);
  const keys = await keysOf(values);
  const range = { from: timeIn('from', values.from, help), to: timeIn('to', values.to, help, true) };
  using pass = new Pass(await chainsIn(given.positionals, help), range);
  const found = await seals(pass, query, limitIn(values.limit));
  if (found.length === 0) return pass.exitCode(exitCodes.finding);
  await registerReading(register, period, keys, {
    reason,
    by: { user: userInfo().username, uid: userInfo().uid },
    keys: keys.map(encodeRevealKey),
    query: { ...query, from: values.from, to: values.to },
    trail: pass.chains.map(({ instance }) => instance),
    records: found.length,
    requests: found.map(({ request }) => request),
  });
  let closed = 0;
  for (const each of found) {
    const names = opened(each, keys, period);
    if (names === undefined) closed += 1;
    await write(told(each.entry, each.request, names, values.json === true));
  }
  return pass.exitCode(closed > 0 ? exitCodes.damaged : exitCodes.done);
}

function understand(args: readonly string[]) {
  return readArguments(args, options, help, 1, mostDirectories);
}

function needed(option: string, value: string | undefined): string {
  if (value === undefined || value.trim() === '') throw new WrongUsage(`--${option} is needed`, help);
  return value;
}

function queryOf(values: Values): Query {
  const { caller, system, kind, result, status, request, pseudonym, 'resource-type': resourceType } = values;
  if (status !== undefined && !isStatus(status))
    throw new WrongUsage('--status is one such as 404 or 4xx', help);
  const pseudonyms = pseudonym === undefined ? undefined : [pseudonym];
  const query = { caller, system, kind, result, status, request, resourceType, pseudonyms };
  if (Object.values(query).every((criterion) => criterion === undefined))
    throw new WrongUsage('a criterion is needed: nobody has a reason to open everything', help);
  return query;
}

async function keysOf(values: Values): Promise<KeyObject[]> {
  const files = [needed('key', values.key), values['second-key']].filter((file) => file !== undefined);
  return Promise.all(
    files.map(async (file) => {
      const key = readRevealKey(await contentOf(file, help));
      if (!key)
        throw new WrongUsage(`${file} does not hold a private key as 'audit new-key reveal' makes it`, help);
      return key;
    }),
  );
}

function limitIn(text = '1000'): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new WrongUsage('--limit is a number from 1', help);
  return Number(text);
}

/** A call is found by any one of its records; the names are in the one that went to disk first. */
async function seals(pass: Pass, query: Query, limit: number): Promise<Sealed[]> {
  const matches = matcherOf(query);
  const found: Sealed[] = [];
  for await (const records of joinCalls(pass.entries())) {
    if (!records.some(matches)) continue;
    for (const entry of records) {
      const [seal, request] = [entry.text('sealed'), entry.text('req')];
      if (seal !== undefined && request !== undefined) found.push({ entry, request, seal });
    }
    if (found.length > limit)
      throw new WrongUsage(`more than ${limit} records are found; narrow the query or raise --limit`, help);
  }
  return found;
}

/** When this resolves, the register has it on stable storage. */
async function registerReading(
  directory: string,
  periodKey: PeriodKey,
  [first]: readonly KeyObject[],
  facts: Record<string, unknown>,
): Promise<void> {
  if (!first) throw new WrongUsage('--key is needed', help);
  const instance = `reveals-${createPublicKey(first)
    .export({ format: 'jwk' })
    .x?.replaceAll(/[^A-Za-z0-9]/g, '')
    .slice(0, 8)}`;
  // The register goes on under whoever has this key, and nobody else can sign in it.
  const own = Buffer.from(first.export({ format: 'jwk' }).d ?? '', 'base64url');
  const key = Buffer.from(hkdfSync('sha256', own, '', 'gatehouse audit register v1', 32));
  await using trail = await createTrail({ directory, instance, key, periodKey, version, configHash: '' });
  await trail.note('audit.read', facts);
}

function opened({ seal, request }: Sealed, keys: readonly KeyObject[], first: PeriodKey): string | undefined {
  const parts = readSeal(seal);
  const period = parts && keyOf(first, parts.period);
  return period && openSeal(parts, keys, period, request);
}

function told(entry: Entry, request: string, names: string | undefined, json: boolean): string {
  const kind = entry.text('op', 'kind');
  const resourceType = entry.text('op', 'resourceType');
  const { ts, id } = entry;
  const identifiers: unknown = names === undefined ? null : JSON.parse(names);
  if (json) return `${JSON.stringify({ ts, record: id, request, kind, resourceType, identifiers })}\n`;
  return `${ts}  ${request}  ${kind} ${resourceType}  ${visible(names ?? 'cannot be opened')}\n`;
}
