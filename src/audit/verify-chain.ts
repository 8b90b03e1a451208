/**
 * Verifies one chain: scans its segments and holds each against the one before it. A segment behind a fault is judged
 * by its own beginning, so that each fault is told once.
 */
import { isDeepStrictEqual } from 'node:util';

import type { ChainFiles, SegmentFile } from './chain-files.ts';
import { genesis } from './chain.ts';
import {
  checkRootKey,
  judgeCheckpoints,
  readLocalCheckpoints,
  remarksOn,
  type Evidence,
  type Find,
  type Part,
  type Trust,
} from './evidence.ts';
import { checkTombstones, linkExpired, readExpired, type ExpiredSegment, type Link } from './expired.ts';
import { scanAll, type ScanJob } from './scan-pool.ts';
import { readHeader, type Scan } from './scan.ts';
import { fileOf, type SegmentName } from './segment-name.ts';
import { expiredEvent, type Header } from './segment-shape.ts';
import { predecessorOf } from './segment.ts';
import { readSibling, siblingEvent } from './siblings.ts';
import { fingerprint } from './signing-key.ts';
import { worst, type Finding, type InstanceReport } from './verdict.ts';

export async function verifyChain(
  files: ChainFiles,
  trust: Trust,
  onBytes: (bytes: number) => void,
): Promise<InstanceReport> {
  // Read first: what is written meanwhile is longer than they say, never shorter.
  const local = await readLocalCheckpoints(files);
  const remarks = await remarksOn(files);
  const first = files.segments[0]?.name;
  const removed = first ? await readExpired(files.directories, first.chain) : [];
  const expired = removed.filter(({ header }) => header.segment < (first?.number ?? 0));
  const check = new ChainCheck(files.running, expired, first?.chain ?? '');
  const headers: (Header | undefined)[] = [];
  // One after the other: there may be more segments than a process may have files open.
  for (const { path, name } of files.segments) headers.push(await readHeader(path, name));
  const wanted = [...local, ...(trust.checkpoints ?? [])].map(({ size }) => size);
  const jobs = files.segments.map((segment, at) => jobOf(segment, headers[at + 1], wanted));
  const bytes = files.segments.reduce((sum, segment) => sum + segment.bytes, 0);
  let at = 0;
  for await (const scan of scanAll(jobs, bytes)) {
    const segment = files.segments[at];
    if (segment)
      check.segment(segment.name, scan, files.segments[at + 1]?.name, jobs[at]?.options.limit !== undefined);
    onBytes(segment?.bytes ?? 0);
    at += 1;
  }
  checkTombstones(expired, check.parts, check.find);
  checkRootKey(files.chain, check.rootKey, trust, check.find);
  return { ...check.report(files, judgeCheckpoints(check.parts, local, trust, check.find)), remarks };
}

function jobOf({ path, name }: SegmentFile, next: Header | undefined, rootsAt: readonly number[]): ScanJob {
  const said = next?.previous;
  const limit = said && !said.closed && said.segment === name.number ? { limit: said.bytes } : {};
  return { path, name, options: { ...limit, rootsAt, keep: [damageEvent, expiredEvent, siblingEvent] } };
}

const damageEvent = 'audit.damage_accepted';

class ChainCheck {
  readonly #running: boolean;
  readonly #findings: Finding[] = [];
  readonly parts: Part[] = [];
  readonly #expired: readonly ExpiredSegment[];
  #before: Link | undefined;

  constructor(running: boolean, expired: readonly ExpiredSegment[], chain: string) {
    this.#running = running;
    this.#expired = expired;
    this.#before = linkExpired(chain, expired, this.find);
  }

  readonly find: Find = (verdict, name, reason, place = {}) => {
    this.#findings.push({ verdict, file: name ? fileOf(name) : '', reason, ...place });
  };

  get rootKey(): string | undefined {
    if (this.#expired[0]) return this.#expired[0].header.signer;
    const first = this.parts[0];
    return first?.name.number === 1 ? first.scan.header?.signer : undefined;
  }

  segment(name: SegmentName, scan: Scan, next: SegmentName | undefined, unclosed: boolean): void {
    const found = this.#findings.length;
    this.#checkSequence(name, this.#before);
    for (const { seq, event } of scan.kept)
      if (event === damageEvent)
        this.find('tampered', name, 'The gateway was told to go on behind damage.', { seq });
    if (scan.header) this.#checkBeginning(name, scan, scan.header);
    this.#checkEnd(name, scan, next, unclosed);
    this.parts.push({ name, scan });
    const { end, header, footer } = scan;
    const predecessor = predecessorOf(name.number, end, footer !== undefined);
    const isSound = this.#findings.length === found;
    const link = isSound ? { predecessor, peaks: end.chainTree.peaks } : undefined;
    this.#before = { name, key: header?.key, end: link };
  }

  report(
    { instance, chain, running, segments }: ChainFiles,
    evidence: Evidence,
  ): Omit<InstanceReport, 'remarks'> {
    const scans = this.parts.map(({ scan }) => scan);
    const last = scans.at(-1);
    if (segments.length === 0) this.find('truncated', undefined, 'There are no segments.');
    return {
      instance,
      verdict: worst(this.#findings.map(({ verdict }) => verdict)),
      chain,
      running,
      segments: segments.length,
      expired: this.#expired.length,
      records: scans.reduce((sum, { lines }) => sum + lines, 0),
      bytes: scans.reduce((sum, { end }) => sum + end.bytes, 0),
      firstSeq: segments[0]?.name.firstSeq,
      lastSeq: last?.end.seq,
      firstTs: scans[0]?.end.firstTs,
      lastTs: last?.end.lastTs,
      head: last?.end.head,
      rootKey: this.rootKey && fingerprint(this.rootKey),
      ...evidence,
      siblings: this.#siblings(),
      findings: this.#findings,
    };
  }

  #siblings(): InstanceReport['siblings'] {
    const sizes = new Map<string, number>();
    for (const { event, text } of this.parts.flatMap(({ scan }) => scan.kept)) {
      const sibling = event === siblingEvent ? readSibling(text) : undefined;
      if (sibling) sizes.set(sibling.origin, Math.max(sibling.size, sizes.get(sibling.origin) ?? 0));
    }
    return [...sizes].map(([origin, size]) => ({ origin, size }));
  }

  #checkSequence(name: SegmentName, before: Link | undefined): void {
    const expected = (before?.name.number ?? 0) + 1;
    if (before && before.name.chain !== name.chain)
      this.find('tampered', name, 'The segment is of another chain.');
    else if (name.number > expected)
      this.find('tampered', name, `Segments ${expected} to ${name.number - 1} before this one are missing.`);
    else if (name.number < expected) this.find('tampered', name, `There is another segment ${name.number}.`);
  }

  #checkBeginning(name: SegmentName, { begin }: Scan, header: Header): void {
    const before = this.#before;
    if (!before) {
      if (name.number === 1 && header.previous)
        this.find('tampered', name, 'The first segment names a predecessor.');
      if (name.number === 1 && (name.firstSeq !== 1 || begin !== genesis))
        this.find('tampered', name, 'The first segment does not begin a chain.', { line: 1, seq: 1 });
      return;
    }
    if (before.name.number !== name.number - 1) return;
    const place = { line: 1, seq: name.firstSeq };
    if (before.key && header.signer !== before.key)
      this.find('tampered', name, 'The header is not signed by the key of the segment before it.', place);
    if (before.end) this.#compare(name, begin, header, before.end);
  }

  #compare(
    name: SegmentName,
    begin: string | undefined,
    header: Header,
    { predecessor, peaks }: NonNullable<Link['end']>,
  ): void {
    const place = { line: 1, seq: predecessor.seq + 1 };
    if (name.firstSeq !== place.seq) {
      const found = `${place.seq} was expected, ${name.firstSeq} found.`;
      return this.find('tampered', name, `Lines are missing or out of order: ${found}`, place);
    }
    if (begin !== predecessor.head)
      return this.find('tampered', name, 'The line does not follow from the line before it.', place);
    const said: Record<string, unknown> = { ...header.previous };
    const differs = Object.entries(predecessor).find(([member, value]) => said[member] !== value);
    if (differs)
      return this.find('tampered', name, `The header is wrong about its predecessor (${differs[0]}).`, place);
    if (peaks && !isDeepStrictEqual(header.peaks, [...peaks]))
      this.find('tampered', name, 'The header is wrong about the tree before it (peaks).', place);
  }

  #checkEnd(name: SegmentName, scan: Scan, next: SegmentName | undefined, unclosed: boolean): void {
    const { fault, footer } = scan;
    const place = fault && { line: fault.line, seq: fault.seq };
    if (fault?.kind === 'changed') return this.find('tampered', name, fault.reason, place);
    if (fault && next) return this.find('tampered', name, `${fault.reason} Segments follow it.`, place);
    if (next && !footer && !unclosed)
      return this.find('tampered', name, 'The footer is missing although segments follow.');
    if (next || this.#running) return;
    if (fault) return this.find('truncated', name, fault.reason, place);
    if (!footer)
      return this.find(
        'truncated',
        name,
        'There is no footer: the process did not end well, or the end was cut off.',
      );
    if (footer.reason !== 'stopped')
      this.find('truncated', name, `The segment after this one is missing: it ended as ${footer.reason}.`);
  }
}
