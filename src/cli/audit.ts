/** `gatehouse audit verify`: what an auditor runs on a trail. The exit code is the verdict. */
import { parseArgs } from 'node:util';

import { verifyTrail, type InstanceReport, type TrailReport } from '../audit/verify.ts';

const exitCodes = { ok: 0, tampered: 1, truncated: 2 } as const;
const usageError = 4;

const help = `Usage: gatehouse audit verify <directory> [--json]

Verifies an audit trail: that no line was changed, taken out, added or moved, and
that no segment is missing before the last one. It reads the files only.

  <directory>   the audit directory of all instances, or of one
  --json        the report as one JSON document
  --help        this text

Exit codes
  0  the trail is as it was written
  1  it was tampered with
  2  its end is missing: a crash that was not repaired yet, or somebody cut it off
  4  the command was not understood, or the directory cannot be read

Examples
  gatehouse audit verify var/audit
  gatehouse audit verify /mnt/archive/audit/gateway-1 --json
`;

export async function run(args: readonly string[]): Promise<number> {
  const asked = understand(args);
  if (typeof asked === 'string') return refuse(asked);
  if (asked.help) return write(help, 0);
  try {
    const report = await verifyTrail(asked.directory);
    return write(
      asked.json ? `${JSON.stringify(report, null, 2)}\n` : describe(report),
      exitCodes[report.verdict],
    );
  } catch (error) {
    return refuse(`The trail cannot be read: ${messageOf(error)}`);
  }
}

interface Asked {
  readonly directory: string;
  readonly json: boolean;
  readonly help: boolean;
}

/** A text says what was not understood. */
function understand(args: readonly string[]): Asked | string {
  try {
    const options = { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [command, directory = '', ...more] = positionals;
    const { json = false, help: wantsHelp = false } = values;
    if (!wantsHelp && (command !== 'verify' || directory === '' || more.length > 0))
      return 'One command and one directory are needed.';
    return { directory, json, help: wantsHelp };
  } catch (error) {
    return messageOf(error);
  }
}

function refuse(reason: string): number {
  process.stderr.write(`${reason}\n\n${help}`);
  return usageError;
}

function write(text: string, exitCode: number): number {
  process.stdout.write(text);
  return exitCode;
}

function describe({ verdict, instances }: TrailReport): string {
  return `${[...instances.map(describeInstance), `Verdict: ${verdict}`].join('\n\n')}\n`;
}

function describeInstance(report: InstanceReport): string {
  const { instance, verdict, running, segments, records, bytes, firstSeq, lastSeq, firstTs, lastTs } = report;
  const rows = [
    ['chain', report.chain],
    ['segments', segments],
    ['records', `${records} (${(bytes / 1e6).toFixed(1)} MB)`],
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
