/**
 * Whether the audit trail can be written: by opening one, in a place of its own beside those of the gateways, and with a
 * record on stable storage. The calls of an examination are recorded there.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { DirectoryTaken, readOwners } from '../audit/owner.ts';
import { NoPeriodKey } from '../audit/period-file.ts';
import { SigningKeyLost, TrailDamaged } from '../audit/recover.ts';
import { codeOf } from '../audit/report.ts';
import type { Trail } from '../audit/trail.ts';
import type { Config } from '../gateway/config.ts';
import { deriveKey, readOrCreateKey } from '../gateway/key-file.ts';
import { openOwnTrail, type OwnTrailOptions } from '../gateway/own-trail.ts';
import { grownWithinADay } from '../gateway/space.ts';
import { Broken, walk, type Report, type Sound } from './finding.ts';

export type DiskOptions = Pick<OwnTrailOptions, 'version' | 'files'>;

/** The instance that examinations write. */
const instance = 'doctor';
const slowMs = 200;

export function walkDisk(report: Report, config: Config, options: DiskOptions): Promise<Trail | undefined> {
  const { directory } = config.audit;
  return walk(report, { leg: 'audit', of: directory }, async () => {
    try {
      const { witness: _, ...audit } = config.audit;
      const own = { ...config, audit: { ...audit, instance, ballast: 0 } };
      const key = await readOrCreateKey(config.audit.keyFile);
      const trail = await openOwnTrail(own, { ...options, key: deriveKey(key, 'audit') });
      const begunAt = performance.now();
      await trail.note('doctor.run', { uid: process.getuid?.() });
      return [await soundness(trail, config, performance.now() - begunAt), trail] as const;
    } catch (error) {
      throw faultOf(error, directory);
    }
  });
}

async function soundness(trail: Trail, { audit }: Config, ms: number): Promise<Sound> {
  const { freeBytes, totalBytes } = await trail.space();
  const main = join(audit.directory, audit.instance);
  const isThere = (await readdir(audit.directory)).includes(audit.instance);
  const perDay = isThere ? await grownWithinADay(main) : 0;
  const days = perDay > 0 ? Math.floor(freeBytes / perDay) : undefined;
  const percent = Math.floor((freeBytes / Math.max(totalBytes, 1)) * 100);
  const writer = isThere ? (await readOwners(main))[0] : undefined;
  const found = [
    `a record is on stable storage in ${ms.toFixed(1)} ms`,
    `${percent} % free${days === undefined ? '' : `, enough for ${lengthOf(days)} like the last`}`,
    writer === undefined ? 'no gateway writes now' : `process ${writer.pid} writes`,
  ].join('; ');
  if (percent < 5 || (days ?? Infinity) < 7)
    return {
      outcome: 'warning',
      found,
      remedy: 'Make room, or let audit.keepDays remove what is old enough.',
    };
  if (ms > slowMs)
    return {
      outcome: 'warning',
      found,
      remedy: 'The disk is slow: every call waits for it. Use a local one.',
    };
  return { found };
}

/** A gateway that nobody calls writes a few lines a day; millions of days say nothing. */
function lengthOf(days: number): string {
  return days > 3650 ? 'ten years of days' : `${days} days`;
}

function faultOf(error: unknown, directory: string): unknown {
  if (error instanceof DirectoryTaken)
    return new Broken('Another examination runs.', 'Wait until it has ended.');
  if (error instanceof SigningKeyLost || error instanceof NoPeriodKey)
    return new Broken(
      error.message,
      'Restore audit.keyFile and audit.periodKeyFile from the backup (docs/operations.md, Backup and restore).',
    );
  if (error instanceof TrailDamaged)
    return new Broken(
      error.message,
      `Find out who changed it: 'gatehouse audit verify' tells more; then move ${join(directory, instance)} aside.`,
    );
  const code = codeOf(error);
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new Broken(
        `The disk of ${directory} is full.`,
        'Make room; a gateway that refuses calls takes them again by itself.',
      );
    case 'EACCES':
    case 'EPERM':
      return new Broken(
        `This account may not write in ${directory}.`,
        'Run it as the account of the gateway, or correct the owner of the directory.',
      );
    case 'EROFS':
      return new Broken(`${directory} is mounted read-only.`, 'Look at the disk, then mount it for writing.');
    case 'ENOENT':
    case 'ENOTDIR':
      return new Broken(`${directory} cannot be made.`, 'Correct audit.directory, or make the one above it.');
    default:
      return error;
  }
}
