/**
 * Reads the directories of all instances as one trail: by time, and each chain in its own order. A reader believes no
 * line whose checksum is wrong and tells every hole that it meets; whether a line was forged, only `verify` can say.
 */
import { findChains, type ChainFiles, type SegmentFile } from './chain-files.ts';
import { Entry } from './entry.ts';
import { readLine } from './line.ts';
import { firstLineOf, linesOf } from './lines.ts';
import { fileOf, type SegmentName } from './segment-name.ts';
import { footerEvent, headerSchema, parse, type Header } from './segment-shape.ts';

export interface Chain extends ChainFiles {
  readonly bytes: number;
}

export interface Damage {
  readonly instance: string;
  readonly file: string;
  readonly reason: string;
}

export interface Reading {
  /** Instants in ms; both ends belong to the range. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly onDamage?: (damage: Damage) => void;
  /** Told how many bytes more of the trail lie behind, skipped ones included. */
  readonly onBytes?: (bytes: number) => void;
}

export class NoTrail extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'NoTrail';
  }
}

/** @param directories instances' directories, or those that hold the ones of several instances */
export async function openChains(directories: readonly string[]): Promise<Chain[]> {
  const found = (await findChains(directories)).filter(({ segments }) => segments.length > 0);
  if (found.length === 0)
    throw new NoTrail(`there are no segments of an audit trail in ${directories.join(', ')}`);
  const names = found.map(({ instance }) => instance);
  return found.map((files, at) => ({
    ...files,
    // Replicas of different hosts may have the same name.
    instance: isUnique(names, at) ? files.instance : (files.directories[0] ?? ''),
    bytes: files.segments.reduce((sum, { bytes }) => sum + bytes, 0),
  }));
}

function isUnique(names: readonly string[], at: number): boolean {
  return names.every((name, other) => other === at || name !== names[at]);
}

/** All records of all chains, the earliest first. */
export async function* readTrail(chains: readonly Chain[], reading: Reading = {}): AsyncGenerator<Entry> {
  const cursors: Cursor[] = [];
  for (const chain of chains) {
    const cursor = new Cursor(readChain(chain, reading));
    if (await cursor.advance()) cursors.push(cursor);
  }
  while (cursors.length > 0) {
    const next = cursors.reduce((first, other) => (other.entry.ts < first.entry.ts ? other : first));
    yield next.entry;
    if (!next.step() && !(await next.advance())) cursors.splice(cursors.indexOf(next), 1);
  }
}

/** Goes through a chain's batches, most steps without waiting. */
class Cursor {
  readonly #batches: AsyncGenerator<readonly Entry[]>;
  #batch: readonly Entry[] = [];
  #at = 0;

  constructor(batches: AsyncGenerator<readonly Entry[]>) {
    this.#batches = batches;
  }

  get entry(): Entry {
    const entry = this.#batch[this.#at];
    if (!entry) throw new RangeError('The chain has ended.');
    return entry;
  }

  /** False when the batch has no further entry. */
  step(): boolean {
    this.#at += 1;
    return this.#at < this.#batch.length;
  }

  async advance(): Promise<boolean> {
    const { value, done } = await this.#batches.next();
    this.#batch = done ? [] : value;
    this.#at = 0;
    return !done;
  }
}

/** No batch is empty. */
async function* readChain(chain: Chain, reading: Reading): AsyncGenerator<readonly Entry[]> {
  const { segments } = chain;
  const check = new Continuity(chain, reading.onDamage ?? (() => {}));
  let header = segments[0] && (await headerOf(segments[0]));
  for (const [at, segment] of segments.entries()) {
    const next = segments[at + 1];
    const nextHeader = next && (await headerOf(next));
    if (isOutside(reading, header?.ts, nextHeader?.ts)) {
      check.skip(next?.name);
      reading.onBytes?.(segment.bytes);
    } else yield* readSegment(chain.instance, segment, nextHeader, check, reading);
    header = nextHeader;
  }
}

interface HeaderLine extends Header {
  readonly ts: string;
}

/** Not verified; undefined when it is none. */
export async function headerOf({ path }: Pick<SegmentFile, 'path'>): Promise<HeaderLine | undefined> {
  const line = await firstLineOf(path);
  const ts = line && readLine(line)?.ts;
  const header = line && parse(headerSchema, line);
  return ts !== undefined && header ? { ...header, ts } : undefined;
}

/** Clocks are set back and forth, but not by a day and back again within one segment's hour. */
const clockMarginMs = 86_400_000;

function isOutside({ from, to }: Reading, firstTs?: string, nextTs?: string): boolean {
  if (firstTs === undefined) return false;
  const first = Date.parse(firstTs);
  const next = nextTs === undefined ? Infinity : Date.parse(nextTs);
  if (to !== undefined && Math.min(first, next) > to + clockMarginMs) return true;
  return from !== undefined && Math.max(first, next) < from - clockMarginMs;
}

/** How much of a segment counts: less than all when its successor says that the rest was refused. */
export function limitOf(name: SegmentName, next: Header | undefined): number | undefined {
  const said = next?.previous;
  return said && !said.closed && said.segment === name.number ? said.bytes : undefined;
}

async function* readSegment(
  instance: string,
  { name, path }: SegmentFile,
  next: Header | undefined,
  check: Continuity,
  reading: Reading,
): AsyncGenerator<readonly Entry[]> {
  const file = fileOf(name);
  const from = reading.from === undefined ? '' : new Date(reading.from).toISOString();
  const to = reading.to === undefined ? '9' : new Date(reading.to).toISOString();
  let before = 0;
  let rest = 0;
  for await (const batch of linesOf(path, { limit: limitOf(name, next) })) {
    const entries: Entry[] = [];
    for (const line of batch.lines) {
      const prefix = readLine(line);
      check.take(file, prefix);
      if (prefix && prefix.ts >= from && prefix.ts <= to)
        entries.push(new Entry(instance, name, prefix, line));
    }
    if (entries.length > 0) yield entries;
    reading.onBytes?.(batch.position - before);
    ({ position: before, rest } = batch);
  }
  check.end(name, rest, limitOf(name, next) !== undefined);
}

/** Whether each line follows the one before it by number; the hashes are the verifier's. */
class Continuity {
  readonly #chain: Chain;
  readonly #tell: (damage: Damage) => void;
  #expected: number | undefined;
  #lastEvent = '';

  constructor(chain: Chain, tell: (damage: Damage) => void) {
    this.#chain = chain;
    this.#tell = tell;
  }

  /** @param prefix undefined when the line is not as it was written */
  take(file: string, prefix: { readonly seq: number; readonly event: string } | undefined): void {
    const expected = this.#expected;
    if (!prefix) {
      this.#damage(
        file,
        `a line is not as it was written${expected === undefined ? '' : ` (seq ${expected})`}`,
      );
      if (expected !== undefined) this.#expected = expected + 1;
      return;
    }
    if (expected !== undefined && prefix.seq !== expected)
      this.#damage(file, `${expected} was expected, ${prefix.seq} found`);
    this.#expected = prefix.seq + 1;
    this.#lastEvent = prefix.event;
  }

  skip(next: SegmentName | undefined): void {
    this.#expected = next?.firstSeq;
  }

  end(name: SegmentName, rest: number, unclosed: boolean): void {
    const isLast = this.#chain.segments.at(-1)?.name === name;
    if (unclosed || (isLast && this.#chain.running)) return;
    const file = fileOf(name);
    if (rest > 0) this.#damage(file, 'its end is torn');
    else if (this.#lastEvent !== footerEvent) this.#damage(file, 'its end is missing: it has no footer');
  }

  #damage(file: string, reason: string): void {
    this.#tell({ instance: this.#chain.instance, file, reason });
  }
}
