/**
 * What speaks for a chain besides its lines: checkpoints, those beside the segments and those from elsewhere, and the
 * root key. A checkpoint counts when the segment that it ends in signed it and the lines up to it have its root.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { ChainFiles } from './chain-files.ts';
import { checkpointFile } from './checkpoints.ts';
import {
  originOf,
  parseCheckpoint,
  plainType,
  rootNameOf,
  verifyNote,
  type Checkpoint,
  type NoteKey,
} from './note.ts';
import { readIfThere } from './read-if-there.ts';
import type { Scan } from './scan.ts';
import type { SegmentName } from './segment-name.ts';
import { fingerprint, type PublicKey } from './signing-key.ts';
import type { Finding } from './verdict.ts';

/** A segment that was read, and its place. */
export interface Part {
  readonly name: SegmentName;
  readonly scan: Scan;
}

export type Find = (
  verdict: Finding['verdict'],
  name: SegmentName | undefined,
  reason: string,
  place?: { readonly line?: number; readonly seq?: number },
) => void;

export interface Trust {
  /** Those of this chain that were kept elsewhere; undefined when the trail is judged by itself alone. */
  readonly checkpoints?: readonly Checkpoint[] | undefined;
  readonly rootKeys?: readonly NoteKey[];
  readonly fingerprints?: readonly string[];
  readonly witnesses?: readonly NoteKey[];
}

const localFile = /^checkpoint(?:-\d{8})?$/;

/** Those beside the segments. What is no checkpoint says nothing. */
export async function readLocalCheckpoints({ chain, directories }: ChainFiles): Promise<Checkpoint[]> {
  const names = await Promise.all(
    directories.map(async (directory) => ({ directory, files: await readdir(directory) })),
  );
  const paths = names.flatMap(({ directory, files }) =>
    files.filter((file) => localFile.test(file)).map((file) => join(directory, file)),
  );
  const notes = await Promise.all(paths.map((path) => readFile(path, 'utf8')));
  return notes
    .map(parseCheckpoint)
    .filter((found) => found !== undefined)
    .filter(({ origin }) => chain !== undefined && origin === originOf(chain));
}

/** The newest one is the installation's own evidence: it is always there at rest, and of this chain. */
export async function remarksOn({ chain, directories, running }: ChainFiles): Promise<string[]> {
  if (chain === undefined) return [];
  const notes = await Promise.all(directories.map((each) => readIfThere(join(each, checkpointFile))));
  const given = notes.filter((note) => note !== undefined);
  if (given.length === 0)
    return running ? [] : [`The file '${checkpointFile}' beside the segments is missing.`];
  return given.flatMap((note) => {
    const origin = parseCheckpoint(note)?.origin;
    if (origin === originOf(chain)) return [];
    const what = origin === undefined ? 'holds no checkpoint' : `is that of another chain, ${origin}`;
    return [`The file '${checkpointFile}' beside the segments ${what}.`];
  });
}

export function checkRootKey(
  chain: string | undefined,
  rootKey: PublicKey | undefined,
  { rootKeys = [], fingerprints = [] }: Trust,
  find: Find,
): void {
  if (!chain || (rootKeys.length === 0 && fingerprints.length === 0)) return;
  if (!rootKey)
    return find(
      'incomplete',
      undefined,
      'The first header is not there, so nothing links the keys to the root key.',
    );
  const isKnown =
    fingerprints.includes(fingerprint(rootKey)) ||
    rootKeys.some(({ name, publicKey }) => name === rootNameOf(chain) && publicKey === rootKey);
  if (!isKnown)
    find('tampered', undefined, 'The chain begins with another root key than those that were given.', {
      seq: 1,
    });
}

export interface Evidence {
  readonly checkpointed: number | undefined;
  readonly witnessedAt: string | undefined;
}

export function judgeCheckpoints(
  parts: readonly Part[],
  local: readonly Checkpoint[],
  { checkpoints, witnesses = [] }: Trust,
  find: Find,
): Evidence {
  for (const checkpoint of local) judge(parts, checkpoint, 'beside the segments', find);
  if (checkpoints?.length === 0)
    find('incomplete', undefined, 'No checkpoint of this chain was given, so its end may be missing.');
  let checkpointed: number | undefined;
  let seenAt: number | undefined;
  for (const checkpoint of checkpoints ?? []) {
    const seconds = witnesses
      .map((witness) => verifyNote(checkpoint, witness)?.seconds)
      .find((time) => time !== undefined);
    if (witnesses.length > 0 && seconds === undefined)
      find('incomplete', undefined, 'A checkpoint is not cosigned by the witness.', { seq: checkpoint.size });
    if (!judge(parts, checkpoint, 'that was given', find)) continue;
    if (checkpointed !== undefined && checkpoint.size < checkpointed) continue;
    checkpointed = checkpoint.size;
    seenAt = seconds;
  }
  const witnessedAt = seenAt === undefined ? undefined : new Date(seenAt * 1000).toISOString();
  return { checkpointed, witnessedAt };
}

function judge(parts: readonly Part[], checkpoint: Checkpoint, which: string, find: Find): boolean {
  const { size, root } = checkpoint;
  const place = { seq: size };
  const part = parts.findLast(({ name }) => name.firstSeq <= size);
  const last = parts.at(-1);
  // What is behind a change cannot be known, and the change is told already.
  if (last?.scan.fault?.kind === 'changed' && size > last.scan.end.seq) return false;
  if (!last || size > last.scan.end.seq) {
    const reason = `The checkpoint ${which} says that the trail reached line ${size}; it ends at ${last?.scan.end.seq ?? 0}.`;
    find('truncated', last?.name, reason, place);
    return false;
  }
  if (!part) {
    if (which === 'that was given')
      find('incomplete', undefined, `The checkpoint ${which} is older than what is left.`, place);
    return false;
  }
  const { header, roots } = part.scan;
  // A fault before that line is told already, and the root cannot be known then.
  if (!header || !roots.has(size)) return false;
  if (roots.get(size) !== root) {
    find('tampered', part.name, `The lines up to this one are not those of the checkpoint ${which}.`, place);
    return false;
  }
  const key = { name: checkpoint.origin, type: plainType, publicKey: header.key };
  if (verifyNote(checkpoint, key)) return true;
  find('tampered', part.name, `The checkpoint ${which} is not signed by the segment's key.`, place);
  return false;
}
