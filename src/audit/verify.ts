/**
 * Verifies a trail from its files alone, line by line in constant memory, whether or not the gateway runs.
 * docs/audit-format.md is the specification; what it calls a fault is reported with its place and reason.
 */
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { genesis, type Digest } from './chain.ts';
import { readOwners } from './owner.ts';
import { listSegments } from './recover.ts';
import { headerSchema, parse, scanSegment, type Header, type Scan } from './scan.ts';
import { fileOf, predecessorOf, type SegmentName } from './segment.ts';

/** In the order of their weight. truncated: an end is missing, as after a crash or when somebody cut it off. */
export type Verdict = 'ok' | 'truncated' | 'tampered';

export interface Finding {
  readonly verdict: Exclude<Verdict, 'ok'>;
  readonly file: string;
  readonly reason: string;
  readonly line?: number;
  readonly seq?: number;
}

export interface InstanceReport {
  readonly instance: string;
  readonly verdict: Verdict;
  readonly chain: string | undefined;
  /** Whether a living process writes the last segment. */
  readonly running: boolean;
  readonly segments: number;
  readonly records: number;
  readonly bytes: number;
  readonly firstSeq: number | undefined;
  readonly lastSeq: number | undefined;
  readonly firstTs: string | undefined;
  readonly lastTs: string | undefined;
  readonly head: string | undefined;
  readonly findings: readonly Finding[];
}

export interface TrailReport {
  readonly verdict: Verdict;
  readonly instances: readonly InstanceReport[];
}

/** @param directory an instance's directory, or the one that holds those of all instances */
export async function verifyTrail(directory: string): Promise<TrailReport> {
  const directories = await instanceDirectories(directory);
  const instances: InstanceReport[] = [];
  for (const instance of directories) instances.push(await verifyInstance(instance));
  return { verdict: worst(instances.map(({ verdict }) => verdict)), instances };
}

async function instanceDirectories(directory: string): Promise<string[]> {
  if ((await listSegments(directory)).length > 0) return [directory];
  const entries = await readdir(directory, { withFileTypes: true });
  const below = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(directory, name));
  return below.length > 0 ? below.toSorted() : [directory];
}

async function verifyInstance(directory: string): Promise<InstanceReport> {
  // The owner is looked up first: one that stops meanwhile has left a footer.
  const running = (await readOwners(directory)).some(({ alive }) => alive);
  const names = await listSegments(directory);
  const check = new InstanceCheck(directory, running);
  for (const [at, name] of names.entries()) await check.segment(name, names[at + 1]);
  return check.report(names);
}

class InstanceCheck {
  readonly #directory: string;
  readonly #running: boolean;
  readonly #findings: Finding[] = [];
  #before: { readonly name: SegmentName; readonly scan: Scan; readonly sound: boolean } | undefined;
  #first: Scan | undefined;
  #records = 0;
  #bytes = 0;

  constructor(directory: string, running: boolean) {
    this.#directory = directory;
    this.#running = running;
  }

  async segment(name: SegmentName, next: SegmentName | undefined): Promise<void> {
    const path = join(this.#directory, fileOf(name));
    this.#checkSequence(name);
    const successor = next && (await readHeader(join(this.#directory, fileOf(next)), next));
    const said = successor?.previous;
    const unclosed = said && !said.closed && said.segment === name.number ? said.bytes : undefined;
    const scan = await scanSegment(path, name, {
      ...this.#from(name),
      ...(unclosed !== undefined && { limit: unclosed }),
      onLine: ({ event, seq }) => {
        if (event === 'audit.damage_accepted')
          this.#find('tampered', name, 'The gateway was told to go on behind damage.', { seq });
      },
    });
    const before = this.#findings.length;
    this.#checkEnd(name, scan, next, unclosed !== undefined);
    this.#checkPrevious(name, scan.header);
    this.#first ??= scan;
    this.#records += scan.lines;
    this.#bytes += scan.end.bytes;
    this.#before = { name, scan, sound: this.#findings.length === before };
  }

  report(names: readonly SegmentName[]): InstanceReport {
    const last = this.#before?.scan;
    if (names.length === 0)
      this.#findings.push({ verdict: 'truncated', file: '', reason: 'There are no segments.' });
    return {
      instance: basename(this.#directory),
      verdict: worst(this.#findings.map(({ verdict }) => verdict)),
      chain: names[0]?.chain,
      running: this.#running,
      segments: names.length,
      records: this.#records,
      bytes: this.#bytes,
      firstSeq: names[0]?.firstSeq,
      lastSeq: last?.end.seq,
      firstTs: this.#first?.end.firstTs,
      lastTs: last?.end.lastTs,
      head: last?.end.head,
      findings: this.#findings,
    };
  }

  /** Behind a fault the next segment is judged by its own beginning, so that each fault is told once. */
  #from({ number }: SegmentName): { from?: { seq: number; head: Digest } } {
    if (!this.#before) return number === 1 ? { from: { seq: 0, head: genesis } } : {};
    const { name, scan, sound } = this.#before;
    return sound && name.number === number - 1 ? { from: scan.end } : {};
  }

  #checkSequence(name: SegmentName): void {
    const expected = (this.#before?.name.number ?? 0) + 1;
    if (this.#before && this.#before.name.chain !== name.chain)
      this.#find('tampered', name, 'The segment is of another chain.');
    else if (name.number > expected)
      this.#find('tampered', name, `Segments ${expected} to ${name.number - 1} before this one are missing.`);
    else if (name.number < expected) this.#find('tampered', name, `There is another segment ${name.number}.`);
  }

  #checkEnd(name: SegmentName, scan: Scan, next: SegmentName | undefined, unclosed: boolean): void {
    const { fault, footer } = scan;
    const place = fault && { line: fault.line, seq: fault.seq };
    if (fault?.kind === 'changed') return this.#find('tampered', name, fault.reason, place);
    if (fault && next) return this.#find('tampered', name, `${fault.reason} Segments follow it.`, place);
    if (next && !footer && !unclosed)
      return this.#find('tampered', name, 'The footer is missing although segments follow.');
    if (next || this.#running) return;
    if (fault) return this.#find('truncated', name, fault.reason, place);
    if (!footer)
      return this.#find(
        'truncated',
        name,
        'There is no footer: the process did not end well, or the end was cut off.',
      );
    if (footer.reason !== 'stopped')
      this.#find('truncated', name, `The segment after this one is missing: it ended as ${footer.reason}.`);
  }

  #checkPrevious(name: SegmentName, header: Header | undefined): void {
    if (!header) return;
    const before = this.#before;
    if (!before) {
      if (name.number === 1 && header.previous)
        this.#find('tampered', name, 'The first segment names a predecessor.');
      return;
    }
    if (!before.sound || before.name.number !== name.number - 1) return;
    const { end, footer } = before.scan;
    const expected = predecessorOf(before.name.number, end, footer !== undefined);
    const said: Record<string, unknown> = { ...header.previous };
    const differs = Object.entries(expected).find(([member, value]) => said[member] !== value);
    if (differs) this.#find('tampered', name, `The header is wrong about its predecessor (${differs[0]}).`);
  }

  #find(
    verdict: Finding['verdict'],
    name: SegmentName,
    reason: string,
    place: { line?: number; seq?: number } = {},
  ): void {
    this.#findings.push({ verdict, file: fileOf(name), reason, ...place });
  }
}

/** The header alone, not yet checked: it only says how much of its predecessor is to be read. */
async function readHeader(path: string, name: SegmentName): Promise<Header | undefined> {
  let header: Header | undefined;
  await scanSegment(path, name, {
    firstLineOnly: true,
    onLine: (_, line) => (header ??= parse(headerSchema, line)),
  });
  return header;
}

function worst(verdicts: readonly Verdict[]): Verdict {
  return verdicts.includes('tampered') ? 'tampered' : verdicts.includes('truncated') ? 'truncated' : 'ok';
}
