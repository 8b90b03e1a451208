/**
 * How far each chain came when it was verified here, in a file beside the indexes: files alone do not show that their end was
 * cut off. Each chain's line is sealed with the installation's key, and one that the key did not seal says nothing.
 * Invariant: what was known of a chain is never forgotten and never made less, so what is missing is told each time.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import { replaceFile } from '../../audit/checkpoints.ts';
import { realFiles } from '../../audit/files.ts';
import { worst, type Finding, type InstanceReport, type TrailReport } from '../../audit/verdict.ts';

const verifiedFile = 'verified.json';
const seenSchema = z.object({ instance: z.string(), lastSeq: z.int(), head: z.string(), at: z.string() });
const sealedSchema = seenSchema.extend({ seal: z.string() });
const bookSchema = z.record(z.string(), z.unknown());

type Seen = z.infer<typeof seenSchema>;

export interface Verified {
  /** By chain. */
  readonly known: Readonly<Record<string, Seen>>;
  /** Chains whose line this installation did not seal; stays in the file until the chain is verified anew. */
  readonly foreign: Readonly<Record<string, unknown>>;
}

export async function readVerified(directory: string, key: Buffer): Promise<Verified> {
  const book = bookSchema.safeParse(jsonIn(await contentOf(join(directory, verifiedFile))));
  if (!book.success) return { known: {}, foreign: { [verifiedFile]: undefined } };
  const lines = Object.entries(book.data).map(
    ([chain, line]) => [chain, line, opened(chain, line, key)] as const,
  );
  return {
    known: Object.fromEntries(lines.flatMap(([chain, , seen]) => (seen ? [[chain, seen]] : []))),
    foreign: Object.fromEntries(lines.flatMap(([chain, line, seen]) => (seen ? [] : [[chain, line]]))),
  };
}

async function contentOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (Error.isError(error) && 'code' in error && error.code === 'ENOENT') return '{}';
    throw error;
  }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Not what was written here: nothing is known, and that is told.
  }
}

function opened(chain: string, line: unknown, key: Buffer): Seen | undefined {
  const { data } = sealedSchema.safeParse(line);
  if (!data) return undefined;
  const { seal, ...seen } = data;
  const [said, right] = [Buffer.from(seal, 'base64url'), sealOf(chain, seen, key)];
  return said.length === right.length && timingSafeEqual(said, right) ? seen : undefined;
}

function sealOf(chain: string, { instance, lastSeq, head, at }: Seen, key: Buffer): Buffer {
  const line = JSON.stringify([chain, instance, lastSeq, head, at]);
  return createHmac('sha256', key).update(`${verifiedFile}\n${line}`).digest();
}

/** Adds what the report says of sound chains. */
export async function keepVerified(
  directory: string,
  key: Buffer,
  { known, foreign }: Verified,
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
  const sealed = Object.entries({ ...known, ...Object.fromEntries(grown) }).map(([chain, seen]) => {
    const seal = sealOf(chain, seen, key).toString('base64url');
    return [chain, { ...seen, seal }] as const;
  });
  const content = JSON.stringify({ ...foreign, ...Object.fromEntries(sealed) });
  await replaceFile(realFiles, directory, verifiedFile, `${verifiedFile}.new`, content);
}

/** The report, and what of the past it lacks. */
export function withPast({ findings, instances }: TrailReport, { known, foreign }: Verified): TrailReport {
  const compared = instances.map((report) => withOwnPast(report, report.chain && known[report.chain]));
  const here = new Set(instances.map(({ chain }) => chain));
  const gone = Object.entries(known)
    .filter(([chain]) => !here.has(chain))
    .map(([chain, { instance, lastSeq, at }]): Finding => {
      const reason = `${instance} (chain ${chain}) had ${lastSeq} records when it was verified here at ${at}. It is gone.`;
      return { verdict: 'truncated', file: '', reason, seq: lastSeq };
    });
  const unsealed = Object.keys(foreign).map((chain): Finding => {
    const reason = `What ${verifiedFile} says of ${chain} is not what was written here, so how far it had come is not known.`;
    return { verdict: 'incomplete', file: verifiedFile, reason };
  });
  const all = [...findings, ...gone, ...unsealed];
  const verdict = worst([...all, ...compared].map(({ verdict: each }) => each));
  return { verdict, findings: all, instances: compared };
}

function withOwnPast(report: InstanceReport, seen: Seen | '' | undefined): InstanceReport {
  const finding = seen && lackOf(report, seen);
  if (!finding) return report;
  const findings = [...report.findings, finding];
  return { ...report, findings, verdict: worst(findings.map(({ verdict }) => verdict)) };
}

function lackOf(report: InstanceReport, { lastSeq, head, at }: Seen): Finding | undefined {
  const { lastSeq: end = 0, verdict } = report;
  // Behind a change nothing can be read, and the change is told already.
  if (verdict === 'tampered') return undefined;
  const before = `It was verified here at ${at} with ${lastSeq} records`;
  if (end < lastSeq)
    return { verdict: 'truncated', file: '', reason: `${before}; it ends at ${end}.`, seq: lastSeq };
  if (end > lastSeq || report.head === head) return undefined;
  return { verdict: 'tampered', file: '', reason: `${before}; its last is another now.`, seq: lastSeq };
}
