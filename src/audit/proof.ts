/**
 * A proof takes single records out of the trail: the line, its path to the root of the chain's tree, and the signed
 * checkpoint that states the root. It is checked with the chain's public log key alone, without the trail.
 */
import { join } from 'node:path';

import { z } from 'zod';

import type { SegmentFile } from './chain-files.ts';
import type { Digest } from './chain.ts';
import { checkpointFile, closingCheckpointFile } from './checkpoints.ts';
import { leafOf, PartialTree, rootFrom } from './inclusion.ts';
import { readLine, type LinePrefix } from './line.ts';
import { linesOf } from './lines.ts';
import { originOf, parseCheckpoint, verifyNote, type Checkpoint, type NoteKey } from './note.ts';
import { readIfThere } from './read-if-there.ts';
import { headerOf, limitOf, type Chain } from './read.ts';

const digestSchema = z.string().regex(/^[0-9a-f]{64}$/);
const recordSchema = z.strictObject({
  line: z.string(),
  index: z.int().min(0),
  path: z.array(digestSchema).max(64),
  checkpoint: z.string(),
});
const format = 'gatehouse-audit-proof-1';
const proofSchema = z.strictObject({ format: z.literal(format), records: z.array(recordSchema).min(1) });

export type ProvenRecord = z.infer<typeof recordSchema>;
export type Proof = z.infer<typeof proofSchema>;

export class NotProvable extends Error {
  /** Whether the trail and its checkpoint contradict each other; else only something is missing. */
  readonly damaged: boolean;

  constructor(reason: string, damaged = false) {
    super(reason);
    this.name = 'NotProvable';
    this.damaged = damaged;
  }
}

/** Some gigabytes of a trail; a checkpoint that lies further behind the record costs too much memory. */
const mostLeaves = 2_000_000;

/** Makes proofs for one chain; records of the same segment share the reading of it. */
export class Prover {
  readonly #chain: Chain;
  readonly #given: readonly Checkpoint[];
  readonly #notes = new Map<Checkpoint, string>();
  readonly #stretches = new Map<string, Promise<Stretch>>();

  /** @param notes checkpoints from elsewhere, which are taken rather than those beside the segments */
  constructor(chain: Chain, notes: readonly string[]) {
    this.#chain = chain;
    this.#given = this.#ownOf(notes);
  }

  /** The smallest checkpoint that covers the record makes the shortest proof. */
  async prove(seq: number): Promise<ProvenRecord> {
    const at = this.#chain.segments.findLastIndex(({ name }) => name.firstSeq <= seq);
    const checkpoint = smallest(this.#given, seq) ?? smallest(await this.#besideSegments(at), seq);
    if (at === -1 || !checkpoint)
      throw new NotProvable(`no checkpoint covers record ${seq} of ${this.#chain.instance} yet`);
    const { size } = checkpoint;
    const stretch = await this.#stretches.getOrInsertComputed(`${at} ${size}`, () => this.#read(at, size));
    if (stretch.tree.root() !== checkpoint.root)
      throw new NotProvable(
        `the lines of ${this.#chain.instance} are not those that the checkpoint was made of`,
        true,
      );
    const line = await this.#lineAt(at, seq);
    return {
      line,
      index: seq - 1,
      path: stretch.tree.path(seq - 1),
      checkpoint: this.#notes.get(checkpoint) ?? '',
    };
  }

  #ownOf(notes: readonly string[]): Checkpoint[] {
    const origin = originOf(this.#chain.chain ?? '');
    return notes.flatMap((note) => {
      const checkpoint = parseCheckpoint(note);
      if (checkpoint?.origin !== origin) return [];
      this.#notes.set(checkpoint, note);
      return [checkpoint];
    });
  }

  async #besideSegments(at: number): Promise<Checkpoint[]> {
    const number = this.#chain.segments[at]?.name.number ?? 0;
    const files = [closingCheckpointFile(number), closingCheckpointFile(number + 1), checkpointFile];
    const paths = this.#chain.directories.flatMap((directory) => files.map((file) => join(directory, file)));
    const notes = await Promise.all(paths.map(readIfThere));
    return this.#ownOf(notes.filter((note) => note !== undefined));
  }

  async #read(from: number, size: number): Promise<Stretch> {
    const { segments } = this.#chain;
    const first = segments[from];
    const header = first && (await headerOf(first));
    if (!header) throw new NotProvable(`${first?.path ?? 'a segment'} has no header`, true);
    const before = first.name.firstSeq - 1;
    if (size - before > mostLeaves)
      throw new NotProvable('the next checkpoint lies too far behind the record; give one with --checkpoint');
    const leaves: Digest[] = [];
    for (let at = from; at < segments.length && before + leaves.length < size; at += 1)
      await eachLine(segments, at, (line) => {
        if (before + leaves.length < size) leaves.push(leafOf(line));
      });
    if (before + leaves.length < size)
      throw new NotProvable('the trail is shorter than its checkpoint', true);
    return { tree: new PartialTree(before, header.peaks, leaves) };
  }

  async #lineAt(at: number, seq: number): Promise<string> {
    let found: string | undefined;
    await eachLine(this.#chain.segments, at, (line) => {
      if (readLine(line)?.seq === seq) found = line.toString();
    });
    if (found === undefined) throw new NotProvable(`there is no record ${seq} in ${this.#chain.instance}`);
    return found;
  }
}

interface Stretch {
  readonly tree: PartialTree;
}

async function eachLine(
  segments: readonly SegmentFile[],
  at: number,
  take: (line: Buffer) => void,
): Promise<void> {
  const [segment, next] = segments.slice(at, at + 2);
  if (!segment) return;
  const limit = next && limitOf(segment.name, await headerOf(next));
  for await (const { lines } of linesOf(segment.path, { limit })) for (const line of lines) take(line);
}

function smallest(checkpoints: readonly Checkpoint[], seq: number): Checkpoint | undefined {
  return checkpoints.filter(({ size }) => size >= seq).toSorted((a, b) => a.size - b.size)[0];
}

export function proofText(records: readonly ProvenRecord[]): string {
  const proof: Proof = { format, records: [...records] };
  return `${JSON.stringify(proof, null, 2)}\n`;
}

/** Undefined when the text is no proof. */
export function parseProof(text: string): Proof | undefined {
  try {
    return proofSchema.safeParse(JSON.parse(text)).data;
  } catch {
    // Only JSON.parse throws here.
    return undefined;
  }
}

export interface Checked {
  readonly line: string;
  readonly prefix: LinePrefix | undefined;
  readonly origin: string | undefined;
  readonly size: number | undefined;
  /** When a witness saw the checkpoint: ISO 8601. */
  readonly witnessedAt: string | undefined;
  /** Why it is not proven; undefined when it is. */
  readonly problem: string | undefined;
}

/** @param keys the chains' log keys, which have the origin as their name */
export function checkRecord(
  record: ProvenRecord,
  keys: readonly NoteKey[],
  witnesses: readonly NoteKey[],
): Checked {
  const checkpoint = parseCheckpoint(record.checkpoint);
  const prefix = readLine(Buffer.from(record.line));
  const seen = checkpoint && firstOf(witnesses, (key) => verifyNote(checkpoint, key)?.seconds);
  return {
    line: record.line,
    prefix,
    origin: checkpoint?.origin,
    size: checkpoint?.size,
    witnessedAt: seen === undefined ? undefined : new Date(seen * 1000).toISOString(),
    problem:
      problemOf(record, prefix, checkpoint, keys) ??
      (witnesses.length > 0 && seen === undefined
        ? 'no witness that was named has cosigned the checkpoint'
        : undefined),
  };
}

function problemOf(
  { line, index, path }: ProvenRecord,
  prefix: LinePrefix | undefined,
  checkpoint: Checkpoint | undefined,
  keys: readonly NoteKey[],
): string | undefined {
  if (!checkpoint) return 'the checkpoint is none';
  if (!prefix) return 'the line is not as it was written';
  if (prefix.seq !== index + 1) return 'the line is of another place in the chain';
  const own = keys.filter(({ name }) => name === checkpoint.origin);
  if (own.length === 0) return `no key of ${checkpoint.origin} was given`;
  if (!own.some((key) => verifyNote(checkpoint, key)))
    return 'the checkpoint is not signed by the key that was given';
  const root = rootFrom(leafOf(Buffer.from(line)), index, checkpoint.size, path);
  return root === checkpoint.root ? undefined : 'the line is not in the chain that the checkpoint speaks of';
}

function firstOf<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
