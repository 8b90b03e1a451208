/** `gatehouse audit expire`: removes closed segments whose time is over, and says so in the trail, signed. */
import { hostname } from 'node:os';
import { join } from 'node:path';

import { Journal } from '../audit/journal.ts';
import { DirectoryTaken } from '../audit/owner.ts';
import { listSegments } from '../audit/recover.ts';
import { configHash } from '../gateway/config-changes.ts';
import { configFile, loadConfig } from '../gateway/config.ts';
import { deriveKey, readOrCreateKey } from '../gateway/key-file.ts';
import { version } from '../version.ts';
import { readArguments, WrongUsage } from './arguments.ts';
import { timeHelp, timeIn } from './audit-input.ts';

export const help = `usage: gatehouse audit expire (--keep DAYS | --before TIME) [--config FILE] [--json]

Removes whole closed segments that ended before TIME, or longer than DAYS ago. Of each the trail keeps a signed record
and the header, so that 'audit verify' tells a removal from a loss. A segment that does not verify is not removed, nor is
any behind it. Copy segments to an archive before: with it they verify as one trail.

The gateway must not run; while it runs, audit.keepDays of its configuration does the same.
With --json the answer is {"removed":…,"directory":"…"}.

${timeHelp}

examples:
  gatehouse audit expire --keep 365
  gatehouse audit expire --before 2026-01-01 --config /etc/gatehouse/gatehouse.yaml

exit codes: 0 done, 1 not or not all was removed (the reason is told), 4 wrong usage
`;

const dayMs = 86_400_000;

export async function run(args: readonly string[]): Promise<number> {
  const options = {
    keep: { type: 'string' },
    before: { type: 'string' },
    config: { type: 'string' },
    json: { type: 'boolean' },
  } as const;
  const given = readArguments(args, options, help);
  if (!given) return 0;
  const before = limitIn(given.values);
  const config = loadConfig(configFile(given.values.config));
  const removed = await expire(config, before);
  const { directory } = config.audit;
  process.stdout.write(
    given.values.json
      ? `${JSON.stringify({ removed, directory })}\n`
      : `${removed} segment${removed === 1 ? '' : 's'} removed from ${directory}\n`,
  );
  return 0;
}

function limitIn({ keep, before }: { readonly keep?: string; readonly before?: string }): Date {
  if ((keep === undefined) === (before === undefined)) throw new WrongUsage('give --keep or --before', help);
  if (keep === undefined) return new Date(timeIn('before', before, help) ?? Number.NaN);
  if (!/^\d{1,5}$/.test(keep)) throw new WrongUsage('--keep takes a number of days', help);
  return new Date(Date.now() - Number(keep) * dayMs);
}

async function expire(config: ReturnType<typeof loadConfig>, before: Date): Promise<number> {
  const { directory, instance, keyFile } = config.audit;
  // Opening a trail would begin one.
  const segments = await listSegments(join(directory, instance)).catch(() => []);
  if (segments.length === 0) throw new Error(`there is no trail in ${join(directory, instance)}`);
  const inst = {
    name: instance,
    host: hostname(),
    pid: process.pid,
    version,
    configHash: configHash(config),
  };
  const secret = deriveKey(await readOrCreateKey(keyFile), 'audit');
  try {
    await using journal = await Journal.open({ directory, instance, inst, secret });
    return await journal.expire(before);
  } catch (error) {
    if (!(error instanceof DirectoryTaken)) throw error;
    throw new Error(`${error.message} Stop it, or let audit.keepDays do this.`, { cause: error });
  }
}
