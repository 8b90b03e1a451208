/**
 * Makes what a former process left behind into a sound beginning: cuts a torn tail off (its bytes are kept), gives the
 * last segment its footer and finds the upstream calls without an outcome. Tampering stops it: it repairs crashes only.
 */
import { hash, randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { z } from 'zod';

import { genesis, MerkleTree, type Digest } from './chain.ts';
import { writeAll, writeFile, type Files } from './files.ts';
import type { KeyStore } from './key-store.ts';
import { draft, type Draft, type LinePrefix } from './line.ts';
import { scanSegment, type Fault, type Scan } from './scan.ts';
import { fileOf, parseFileName, type SegmentName } from './segment-name.ts';
import { headerEvent, headerSchema, parse, type OpenIntent, type Predecessor } from './segment-shape.ts';
import { predecessorOf, Segment, type Position } from './segment.ts';
import { SigningKey } from './signing-key.ts';

export const intentEvent = 'upstream.intent';
export const unknownEvent = 'request.outcome_unknown';
const outcomeEvents = new Set(['upstream.outcome', unknownEvent]);

/** Where the next segment begins, and what it has to say about the past. */
export interface Beginning {
  readonly name: SegmentName;
  readonly head: Digest;
  readonly chainTree: MerkleTree;
  readonly previous: Predecessor | null;
  /** Signs the next header; undefined when it is lost and the damage was accepted. */
  readonly signer: SigningKey | undefined;
  readonly open: readonly OpenIntent[];
  readonly remarks: readonly Draft[];
}

export class TrailDamaged extends Error {
  constructor(path: string, { reason, line }: Pick<Fault, 'reason' | 'line'>) {
    super(`The audit trail was changed: ${path}, line ${line}: ${reason}`);
    this.name = 'TrailDamaged';
  }
}

export class SigningKeyLost extends Error {
  constructor(path: string) {
    super(
      `The key that signs what follows ${path} is missing, or the file of audit.keyFile is not the one it was kept under.`,
    );
    this.name = 'SigningKeyLost';
  }
}

type Start = Omit<Beginning, 'open' | 'remarks'>;

export async function listSegments(directory: string): Promise<SegmentName[]> {
  const names = (await readdir(directory)).map(parseFileName).filter((name) => name !== undefined);
  return names.toSorted((a, b) => (fileOf(a) < fileOf(b) ? -1 : 1));
}

export async function recover(
  files: Files,
  directory: string,
  keys: KeyStore,
  acceptDamaged: boolean,
): Promise<Beginning> {
  const remarks: Draft[] = [];
  const names = await listSegments(directory);
  if (new Set(names.map(({ chain }) => chain)).size > 1)
    throw new TrailDamaged(directory, { reason: 'There are segments of more than one chain.', line: 0 });
  for (let name; (name = names.pop());) {
    const path = join(directory, fileOf(name));
    const intents = new IntentBook();
    const scan = await scanSegment(path, name, { onLine: (prefix, line) => intents.read(prefix, line) });
    if (scan.fault?.kind === 'changed' && !acceptDamaged) throw new TrailDamaged(path, scan.fault);
    if (scan.header) {
      const key = await keys.read(name.number);
      if (key?.publicKey !== scan.header.key && !acceptDamaged) throw new SigningKeyLost(path);
      const start = await conclude(files, path, name, scan, key, remarks);
      return { ...start, open: intents.open, remarks };
    }
    if (names.length === 0 && name.number !== 1)
      throw new TrailDamaged(path, { reason: 'The segments before it are missing.', line: 0 });
    // Not even its header is whole, so nothing in it was ever confirmed to anybody.
    await setAside(files, path, scan, remarks);
  }
  const name = { chain: randomBytes(16).toString('hex'), number: 1, firstSeq: 1 };
  const start = { name, head: genesis, chainTree: new MerkleTree(), previous: null };
  // The root key signs the first header and exists nowhere but here.
  return { ...start, signer: SigningKey.create(), open: [], remarks };
}

/** Upstream calls that have an intent and no outcome, in the order of their intents. */
export class IntentBook {
  readonly #open = new Map<number, OpenIntent>();

  get open(): OpenIntent[] {
    return [...this.#open.values()];
  }

  take(open: readonly OpenIntent[]): void {
    for (const entry of open) this.#open.set(entry.intent, entry);
  }

  /** Notes what a record that is on stable storage means for the open calls. */
  note(
    seq: number,
    event: string,
    { req, intent }: { readonly req?: unknown; readonly intent?: unknown },
  ): void {
    if (event === intentEvent) this.#open.set(seq, { intent: seq, ...(typeof req === 'string' && { req }) });
    if (outcomeEvents.has(event) && typeof intent === 'number') this.#open.delete(intent);
  }

  read({ seq, event }: LinePrefix, line: Buffer): void {
    // A segment begins with the calls that were open at the end of the one before.
    if (event === headerEvent) this.take(parse(headerSchema, line)?.open ?? []);
    if (event === intentEvent || outcomeEvents.has(event))
      this.note(seq, event, parse(joinSchema, line) ?? {});
  }
}

const joinSchema = z.object({ req: z.string().optional(), intent: z.int().optional() });

/** Repairs the segment as far as a crash explains its state, and says where the next one begins. */
async function conclude(
  files: Files,
  path: string,
  name: SegmentName,
  scan: Scan,
  key: SigningKey | undefined,
  remarks: Draft[],
): Promise<Start> {
  if (scan.fault?.kind === 'changed') {
    remarks.push(draft('audit.damage_accepted', { file: fileOf(name), ...scan.fault }));
    return after(name, scan.end, false, key);
  }
  if (scan.fault) await keepTail(files, path, scan.end.bytes, remarks);
  if (key?.publicKey !== scan.header?.key) {
    remarks.push(draft('audit.damage_accepted', { file: fileOf(name), reason: 'The signing key is lost.' }));
    return after(name, scan.end, scan.footer !== undefined, undefined);
  }
  if (scan.footer || !key) return after(name, scan.end, true, key);
  await rewrite(files, path, scan.end.bytes);
  const segment = await Segment.resume(files, path, name, key, scan.end);
  try {
    await segment.seal('recovered');
  } finally {
    await segment.release(true);
  }
  return after(name, segment.position, true, key);
}

function after(
  { chain, number }: SegmentName,
  end: Position,
  closed: boolean,
  signer: SigningKey | undefined,
): Start {
  const name = { chain, number: number + 1, firstSeq: end.seq + 1 };
  const { head, chainTree } = end;
  return { name, head, chainTree, previous: predecessorOf(number, end, closed), signer };
}

/** The bytes behind the last good line go to a file of their own: they may be evidence. */
async function keepTail(files: Files, path: string, from: number, remarks: Draft[]): Promise<void> {
  const tail = (await readFile(path)).subarray(from);
  const kept = `${path}.${randomBytes(4).toString('hex')}.torn`;
  await writeFile(files, kept, tail);
  await files.syncDirectory(dirname(path));
  const file = await files.open(path);
  try {
    await file.truncate(from);
    await file.dataSync();
  } finally {
    await file.close();
  }
  const sha256 = hash('sha256', tail);
  remarks.push(
    draft('audit.repaired', {
      file: basename(path),
      kept: basename(kept),
      offset: from,
      bytes: tail.length,
      sha256,
    }),
  );
}

async function setAside(files: Files, path: string, scan: Scan, remarks: Draft[]): Promise<void> {
  const damaged = scan.fault?.kind === 'changed';
  const kept = `${path}.${randomBytes(4).toString('hex')}.${damaged ? 'damaged' : 'torn'}`;
  const content = await readFile(path);
  await files.rename(path, kept);
  await files.syncDirectory(dirname(path));
  const facts = { file: basename(path), kept: basename(kept), offset: 0, bytes: content.length };
  const event = damaged ? 'audit.damage_accepted' : 'audit.repaired';
  remarks.push(draft(event, { ...facts, sha256: hash('sha256', content) }));
}

/**
 * Writes what was read once more: after a failed fsync the page cache shows bytes that the disk does not have, and
 * only a page that is written again reaches it (facts 1.6).
 */
async function rewrite(files: Files, path: string, bytes: number): Promise<void> {
  const content = (await readFile(path)).subarray(0, bytes);
  const file = await files.open(path);
  try {
    await writeAll(file, content, 0);
    await file.dataSync();
  } finally {
    await file.close();
  }
}
