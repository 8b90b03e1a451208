/** `gatehouse idm-csv`: the repository file for SAP Identity Management, with the gateway's address in it. */
import { configFile, loadConfig } from '../gateway/config.ts';
import { unknownName } from '../gateway/unknown-name.ts';
import { idmCsv } from '../ips/idm-csv.ts';
import { readArguments, WrongUsage } from './arguments.ts';

export const help = `usage: gatehouse idm-csv --system <id> [--config FILE]

Writes the CSV that SAP Identity Management 8.0 (SP05 or later) imports as a SCIM repository: the 25 columns that
Identity Provisioning exports for a proxy system, with the gateway's host. AUTH_USER and AUTH_PASSWORD stay empty;
SCIM_ASSIGNMENT_METHOD is the system's 'assignment', or what SAP documents for its 'connector'; it is empty for one
without groups. READ_TIMEOUT is longer than a write may take: 'patience', the system's 'deadlines.write' and 20 s. With SAP
Identity Management's own 60 s it would give up, and repeat, what still runs. The file is all it prints; there is no --json.

examples:
  gatehouse idm-csv --system 5d0cbe5a-6a3f-4c55-9d0e-3c1f4b7a2e01 > repository.csv

exit codes: 0 written, 1 not written (the reason is told), 4 wrong usage
`;

/** For the log-on, the disk and the network. */
const marginMs = 20_000;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, { system: { type: 'string' }, config: { type: 'string' } }, help);
  if (!given) return 0;
  const { system: id, config: file } = given.values;
  if (id === undefined) throw new WrongUsage('--system is needed', help);
  const { systems, publicUrl, listen, patience } = loadConfig(configFile(file));
  const system = Object.hasOwn(systems, id) ? systems[id] : undefined;
  if (!system) throw new Error(unknownName('system', id, Object.keys(systems)));
  const address = new URL(publicUrl ?? `${listen.tls ? 'https' : 'http'}://${listen.host}:${listen.port}`);
  const { name, assignment, deadlines } = system;
  const readTimeoutMs = patience + deadlines.write + marginMs;
  process.stdout.write(idmCsv({ name, systemId: id, address, assignment, readTimeoutMs }));
  return 0;
}
