/** `gatehouse secret`: secrets of technical users; what is stored or printed for storing is only their hashes. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { text } from 'node:stream/consumers';

import { isAcceptable } from '../auth/credentials.ts';
import { addSecret, rotateSecret } from '../auth/secret-file.ts';
import { hashSecret, isBroken } from '../auth/secret.ts';
import { configFile, loadConfig, type Config } from '../gateway/config.ts';
import { unknownName } from '../gateway/unknown-name.ts';
import { readArguments, requireVerb, WrongUsage } from './arguments.ts';
import { durationIn } from './duration.ts';

export const help = `usage: gatehouse secret new <technical user> [--expires 90d] [--config FILE] [--json]
       gatehouse secret rotate <technical user> [--grace 7d] [--expires 90d] [--config FILE] [--json]
       gatehouse secret new|rotate <account> --console …
       gatehouse secret hash

new   Generates a secret of 256 bits, shows it once and adds its hash to the file that secretsFile names.
      A technical user may have two, so that one can be replaced without a pause: add the second, change the
      caller, then delete the first entry from the file. A running gateway reads the file again within a second.
      One that has ended already is removed.
      With --expires it is refused after that time; the gateway warns 30, 14, 7 and 1 days before, unless
      the user has another one that lasts longer.
rotate
      As new, and the secret that was there ends after the grace (7 days): until then both are good, and the caller
      can be changed.
      With --console both are for a local account of the console (admin.console.accounts).
hash  Reads a secret that somebody chose from standard input and prints its hash, for an entry of that file.

Times are durations as in the configuration, or days: 90s, 30m, 12h, 7d.
With --json the answer is {"user":"…","secret":"…"}.

examples:
  gatehouse secret new identity-manager
  gatehouse secret new identity-manager --expires 90d
  gatehouse secret new identity-manager --config /etc/gatehouse/gatehouse.yaml
  gatehouse secret rotate identity-manager --grace 2d
  gatehouse secret new break-glass --console
  gatehouse secret hash < chosen-secret

exit codes: 0 done, 1 not done (the reason is told), 4 wrong usage
`;

const options = {
  config: { type: 'string' },
  expires: { type: 'string' },
  grace: { type: 'string' },
  console: { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

const leastCharacters = 16;

export async function run(args: readonly string[]): Promise<number> {
  requireVerb(args, ['new', 'rotate', 'hash'], help);
  if (args[0] === 'hash') return readArguments(args, {}, help, 1) ? printHash() : 0;
  const given = readArguments(args, options, help, 2);
  if (!given) return 0;
  const [verb, user = ''] = given.positionals;
  if (verb !== 'new' && verb !== 'rotate') throw new WrongUsage('the verbs are new, rotate and hash', help);
  const { config, expires, grace } = given.values;
  if (grace !== undefined && verb !== 'rotate') throw new WrongUsage('--grace is for rotate', help);
  const notAfter = expires === undefined ? undefined : instantAfter('expires', expires);
  const secretsFile = fileFor(user, loadConfig(configFile(config)), given.values.console === true);
  await mkdir(dirname(secretsFile), { recursive: true, mode: 0o700 });
  const secret =
    verb === 'new'
      ? addSecret(secretsFile, user, notAfter)
      : rotateSecret(secretsFile, user, instantAfter('grace', grace ?? '7d'), notAfter);
  const shown = await secret;
  process.stdout.write(given.values.json ? `${JSON.stringify({ user, secret: shown })}\n` : `${shown}\n`);
  return 0;
}

function instantAfter(option: string, text: string): number {
  const ms = durationIn(text);
  if (ms === undefined || (ms < 1000 && option === 'expires'))
    throw new WrongUsage(`--${option} wants a duration such as 90d, 12h or 30m`, help);
  return Date.now() + ms;
}

/** Accounts of the console and callers are not the same people, so neither's secret opens the other's door. */
function fileFor(user: string, { callers, secretsFile, admin }: Config, isAccount: boolean): string {
  const known = isAccount ? (admin.console?.accounts ?? {}) : callers;
  if (!Object.hasOwn(known, user))
    throw new Error(
      unknownName(isAccount ? 'account of the console' : 'technical user', user, Object.keys(known)),
    );
  return isAccount ? (admin.console?.secretsFile ?? secretsFile) : secretsFile;
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
