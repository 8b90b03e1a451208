/** Trails with chosen times and contents, as a gateway would have written them; nobody has signed them. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { genesis, hashLine } from '../../src/audit/chain.ts';
import { Entry } from '../../src/audit/entry.ts';
import { encodeLine, readLine } from '../../src/audit/line.ts';
import { fileOf } from '../../src/audit/segment-name.ts';
import { footerEvent, headerEvent } from '../../src/audit/segment-shape.ts';

export interface WrittenRecord {
  readonly ts: string;
  readonly event: string;
  readonly [member: string]: unknown;
}

export interface WrittenSegment {
  readonly records: readonly WrittenRecord[];
  /** Without it there is no footer. */
  readonly reason?: string;
  /** Members of the header. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** Bytes behind the last line that were never confirmed. */
  readonly refused?: string;
}

/** @returns the segments' paths */
export async function writeTrail(
  directory: string,
  instance: string,
  chain: string,
  segments: readonly WrittenSegment[],
): Promise<string[]> {
  await mkdir(join(directory, instance), { recursive: true });
  let head = genesis;
  let seq = 0;
  let previous: object | null = null;
  const paths: string[] = [];
  const add = ({ ts, event, ...members }: WrittenRecord): Buffer => {
    seq += 1;
    const line = encodeLine(seq, head, { ts, mono: seq, event, body: JSON.stringify(members) });
    head = hashLine(head, line.subarray(0, -1)).head;
    return line;
  };
  for (const [at, { records, reason, header, refused = '' }] of segments.entries()) {
    const name = { chain, number: at + 1, firstSeq: seq + 1 };
    const first = records[0]?.ts ?? '2026-11-21T00:00:00.000Z';
    const last = records.at(-1)?.ts ?? first;
    const inst = { name: instance, host: 'dmz-1', version: '1.2.3', configHash: 'c0ffee' };
    const facts = {
      chain,
      segment: name.number,
      boot: 'b1',
      inst,
      open: [],
      peaks: [],
      key: '',
      signer: '',
      previous,
    };
    const lines = [
      add({ ts: first, event: headerEvent, ...facts, ...header }),
      ...records.map(add),
      ...(reason === undefined ? [] : [add({ ts: last, event: footerEvent, reason })]),
    ];
    const bytes = Buffer.concat(lines);
    const path = join(directory, instance, fileOf(name));
    await writeFile(path, Buffer.concat([bytes, Buffer.from(refused)]));
    paths.push(path);
    previous = {
      segment: name.number,
      seq,
      head,
      root: genesis,
      bytes: bytes.length,
      closed: reason !== undefined,
    };
  }
  return paths;
}

export const chainA = 'a'.repeat(32);
export const chainB = 'b'.repeat(32);

/** One entry without a file. */
export function anEntry(record: Partial<WrittenRecord>): Entry {
  const { ts = '2026-11-21T08:00:00.000Z', event = 'request.outcome', ...members } = record;
  const line = encodeLine(7, genesis, { ts, mono: 1, event, body: JSON.stringify(members) }).subarray(0, -1);
  const prefix = readLine(line);
  if (!prefix) throw new Error('The record cannot be written.');
  return new Entry('gw-1', { chain: chainA, number: 1, firstSeq: 1 }, prefix, line);
}
