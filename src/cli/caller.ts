/** `gatehouse caller list`: who may call, how they log on, and what each may do, as the configuration says. */
import { readSecrets, type Entries } from '../auth/secret-file.ts';
import { configFile, loadConfig, type Caller, type Config, type Permission } from '../gateway/config.ts';
import { readArguments, requireVerb, WrongUsage } from './arguments.ts';

export const help = `usage: gatehouse caller list [--config FILE] [--json]

Lists the technical users: how each can log on (secrets, certificates, issuers of tokens), when its secrets end, from
where it may call, and what it may do. Nothing secret is shown.
With --json the answer is [{"caller":…,"secrets":[…],"certificates":…,"issuers":[…],"from":[…],"repairs":[…],"may":[…]}];
'secrets' has the end of each, null where it has none.

examples:
  gatehouse caller list
  gatehouse caller list --config /etc/gatehouse/gatehouse.yaml --json

exit codes: 0 listed, 1 the configuration has faults, 4 wrong usage
`;

interface Row {
  readonly caller: string;
  /** When each of its secrets ends; null: never. */
  readonly secrets: readonly (string | null)[];
  readonly certificates: number;
  readonly issuers: readonly string[];
  readonly from: readonly string[];
  /** What is put right of its requests, by the names of docs/profiles.md. */
  readonly repairs: readonly string[];
  readonly may: readonly string[];
}

export async function run(args: readonly string[]): Promise<number> {
  requireVerb(args, ['list'], help);
  const given = readArguments(args, { config: { type: 'string' }, json: { type: 'boolean' } }, help, 1);
  if (!given) return 0;
  if (given.positionals[0] !== 'list') throw new WrongUsage('the verb is list', help);
  const config = loadConfig(configFile(given.values.config));
  const secrets = await readSecrets(config.secretsFile).catch((error: NodeJS.ErrnoException): Entries => {
    // The first start may make it.
    if (error.code === 'ENOENT') return new Map();
    throw error;
  });
  const rows = Object.values(config.callers).map((caller) => rowOf(caller, config, secrets));
  process.stdout.write(
    given.values.json ? `${JSON.stringify(rows, null, 2)}\n` : rows.map(textOf).join('\n'),
  );
  return 0;
}

function rowOf(
  { name, certificates, sourceNetworks, permissions, profile }: Caller,
  { oauth }: Config,
  secrets: Entries,
): Row {
  const own = secrets.get(name) ?? [];
  return {
    caller: name,
    secrets: own.map(({ notAfter }) => (notAfter === undefined ? null : new Date(notAfter).toISOString())),
    certificates: certificates.length,
    issuers: Object.values(oauth.issuers)
      .filter(({ callers }) => Object.values(callers).includes(name))
      .map(({ issuer }) => issuer),
    from: sourceNetworks ?? [],
    repairs: profile.repairs,
    may: permissions.map(described),
  };
}

function described(row: Permission): string {
  if (row.permission !== 'Access Proxy System API')
    return `${row.permission}: ${listed(row.sourceSystems, 'source systems')}`;
  const denied = row.deniedAttributes.length === 0 ? '' : `, but not ${row.deniedAttributes.join(', ')}`;
  return `${row.access.join(' and ')} ${listed(row.resourceTypes, 'resource types')} of ${listed(row.systems, 'systems')}${denied}`;
}

function listed(names: 'all' | readonly string[], what: string): string {
  return names === 'all' ? `all ${what}` : names.join(', ');
}

function textOf({ caller, secrets, certificates, issuers, from, repairs, may }: Row): string {
  const ways = [
    ...secrets.map((ends) => `secret ${ends === null ? 'without end' : `until ${ends}`}`),
    ...(certificates > 0 ? [`${certificates} certificate(s)`] : []),
    ...issuers.map((issuer) => `tokens of ${issuer}`),
  ];
  const lines = [
    `log-on  ${ways.join('; ') || 'none: it cannot log on'}`,
    `from    ${from.join(', ') || 'anywhere'}`,
    ...(repairs.length > 0 ? [`repairs ${repairs.join(', ')}`] : []),
    ...may.map((each) => `may     ${each}`),
  ];
  return `${caller}\n${lines.map((line) => `  ${line}\n`).join('')}`;
}
