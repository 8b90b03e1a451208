/**
 * Verifies a trail from its files alone, whether or not the gateway runs: every line, every signature, and how far it
 * reaches by checkpoints that were kept elsewhere. docs/audit-format.md is the specification.
 */
import { findChains } from './chain-files.ts';
import { originOf, parseCheckpoint, type Checkpoint, type NoteKey } from './note.ts';
import { worst, type Finding, type InstanceReport, type TrailReport, type Verdict } from './verdict.ts';
import { verifyChain } from './verify-chain.ts';

export type { Finding, InstanceReport, TrailReport, Verdict };

export interface VerifyOptions {
  /** Checkpoints that were kept elsewhere, as notes; without any the trail is judged by itself alone. */
  readonly checkpoints?: readonly string[];
  /** Root keys that the chains must have begun with. */
  readonly rootKeys?: readonly NoteKey[];
  /** The same by their fingerprints. */
  readonly fingerprints?: readonly string[];
  /** Each checkpoint must have been cosigned by one of these. */
  readonly witnesses?: readonly NoteKey[];
  readonly onBytes?: (bytes: number) => void;
}

/** @param directories those of instances or of whole trails; together they are one trail */
export async function verifyTrail(
  directories: string | readonly string[],
  options: VerifyOptions = {},
): Promise<TrailReport> {
  const { checkpoints: notes = [], onBytes = () => {} } = options;
  const checkpoints = notes.map(parseCheckpoint);
  const findings: Finding[] = [];
  if (checkpoints.includes(undefined)) findings.push(unread('A checkpoint that was given is none.'));
  const given = Object.groupBy(
    checkpoints.filter((checkpoint): checkpoint is Checkpoint => checkpoint !== undefined),
    ({ origin }) => origin,
  );
  const instances: InstanceReport[] = [];
  for (const files of await findChains(typeof directories === 'string' ? [directories] : directories)) {
    const origin = files.chain && originOf(files.chain);
    const external = (origin && given[origin]) || [];
    const trust = { ...options, checkpoints: notes.length > 0 ? external : undefined };
    instances.push(await verifyChain(files, trust, onBytes));
    if (origin) delete given[origin];
  }
  for (const origin of Object.keys(given))
    findings.push(unread(`There is a checkpoint of ${origin}, and no directory with its segments.`));
  findings.push(...missingSiblings(instances));
  return { verdict: worst([...findings, ...instances].map(({ verdict }) => verdict)), findings, instances };
}

/** Each trail names those of the other replicas; one that is named and not here is told once. */
function missingSiblings(instances: readonly InstanceReport[]): Finding[] {
  const here = new Map(instances.map((instance) => [instance.chain && originOf(instance.chain), instance]));
  const told = new Map<string, Finding>();
  for (const { instance, siblings } of instances)
    for (const { origin, size } of siblings) {
      const sibling = here.get(origin);
      const lastSeq = sibling?.lastSeq ?? 0;
      if (!sibling)
        told.set(
          origin,
          unread(`${instance} names ${origin}, and no directory with its segments was given.`),
        );
      // One that is written has gone on since it was read.
      else if (lastSeq < size && !sibling.running) {
        const reason = `${instance} says that ${origin} reached line ${size}; it ends at ${lastSeq}.`;
        told.set(origin, { verdict: 'truncated', file: '', reason, seq: size });
      }
    }
  return [...told.values()];
}

function unread(reason: string): Finding {
  return { verdict: 'incomplete', file: '', reason };
}
