/** `gatehouse secret`: secrets of technical users; what is stored or printed for storing is only their hashes. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { text } from 'node:stream/consumers';

import { isAcceptable } from '../auth/credentials.ts';
import { addSecret } from '../auth/secret-file.ts';
import { hashSecret, isBroken } from '../auth/secret.ts';
import { configFile, loadConfig } from '../gateway/config.ts';
import { readArguments, WrongUsage } from './arguments.ts';

const help = `usage: gatehouse secret new <technical user> [--expires 90d] [--config FILE]
       gatehouse secret hash

new   Generates a secret of 256 bits, shows it once and adds its hash to the file that secretsFile names.
      A technical user may have two, so that one can be replaced without a pause: add the second, change the
      caller, then delete the first entry from the file. A running gateway reads the file again within a second.
      With --expires it is refused after so many days; the gateway warns 30, 14, 7 and 1 days before.
hash  Reads a secret that somebody chose from standard input and prints its hash, for an entry of that file.

examples:
  gatehouse secret new identity-manager
  gatehouse secret new identity-manager --expires 90d
  gatehouse secret new identity-manager --config /etc/gatehouse/gatehouse.yaml
  gatehouse secret hash < chosen-secret

exit codes: 0 done, 1 not done (the reason is told), 4 wrong usage
`;

const leastCharacters = 16;

export async function run(args: readonly string[]): Promise<number> {
  if (args[0] === 'hash') return readArguments(args, {}, help, 1) ? printHash() : 0;
  const given = readArguments(args, { config: { type: 'string' }, expires: { type: 'string' } }, help, 2);
  if (!given) return 0;
  const [verb, user = ''] = given.positionals;
  if (verb !== 'new') throw new WrongUsage('the verbs are new and hash', help);
  const notAfter = instantOf(given.values.expires);
  const { callers, secretsFile } = loadConfig(configFile(given.values.config));
  if (!(user in callers)) throw new Error(`${user} is not among the callers of the configuration.`);
  await mkdir(dirname(secretsFile), { recursive: true, mode: 0o700 });
  process.stdout.write(`${await addSecret(secretsFile, user, notAfter)}\n`);
  return 0;
}

function instantOf(expires: string | undefined): number | undefined {
  if (expires === undefined) return undefined;
  const [, days] = /^([1-9]\d{0,3})d$/.exec(expires) ?? [];
  if (days === undefined) throw new WrongUsage('--expires wants a number of days such as 90d', help);
  return Date.now() + Number(days) * 86_400_000;
}

async function printHash(): Promise<number> {
  const secret = (await text(process.stdin)).replace(/\r?\n$/, '');
  if (isBroken(secret)) throw new Error('The secret begins like a generated one, but its checksum is wrong.');
  if (!isAcceptable(secret))
    throw new Error('No caller could send it: it has control characters, or over 1024 bytes.');
  if (secret.length < leastCharacters)
    throw new Error(`A chosen secret has at least ${leastCharacters} characters.`);
  process.stdout.write(`${await hashSecret(secret)}\n`);
  return 0;
}
