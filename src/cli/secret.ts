/** `gatehouse secret`: gives a technical user of the configuration a new secret; the file keeps only its hash. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

import { addSecret } from '../auth/secret-file.ts';
import { configFile, loadConfig } from '../gateway/config.ts';
import { readArguments, WrongUsage } from './arguments.ts';

const help = `usage: gatehouse secret add <technical user> [--config FILE]

Generates a secret, shows it once and adds its argon2id hash to the file that secretsFile names.
A technical user may have two, so that one can be replaced without a pause: add the second, change the caller,
then delete the first entry from the file. A running gateway reads the file again within a second.

examples:
  gatehouse secret add identity-manager
  gatehouse secret add identity-manager --config /etc/gatehouse/gatehouse.yaml

exit codes: 0 added, 1 not added (the reason is told), 4 wrong usage
`;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, { config: { type: 'string' } }, help, 2);
  if (!given) return 0;
  const [verb, user = ''] = given.positionals;
  if (verb !== 'add') throw new WrongUsage('the only verb is add', help);
  const { callers, secretsFile } = loadConfig(configFile(given.values.config));
  if (!(user in callers)) throw new Error(`${user} is not among the callers of the configuration.`);
  await mkdir(dirname(secretsFile), { recursive: true, mode: 0o700 });
  process.stdout.write(`${await addSecret(secretsFile, user)}\n`);
  return 0;
}
