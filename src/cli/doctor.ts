/** `gatehouse doctor`: finds the broken leg between this host and the tenants, with its cause and its remedy. */
import { endsOf, readSecrets, type Entries } from '../auth/secret-file.ts';
import { examine } from '../doctor/examine.ts';
import type { Finding, Outcome } from '../doctor/finding.ts';
import { configFile, loadConfig } from '../gateway/config.ts';
import { setLogLevel } from '../log.ts';
import { version } from '../version.ts';
import { readArguments } from './arguments.ts';

export const help = `usage: gatehouse doctor [--read] [--config FILE] [--json]

Walks the way from this host to every tenant, leg by leg: name, outbound proxy, connection, TLS, answer, clock, token;
and beside it the audit trail, the running gateway, Redis, the way to destinations of the trail and channels of alerts, to
which nothing is sent, and what ends soon. Each leg that is broken is told with its cause and its remedy, and nothing beyond
it is tried. Needs no internet but the way to the tenants.

It may run beside a gateway. It spends no quota, unless --read asks for one read of each system. A credential that a tenant
refuses is tried once, because SAP locks a client after five failures. Its own calls are recorded in the instance 'doctor'
below the audit directory.

With --json each leg is one object on a line: {"leg":…,"of":…,"outcome":…,"found":…,"remedy":…,"ms":…}.

examples:
  gatehouse doctor
  gatehouse doctor --read --config /etc/gatehouse/gatehouse.yaml

exit codes: 0 every leg holds, 1 a leg is broken or the configuration has faults, 4 wrong usage
`;

const marks: Readonly<Record<Outcome, string>> = {
  ok: 'ok',
  warning: 'WARNING',
  failed: 'BROKEN',
  skipped: '-',
};

export async function run(args: readonly string[]): Promise<number> {
  const options = {
    config: { type: 'string' },
    json: { type: 'boolean' },
    read: { type: 'boolean' },
  } as const;
  const given = readArguments(args, options, help);
  if (!given) return 0;
  const { read = false, json = false } = given.values;
  const config = loadConfig(configFile(given.values.config));
  // What is found is told below; the log would tell it a second time.
  setLogLevel('error');
  const outcomes: Outcome[] = [];
  const report = (finding: Finding): void => {
    outcomes.push(finding.outcome);
    process.stdout.write(json ? `${JSON.stringify(finding)}\n` : lineOf(finding));
  };
  await examine(report, config, {
    version,
    reads: read,
    secretsEnd: endsOf(await secretsIn(config.secretsFile)),
  });
  const count = (wanted: Outcome): number => outcomes.filter((outcome) => outcome === wanted).length;
  const [broken, warned] = [count('failed'), count('warning')];
  const verdict = broken === 0 ? 'Every leg holds' : `Broken: ${broken}`;
  if (!json) process.stdout.write(`${verdict}${warned === 0 ? '' : `; warnings: ${warned}`}.\n`);
  return broken === 0 ? 0 : 1;
}

async function secretsIn(file: string): Promise<Entries> {
  return readSecrets(file).catch((error: NodeJS.ErrnoException): Entries => {
    // The first start may make it.
    if (error.code === 'ENOENT') return new Map();
    throw error;
  });
}

function lineOf({ leg, of, outcome, found, remedy, ms }: Finding): string {
  const time = ms === undefined ? '' : ` (${ms} ms)`;
  const first = `${marks[outcome].padEnd(8)} ${leg.padEnd(11)} ${of}: ${found}${time}\n`;
  return remedy === undefined ? first : `${first}${' '.repeat(21)}remedy: ${remedy}\n`;
}
