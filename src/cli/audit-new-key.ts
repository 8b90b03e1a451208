/** `gatehouse audit new-key`: the two keys that are not made by the gateway itself. */
import { writeFile } from 'node:fs/promises';

import { encodePeriodKey } from '../audit/period-file.ts';
import { createPeriodKey } from '../audit/period.ts';
import { createRevealKey } from '../audit/seal.ts';
import { readArguments, WrongUsage } from './arguments.ts';

export const help = `usage: gatehouse audit new-key reveal|period <file> [--json]

Writes a new key to a file that must not exist, with mode 0600.

  reveal  the private key of somebody who may open what is sealed; its public half is shown, for audit.revealKeys. Make
          it where it stays: the gateway never needs the file.
  period  the key of the present quarter, for audit.periodKeyFile: where replicas share it, or its place is read-only
          for the gateway, as a Kubernetes Secret is

With --json the answer is {"kind":"reveal","file":…,"publicKey":…}, or {"kind":"period","file":…}.

examples:
  gatehouse audit new-key reveal /media/dpo/reveal.pem
  gatehouse audit new-key period periods.key

exit codes: 0 done, 4 the command was not understood, or the file cannot be written
`;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, { json: { type: 'boolean' } }, help, 2);
  if (!given) return 0;
  const [kind = '', file = ''] = given.positionals;
  if (kind === 'period') {
    await keep(file, encodePeriodKey(createPeriodKey()));
    if (given.values.json) process.stdout.write(`${JSON.stringify({ kind, file })}\n`);
  } else if (kind === 'reveal') {
    const { privateKey, publicKey } = createRevealKey();
    await keep(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    process.stdout.write(
      given.values.json ? `${JSON.stringify({ kind, file, publicKey })}\n` : `${publicKey}\n`,
    );
  } else {
    throw new WrongUsage('the key is reveal or period', help);
  }
  return 0;
}

async function keep(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { mode: 0o600, flag: 'wx', flush: true });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    throw new WrongUsage(`${file} cannot be written${code}`, help);
  }
}
