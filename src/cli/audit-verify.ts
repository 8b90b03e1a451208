/** `gatehouse audit verify`: what an auditor runs on a trail. The exit code is the verdict. */
import { readFile } from 'node:fs/promises';

import { findChains } from '../audit/chain-files.ts';
import { cosignatureType, type NoteKey } from '../audit/note.ts';
import { parseKeys } from '../audit/published-keys.ts';
import {
  verifyTrail,
  type Finding,
  type InstanceReport,
  type TrailReport,
  type VerifyOptions,
} from '../audit/verify.ts';
import { readArguments, WrongUsage } from './arguments.ts';
import { startProgress } from './progress.ts';

const exitCodes = { ok: 0, tampered: 1, truncated: 2, incomplete: 3 } as const;
const mostDirectories = 1000;

export const help = `usage: gatehouse audit verify <directory>... --checkpoint FILE... [--key KEY]... [--witness-key FILE] [--json]
       gatehouse audit verify <directory>... --local-only [--key KEY]... [--json]

Verifies an audit trail: that no line was changed, taken out, added or moved, that
every segment is signed by its key and every key by the one before it, and that the
trail is as long as a checkpoint says which was kept elsewhere. It reads files only.

  <directory>         the audit directory of all instances, or of one; several are one
                      trail, also where an archive holds the older segments
  --checkpoint FILE   a copy of an instance's file 'checkpoint' from another host, or
                      from a witness; one for each instance
  --key KEY           a copy of 'keys.pub' from the first start, or the fingerprint
                      (sha256:...) that was shown then
  --witness-key FILE  the witness's public key: each checkpoint must be cosigned by it
  --local-only        without a checkpoint: that somebody cut off the end, or wrote it
                      anew with a stolen key, cannot be seen
  --json              {"verdict":…,"findings":[…],"instances":[…]}
  --help              this text

examples:
  gatehouse audit verify var/audit --local-only
  gatehouse audit verify /mnt/audit --checkpoint gateway-1.checkpoint --key gateway-1.pub
  gatehouse audit verify /var/lib/gatehouse/audit/gateway-1 /mnt/archive/gateway-1 --checkpoint latest --json

exit codes:
  0  the trail is as it was written
  1  it was tampered with
  2  its end is missing: a crash that was not repaired yet, or somebody cut it off
  3  what is there is sound, but a checkpoint, an instance or a cosignature is missing
  4  the command was not understood, or a file cannot be read
`;

const options = {
  json: { type: 'boolean' },
  'local-only': { type: 'boolean' },
  checkpoint: { type: 'string', multiple: true },
  key: { type: 'string', multiple: true },
  'witness-key': { type: 'string', multiple: true },
} as const;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, options, help, 1, mostDirectories);
  if (!given) return 0;
  const { checkpoint: checkpoints = [], key: keys = [], 'witness-key': witnesses = [], json } = given.values;
  if (checkpoints.length > 0 === (given.values['local-only'] ?? false))
    throw new WrongUsage('give --checkpoint from another host, or say --local-only', help);
  const report = await read(async () =>
    verify(given.positionals, {
      checkpoints: await Promise.all(checkpoints.map((file) => readFile(file, 'utf8'))),
      ...(await readKeys(keys)),
      witnesses: await readWitnesses(witnesses),
    }),
  );
  process.stdout.write(
    json ? `${JSON.stringify(report, null, 2)}\n` : describe(report, given.values['local-only'] === true),
  );
  return exitCodes[report.verdict];
}

async function verify(directories: readonly string[], trust: VerifyOptions): Promise<TrailReport> {
  const segments = (await findChains(directories)).flatMap((chain) => chain.segments);
  const progress = startProgress(segments.reduce((sum, { bytes }) => sum + bytes, 0));
  try {
    return await verifyTrail(directories, { ...trust, onBytes: (bytes) => progress.add(bytes) });
  } finally {
    progress.end();
  }
}

async function readKeys(words: readonly string[]): Promise<Pick<VerifyOptions, 'rootKeys' | 'fingerprints'>> {
  const isFingerprint = (word: string): boolean => /^sha256:[0-9a-f]{64}$/.test(word);
  const files = words.filter((word) => !isFingerprint(word));
  return {
    fingerprints: words.filter(isFingerprint),
    rootKeys: (await Promise.all(files.map(keysIn))).flat(),
  };
}

async function readWitnesses(files: readonly string[]): Promise<NoteKey[]> {
  const keys = (await Promise.all(files.map(keysIn))).flat();
  if (keys.some(({ type }) => type !== cosignatureType))
    throw new WrongUsage('--witness-key is a file with the key of a witness, as it shows it', help);
  return keys;
}

async function keysIn(file: string): Promise<NoteKey[]> {
  const keys = parseKeys(await readFile(file, 'utf8'));
  if (keys.length === 0) throw new WrongUsage(`${file} holds no public key`, help);
  return keys;
}

async function read(work: () => Promise<TrailReport>): Promise<TrailReport> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof WrongUsage) throw error;
    throw new WrongUsage(`the trail cannot be read: ${error instanceof Error ? error.message : ''}`, help);
  }
}

function describe({ verdict, findings, instances }: TrailReport, isLocalOnly: boolean): string {
  const limits =
    isLocalOnly && verdict === 'ok'
      ? ', as far as can be seen here: an end that was cut off is not seen'
      : '';
  const parts = [
    ...instances.map(describeInstance),
    ...findings.map(describeFinding),
    `Verdict: ${verdict}${limits}`,
  ];
  return `${parts.join('\n\n')}\n`;
}

function describeInstance(report: InstanceReport): string {
  const { instance, verdict, running, segments, records, bytes, firstSeq, lastSeq, firstTs, lastTs } = report;
  const rows = [
    ['chain', report.chain],
    ['segments', report.expired > 0 ? `${segments}, and ${report.expired} before that expired` : segments],
    ['records', `${records} (${sizeOf(bytes)})`],
    ['sequence', firstSeq === undefined ? undefined : `${firstSeq} to ${lastSeq}`],
    ['time', firstTs && `${firstTs} to ${lastTs}`],
    ['head', report.head],
    ['root key', report.rootKey],
    ['covered', covered(report)],
    ['state', running ? 'being written' : 'at rest'],
    ['verdict', verdict],
  ].map(([name, value]) => `  ${String(name).padEnd(9)} ${value ?? '-'}`);
  const remarks = report.remarks.map((remark) => `  - remark\n    ${remark}`);
  return [instance, ...rows, ...report.findings.map(describeFinding), ...remarks].join('\n');
}

function covered({ checkpointed, witnessedAt }: InstanceReport): string {
  if (checkpointed === undefined) return 'by no checkpoint from elsewhere';
  return `up to ${checkpointed} by a checkpoint${witnessedAt ? `, witnessed at ${witnessedAt}` : ''}`;
}

function describeFinding({ verdict, file, line, seq, reason }: Finding): string {
  const place = [`  ! ${verdict}`, file, line && `line ${line}`, seq && `seq ${seq}`]
    .filter(Boolean)
    .join('  ');
  return `${place}\n    ${reason}`;
}

function sizeOf(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
