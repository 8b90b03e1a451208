/**
 * How far each chain came when it was verified here, in a file beside the indexes: files alone do not show that their end was
 * cut off. Invariant: what was known of a chain is never forgotten and never made less, so what is missing is told each time.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import { replaceFile } from '../../audit/checkpoints.ts';
import { realFiles } from '../../audit/files.ts';
import { worst, type Finding, type InstanceReport, type TrailReport } from '../../audit/verdict.ts';

const verifiedFile = 'verified.json';
const seenSchema = z.object({ instance: z.string(), lastSeq: z.int(), head: z.string(), at: z.string() });
const bookSchema = z.record(z.string(), seenSchema);

/** By chain. */
export type Verified = Readonly<Record<string, z.infer<typeof seenSchema>>>;

export async function readVerified(directory: string): Promise<Verified> {
  try {
    return bookSchema.parse(JSON.parse(await readFile(join(directory, verifiedFile), 'utf8')));
  } catch (error) {
    if (Error.isError(error) && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
}

/** Adds what the report says of sound chains. */
export async function keepVerified(
  directory: string,
  known: Verified,
  { instances }: TrailReport,
): Promise<void> {
  const at = new Date().toISOString();
  const grown = instances.flatMap(({ instance, chain, lastSeq, head, verdict }) => {
    const further = chain !== undefined && (lastSeq ?? 0) > (known[chain]?.lastSeq ?? 0);
    if (!further || lastSeq === undefined || head === undefined || verdict === 'tampered') return [];
    return [[chain, { instance, lastSeq, head, at }] as const];
  });
  if (grown.length === 0) return;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const content = JSON.stringify({ ...known, ...Object.fromEntries(grown) });
  await replaceFile(realFiles, directory, verifiedFile, `${verifiedFile}.new`, content);
}

/** The report, and what of the past it lacks. */
export function withPast({ findings, instances }: TrailReport, known: Verified): TrailReport {
  const compared = instances.map((report) => withOwnPast(report, report.chain && known[report.chain]));
  const here = new Set(instances.map(({ chain }) => chain));
  const gone = Object.entries(known)
    .filter(([chain]) => !here.has(chain))
    .map(([chain, { instance, lastSeq, at }]): Finding => {
      const reason = `${instance} (chain ${chain}) had ${lastSeq} records when it was verified here at ${at}. It is gone.`;
      return { verdict: 'truncated', file: '', reason, seq: lastSeq };
    });
  const all = [...findings, ...gone];
  const verdict = worst([...all, ...compared].map(({ verdict: each }) => each));
  return { verdict, findings: all, instances: compared };
}

function withOwnPast(report: InstanceReport, seen: Verified[string] | '' | undefined): InstanceReport {
  const finding = seen && lackOf(report, seen);
  if (!finding) return report;
  const findings = [...report.findings, finding];
  return { ...report, findings, verdict: worst(findings.map(({ verdict }) => verdict)) };
}

function lackOf(report: InstanceReport, { lastSeq, head, at }: Verified[string]): Finding | undefined {
  const { lastSeq: end = 0, verdict } = report;
  // Behind a change nothing can be read, and the change is told already.
  if (verdict === 'tampered') return undefined;
  const before = `It was verified here at ${at} with ${lastSeq} records`;
  if (end < lastSeq)
    return { verdict: 'truncated', file: '', reason: `${before}; it ends at ${end}.`, seq: lastSeq };
  if (end > lastSeq || report.head === head) return undefined;
  return { verdict: 'tampered', file: '', reason: `${before}; its last is another now.`, seq: lastSeq };
}
