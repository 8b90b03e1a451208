/** `gatehouse audit verify`: what an auditor runs on a trail. The exit code is the verdict. */
import { verifyTrail, type InstanceReport, type TrailReport } from '../audit/verify.ts';
import { readArguments } from './arguments.ts';

const exitCodes = { ok: 0, tampered: 1, truncated: 2 } as const;
/** As wrong usage: what was named is no trail. */
const unreadable = 4;

const help = `usage: gatehouse audit verify <directory> [--json]

Verifies an audit trail: that no line was changed, taken out, added or moved, and
that no segment is missing before the last one. It reads the files only.

  <directory>   the audit directory of all instances, or of one
  --json        the report as one JSON document
  --help        this text

exit codes:
  0  the trail is as it was written
  1  it was tampered with
  2  its end is missing: a crash that was not repaired yet, or somebody cut it off
  4  the command was not understood, or the directory cannot be read

examples:
  gatehouse audit verify var/audit
  gatehouse audit verify /mnt/archive/audit/gateway-1 --json
`;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, { json: { type: 'boolean' } }, help, 1);
  if (!given) return 0;
  const [directory = ''] = given.positionals;
  const report = await read(directory);
  if (!report) return unreadable;
  process.stdout.write(given.values.json ? `${JSON.stringify(report, null, 2)}\n` : describe(report));
  return exitCodes[report.verdict];
}

async function read(directory: string): Promise<TrailReport | undefined> {
  try {
    return await verifyTrail(directory);
  } catch (error) {
    process.stderr.write(
      `gatehouse: the trail cannot be read: ${error instanceof Error ? error.message : ''}\n`,
    );
    return undefined;
  }
}

function describe({ verdict, instances }: TrailReport): string {
  return `${[...instances.map(describeInstance), `Verdict: ${verdict}`].join('\n\n')}\n`;
}

function describeInstance(report: InstanceReport): string {
  const { instance, verdict, running, segments, records, bytes, firstSeq, lastSeq, firstTs, lastTs } = report;
  const rows = [
    ['chain', report.chain],
    ['segments', segments],
    ['records', `${records} (${sizeOf(bytes)})`],
    ['sequence', firstSeq === undefined ? undefined : `${firstSeq} to ${lastSeq}`],
    ['time', firstTs && `${firstTs} to ${lastTs}`],
    ['head', report.head],
    ['state', running ? 'being written' : 'at rest'],
    ['verdict', verdict],
  ].map(([name, value]) => `  ${String(name).padEnd(9)} ${value ?? '-'}`);
  const findings = report.findings.map(({ verdict: found, file, line, seq, reason }) =>
    [`  ! ${found}`, file, line && `line ${line}`, seq && `seq ${seq}`]
      .filter(Boolean)
      .join('  ')
      .concat(`\n    ${reason}`),
  );
  return [instance, ...rows, ...findings].join('\n');
}

function sizeOf(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
